// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/math/special.hpp"
#include "kernels/random/transforms.hpp"

MF_NAMESPACE_BEGIN

/// Gamma distribution with shape a and rate b, f(x) = b^a x^(a−1) exp(−bx) / Γ(a), x > 0.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 17; the update of the
/// shape is Minka, Estimating a Gamma distribution (2002), eq. 10.
struct gamma_family {
  static constexpr const char* name = "gamma";
  static constexpr parameter parameters[] = {{"shape", constraint::positive, 2.0, "shape"},
                                             {"rate", constraint::positive, 0.5, "1 / scale", tracking::rate}};
  using support = supports::positive_reals;
  template <class T>
  struct params {
    T shape, rate;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return (p.shape - 1.0) * log(x) - p.rate * x;
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return p.shape * log(p.rate) - log_gamma(p.shape);
  }

  /// The density at large shapes, whose terms of order a log a cancel: with d = (b x − a)/a, a (log(1 + d) − d), and
  /// what Stirling leaves of Γ(a).
  template <class S>
  MF_FN static S log_density_where_narrow(const params<S>& p, const S& x) {
    const S d = multiply_subtract(p.rate, x, p.shape) / p.shape;
    return p.shape * log_ratio_minus(p.rate * x, p.shape, d) - log_gamma_remainder(p.shape) - log(x);
  }
  MF_FN static bool is_narrow(const params<double>& p) { return p.shape > 1e4; }

  /// At large shapes shape and rate are told apart by 1 part in 2a of their information; shape and mean are
  /// independent.
  MF_FN static bool is_nearly_singular(const params<double>& p) { return p.shape > 1e6; }
  MF_FN static vec<double, 2> to_orthogonal(const vec<double, 2>& p) { return {p[0], p[0] / p[1]}; }
  template <class T>
  MF_FN static vec<T, 2> from_orthogonal(const vec<T, 2>& q) {
    return {q[0], q[0] / q[1]};
  }

  /// What log(x/m) has beyond its linear part (x − m)/m, m the mean: its mean is mean(log x) − log(mean), without the
  /// cancellation in a narrow sample.
  template <class S>
  MF_FN static vec<S, 1> statistics(const S& x, const sample_summary& s) {
    const S ratio = x * S(1 / s.mean);
    if (is_narrow(s)) return {log1p_minus_near_zero((x - S(s.mean)) * S(1 / s.mean))};
    return {log(ratio) - (ratio - S(1))};
  }
  /// In a sample that is not narrow the linear part, whose mean is 0, may as well be left out.
  template <class S>
  MF_FN static vec<S, 1> log_arguments(const S& x, const sample_summary& s) {
    return {x * S(1 / s.mean)};
  }
  static constexpr int logarithms = 1;
  MF_FN static bool takes_logs(const sample_summary& s, double limit) {
    return !is_narrow(s) && s.maximum < limit * s.mean && s.minimum > 1 / limit * s.mean;
  }
  /// Whether every value lies within 0.4 of the mean, relative to it: the same for all values, so decided outside a
  /// loop.
  MF_FN static bool is_narrow(const sample_summary& s) {
    return s.maximum - s.mean < 0.39 * s.mean && s.mean - s.minimum < 0.39 * s.mean;
  }
  /// a log(b m) − b m − log Γ(a) and the statistic's part, with the terms of order a log a cancelled by hand.
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 1>& means, const sample_summary& s) {
    const T fitted = p.rate * s.mean;
    return p.shape * log_ratio_minus(fitted, p.shape) - log_gamma_remainder(p.shape) + (p.shape - 1.0) * means[0] -
           log(s.mean);
  }
  /// Solves log a − ψ(a) = log(mean) − mean(log x); the rate follows in closed form.
  MF_FN_LARGE static start_point<2> start(const vec<double, 1>& means, const sample_summary& s,
                                          const fit_settings& settings) {
    if (settings.fixed & 1u) return {{settings.fixed_values[0], settings.fixed_values[0] / s.mean}};
    if (settings.fixed & 2u) return {{settings.fixed_values[1] * s.mean, settings.fixed_values[1]}};
    const double gap = -means[0];
    double shape = (3 - gap + sqrt(square(gap - 3) + 24 * gap)) / (12 * gap);
    int iterations = 0;
    // Newton in 1/a, in which the equation is nearly straight: a change of 1e-6 leaves an error of 1e-12.
    for (double change = 1; change > 1e-6 && iterations < 20 && iterations < settings.max_iterations; ++iterations) {
      const auto [value, derivative] = log_minus_digamma(shape);
      const double inverse = 1 / shape + (value - gap) / (square(shape) * derivative);
      const double next = 1 / inverse;
      change = abs(next - shape) / shape;
      shape = next;
    }
    return {{shape, shape / s.mean}, fit_status::not_run, constants::nan, {}, iterations};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_gamma(random, p.shape) / p.rate;
  }
};
namespace families {
using gamma = gamma_family;
}

MF_NAMESPACE_END
