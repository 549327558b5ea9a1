// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/families/normal.hpp"

MF_NAMESPACE_BEGIN

/// Lognormal distribution: log x is normal with mean μ (meanlog) and standard deviation σ (sdlog),
/// f(x) = exp(−(log x − μ)²/(2σ²)) / (xσ√(2π)), x > 0.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 14.
struct lognormal {
  static constexpr const char* name = "lognormal";
  static constexpr parameter parameters[] = {
      {"meanlog", constraint::real, 0.5, "mean of log x", tracking::log_scale},
      {"sdlog", constraint::positive, 0.8, "standard deviation of log x", tracking::log_width}};
  using support = supports::positive_reals;
  template <class T>
  struct params {
    T meanlog, sdlog;
  };

  /// The normal law of y = log x.
  template <class T>
  MF_FN static normal::params<T> of_log(const params<T>& p) {
    return {p.meanlog, p.sdlog};
  }

  static constexpr bool coordinate_is_log = true;
  template <class S>
  MF_FN static S coordinate(const S& x) {
    return log(x);
  }
  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& y) {
    return normal::log_kernel(of_log(p), y) - y;
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return normal::log_constant(of_log(p));
  }

  /// The density where sdlog is small and log x − meanlog would be all rounding, about exp(meanlog); x itself, not its
  /// coordinate.
  template <class S>
  MF_FN static S log_density_where_narrow(const params<S>& p, const S& x) {
    const S center = exp(p.meanlog), d = (x - center) / center;
    const S z = select(abs(d) < S(0.5), log1p(d), log(x) - p.meanlog) / p.sdlog;
    return S(-constants::half_log_two_pi) - S(0.5) * z * z - log(p.sdlog) - log(x);
  }
  MF_FN static bool is_narrow(const params<double>& p) { return p.sdlog < 1e-4; }

  template <class S>
  MF_FN static vec<S, 2> statistics(const S& y, const sample_summary& s) {
    return normal::statistics(y, s);
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 2>& means, const sample_summary& s) {
    return normal::mean_log_likelihood(of_log(p), means, s) - (s.mean + means[0]);
  }
  MF_FN static start_point<2> start(const vec<double, 2>& means, const sample_summary& s,
                                    const fit_settings& settings) {
    return normal::start(means, s, settings);
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return exp(p.meanlog + p.sdlog * draw_normal(random));
  }
};

MF_NAMESPACE_END
