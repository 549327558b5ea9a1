// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/random/transforms.hpp"

MF_NAMESPACE_BEGIN

/// Normal distribution, f(x) = exp(−(x−μ)²/(2σ²)) / (σ√(2π)).
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 13.
struct normal {
  static constexpr const char* name = "normal";
  static constexpr parameter parameters[] = {{"mean", constraint::real, 1.5, "mean", tracking::location},
                                             {"sd", constraint::positive, 2.0, "standard deviation", tracking::scale}};
  using support = supports::reals;
  template <class T>
  struct params {
    T mean, sd;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return -0.5 * square((x - p.mean) / p.sd);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -constants::half_log_two_pi - log(p.sd);
  }

  /// Deviations from the sample mean: nothing cancels, whatever the offset of the data.
  template <class S>
  MF_FN static vec<S, 2> statistics(const S& x, const sample_summary& s) {
    const S deviation = x - S(s.mean);
    return {deviation, square(deviation)};
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 2>& means, const sample_summary& s) {
    const T shift = s.mean - p.mean;
    const T mean_square = means[1] + 2.0 * means[0] * shift + square(shift);
    return log_constant(p) - 0.5 * mean_square / square(p.sd);
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
    return p.mean + p.sd * draw_normal(random);
  }
};

MF_NAMESPACE_END
