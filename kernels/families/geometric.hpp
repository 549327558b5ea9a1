// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Geometric distribution of the failures before the first success, P(x) = p (1−p)^x, x = 0, 1, ...; the estimate is
/// 1 / (1 + mean).
/// Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 5.
struct geometric {
  static constexpr const char* name = "geometric";
  static constexpr parameter parameters[] = {{"prob", constraint::probability, 0.25, "probability of success"}};
  using support = supports::nonnegative_integers;
  template <class T>
  struct params {
    T prob;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return x * log1p(-p.prob);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return log(p.prob);
  }

  /// The deviation from the first pass's mean, which takes out that mean's rounding.
  template <class S>
  MF_FN static vec<S, 1> statistics(const S& x, const sample_summary& s) {
    return {x - S(s.mean)};
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 1>& means, const sample_summary& s) {
    return log_constant(p) + (s.mean + means[0]) * log1p(-p.prob);
  }
  /// Boundary, at probability 1, where every observation is 0 (or the mean is too small to tell from it).
  MF_FN static start_point<1> start(const vec<double, 1>& means, const sample_summary& s, const fit_settings&) {
    const double prob = 1 / (1 + s.mean + means[0]);
    if (!(prob < 1)) return {{1.0}, fit_status::boundary, 0.0};
    return {{prob}};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_geometric(random, p.prob);
  }
};

MF_NAMESPACE_END
