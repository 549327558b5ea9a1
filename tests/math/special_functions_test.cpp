// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Special functions against values from 80 digits (tests/golden), in double, in every lane of a pack and, at the
// rounded argument, in float. The tolerances are the promises in the comments of kernels/math.
#include "kernels/math/special.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/math/pack.hpp"

#if !defined(MF_GOLDEN_DIR)
#define MF_GOLDEN_DIR "tests/golden"
#endif

namespace manyfit {
namespace {

const nlohmann::json& tables() {
  static const nlohmann::json all = [] {
    nlohmann::json merged;
    for (const char* file :
         {"/special_functions.json", "/special_functions_more.json", "/special_functions_ends.json"}) {
      std::ifstream in(std::string(MF_GOLDEN_DIR) + file);
      EXPECT_TRUE(in.good()) << file;
      merged.update(nlohmann::json::parse(in));
    }
    return merged;
  }();
  return all;
}

/// Error in units of floor + |expected|: floor 0 asks for relative accuracy, floor 1 for absolute accuracy near zero.
double scaled_error(double actual, double expected, double floor) {
  return actual == expected ? 0.0 : std::abs(actual - expected) / (floor + std::abs(expected));
}

struct promise {
  const char* table;
  double floor;
  double tolerance;
  double float_tolerance;
  double float_low;  // floats are checked where every argument lies in [float_low, float_high] or is 0
  double float_high;
};

template <class Function>
void holds(const promise& p, Function function) {
  double worst = 0, worst_float = 0;
  const auto& rows = tables().at(p.table);
  ASSERT_GT(rows.size(), 20u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const double a = row[0], b = row.size() > 2 ? row[1].get<double>() : 0.0, expected = row.back();
    const double error = scaled_error(function(a, b), expected, p.floor);
    EXPECT_FALSE(!(error <= p.tolerance)) << p.table << " at " << a << ", " << b << ": error " << error;
    worst = std::max(worst, error);

    // Neighbouring rows in the other lanes, so that a select between ranges is taken both ways inside one pack.
    double lane_a[pack::lanes], lane_b[pack::lanes], lane_result[pack::lanes];
    for (int lane = 0; lane < pack::lanes; ++lane) {
      const auto& neighbour = rows[(i + 7 * lane) % rows.size()];
      lane_a[lane] = neighbour[0];
      lane_b[lane] = row.size() > 2 ? neighbour[1].get<double>() : 0.0;
    }
    function(pack::load(lane_a), pack::load(lane_b)).store(lane_result);
    for (int lane = 0; lane < pack::lanes; ++lane) {
      const double lane_error = scaled_error(lane_result[lane], rows[(i + 7 * lane) % rows.size()].back(), p.floor);
      EXPECT_FALSE(!(lane_error <= p.tolerance))
          << p.table << " in lane " << lane << " at " << lane_a[lane] << ", " << lane_b[lane] << ": " << lane_error;
      worst = std::max(worst, lane_error);
    }

    const auto in_float_range = [&](double x) {
      return x == 0 || (std::abs(x) >= p.float_low && std::abs(x) <= p.float_high);
    };
    if (!in_float_range(a) || !in_float_range(b)) continue;
    const float float_a = static_cast<float>(a), float_b = static_cast<float>(b);
    const float from_float = function(float_a, float_b);
    const double from_double = function(static_cast<double>(float_a), static_cast<double>(float_b));
    const double float_error = scaled_error(from_float, from_double, p.floor);
    EXPECT_FALSE(!(float_error <= p.float_tolerance))
        << p.table << " in float at " << float_a << ", " << float_b << ": " << float_error;
    worst_float = std::max(worst_float, float_error);
  }
  std::printf("%-30s worst %.2g, float %.2g\n", p.table, worst, worst_float);
}

TEST(special_functions, log_gamma_is_accurate_from_1e_minus_300_to_1e300) {
  const auto f = [](auto x, auto) { return log_gamma(x); };
  holds({"log_gamma", 1, 2e-15, 1e-6, 1e-30, 1e30}, f);
  holds({"log_gamma_ends", 1, 2e-15, 1e-6, 1e-30, 1e30}, f);
}
TEST(special_functions, log_gamma_is_relatively_accurate_at_its_zeros) {
  holds({"log_gamma_zeros", 0, 1e-13, 4e-6, 1e-30, 1e30}, [](auto x, auto) { return log_gamma(x); });
  EXPECT_EQ(log_gamma(1.0), 0.0);
  EXPECT_EQ(log_gamma(2.0), 0.0);
}
TEST(special_functions, digamma_and_trigamma) {
  holds({"digamma", 1, 2e-15, 2e-6, 1e-18, 1e30}, [](auto x, auto) { return digamma(x); });
  holds({"trigamma", 0, 3e-15, 2e-6, 1e-18, 1e30}, [](auto x, auto) { return trigamma(x); });
}
TEST(special_functions, derivatives_of_log_gamma_together_are_those_alone) {
  for (const double x : {1e-5, 0.3, 1.0, 2.5, 5.999, 6.0, 17.0, 1e9}) {
    double psi, psi1;
    polygamma01(x, psi, psi1);
    const auto all = log_gamma_derivatives(x);
    EXPECT_NEAR(psi, digamma(x), 2e-15 * (1 + std::abs(digamma(x))));
    EXPECT_NEAR(psi1, trigamma(x), 2e-15 * (1 + std::abs(trigamma(x))));
    EXPECT_NEAR(all.value, log_gamma(x), 2e-15 * (1 + std::abs(log_gamma(x))));
    EXPECT_NEAR(all.first, psi, 2e-15 * (1 + std::abs(psi)));
    EXPECT_NEAR(all.second, psi1, 2e-15 * (1 + std::abs(psi1)));
  }
}
TEST(special_functions, log_minus_digamma_keeps_relative_accuracy_at_large_shapes) {
  holds({"log_minus_digamma", 0, 2e-14, 1e-5, 1e-18, 1e18}, [](auto x, auto) { return log_minus_digamma(x).value; });
  holds({"log_minus_digamma_derivative", 0, 2e-14, 1e-5, 1e-18, 1e18},
        [](auto x, auto) { return log_minus_digamma(x).derivative; });
}
TEST(special_functions, log_gamma_ratio_does_not_cancel_at_large_r) {
  holds({"log_gamma_ratio", 1, 4e-15, 2e-6, 1e-20, 1e12}, [](auto r, auto x) { return log_gamma_ratio(r, x); });
  holds({"log_gamma_ratio_first", 0, 2e-14, 1e-5, 1e-18, 1e12},
        [](auto r, auto x) { return log_gamma_ratio_derivatives(r, x).first; });
  holds({"log_gamma_ratio_second", 0, 2e-14, 1e-5, 1e-15, 1e12},
        [](auto r, auto x) { return log_gamma_ratio_derivatives(r, x).second; });
  for (const double r : {1e-9, 0.7, 7.9, 8.0, 33.3, 1e12}) EXPECT_EQ(log_gamma_ratio(r, 0.0), 0.0) << r;
}
TEST(special_functions, log1p_minus_is_relatively_accurate_near_zero) {
  holds({"log1p_minus", 0, 4e-15, 2e-6, 1e-15, 0.999}, [](auto x, auto) { return log1p_minus(x); });
  holds({"log1p_minus_x", 0, 4e-15, 2e-6, 1e-15, 0.999}, [](auto x, auto) { return log1p_minus(x); });
}
TEST(special_functions, bessel_functions_of_the_von_mises_distribution) {
  holds({"log_bessel_i0", 0, 3e-15, 1e-6, 1e-10, 1e12}, [](auto k, auto) { return log_bessel_i0(k); });
  holds({"bessel_ratio_i1_i0", 0, 2e-15, 1e-6, 1e-10, 1e12}, [](auto k, auto) { return bessel_ratio(k); });
  holds({"one_minus_bessel_ratio", 0, 1e-14, 1e-5, 1e-10, 1e12},
        [](auto k, auto) { return one_minus_bessel_ratio(k); });
  holds({"bessel_ratio_derivative", 0, 3e-13, 3e-4, 1e-10, 1e12},
        [](auto k, auto) { return bessel_ratio_derivative(k); });
  EXPECT_EQ(log_bessel_i0(0.0), 0.0);
  EXPECT_EQ(bessel_ratio(0.0), 0.0);
  EXPECT_EQ(bessel_ratio_derivative(0.0), 0.5);
}
/// Every range that a comment in kernels/math states, to its ends: what a caller may ask for by holding a parameter
/// there.
TEST(special_functions, hold_over_their_whole_ranges) {
  holds({"log_gamma_range", 1, 2e-15, 1e-6, 1e-30, 1e30}, [](auto x, auto) { return log_gamma(x); });
  holds({"digamma_range", 1, 2e-15, 2e-6, 1e-18, 1e30}, [](auto x, auto) { return digamma(x); });
  holds({"trigamma_range", 0, 3e-15, 2e-6, 1e-15, 1e30}, [](auto x, auto) { return trigamma(x); });
  holds({"log_minus_digamma_range", 0, 2e-14, 1e-5, 1e-18, 1e18},
        [](auto x, auto) { return log_minus_digamma(x).value; });
  holds({"log_minus_digamma_derivative_range", 0, 2e-14, 1e-5, 1e-15, 1e18},
        [](auto x, auto) { return log_minus_digamma(x).derivative; });
  holds({"log_gamma_remainder_range", 1, 4e-15, 2e-6, 1e-18, 1e18},
        [](auto x, auto) { return log_gamma_remainder(x); });
  holds({"log_bessel_i0_scaled_range", 1, 4e-15, 2e-6, 1e-10, 1e36},
        [](auto x, auto) { return log_bessel_i0_scaled(x); });
  holds({"log_gamma_ratio_range", 1, 4e-15, 2e-6, 1e-20, 1e12}, [](auto r, auto x) { return log_gamma_ratio(r, x); });
  holds({"log_gamma_ratio_first_range", 0, 2e-14, 1e-5, 1e-18, 1e12},
        [](auto r, auto x) { return log_gamma_ratio_derivatives(r, x).first; });
  holds({"log_gamma_ratio_second_range", 0, 2e-14, 1e-5, 1e-15, 1e12},
        [](auto r, auto x) { return log_gamma_ratio_derivatives(r, x).second; });
  EXPECT_EQ(normal_quantile(5e-324) < normal_quantile(1e-300), true);
  // Ratios of anything to anything.
  for (const double a : {1e-300, 1e-8, 1.0, 1e8, 1e300})
    for (const double b : {1e-300, 1e-8, 1.0, 1e8, 1e300}) {
      const double expected = a == b ? 0 : (std::log(a) - std::log(b)) - (a / b - 1);
      if (!std::isfinite(expected)) continue;  // a / b is not
      EXPECT_TRUE(scaled_error(log_ratio_minus(a, b), expected, 0) <= 1e-14) << a << " " << b;
    }
}
TEST(special_functions, normal_quantile_of_wichura) {
  double worst = 0;
  for (const auto& row : tables().at("normal_quantile")) {
    const double error = scaled_error(normal_quantile(row[0]), row[1], 0);
    EXPECT_FALSE(!(error <= 2e-15)) << row[0] << ": " << error;
    worst = std::max(worst, error);
  }
  std::printf("%-30s worst %.2g\n", "normal_quantile", worst);
  EXPECT_EQ(normal_quantile(0.0), -constants::infinity);
  EXPECT_EQ(normal_quantile(1.0), constants::infinity);
  EXPECT_TRUE(is_missing(normal_quantile(-0.1)) && is_missing(normal_quantile(constants::nan)));
}

}  // namespace
}  // namespace manyfit
