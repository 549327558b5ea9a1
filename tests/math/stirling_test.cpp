// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The remainders that are left when Stirling's terms, log I₀'s linear part or a logarithm's linear part cancel, against
// the plain formulas in 64-bit-mantissa long double where those still have digits, and against series where they do
// not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/math/special.hpp"

namespace manyfit {
namespace {

double error_of(double ours, long double exact) {
  return static_cast<double>(std::abs(ours - exact) / (1 + std::abs(exact)));
}

TEST(log_gamma_remainder, is_log_gamma_without_its_leading_terms) {
  double worst = 0;
  for (double x = 1e-3; x < 100; x *= 1.01) {
    const long double wide = x, exact = std::lgamma(wide) - (wide * std::log(wide) - wide);
    worst = std::max(worst, error_of(log_gamma_remainder(x), exact));
  }
  for (double x = 1e6; x < 1e300; x *= 1e3) {
    const long double wide = x, exact = 0.5L * std::log(2 * std::numbers::pi_v<long double> / wide) + 1 / (12 * wide);
    worst = std::max(worst, error_of(log_gamma_remainder(x), exact));
  }
  EXPECT_TRUE(worst <= 4e-15) << worst;
}

TEST(log_factorial_remainder, is_exact_from_zero_on) {
  double worst = 0;
  for (double k = 0; k < 100; ++k) {
    const long double exact = std::lgamma(k + 1.0L) - (k > 0 ? k * std::log(static_cast<long double>(k)) - k : 0);
    worst = std::max(worst, error_of(log_factorial_remainder(k), exact));
  }
  EXPECT_TRUE(worst <= 4e-15) << worst;
}

TEST(log_ratio_minus, keeps_its_relative_accuracy_near_and_far) {
  double worst = 0;
  for (const double b : {1e-12, 0.3, 1.0, 7e5})
    for (double ratio = 1e-30; ratio < 1e30; ratio *= 1.37) {
      const double a = ratio * b;
      const long double d = (static_cast<long double>(a) - b) / b;
      const long double exact = std::log(static_cast<long double>(a) / b) - d;
      if (std::abs(d) < 0.01L) continue;  // the plain formula cancels
      worst = std::max(worst, static_cast<double>(std::abs((log_ratio_minus(a, b) - exact) / exact)));
    }
  for (double d = 0x1p-50; d < 1e-6; d *= 8)  // 1 + d is exact
    worst = std::max(worst, std::abs(log_ratio_minus(1 + d, 1.0) / (-d * d * (0.5 - d / 3 + d * d / 4)) - 1));
  EXPECT_TRUE(worst <= 1e-14) << worst;
}

TEST(log_bessel_i0_scaled, does_not_cancel_at_large_arguments) {
  double worst = 0;
  for (double k = 1e-3; k < 16; k *= 1.1)
    worst = std::max(worst, error_of(log_bessel_i0_scaled(k), log_bessel_i0(k) - k));
  for (double k = 1e5; k < 1e15; k *= 7) {
    const long double wide = k, exact = -0.5L * std::log(2 * std::numbers::pi_v<long double> * wide) +
                                        std::log1p(1 / (8 * wide) + 9 / (128 * wide * wide));
    worst = std::max(worst, error_of(log_bessel_i0_scaled(k), exact));
  }
  EXPECT_TRUE(worst <= 4e-15) << worst;
}

}  // namespace
}  // namespace manyfit
