// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/families/poisson.hpp"
#include "kernels/groups/tail_weights.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Negative binomial distribution with size r and mean m (variance m + m²/r), for x = 0, 1, 2, ...
/// P(x) = Γ(r + x) / (Γ(r) x!) · (r/(r + m))^r (m/(r + m))^x.
/// Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 5. The estimate of the mean is the
/// sample mean; that of the size is finite, and then the only one, exactly where the variance exceeds the mean (Levin &
/// Reeds, Annals of Statistics 5 (1977) 79–87); else the limit is the Poisson distribution.
struct negative_binomial {
  static constexpr const char* name = "negative_binomial";
  static constexpr parameter parameters[] = {{"size", constraint::positive, 3.0, "size: mean² / (variance − mean)"},
                                             {"mean", constraint::positive, 5.0, "mean"}};
  using support = supports::nonnegative_integers;
  template <class T>
  struct params {
    T size, mean;
  };

  /// In the saddle-point form of Loader, Fast and accurate computation of binomial probabilities (2000), which cancels
  /// neither at large counts nor at large size: with N = r + x and the parts a = N m/(r + m), b = N r/(r + m) of N
  /// expected, r log(b/r) + x log(a/x) and what Stirling leaves of the three factorials.
  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    const T all = p.size + x, ratio = all / (p.size + p.mean);
    return p.size * log_ratio_minus(p.size * ratio, p.size) + minus_half_deviance(x, p.mean * ratio) +
           (log_gamma_remainder(all) - log_gamma_remainder(p.size)) - log_factorial_remainder(x);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>&) {
    return T(0.0);
  }

  /// Mean log-likelihood and derivatives from three sums: of log P and of the derivatives of log Γ(r + x)/Γ(r).
  template <class Points>
  MF_FN_LARGE static jet<double, 2> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double size = p.size, mean = p.mean;
    const auto total = points.sum([=](const S& x) {
      const auto ratio = log_gamma_ratio_derivatives(S(size), x);
      return vec<S, 3>{log_kernel(params<S>{S(size), S(mean)}, x), ratio.first, ratio.second};
    });
    // What is left of r^r m^x / (r + m)^(r + x), by the excess of the mean count over m: nothing cancels.
    const double all = size + mean, excess = (s.mean - mean) / all;
    jet<double, 2> r;
    r.value = total[0] / s.weight;
    r.gradient[0] = total[1] / s.weight - log1p(mean / size) - excess;
    r.gradient[1] = size / mean * excess;
    r.hessian[packed(0, 0)] = total[2] / s.weight + (mean / size + excess) / all;
    r.hessian[packed(1, 0)] = excess / all;
    r.hessian[packed(1, 1)] = -size / mean * (1 + excess * (size + 2 * mean) / mean) / all;
    return r;
  }

  /// Newton in log r on the profile over the mean; also says so where the limit is the answer.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const bool size_fixed = settings.fixed & 1u, mean_fixed = settings.fixed & 2u;
    const double mean = mean_fixed ? settings.fixed_values[1] : s.mean;
    if (!(mean > 0))  // all counts are 0: certain to be, whatever the size
      return {{size_fixed ? settings.fixed_values[0] : constants::nan, 0}, fit_status::boundary, 0};
    if (size_fixed) return {{settings.fixed_values[0], mean}};
    if (s.maximum == 0) return {{0, mean}, fit_status::boundary, 0};  // the smaller the size the likelier are zeros
    const double square_error = points.sum([=](const S& x) { return vec<S, 1>{square(x - S(mean))}; })[0] / s.weight;
    double size = square(mean) / (square_error - s.mean);
    int iterations = 2;
    const int most = settings.max_iterations < 40 ? settings.max_iterations : 40;
    if (tail_weights::suit(s) && size > 0 && size < largest_size_of_tails) {
      const start_point<2> end = from_tails(tail_weights(points, s), s, size, mean, most);
      if (end.status == fit_status::converged) return end;
    }
    // The derivative of the likelihood in 1/r at the Poisson limit is (mean (x − m)² − mean x) / 2.
    for (double step = 1; size > 0 && size < largest_size && abs(step) > 1e-5 && iterations < most; ++iterations) {
      const double r = size;
      const auto total = points.sum([=](const S& x) {
        const auto ratio = log_gamma_ratio_derivatives(S(r), x);
        return vec<S, 2>{ratio.first, ratio.second};
      });
      const double excess = (s.mean - mean) / (r + mean);
      const double first = r * (total[0] / s.weight - log1p(mean / r) - excess);
      const double second = first + r * r * (total[1] / s.weight + (mean / r + excess) / (r + mean));
      step = second < 0 ? maximum(-2.0, minimum(2.0, -first / second)) : (first > 0 ? 1.0 : -1.0);
      size *= exp(step);
    }
    if (size > 0 && size < largest_size) return {{size, mean}, fit_status::not_run, constants::nan, {}, iterations};
    const auto poisson_terms =
        points.sum([=](const S& x) { return vec<S, 1>{poisson::log_kernel(poisson::params<S>{S(mean)}, x)}; });
    return {{constants::infinity, mean}, fit_status::boundary, poisson_terms[0] / s.weight, {}, iterations};
  }
  /// The whole fit where no count is large, as Σ_j weight[j] f(j) in place of Σ_i Γ's logarithmic derivatives. Ends as
  /// converged, or not at all: beyond largest_size_of_tails terms cancel.
  MF_FN_LARGE static start_point<2> from_tails(const tail_weights& tails, const sample_summary& s, double size,
                                               double mean, int most) {
    for (int iterations = 1; iterations < most; ++iterations) {
      const double r = size, excess = (s.mean - mean) / (r + mean);
      double first = -log1p(mean / r) - excess, second = (mean / r + excess) / (r + mean);
      for (int j = 0; j < tails.count; ++j) {
        const double term = 1 / (r + j);
        first += tails.weight[j] * term;
        second -= tails.weight[j] * square(term);
      }
      const double by_log = r * first, slope = by_log + r * r * second;
      const double step = slope < 0 ? maximum(-2.0, minimum(2.0, -by_log / slope)) : (by_log > 0 ? 1.0 : -1.0);
      size = r * exp(step);
      if (!(size > 0 && size < largest_size_of_tails)) break;
      if (!(slope < 0 && abs(step) <= 1e-7)) continue;  // what is left is the square of it
      double value = s.mean * log(mean) - (size + s.mean) * log1p(mean / size);
      for (int j = 1; j < tails.count; ++j) value += tails.weight[j] * (log1p(j / size) - log(j + 1.0));
      const double of_mean = size / mean * (1 + excess * (size + 2 * mean) / mean) / (size + mean);
      return {{size, mean}, fit_status::converged, value, {-second, of_mean}, iterations};
    }
    return {{size, mean}};
  }
  static constexpr double largest_size_of_tails = 1e4;
  static constexpr double largest_size = 1e11;  ///< where the Poisson limit cannot be told apart any more

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_negative_binomial(random, p.size, p.mean);
  }
};

MF_NAMESPACE_END
