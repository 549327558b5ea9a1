// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/families/family.hpp"

MF_NAMESPACE_BEGIN

/// Lognormal distribution: log x is normal with mean μ (meanlog) and standard deviation σ (sdlog),
/// f(x) = exp(−(log x − μ)²/(2σ²)) / (xσ√(2π)), x > 0.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 14.
struct lognormal {
  static constexpr const char* name = "lognormal";
  static constexpr parameter parameters[] = {{"meanlog", constraint::real, 0.5, "mean of log x"},
                                             {"sdlog", constraint::positive, 0.8, "standard deviation of log x"}};
  using support = supports::positive_reals;
  template <class T>
  struct params {
    T meanlog, sdlog;
  };

  template <class S>
  MF_FN static S coordinate(const S& x) {
    return log(x);
  }
  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& y) {
    return -0.5 * square((y - p.meanlog) / p.sdlog) - y;
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -constants::half_log_two_pi - log(p.sdlog);
  }

  /// Deviations of log x from their mean: nothing cancels, whatever the scale of the data.
  template <class S>
  MF_FN static vec<S, 2> statistics(const S& y, const sample_summary& s) {
    const S deviation = y - S(s.mean);
    return {deviation, square(deviation)};
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 2>& means, const sample_summary& s) {
    const T shift = s.mean - p.meanlog;
    const T mean_square = means[1] + 2.0 * means[0] * shift + square(shift);
    return log_constant(p) - 0.5 * mean_square / square(p.sdlog) - (s.mean + means[0]);
  }
  MF_FN static start_point<2> start(const vec<double, 2>& means, const sample_summary& s,
                                    const fit_settings& settings) {
    const double center = s.mean + means[0];
    const double shift = (settings.fixed & 1u) ? center - settings.fixed_values[0] : 0.0;
    const double variance = means[1] - square(means[0]) + square(shift);
    const bool constant = !(settings.fixed & 2u) && !(variance > 0);
    return {{center, sqrt(variance)}, constant ? fit_status::constant_sample : fit_status::not_run};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return exp(p.meanlog + p.sdlog * draw_normal(random));
  }
};

MF_NAMESPACE_END
