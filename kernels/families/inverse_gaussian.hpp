// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Inverse Gaussian distribution with mean μ and shape λ, f(x) = √(λ/(2πx³)) exp(−λ(x−μ)²/(2μ²x)), x > 0.
/// Source: Tweedie, Annals of Mathematical Statistics 28 (1957) 362–377; Johnson, Kotz & Balakrishnan, Continuous
/// Univariate Distributions vol. 1 (1994), ch. 15: μ is the mean, 1/λ is mean(1/x) − 1/mean.
struct inverse_gaussian {
  static constexpr const char* name = "inverse_gaussian";
  static constexpr parameter parameters[] = {{"mean", constraint::positive, 2.0, "mean", tracking::scale},
                                             {"shape", constraint::positive, 3.0, "mean³ / variance", tracking::scale}};
  using support = supports::positive_reals;
  template <class T>
  struct params {
    T mean, shape;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return -0.5 * p.shape * square((x - p.mean) / p.mean) / x - 1.5 * log(x);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return 0.5 * log(p.shape) - constants::half_log_two_pi;
  }

  /// log x, and (x − m)²/(xm) about the sample mean m: its mean is m mean(1/x) − 1, without the cancellation.
  template <class S>
  MF_FN static vec<S, 2> statistics(const S& x, const sample_summary& s) {
    const S deviation = x - S(s.mean);
    return {log(x), deviation * S(1 / s.mean) * (deviation / x)};
  }
  /// Mean of (x − μ)²/(μ²x), as its part about the sample mean m and (m − μ)²/(μ²m).
  template <class T>
  MF_FN static T mean_deviance(const T& mean, const vec<double, 2>& means, const sample_summary& s) {
    return (means[1] + square((s.mean - mean) / mean)) / s.mean;
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 2>& means, const sample_summary& s) {
    return log_constant(p) - 1.5 * means[0] - 0.5 * p.shape * mean_deviance(p.mean, means, s);
  }
  MF_FN static start_point<2> start(const vec<double, 2>& means, const sample_summary& s,
                                    const fit_settings& settings) {
    const double mean = (settings.fixed & 1u) ? settings.fixed_values[0] : s.mean;
    const double deviance = mean_deviance(mean, means, s);
    const bool constant = !(settings.fixed & 2u) && !(deviance > 0);
    return {{mean, 1 / deviance}, constant ? fit_status::constant_sample : fit_status::not_run};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_inverse_gaussian(random, p.mean, p.shape);
  }
};

MF_NAMESPACE_END
