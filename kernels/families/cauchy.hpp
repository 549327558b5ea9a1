// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/algorithms/quantile.hpp"
#include "kernels/families/family.hpp"

MF_NAMESPACE_BEGIN

/// Cauchy distribution with location μ and scale σ, f(x) = 1 / (πσ (1 + z²)), z = (x − μ)/σ.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 16. With both
/// parameters free the likelihood has one maximum and no other stationary point (Copas, Biometrika 62 (1975) 701–704),
/// unless half of the sample is one value; with the scale held it may have many.
struct cauchy {
  static constexpr const char* name = "cauchy";
  static constexpr parameter parameters[] = {
      {"location", constraint::real, 1.5, "location: the median"},
      {"scale", constraint::positive, 2.0, "scale: half the interquartile range"}};
  using support = supports::reals;
  template <class T>
  struct params {
    T location, scale;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return -log1p(square((x - p.location) / p.scale));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -constants::log_pi - log(p.scale);
  }

  /// Mean log-likelihood and derivatives from six sums: of log1p(z²), u, z u, z² u, z² u² and z u², u = 1/(1 + z²).
  template <class Points>
  MF_FN_LARGE static jet<double, 2> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double location = p.location, by_scale = 1 / p.scale;
    const auto total = points.sum([=](const S& y) {
      const S z = (y - S(location)) * S(by_scale), zz = z * z;
      const S u = S(1) / (S(1) + zz), a = z * u;
      return vec<S, 6>{log1p(zz), u, a, zz * u, a * a, a * u};
    });
    const double w = s.weight, u = total[1] / w, a = total[2] / w, b = total[3] / w, aa = total[4] / w,
                 au = total[5] / w;
    jet<double, 2> r;
    r.value = -constants::log_pi - log(p.scale) - total[0] / w;
    r.gradient[0] = 2 * a * by_scale;
    r.gradient[1] = (2 * b - 1) * by_scale;
    r.hessian[packed(0, 0)] = 2 * (2 * aa - u) * by_scale * by_scale;
    r.hessian[packed(1, 0)] = -4 * au * by_scale * by_scale;
    r.hessian[packed(1, 1)] = (1 - 2 * b - 4 * aa) * by_scale * by_scale;
    return r;
  }

  /// Median and half the interquartile range. With the scale held: the likeliest of nine quantiles.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const bool location_fixed = settings.fixed & 1u, scale_fixed = settings.fixed & 2u;
    vec<double, 3> quartiles;
    if (location_fixed) {
      const auto outer = rough_quantiles(points, s, vec<double, 2>{0.25, 0.75}, 0.02);
      quartiles = {outer[0], settings.fixed_values[0], outer[1]};
    } else {
      quartiles = rough_quantiles(points, s, vec<double, 3>{0.25, 0.5, 0.75}, 0.02);
    }
    double location = quartiles[1];
    if (scale_fixed && !location_fixed) {
      constexpr int K = 9;
      vec<double, K> at;
      for (int k = 0; k < K; ++k) at[k] = quantile(points, s, (k + 1.0) / (K + 1), 0.02);
      const double by_scale = 1 / settings.fixed_values[1];
      const auto loss = points.sum([=](const S& y) {
        vec<S, K> out;
        for (int k = 0; k < K; ++k) out[k] = log1p(square((y - S(at[k])) * S(by_scale)));
        return out;
      });
      int best = K / 2;
      for (int k = 0; k < K; ++k)
        if (loss[k] < loss[best]) best = k;
      location = at[best];
    }
    double scale = 0.5 * quartiles[2] - 0.5 * quartiles[0];
    if (location_fixed || !(scale > 0))
      scale = maximum(scale, points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(location))}; })[0] / s.weight);
    if (!(scale > 0) && !scale_fixed) return {{location, 0}, fit_status::unbounded_likelihood};
    return {{location, scale}};
  }

  /// Half of the sample is one value: the scale falls until the rounding of the location swallows it.
  MF_FN static fit_status verdict(const params<double>& p, const sample_summary&, const fit_settings&) {
    return p.scale <= 1e-12 * abs(p.location) ? fit_status::unbounded_likelihood : fit_status::not_run;
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return p.location + p.scale * tan(constants::pi * (draw_uniform(random) - 0.5));
  }
};

MF_NAMESPACE_END
