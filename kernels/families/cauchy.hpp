// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/groups/location_search.hpp"
#include "kernels/groups/quantile.hpp"

MF_NAMESPACE_BEGIN

/// Cauchy distribution with location μ and scale σ, f(x) = 1 / (πσ (1 + z²)), z = (x − μ)/σ.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 16. With both
/// parameters free the likelihood has one maximum and no other stationary point (Copas, Biometrika 62 (1975) 701–704),
/// unless half of the sample is one value; with the scale fixed it may have many.
struct cauchy {
  static constexpr const char* name = "cauchy";
  static constexpr parameter parameters[] = {
      {"location", constraint::real, 1.5, "location: the median", tracking::location},
      {"scale", constraint::positive, 2.0, "scale: half the interquartile range", tracking::scale}};
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

  /// Whether the sample is two values of equal weight a and b: the likelihood is then the same, and at its highest, on
  /// all of the circle (μ − (a + b)/2)² + σ² = (b − a)²/4, of which nothing but rounding would tell where a climb ends.
  template <class Points>
  MF_FN_LARGE static bool is_two_values(const Points& points, const sample_summary& s) {
    using S = typename Points::scalar;
    const double middle = 0.5 * s.minimum + 0.5 * s.maximum, reach = 0.5 * s.maximum - 0.5 * s.minimum;
    const double rounding = is_single<S> ? 1e-6 : 1e-9;
    if (!(reach > 0 && abs(s.mean - middle) <= rounding * reach)) return false;  // most samples: no pass
    const auto inside = points.sum(
        [=](const S& y) { return vec<S, 1>{select(abs(y - S(middle)) < S((1 - rounding) * reach), S(1), S(0))}; });
    return inside[0] == 0;
  }

  /// Median and half the interquartile range; of two values the middle of the circle above. With the scale fixed: the
  /// location of the highest maximum.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const bool location_fixed = settings.fixed & 1u, scale_fixed = settings.fixed & 2u;
    if (scale_fixed) {
      const double fixed_value = settings.fixed_values[1], by_scale = 1 / fixed_value;
      if (location_fixed || s.minimum == s.maximum) return {{s.minimum, fixed_value}};
      const auto loss = [=](const S& distance) { return log1p(square(distance * S(by_scale))); };
      return {{location_of_least(points, s, fixed_value / 32, loss), fixed_value}};
    }
    if (!location_fixed && is_two_values(points, s)) {
      const double scale = 0.5 * s.maximum - 0.5 * s.minimum;
      return {{0.5 * s.minimum + 0.5 * s.maximum, scale},
              fit_status::singular_information,
              -constants::log_pi - log(scale) - constants::log_2};
    }
    vec<double, 3> quartiles;
    if (location_fixed) {
      const auto outer = rough_quantiles(points, s, vec<double, 2>{0.25, 0.75}, 0.02);
      quartiles = {outer[0], settings.fixed_values[0], outer[1]};
    } else {
      quartiles = rough_quantiles(points, s, vec<double, 3>{0.25, 0.5, 0.75}, 0.02);
    }
    const double location = quartiles[1];
    double scale = 0.5 * quartiles[2] - 0.5 * quartiles[0];
    if (location_fixed || !(scale > 0))
      scale = maximum(scale, points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(location))}; })[0] / s.weight);
    if (!(scale > 0)) return {{location, 0}, fit_status::unbounded_likelihood};
    return {{location, scale}};
  }

  /// Where half of the sample or more is one value the path ends there, at scale 0.
  template <class Points>
  struct tie_limit {
    const Points* points;
    const sample_summary* summary;
    bool scale_free;
    start_point<2> at_edge;
  };
  template <class Points>
  MF_FN_LARGE static tie_limit<Points> limit(const Points& points, const sample_summary& s,
                                             const fit_settings& settings) {
    return {&points, &s, !(settings.fixed & 2u), {}};
  }
  template <class Points>
  MF_FN_LARGE static fit_status verdict(const params<double>& p, double, tie_limit<Points>& limit) {
    if (!limit.scale_free) return fit_status::not_run;
    double location = p.location, value = 0;
    const fit_status status =
        singular_at(*limit.points, *limit.summary, 1, p.scale, -constants::log_pi, location, value);
    if (status == fit_status::boundary) limit.at_edge = {{location, 0}, status, value};
    return status;
  }
  template <class Points>
  MF_FN static bool try_again(const Points&, const sample_summary&, const fit_settings&, fit_status, int,
                              vec<double, 2>&) {
    return false;  // one maximum with the scale free; the search has found the highest with the scale fixed
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return p.location + p.scale * tan(constants::pi * (draw_uniform(random) - 0.5));
  }
};

MF_NAMESPACE_END
