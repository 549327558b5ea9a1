// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Rayleigh distribution with scale σ, f(x) = (x/σ²) exp(−x²/(2σ²)), x > 0; the estimate is √(mean(x²)/2).
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 18.
struct rayleigh {
  static constexpr const char* name = "rayleigh";
  static constexpr parameter parameters[] = {{"scale", constraint::positive, 1.5, "mode", tracking::scale}};
  using support = supports::positive_reals;
  template <class T>
  struct params {
    T scale;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return log(x) - 0.5 * square(x / p.scale);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -2.0 * log(p.scale);
  }

  /// log x, and the square relative to the mean, so that no scale of the data overflows.
  template <class S>
  MF_FN static vec<S, 2> statistics(const S& x, const sample_summary& s) {
    return {log(x), square(x * S(1 / s.mean))};
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 2>& means, const sample_summary& s) {
    return log_constant(p) + means[0] - 0.5 * means[1] * square(s.mean / p.scale);
  }
  MF_FN static start_point<1> start(const vec<double, 2>& means, const sample_summary& s, const fit_settings&) {
    return {{s.mean * sqrt(0.5 * means[1])}};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return p.scale * sqrt(2 * draw_exponential(random));
  }
};

MF_NAMESPACE_END
