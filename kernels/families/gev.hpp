// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/groups/quantile.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Generalised extreme value distribution with location μ, scale σ and shape ξ (ξ > 0: heavy upper tail, Fréchet; ξ <
/// 0: upper end point, reversed Weibull; ξ = 0: Gumbel), f(x) = exp(−(1 + ξ) s − exp(−s)) / σ where s = log(1 + ξ z) /
/// ξ, z = (x − μ)/σ, and 1 + ξ z > 0. Source: Coles, An Introduction to Statistical Modeling of Extreme Values (2001),
/// eq. 3.2 and section 3.3. The likelihood has no bound at ξ < −1, where the end point goes to the largest value; a
/// local maximum is regular for ξ > −1/2 (Smith, Biometrika 72 (1985) 67–90).
struct gev {
  static constexpr const char* name = "gev";
  static constexpr parameter parameters[] = {{"location", constraint::real, 1.5, "location", tracking::location},
                                             {"scale", constraint::positive, 2.0, "scale", tracking::scale},
                                             {"shape", constraint::real, 0.1, "shape: > 0 is the heavy tail"}};
  using support = supports::reals;
  static constexpr moving_support ends = moving_support::falls_to_zero;
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
  /// Where `FromLowerEnd` that end is `margin` below the smallest value, and p.location is not read: 1 + ξ z is then
  /// ξ (y − minimum + margin) / σ, which does not cancel.
  template <bool FromLowerEnd = false, class Points>
  MF_FN_LARGE static jet<double, 3> objective(const Points& points, const sample_summary& s, const params<double>& p,
                                              double margin = 0) {
    using S = typename Points::scalar;
    const double location = p.location, by_scale = 1 / p.scale, shape = p.shape;
    const double bottom = s.minimum, unit = shape * by_scale, by_shape = 1 / shape;
    const auto total = points.sum([=](const S& y) {
      const S k(shape), from_end = ((y - S(bottom)) + S(margin)) * S(unit);
      const S z_any = FromLowerEnd ? (from_end - S(1)) * S(by_shape) : (y - S(location)) * S(by_scale);
      const auto inside = FromLowerEnd ? from_end > S(0) : k * z_any > S(-1);
      const S z = select(inside, z_any, S(0));
      const auto d = FromLowerEnd ? log1p_ratio_with_derivatives(z, k, from_end) : log1p_ratio_with_derivatives(z, k);
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
    // The density of one value has no bound in location and shape: (1 + ξ) (log(1 + ξ) − 1) at its highest.
    if (s.minimum == s.maximum && !location_fixed && !shape_fixed)
      return {{s.minimum, 0, 0}, fit_status::unbounded_likelihood};
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
    start_point<3> found{{location, scale, shape}, fit_status::not_run, constants::nan, {}, 1};
    if (shape_fixed && shape <= -1 && !(location_fixed && scale_fixed)) return at_upper_end(points, s, settings, found);
    const auto has_density = [&] { return is_finite(objective(points, s, params_from<gev>(found.parameters)).value); };
    if (settings.fixed && !location_fixed && !has_density()) {
      // The scale is far too small for where the middle of the sample lies: the lower end goes just below the smallest
      // value, and the median to its place by a heavy tail.
      const double median = quantile(points, s, 0.5, 0.02), width = (median - s.minimum) / scale;
      if (!shape_fixed) {
        shape = 1;
        for (int i = 0; i < 40; ++i) shape = log1p(shape * width) / 0.36651292058166435;
        shape = maximum(shape, 0.1);
      }
      location = s.minimum + scale * (shape > 0.1 ? 0.95 / shape : 2.0);
      found.parameters = {location, scale, shape};
    }
    return found;
  }
  /// The upper end point runs into the largest value. For ξ < −1 the density is infinite there; for ξ = −1 it is
  /// exp(−(end − x)/σ)/σ, highest with the end at the largest value and, if free, the mean distance from it as scale.
  template <class Points>
  MF_FN_LARGE static start_point<3> at_upper_end(const Points& points, const sample_summary& s,
                                                 const fit_settings& settings, start_point<3> found) {
    using S = typename Points::scalar;
    if (settings.fixed_values[2] < -1) {
      found.status = fit_status::unbounded_likelihood;
      return found;
    }
    const bool location_fixed = settings.fixed & 1u, scale_fixed = settings.fixed & 2u;
    const double top = s.maximum;
    const double below = points.sum([=](const S& y) { return vec<S, 1>{S(top) - y}; })[0] / s.weight;
    // The largest value itself stays inside.
    double scale = scale_fixed ? settings.fixed_values[1] : below, location = top - scale * (1 - 0x1p-48);
    if (location_fixed) {  // the end, location + scale, must not be below the largest value
      location = settings.fixed_values[0];
      const double mean_above = location - (top - below);  // of location − x: log f = −log σ − 1 − mean_above / σ
      scale = maximum((top - location) * (1 + 0x1p-48), mean_above);
    }
    if (!(scale > 0)) return {{location, 0, -1}, fit_status::unbounded_likelihood};
    return {{location, scale, -1.0}, fit_status::boundary, -log(scale) - (location + scale - (top - below)) / scale};
  }

  /// Coordinates in which the valley of heavy tails is straight: how far the lower end point lies below the smallest
  /// value, scale and shape. Newton's second attempt runs in them.
  struct from_lower_end {
    static constexpr parameter parameters[] = {{"margin", constraint::positive, 1.0, ""},
                                               {"scale", constraint::positive, 1.0, ""},
                                               {"shape", constraint::positive, 1.0, ""}};
  };
  static constexpr int first_attempt = 100;  ///< iterations
  MF_FN static bool suits_lower_end(const vec<double, 3>& p, const fit_settings& settings) {
    return p[2] > 0.5 && !(settings.fixed & 1u);
  }
  MF_FN static vec<double, 3> into_lower_end(const vec<double, 3>& p, const sample_summary& s) {
    return {s.minimum - p[0] + p[1] / p[2], p[1], p[2]};
  }
  MF_FN static vec<double, 3> out_of_lower_end(const vec<double, 3>& q, const sample_summary& s) {
    return {s.minimum - q[0] + q[1] / q[2], q[1], q[2]};
  }
  /// Whether a location as a double still tells where that end is. The climb stops short of where it does not, as
  /// boundary: with the scale fixed far below the sample's own the likelihood rises all the way there, and beyond.
  MF_FN static bool resolves_lower_end(const vec<double, 3>& q, const sample_summary& s) {
    return q[0] > 0x1p-46 * maximum(abs(s.minimum), q[1] / q[2]);
  }
  /// Derivatives in (location, scale, shape) as derivatives in these: location = minimum − margin + scale / shape.
  MF_FN_LARGE static jet<double, 3> in_lower_end(const jet<double, 3>& l, const vec<double, 3>& q) {
    using variable = jet<double, 3>;
    const variable location = variable::variable(q[1], 1) / variable::variable(q[2], 2) - variable::variable(q[0], 0);
    jet<double, 3> r = l;
    const double first = l.gradient[0];
    r.gradient[0] = first * location.gradient[0];
    for (int i = 1; i < 3; ++i) r.gradient[i] += first * location.gradient[i];
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j <= i; ++j) {
        const double own_i = i > 0, own_j = j > 0;
        r.hessian[packed(i, j)] = l.hessian[packed(0, 0)] * location.gradient[i] * location.gradient[j] +
                                  own_i * l.hessian[packed(i, 0)] * location.gradient[j] +
                                  own_j * l.hessian[packed(j, 0)] * location.gradient[i] +
                                  own_i * own_j * l.hessian[packed(i, j)] + first * location.hessian[packed(i, j)];
      }
    return r;
  }
  /// (3^ξ − 1) / ξ.
  MF_FN static double log_ratio_inverse(double shape) {
    return abs(shape) < 1e-8 ? log(3.0) : expm1(shape * log(3.0)) / shape;
  }

  /// Whether the path runs into one of the two singularities. As ξ passes −1 the upper end point meets the largest
  /// value. As ξ grows, the lower end point nears the smallest value y until exp(−s(y)) = 1 + ξ, where log f(y) gains
  /// about ξ log(1 + ξ) and all n terms lose log ξ each: from ξ (1 + log(1 + ξ)) > n on the gain has no end.
  MF_FN static fit_status verdict(const params<double>& p, const sample_summary& s, const fit_settings& settings) {
    if ((settings.fixed & 4u) || (settings.fixed & 3u) == 3u) {
      const bool past_end = !(settings.fixed & 4u) && p.shape < -1 + 1e-6;
      return past_end ? fit_status::unbounded_likelihood : fit_status::not_run;
    }
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
