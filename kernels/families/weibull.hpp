// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/math/polynomial.hpp"
#include "kernels/random/transforms.hpp"

MF_NAMESPACE_BEGIN

/// Weibull distribution with shape k and scale λ, f(x) = (k/λ)(x/λ)^(k−1) exp(−(x/λ)^k), x > 0.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 21; the profile
/// equation for the shape is their (21.60). All passes run on y = log x, where u = k(y − log λ) has the standard Gumbel
/// (minimum) law.
struct weibull {
  static constexpr const char* name = "weibull";
  static constexpr parameter parameters[] = {{"shape", constraint::positive, 1.5, "shape", tracking::power},
                                             {"scale", constraint::positive, 2.0, "scale", tracking::scale}};
  using support = supports::positive_reals;
  template <class T>
  struct params {
    T shape, scale;
  };

  static constexpr bool coordinate_is_log = true;
  template <class S>
  MF_FN static S coordinate(const S& x) {
    return log(x);
  }
  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& y) {
    const T u = p.shape * (y - log(p.scale));
    return u - exp(u) - y;
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return log(p.shape);
  }
  /// The density at large shapes, where the difference of two logarithms would be all rounding; x itself, not its
  /// coordinate.
  template <class S>
  MF_FN static S log_density_where_narrow(const params<S>& p, const S& x) {
    const S d = (x - p.scale) / p.scale;
    const S u = p.shape * select(abs(d) < S(0.5), log1p(d), log(x) - log(p.scale));
    return (u - exp(u)) + (log(p.shape) - log(x));
  }
  MF_FN static bool is_narrow(const params<double>& p) { return p.shape > 1e4; }

  /// Mean log-likelihood and derivatives from three sums: of e, e d and e d², with d = y − log λ and e = exp(k d).
  template <class Points>
  MF_FN_LARGE static jet<double, 2> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double k = p.shape, log_scale = log(p.scale), by_scale = -1 / p.scale;
    const auto total = points.sum([=](const S& y) {
      const S d = y - S(log_scale), e = exp(S(k) * d), ed = e * d;
      return vec<S, 3>{e, ed, ed * d};
    });
    double e = total[0] / s.weight, ed = total[1] / s.weight, edd = total[2] / s.weight;
    const double d = s.mean - log_scale;
    if constexpr (is_single<S>) {  // about log λ itself, not the float next to it: at large shapes that counts
      const double rest = log_scale - static_cast<double>(S(log_scale)), factor = exp(-k * rest);
      edd = factor * (edd - rest * (2 * ed - rest * e));
      ed = factor * (ed - rest * e);
      e *= factor;
    }
    jet<double, 2> r;
    r.value = log(k) + k * d - e - s.mean;
    r.gradient[0] = 1 / k + d - ed;
    r.gradient[1] = k * (1 - e) * by_scale;
    r.hessian[packed(0, 0)] = -1 / square(k) - edd;
    r.hessian[packed(1, 0)] = (1 - e - k * ed) * by_scale;
    r.hessian[packed(1, 1)] = k * (1 - e - k * e) * square(by_scale);
    return r;
  }

  /// Cumulants of d under weights e, from Σ e dⁱ, i = 0..5; and the Taylor series in the tilt h that they make.
  struct cumulants {
    double first, second, third, fourth, fifth;
    MF_FN explicit cumulants(const vec<double, 6>& sums) {
      const double m1 = sums[1] / sums[0], m2 = sums[2] / sums[0], m3 = sums[3] / sums[0], m4 = sums[4] / sums[0],
                   m5 = sums[5] / sums[0];
      first = m1;
      second = m2 - m1 * m1;
      third = m3 - m1 * (3 * m2 - 2 * m1 * m1);
      fourth = m4 - m1 * (4 * m3 - m1 * (6 * m2 - 3 * m1 * m1)) - 3 * second * second;
      fifth = m5 - m1 * (5 * m4 - m1 * (10 * m3 - m1 * (10 * m2 - 4 * m1 * m1))) - 10 * second * third;
    }
    MF_FN double growth(double h) const {
      return h * polynomial(h, first, second / 2, third / 6, fourth / 24, fifth / 120);
    }
    MF_FN double tilted_mean(double h) const { return polynomial(h, first, second, third / 2, fourth / 6, fifth / 24); }
    MF_FN double tilted_variance(double h) const { return polynomial(h, second, third, fourth / 2, fifth / 6); }
  };

  /// The profile equation Σ x^k y / Σ x^k − 1/k = mean y, by Newton in log k; powers are taken about the largest value
  /// so that they stay in (0, 1]. Its left side is K'(k) − 1/k, K the cumulant function of y under weights x^k: a pass
  /// gives K's derivatives up to the fifth, and once Newton's step is short the rest is solved on K's Taylor series,
  /// which is wrong by about 0.01 (Δk/k)⁵ in log k (where its sixth derivative is that of log Γ(2 + u)): 1e-7 at 0.1.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const double mean = s.mean, top = s.maximum;
    const auto squares = points.sum([=](const S& y) { return vec<S, 1>{square(y - S(mean))}; });
    const bool shape_fixed = settings.fixed & 1u;
    // The moment estimate: the standard deviation of log x is π / (k√6).
    double shape = shape_fixed ? settings.fixed_values[0] : constants::pi / sqrt(6 * squares[0] / s.weight);
    if ((settings.fixed & 2u) && !shape_fixed) {
      // About a scale that is fixed far from the sample for its width: the mean square of k d is π²/6 + γ² = 1.98.
      const double scale = settings.fixed_values[1], d = mean - log(scale);
      if (!(shape * abs(d) < 30))
        return {
            {1.4 / sqrt(squares[0] / s.weight + square(d) + 1e-30), scale}, fit_status::not_run, constants::nan, {}, 2};
    }
    for (int iterations = 2;; ++iterations) {
      const double k = shape;
      const auto power = points.sum([=](const S& y) {
        const S d = y - S(mean), e = exp(S(k) * (y - S(top))), e1 = e * d, e2 = e1 * d, e3 = e2 * d, e4 = e3 * d;
        return vec<S, 6>{e, e1, e2, e3, e4, e4 * d};
      });
      const cumulants c(power);
      const double slope = k * c.second + 1 / k;
      const double step = shape_fixed ? 0.0 : maximum(-1.0, minimum(1.0, (1 / k - c.first) / slope));
      shape = k * exp(step);
      if (abs(step) < 0.1 || iterations > 40 || iterations >= settings.max_iterations) {
        for (int repeat = 0; repeat < 3 && !shape_fixed; ++repeat)
          shape -= (c.tilted_mean(shape - k) - 1 / shape) / (c.tilted_variance(shape - k) + 1 / square(shape));
        const double h = shape - k;
        const double log_power = log(power[0] / s.weight) + (mean - top) * h + c.growth(h);
        return {{shape, exp(top + log_power / shape)}, fit_status::not_run, constants::nan, {}, iterations};
      }
    }
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return p.scale * exp(log(draw_exponential(random)) / p.shape);
  }
};

MF_NAMESPACE_END
