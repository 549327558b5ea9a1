// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Elementary functions of packs against long double, in units in the last place, over the ranges that families use; and
// the edges where a vector library differs from <cmath>.
#include "kernels/math/pack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace manyfit {
namespace {

/// Distance in units in the last place of the exact value, which is given in more than double precision.
double ulps(double actual, long double expected) {
  const double rounded = static_cast<double>(expected);
  if (actual == rounded) return 0;
  const double unit = std::nextafter(std::abs(rounded), constants::infinity) - std::abs(rounded);
  return static_cast<double>(std::abs(actual - expected) / unit);
}

template <class Function, class Reference, class Draw>
void stays_within(const char* name, double bound, Function f, Reference reference, Draw draw) {
  std::mt19937_64 engine(20260101);
  double worst = 0, worst_at = 0;
  for (int i = 0; i < 40000; ++i) {
    double x[pack::lanes], y[pack::lanes];
    for (double& lane : x) lane = draw(engine);
    f(pack::load(x)).store(y);
    for (int lane = 0; lane < pack::lanes; ++lane) {
      const double error = ulps(y[lane], reference(static_cast<long double>(x[lane])));
      ASSERT_FALSE(!(error <= bound)) << name << " at " << x[lane] << ": " << y[lane] << ", " << error << " ulp";
      if (error > worst) worst = error, worst_at = x[lane];
    }
  }
  std::printf("%-28s worst %.2f ulp at %.17g\n", name, worst, worst_at);
}

auto between(double low, double high) {
  return [=](auto& engine) { return std::uniform_real_distribution<double>(low, high)(engine); };
}
/// Spread evenly in the logarithm, of the given sign.
auto magnitudes(double low, double high, double sign = 1) {
  return [=](auto& engine) {
    return sign * std::exp(std::uniform_real_distribution<double>(std::log(low), std::log(high))(engine));
  };
}

TEST(pack, exp_and_expm1) {
  const auto f = [](pack x) { return exp(x); };
  const auto exact = [](long double x) { return std::exp(x); };
  stays_within("exp, normal results", 1.1, f, exact, between(-708, 709));
  stays_within("exp, small arguments", 1.1, f, exact, magnitudes(1e-20, 1, -1));
  const auto g = [](pack x) { return expm1(x); };
  const auto exact_g = [](long double x) { return std::expm1(x); };
  stays_within("expm1", 4.0, g, exact_g, between(-40, 709));
  stays_within("expm1, small arguments", 4.0, g, exact_g, magnitudes(1e-20, 1));
  stays_within("expm1, small negative", 4.0, g, exact_g, magnitudes(1e-20, 1, -1));
}
TEST(pack, log_and_log1p) {
  const auto f = [](pack x) { return log(x); };
  const auto exact = [](long double x) { return std::log(x); };
  stays_within("log", 1.0, f, exact, magnitudes(2.3e-308, 1.7e308));
  stays_within("log, subnormal", 1.0, f, exact, magnitudes(1e-320, 2.2e-308));
  stays_within("log, near one", 1.0, f, exact, between(0.5, 2));
  stays_within("log, nearest one", 1.0, f, exact, between(1 - 1e-6, 1 + 1e-6));
  const auto g = [](pack x) { return log1p(x); };
  const auto exact_g = [](long double x) { return std::log1p(x); };
  stays_within("log1p", 2.5, g, exact_g, magnitudes(1e-20, 1e300));
  stays_within("log1p, negative", 2.5, g, exact_g, magnitudes(1e-20, 0.9999999, -1));
}
TEST(pack, trigonometric_functions) {
  stays_within(
      "sin", 3.0, [](pack x) { return sin(x); }, [](long double x) { return std::sin(x); }, between(-20, 20));
  stays_within(
      "cos", 3.0, [](pack x) { return cos(x); }, [](long double x) { return std::cos(x); }, between(-20, 20));
  stays_within(
      "sin, far", 3.0, [](pack x) { return sin(x); }, [](long double x) { return std::sin(x); },
      between(-39000, 39000));
  stays_within(
      "cos, far", 3.0, [](pack x) { return cos(x); }, [](long double x) { return std::cos(x); },
      between(-39000, 39000));
  stays_within(
      "atan", 2.0, [](pack x) { return atan(x); }, [](long double x) { return std::atan(x); }, magnitudes(1e-20, 1e20));
  stays_within(
      "sqrt", 0.5, [](pack x) { return sqrt(x); }, [](long double x) { return std::sqrt(x); },
      magnitudes(1e-300, 1e300));
}

double first_lane(const pack& x) {
  double lane[pack::lanes];
  x.store(lane);
  for (double other : lane) EXPECT_TRUE(other == lane[0] || (other != other && lane[0] != lane[0]));
  return lane[0];
}

TEST(pack, exp_overflows_to_infinity_and_underflows_to_zero) {
  for (const double x : {710.0, 1000.0, 1e5, 1e300, constants::infinity}) {
    EXPECT_EQ(first_lane(exp(pack(x))), constants::infinity) << x;
    EXPECT_EQ(first_lane(expm1(pack(x))), constants::infinity) << x;
  }
  for (const double x : {-746.0, -1000.0, -1e5, -1e300, -constants::infinity}) {
    EXPECT_EQ(first_lane(exp(pack(x))), 0.0) << x;
    EXPECT_EQ(first_lane(expm1(pack(x))), -1.0) << x;
  }
  EXPECT_EQ(first_lane(exp(pack(0.0))), 1.0);
}
TEST(pack, missing_lanes_stay_missing) {
  const pack missing(constants::nan);
  EXPECT_TRUE(std::isnan(first_lane(exp(missing))));
  EXPECT_TRUE(std::isnan(first_lane(expm1(missing))));
  EXPECT_TRUE(std::isnan(first_lane(missing + pack(1.0))));
  EXPECT_TRUE(any(is_missing(missing)));
  EXPECT_TRUE(any(missing != missing));
  EXPECT_FALSE(any(missing == missing) || any(missing < missing) || any(missing >= missing));
  EXPECT_FALSE(any(is_missing(pack(1.0))));
  EXPECT_FALSE(any(is_finite(missing)) || any(is_finite(pack(constants::infinity))));
  EXPECT_TRUE(any(is_finite(pack(1e308))));
}
// log of zero, negative numbers and infinity is left out on purpose: Highway's gives finite garbage, and no formula may
// rely on it. The families guard their supports with select.

TEST(pack, selects_each_lane_by_its_own_condition) {
  double x[pack::lanes], y[pack::lanes];
  for (int i = 0; i < pack::lanes; ++i) x[i] = i % 2 ? -i : i;
  const pack p = pack::load(x);
  select(p < pack(0.0), pack(-1.0), p).store(y);
  for (int i = 0; i < pack::lanes; ++i) EXPECT_EQ(y[i], x[i] < 0 ? -1.0 : x[i]);
}
TEST(pack, loads_floats_as_their_exact_doubles) {
  float x[pack::lanes];
  double y[pack::lanes];
  for (int i = 0; i < pack::lanes; ++i) x[i] = 0.1f * static_cast<float>(i + 1);
  pack::load(x).store(y);
  for (int i = 0; i < pack::lanes; ++i) EXPECT_EQ(y[i], static_cast<double>(x[i]));
}
TEST(pack, sums_lanes_in_halves) {
  double x[pack::lanes];
  for (int i = 0; i < pack::lanes; ++i) x[i] = std::pow(10.0, 3 * i) / 3;
  double expected = x[0];
  if (pack::lanes == 2) expected = x[0] + x[1];
  if (pack::lanes == 4) expected = (x[0] + x[2]) + (x[1] + x[3]);
  if (pack::lanes == 8) expected = ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
  EXPECT_EQ(sum_of_lanes(pack::load(x)), expected);
}

}  // namespace
}  // namespace manyfit
