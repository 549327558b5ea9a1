// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Poisson distribution with rate r, P(x) = r^x exp(−r) / x!, x = 0, 1, ...; the estimate is the mean.
/// Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 4; probabilities in the saddle-point
/// form of Loader, Fast and accurate computation of binomial probabilities (2000), which does not cancel at large
/// counts.
struct poisson {
  static constexpr const char* name = "poisson";
  static constexpr parameter parameters[] = {{"rate", constraint::positive, 3.5, "mean"}};
  using support = supports::nonnegative_integers;
  template <class T>
  struct params {
    T rate;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return minus_half_deviance(x, p.rate) - log_factorial_remainder(x);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>&) {
    return T(0.0);
  }

  /// The deviation from the mean, and the log-probability when the mean is the rate: at any other rate it differs by
  /// what depends on the mean alone.
  template <class S>
  MF_FN static vec<S, 2> statistics(const S& x, const sample_summary& s) {
    return {x - S(s.mean), log_kernel(params<S>{S(s.mean)}, x)};
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 2>& means, const sample_summary& s) {
    if (s.maximum == 0) return -p.rate;
    return means[1] + s.mean * log_ratio_minus(p.rate, T(s.mean)) + means[0] * log(p.rate / s.mean);
  }
  /// Boundary, at rate 0, where every observation is 0.
  MF_FN static start_point<1> start(const vec<double, 2>& means, const sample_summary& s, const fit_settings&) {
    if (s.maximum == 0) return {{0.0}, fit_status::boundary, 0.0};
    return {{s.mean + means[0]}};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_poisson(random, p.rate);
  }
};

MF_NAMESPACE_END
