// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Derivatives by hand against the generic path, which differentiates the log-density by jets; and the function under
// both extreme-value families against long double.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/algorithms/mle.hpp"
#include "kernels/families/cauchy.hpp"
#include "kernels/families/generalized_pareto.hpp"
#include "kernels/families/gev.hpp"
#include "kernels/families/gumbel.hpp"
#include "kernels/families/logistic.hpp"
#include "kernels/families/negative_binomial.hpp"
#include "kernels/families/student_t.hpp"
#include "kernels/groups/serial_group.hpp"

namespace manyfit {
namespace {

template <class Family>
class objective : public testing::Test {};
using families = testing::Types<student_t, cauchy, logistic, gumbel, gev, generalized_pareto, negative_binomial>;
TYPED_TEST_SUITE(objective, families);

TYPED_TEST(objective, agrees_with_jets_of_the_log_density) {
  using Family = TypeParam;
  constexpr int P = parameter_count<Family>;
  std::mt19937_64 random(11);
  std::normal_distribution<double> standard_normal;
  int compared = 0;
  for (int repeat = 0; repeat < 300; ++repeat) {
    const double scale = std::pow(10.0, 2 * standard_normal(random));
    vec<double, P> p;
    for (int i = 0; i < P; ++i) {
      const std::string name = Family::parameters[i].name;
      const double z = standard_normal(random);
      p[i] = name == "location" ? scale * z
             : name == "scale"  ? scale * std::exp(0.3 * z)
             : name == "shape"  ? 0.4 * z
                                : std::exp(1 + 2 * z);
      if (name == "shape" && repeat % 5 == 0)
        p[i] *= std::pow(10.0, -3.0 * (repeat / 5 % 6));  // towards 0, and 0 itself
      if (name == "shape" && repeat % 25 == 0) p[i] = 0;
    }
    const bool counts = Family::support::discrete, positive = std::is_same_v<Family, generalized_pareto>;
    std::vector<double> values(23), weights(23);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double z = standard_normal(random);
      values[i] = counts ? std::floor(std::exp(1.5 + z)) : positive ? scale * std::abs(z) : scale * z;
      weights[i] = 0.5 + std::abs(standard_normal(random));
    }
    serial_scratch scratch;
    serial_group<family_rows<Family>> points(scratch);
    const auto summary = points.load(sample<double>{values.data(), weights.data(), 23});
    const auto by_hand = Family::objective(points, summary, params_from<Family>(p));
    const auto by_jets = sum_of_terms<Family>(points, summary, p);
    if (!std::isfinite(by_jets.value)) {  // a point outside the support
      ASSERT_EQ(by_hand.value, by_jets.value);
      continue;
    }
    ++compared;
    ASSERT_TRUE(std::abs(by_hand.value - by_jets.value) <= 1e-12 * (1 + std::abs(by_jets.value))) << by_hand.value;
    // In units of the parameters: those of a scale or location from `scale`, the others from their own size.
    double unit[P];
    for (int i = 0; i < P; ++i) {
      const std::string name = Family::parameters[i].name;
      unit[i] = name == "shape" ? 1 : name == "location" ? scale : p[i];
    }
    for (int i = 0; i < P; ++i) {
      const double a = unit[i] * by_hand.gradient[i], b = unit[i] * by_jets.gradient[i];
      ASSERT_TRUE(std::abs(a - b) <= 1e-11 * (1 + std::abs(b))) << "gradient " << i << ": " << a << " and " << b;
      for (int j = 0; j <= i; ++j) {
        const double c = unit[i] * unit[j] * by_hand.hessian[packed(i, j)];
        const double d = unit[i] * unit[j] * by_jets.hessian[packed(i, j)];
        ASSERT_TRUE(std::abs(c - d) <= 1e-10 * (1 + std::abs(d))) << "Hessian " << i << j << ": " << c << " and " << d;
      }
    }
  }
  ASSERT_GE(compared, 100);
}

/// s = log1p(kz)/k and its derivatives in k by series in long double (|kz| < 0.5), or directly.
struct exact_ratio {
  long double value = 0, by_k = 0, by_k_twice = 0;
  exact_ratio(long double z, long double k) {
    const long double x = k * z;
    if (std::abs(x) < 0.5L) {
      long double power = 1;  // (−x)^j
      for (int j = 0; j < 200; ++j) {
        value += z * power / (j + 1);
        if (j + 1 >= 1) by_k -= z * z * power * (j + 1) / (j + 2);
        by_k_twice += z * z * z * power * (j + 1) * (j + 2) / (j + 3);
        power *= -x;
      }
    } else {
      value = log1pl(x) / k;
      by_k = (z / (1 + x) - value) / k;
      by_k_twice = -(z * z / ((1 + x) * (1 + x)) + 2 * by_k) / k;
    }
  }
};

TEST(log1p_ratio, is_smooth_through_shape_0) {
  const auto close = [](double a, long double b, double tolerance) {
    return std::abs(a - static_cast<double>(b)) <= tolerance * std::abs(static_cast<double>(b));
  };
  for (const double z : {-5.0, -0.7, -1e-3, 0.0, 1e-9, 0.3, 2.0, 50.0, 1e6})
    for (const double k :
         {-0.9, -0.3, -0.01, -1e-5, -1e-12, -1e-200, 0.0, 1e-300, 1e-12, 1e-6, 1e-3, 0.02, 0.2, 0.8, 3.0, 40.0}) {
      if (!(k * z > -1)) continue;
      const exact_ratio exact(z, k);
      const auto d = log1p_ratio_with_derivatives(z, k);
      ASSERT_TRUE(close(d.value, exact.value, 2e-15)) << z << " " << k << " " << d.value;
      ASSERT_TRUE(close(log1p_ratio(z, k), exact.value, 2e-15)) << z << " " << k;
      ASSERT_TRUE(close(d.by_k, exact.by_k, 1e-14)) << z << " " << k << " " << d.by_k;
      ASSERT_TRUE(close(d.by_k_twice, exact.by_k_twice, 1e-12)) << z << " " << k << " " << d.by_k_twice;
    }
}

}  // namespace
}  // namespace manyfit
