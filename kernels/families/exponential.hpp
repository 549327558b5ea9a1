// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Exponential distribution with rate r, f(x) = r exp(−rx), x ≥ 0; the estimate is 1 / mean.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 19.
struct exponential {
  static constexpr const char* name = "exponential";
  static constexpr parameter parameters[] = {{"rate", constraint::positive, 0.8, "1 / mean", tracking::rate}};
  using support = supports::nonnegative_reals;
  template <class T>
  struct params {
    T rate;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return -p.rate * x;
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return log(p.rate);
  }

  /// The deviation from the first pass's mean, which takes out that mean's rounding.
  template <class S>
  MF_FN static vec<S, 1> statistics(const S& x, const sample_summary& s) {
    return {x - S(s.mean)};
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 1>& means, const sample_summary& s) {
    return log_constant(p) - p.rate * (s.mean + means[0]);
  }
  /// With every observation 0 the likelihood grows without limit in the rate.
  MF_FN static start_point<1> start(const vec<double, 1>& means, const sample_summary& s, const fit_settings&) {
    const bool positive = s.maximum > 0;
    return {{1 / (s.mean + means[0])}, positive ? fit_status::not_run : fit_status::constant_sample};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_exponential(random) / p.rate;
  }
};

MF_NAMESPACE_END
