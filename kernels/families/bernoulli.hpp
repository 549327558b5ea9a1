// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Bernoulli distribution, P(1) = p, P(0) = 1 − p; the estimate is the mean.
/// Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 3.
struct bernoulli {
  static constexpr const char* name = "bernoulli";
  static constexpr parameter parameters[] = {{"prob", constraint::probability, 0.3, "probability of 1"}};
  using support = supports::zero_or_one;
  template <class T>
  struct params {
    T prob;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return select(x > S(0), log(p.prob), log1p(-p.prob));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>&) {
    return T(0.0);
  }

  /// The deviation from the first pass's mean, which takes out that mean's rounding.
  template <class S>
  MF_FN static vec<S, 1> statistics(const S& x, const sample_summary& s) {
    return {x - S(s.mean)};
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 1>& means, const sample_summary& s) {
    const double ones = s.mean + means[0];
    return ones * log(p.prob) + (1 - ones) * log1p(-p.prob);
  }
  /// Boundary where all observations are equal, or the mean is too near 1 to tell from it: that probability is then 1.
  MF_FN static start_point<1> start(const vec<double, 1>& means, const sample_summary& s, const fit_settings&) {
    const double prob = s.mean + means[0];
    if (s.minimum == s.maximum) return {{s.minimum}, fit_status::boundary, 0.0};
    if (!(prob < 1)) return {{1.0}, fit_status::boundary, 0.0};
    return {{prob}};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_uniform(random) < p.prob ? 1.0 : 0.0;
  }
};

MF_NAMESPACE_END
