// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Beta distribution with shapes α and β, f(x) = x^(α−1) (1−x)^(β−1) / B(α, β), 0 < x < 1.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 25.
struct beta {
  static constexpr const char* name = "beta";
  static constexpr parameter parameters[] = {{"alpha", constraint::positive, 2.0, "shape at 0"},
                                             {"beta", constraint::positive, 3.0, "shape at 1"}};
  using support = supports::unit_interval;
  template <class T>
  struct params {
    T alpha, beta;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return (p.alpha - 1.0) * log(x) + (p.beta - 1.0) * log1p(-x);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return log_gamma(p.alpha + p.beta) - log_gamma(p.alpha) - log_gamma(p.beta);
  }

  /// The density at large shapes, whose terms of order n log n, n = α + β, cancel: with e = n x − α,
  /// α φ(e/α) + β φ(−e/β), φ(d) = log(1 + d) − d, and what Stirling leaves of the three gamma functions.
  template <class S>
  MF_FN static S log_density_where_narrow(const params<S>& p, const S& x) {
    const S n = p.alpha + p.beta, rest = S(1) - x;
    const S e = select(x < S(0.5), multiply_subtract(n, x, p.alpha), -multiply_subtract(n, rest, p.beta));
    return p.alpha * log_ratio_minus(n * x, p.alpha, e / p.alpha) +
           p.beta * log_ratio_minus(n * rest, p.beta, -e / p.beta) +
           (log_gamma_remainder(n) - log_gamma_remainder(p.alpha) - log_gamma_remainder(p.beta)) - (log(x) + log1p(-x));
  }
  MF_FN static bool is_narrow(const params<double>& p) { return maximum(p.alpha, p.beta) > 1e4; }

  /// At large shapes α and β are nearly told by each other; n = α + β and α/β are not.
  MF_FN static bool is_nearly_singular(const params<double>& p) { return maximum(p.alpha, p.beta) > 1e6; }
  MF_FN static vec<double, 2> to_orthogonal(const vec<double, 2>& p) { return {p[0] + p[1], p[0] / p[1]}; }
  template <class T>
  MF_FN static vec<T, 2> from_orthogonal(const vec<T, 2>& q) {
    const T beta = q[0] / (1.0 + q[1]);
    return {beta * q[1], beta};
  }

  /// A point among the observations: their mean, but for its rounding.
  MF_FN static double center(const sample_summary& s) { return minimum(maximum(s.mean, s.minimum), s.maximum); }

  /// About the center c: the deviation d and its square, and what log(x/c) and log((1−x)/(1−c)) have beyond their
  /// linear parts d/c and −d/(1−c). In narrow samples the logarithms' sums cancel down to these.
  template <class S>
  MF_FN static vec<S, 4> statistics(const S& x, const sample_summary& s) {
    const S c = S(center(s));
    const S deviation = x - c;
    const S left = S(1) - x, left_of_center = S(1) - c;
    // Near 0, and in narrow samples, the deviation says more of 1 − x than its own rounding leaves.
    const S of_rest = center(s) < 1e-3 || s.maximum - s.minimum < 1e-3
                          ? log_ratio_minus(left, left_of_center, -deviation * S(1 / (1 - center(s))))
                          : log_ratio_minus(left, left_of_center);
    return {deviation, square(deviation), log_ratio_minus(x, c), of_rest};
  }
  /// The same in a sample that is wide on both sides, but for the linear parts: their means are 0, the center being the
  /// mean.
  template <class S>
  MF_FN static vec<S, 4> log_arguments(const S& x, const sample_summary& s) {
    const double c = center(s);
    const S deviation = x - S(c);
    return {deviation, square(deviation), x * S(1 / c), (S(1) - x) * S(1 / (1 - c))};
  }
  static constexpr int logarithms = 2;
  MF_FN static bool takes_logs(const sample_summary& s, double limit) {
    const double c = center(s), q = 1 - c, spread = maximum(s.maximum - c, c - s.minimum);
    return spread > 0.39 * c && spread > 0.39 * q && s.minimum > 1 / limit && 1 - s.maximum > 1 / limit;
  }
  /// With n = α + β, terms of order α log α cancel between the gamma functions and the statistics; they are left out of
  /// both: log Γ(z) loses z log z − z, and α log c meets α log(α/n) in a log_ratio_minus.
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 4>& means, const sample_summary& s) {
    const double c = center(s), q = 1 - c;
    const T n = p.alpha + p.beta;
    const T about_center = p.alpha * log_ratio_minus(c * n, p.alpha) + p.beta * log_ratio_minus(q * n, p.beta);
    const T slope = p.alpha / c - p.beta / q;
    return log_gamma_remainder(n) - log_gamma_remainder(p.alpha) - log_gamma_remainder(p.beta) + about_center +
           means[0] * (slope - (1 / c - 1 / q)) + (p.alpha - 1.0) * means[2] + (p.beta - 1.0) * means[3] - log(c) -
           log(q);
  }
  /// The moment estimates; with a shape fixed, the other from the mean alone.
  MF_FN static start_point<2> start(const vec<double, 4>& means, const sample_summary& s,
                                    const fit_settings& settings) {
    const double c = center(s), mean = c + means[0], rest = (1 - c) - means[0];
    if (settings.fixed & 1u) return {{settings.fixed_values[0], settings.fixed_values[0] * (rest / mean)}};
    if (settings.fixed & 2u) return {{settings.fixed_values[1] * (mean / rest), settings.fixed_values[1]}};
    const double variance = means[1] - square(means[0]);
    const double n = maximum(mean * rest / variance - 1, 1e-3);
    return {{n * mean, n * rest}};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_beta(random, p.alpha, p.beta);
  }
};

MF_NAMESPACE_END
