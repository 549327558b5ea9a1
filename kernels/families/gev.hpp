// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/algorithms/quantile.hpp"
#include "kernels/families/family.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Generalised extreme value distribution with location μ, scale σ and shape ξ (ξ > 0: heavy upper tail, Fréchet; ξ <
/// 0: upper end point, reversed Weibull; ξ = 0: Gumbel), f(x) = exp(−(1 + ξ) s − exp(−s)) / σ where s = log(1 + ξ z) /
/// ξ, z = (x − μ)/σ, and 1 + ξ z > 0. Source: Coles, An Introduction to Statistical Modeling of Extreme Values (2001),
/// eq. 3.2 and section 3.3. The likelihood has no bound at ξ < −1, where the end point goes to the largest value; a
/// local maximum is regular for ξ > −1/2 (Smith, Biometrika 72 (1985) 67–90).
struct gev {
  static constexpr const char* name = "gev";
  static constexpr parameter parameters[] = {{"location", constraint::real, 1.5, "location"},
                                             {"scale", constraint::positive, 2.0, "scale"},
                                             {"shape", constraint::real, 0.1, "shape: > 0 is the heavy tail"}};
  using support = supports::reals;
  template <class T>
  struct params {
    T location, scale, shape;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    const T z = (x - p.location) / p.scale;
    const auto inside = p.shape * z > T(-1.0);
    const T s = log1p_ratio(select(inside, z, T(0.0)), p.shape);
    return select(inside, -(p.shape + 1.0) * s - exp(-s), T(-constants::infinity));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -log(p.scale);
  }

  /// Mean log-likelihood and derivatives from ten sums. With e = exp(−s), r = 1/(1 + ξ z) = ∂s/∂z and l = log f:
  /// ∂l/∂z = (e − 1 − ξ) r, ∂²l/∂z² = (1 + ξ)(ξ − e) r², ∂l/∂ξ = (e − 1 − ξ) ∂s/∂ξ − s, and by the chain rule on.
  template <class Points>
  MF_FN_LARGE static jet<double, 3> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double location = p.location, by_scale = 1 / p.scale, shape = p.shape;
    const auto total = points.sum([=](const S& y) {
      const S k(shape), z_any = (y - S(location)) * S(by_scale);
      const auto inside = k * z_any > S(-1);
      const S z = select(inside, z_any, S(0));
      const auto d = log1p_ratio_with_derivatives(z, k);
      const S e = exp(-d.value), r = d.by_z, g = e - S(1 + shape);
      const S by_z = g * r, twice = S(1 + shape) * (k - e) * r * r;
      const S mixed = -r * (S(1) + e * d.by_k + g * z * r);
      const S value = select(inside, -(S(1 + shape) * d.value + e), S(-constants::infinity));
      return vec<S, 10>{value,         by_z,
                        by_z * z,      g * d.by_k - d.value,
                        twice,         twice * z,
                        twice * z * z, mixed,
                        mixed * z,     g * d.by_k_twice - d.by_k * (S(2) + e * d.by_k)};
    });
    vec<double, 10> mean;
    for (int i = 0; i < 10; ++i) mean[i] = total[i] / s.weight;
    jet<double, 3> r;
    r.value = mean[0] - log(p.scale);
    r.gradient[0] = -mean[1] * by_scale;
    r.gradient[1] = -(1 + mean[2]) * by_scale;
    r.gradient[2] = mean[3];
    r.hessian[packed(0, 0)] = mean[4] * by_scale * by_scale;
    r.hessian[packed(1, 0)] = (mean[1] + mean[5]) * by_scale * by_scale;
    r.hessian[packed(1, 1)] = (1 + 2 * mean[2] + mean[6]) * by_scale * by_scale;
    r.hessian[packed(2, 0)] = -mean[7] * by_scale;
    r.hessian[packed(2, 1)] = -mean[8] * by_scale;
    r.hessian[packed(2, 2)] = mean[9];
    return r;
  }

  /// From the quantiles at exp(−3), exp(−1) and exp(−1/3), which lie at s = −log 3, 0 and log 3: the middle one is the
  /// location, the ratio of their distances 3^ξ. Then every point is brought inside the support.
  template <class Points>
  MF_FN_LARGE static start_point<3> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const bool location_fixed = settings.fixed & 1u, scale_fixed = settings.fixed & 2u,
               shape_fixed = settings.fixed & 4u;
    const auto quantiles = rough_quantiles(
        points, s, vec<double, 3>{0.049787068367863944, 0.36787944117144233, 0.71653131057378927}, 0.02);
    const double low = quantiles[0], middle = quantiles[1], high = quantiles[2];
    double location = location_fixed ? settings.fixed_values[0] : middle;
    const double deviation = points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(location))}; })[0] / s.weight;
    if (!(deviation > 0) && !scale_fixed) return {{location, 0, 0}, fit_status::unbounded_likelihood};
    double shape = 0.1, scale = maximum(deviation, 1e-300);
    if (middle > low && high > middle) {
      shape = minimum(1.0, maximum(-0.4, log((high - middle) / (middle - low)) / log(3.0)));
      scale = (high - middle) / log_ratio_inverse(shape);
    }
    if (scale_fixed) scale = settings.fixed_values[1];
    if (shape_fixed) shape = settings.fixed_values[2];

    // 1 + ξ z at the point nearest to the end of the support, kept at 1/8 or more.
    const double extreme = shape > 0 ? s.minimum : s.maximum, reach = -shape * (extreme - location);
    if (reach > 0.875 * scale) {
      if (!shape_fixed && reach > 8 * scale) {
        shape = 0.1;
        scale = scale_fixed ? scale : maximum(scale, deviation);
      }
      const double still = -shape * ((shape > 0 ? s.minimum : s.maximum) - location);
      if (still > 0.875 * scale) {
        if (!shape_fixed)
          shape *= 0.875 * scale / still;
        else if (!scale_fixed)
          scale = still / 0.875;
        else if (!location_fixed)
          location = extreme + 0.875 * scale / shape;
      }
    }
    return {{location, scale, shape}, fit_status::not_run, constants::nan, {}, 1};
  }
  /// (3^ξ − 1) / ξ.
  MF_FN static double log_ratio_inverse(double shape) {
    return abs(shape) < 1e-8 ? log(3.0) : expm1(shape * log(3.0)) / shape;
  }

  /// Whether the path runs into one of the two singularities. As ξ passes −1 the upper end point meets the largest
  /// value. As ξ grows, the lower end point nears the smallest value y until exp(−s(y)) = 1 + ξ, where log f(y) gains
  /// about ξ log(1 + ξ) and all n terms lose log ξ each: from ξ (1 + log(1 + ξ)) > n on the gain has no end.
  MF_FN static fit_status verdict(const params<double>& p, const sample_summary& s, const fit_settings& settings) {
    if (settings.fixed & 4u) return fit_status::not_run;
    if (p.shape < -1 + 1e-6) return fit_status::unbounded_likelihood;
    if (!(p.shape > 1)) return fit_status::not_run;
    const double from_end = 1 + p.shape * (s.minimum - p.location) / p.scale;
    const bool past_return = p.shape * (1 + log(1 + p.shape)) > static_cast<double>(s.observations) &&
                             exp(-log(from_end) / p.shape) > 0.5 * (1 + p.shape);
    return past_return || from_end <= 1e-12 ? fit_status::unbounded_likelihood : fit_status::not_run;
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    const double s = -log(draw_exponential(random)), x = p.shape * s;
    return p.location + p.scale * (abs(x) < 1e-300 ? s : expm1(x) / p.shape);
  }
};

MF_NAMESPACE_END
