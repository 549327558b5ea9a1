// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The family that new_family.sh adds to a copy of the tree, to show that a family is one header and one line.
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Gompertz distribution with shape a and rate b, f(x) = b exp(a x) exp(−(b/a)(exp(a x) − 1)), x >= 0, a > 0, b > 0.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 22.8.
struct gompertz {
  static constexpr const char* name = "gompertz";
  static constexpr parameter parameters[] = {
      {"shape", constraint::positive, 1.5, "how fast the hazard grows, per unit of x"},
      {"rate", constraint::positive, 0.7, "hazard at x = 0, per unit of x"}};
  using support = supports::nonnegative_reals;
  template <class T>
  struct params {
    T shape, rate;
  };

  template <class T, class S>
  MF_FN static auto log_density(const params<T>& p, const S& x) {
    return log(p.rate) + p.shape * x - p.rate / p.shape * expm1(p.shape * x);
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return log1p(draw_exponential(random) * p.shape / p.rate) / p.shape;
  }
};

MF_NAMESPACE_END
