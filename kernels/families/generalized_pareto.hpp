// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/groups/quantile.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Generalised Pareto distribution over threshold 0 with scale σ and shape ξ (ξ > 0: heavy tail; ξ < 0: end point −σ/ξ;
/// ξ = 0: exponential), f(x) = exp(−(1 + ξ) s) / σ where s = log(1 + ξ z) / ξ, z = x/σ, x >= 0 and 1 + ξ z > 0.
/// Source: Coles, An Introduction to Statistical Modeling of Extreme Values (2001), section 4.2 and eq. 4.10. The
/// likelihood has no bound at ξ < −1, where the end point goes to the largest value, nor at observations of 0 for very
/// large ξ; what is found is a local maximum (Grimshaw, Technometrics 35 (1993) 185–191).
struct generalized_pareto {
  static constexpr const char* name = "generalized_pareto";
  static constexpr parameter parameters[] = {{"scale", constraint::positive, 2.0, "scale", tracking::scale},
                                             {"shape", constraint::real, 0.1, "shape: > 0 is the heavy tail"}};
  using support = supports::nonnegative_reals;
  static constexpr moving_support ends = moving_support::falls_to_zero;
  template <class T>
  struct params {
    T scale, shape;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    const T z = x / p.scale;
    const auto inside = p.shape * z > T(-1.0);
    return select(inside, -(p.shape + 1.0) * log1p_ratio(select(inside, z, T(0.0)), p.shape), T(-constants::infinity));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -log(p.scale);
  }

  /// Mean log-likelihood and derivatives from six sums: of log f, z r, z r², z² r², −∂log f/∂ξ and −∂²log f/∂ξ²,
  /// r = 1/(1 + ξ z).
  template <class Points>
  MF_FN_LARGE static jet<double, 2> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double by_scale = 1 / p.scale, shape = p.shape, a = 1 + shape;
    const auto total = points.sum([=](const S& y) {
      const S k(shape), z_any = y * S(by_scale);
      const auto inside = k * z_any > S(-1);
      const S z = select(inside, z_any, S(0));
      const auto d = log1p_ratio_with_derivatives(z, k);
      const S zr = z * d.by_z;
      const S value = select(inside, S(-a) * d.value, S(-constants::infinity));
      return vec<S, 6>{value, zr, zr * d.by_z, zr * zr, d.by_k * S(a) + d.value, S(2) * d.by_k + S(a) * d.by_k_twice};
    });
    const double w = s.weight, zr = total[1] / w, zrr = total[2] / w, zzrr = total[3] / w;
    jet<double, 2> r;
    r.value = -log(p.scale) + total[0] / w;
    r.gradient[0] = (a * zr - 1) * by_scale;
    r.gradient[1] = -total[4] / w;
    r.hessian[packed(0, 0)] = (1 - a * (zr + zrr)) * by_scale * by_scale;
    r.hessian[packed(1, 0)] = (zr - a * zzrr) * by_scale;
    r.hessian[packed(1, 1)] = -total[5] / w;
    return r;
  }

  /// From median and upper quartile, whose distances from 0 and from one another are as 1 to 2^ξ (Pickands, Annals of
  /// Statistics 3 (1975) 119–131, eq. 9), brought inside the support.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    const bool scale_fixed = settings.fixed & 1u, shape_fixed = settings.fixed & 2u;
    if (!(s.maximum > 0)) return {{0, 0}, scale_fixed ? fit_status::not_run : fit_status::constant_sample};
    if (shape_fixed && !scale_fixed && settings.fixed_values[1] <= -1) {
      // The end point, −σ/ξ, runs into the largest value. For ξ < −1 the density is infinite there; for ξ = −1 it is
      // uniform on [0, σ].
      if (settings.fixed_values[1] < -1) return {{0, 0}, fit_status::unbounded_likelihood};
      return {{s.maximum * (1 + 0x1p-50), -1.0}, fit_status::boundary, -log(s.maximum)};
    }
    const auto quantiles = rough_quantiles(points, s, vec<double, 2>{0.5, 0.75}, 0.02);
    const double median = quantiles[0], upper = quantiles[1];
    double shape = 0, scale = s.mean;
    if (median > 0 && upper > median) {
      shape = minimum(2.0, maximum(-0.5, log((upper - median) / median) / constants::log_2));
      scale = median / power_ratio(shape);
    }
    if (scale_fixed) scale = settings.fixed_values[0];
    if (shape_fixed) shape = settings.fixed_values[1];
    if (-shape * s.maximum > 0.875 * scale) {  // 1 + ξ z at the largest value, kept at 1/8 or more
      if (!shape_fixed) shape = -0.875 * scale / s.maximum;
      if (shape_fixed && !scale_fixed) scale = -shape * s.maximum / 0.875;
    }
    return {{scale, shape}, fit_status::not_run, constants::nan, {}, 1};
  }
  /// (2^ξ − 1) / ξ.
  MF_FN static double power_ratio(double shape) {
    return abs(shape) < 1e-8 ? constants::log_2 : expm1(shape * constants::log_2) / shape;
  }

  /// The path ends at ξ = −1: there the end point meets the largest value, and beyond there is no bound.
  MF_FN static fit_status verdict(const params<double>& p, const sample_summary&, const fit_settings& settings) {
    return p.shape < -1 + 1e-6 && !(settings.fixed & 2u) ? fit_status::unbounded_likelihood : fit_status::not_run;
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    const double s = draw_exponential(random), x = p.shape * s;
    return p.scale * (abs(x) < 1e-300 ? s : expm1(x) / p.shape);
  }
};

MF_NAMESPACE_END
