// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Gumbel distribution (largest extreme value) with location μ and scale σ, f(x) = exp(−z − exp(−z)) / σ, z = (x −
/// μ)/σ. Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 22; the profile
/// equation for the scale is their (22.65). −x is the logarithm of a Weibull variate of shape 1/σ.
struct gumbel {
  static constexpr const char* name = "gumbel";
  static constexpr parameter parameters[] = {
      {"location", constraint::real, 1.5, "location: the mode", tracking::location},
      {"scale", constraint::positive, 2.0, "scale", tracking::scale}};
  using support = supports::reals;
  template <class T>
  struct params {
    T location, scale;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    const T z = (x - p.location) / p.scale;
    return -z - exp(-z);
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -log(p.scale);
  }

  /// Mean log-likelihood and derivatives from four sums: of z, e, e z and e z², e = exp(−z).
  template <class Points>
  MF_FN_LARGE static jet<double, 2> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double location = p.location, by_scale = 1 / p.scale;
    const auto total = points.sum([=](const S& y) {
      const S z = (y - S(location)) * S(by_scale), e = exp(-z), ez = e * z;
      return vec<S, 4>{z, e, ez, ez * z};
    });
    const double w = s.weight, z = total[0] / w, e = total[1] / w, ez = total[2] / w, ezz = total[3] / w;
    jet<double, 2> r;
    r.value = -log(p.scale) - z - e;
    r.gradient[0] = (1 - e) * by_scale;
    r.gradient[1] = (z - ez - 1) * by_scale;
    r.hessian[packed(0, 0)] = -e * by_scale * by_scale;
    r.hessian[packed(1, 0)] = (e - ez - 1) * by_scale * by_scale;
    r.hessian[packed(1, 1)] = (1 - 2 * (z - ez) - ezz) * by_scale * by_scale;
    return r;
  }

  /// The profile equation σ = mean y − Σ y e^(−y/σ) / Σ e^(−y/σ), by Newton in log(1/σ); exponentials are taken about
  /// the smallest value so that they stay in (0, 1]. Ends one quadratic step short of Newton's own tolerance.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const bool location_fixed = settings.fixed & 1u, scale_fixed = settings.fixed & 2u;
    const double mean = s.mean, bottom = s.minimum, fixed_location = settings.fixed_values[0];
    const double deviation = points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(mean))}; })[0] / s.weight;
    if (location_fixed) {  // no profile; as wide as it takes for the smallest value to be likely at all
      const double scale = maximum(deviation + abs(mean - fixed_location), (fixed_location - bottom) / 20);
      if (!(scale > 0) && !scale_fixed) return {{fixed_location, 0}, fit_status::unbounded_likelihood};
      return {{fixed_location, scale}};
    }
    if (!(deviation > 0) && !scale_fixed) return {{mean, 0}, fit_status::unbounded_likelihood};
    // The mean absolute deviation is 0.987 σ.
    double inverse = scale_fixed ? 1 / settings.fixed_values[1] : 0.987 / deviation;
    for (int iterations = 2;; ++iterations) {
      const double k = inverse;
      const auto power = points.sum([=](const S& y) {
        const S e = exp(S(-k) * (y - S(bottom))), weighted = e * (S(mean) - y);
        return vec<S, 3>{e, weighted, weighted * (S(mean) - y)};
      });
      const double first = power[1] / power[0], second = power[2] / power[0];
      const double location = bottom - log(power[0] / s.weight) / k;
      const double slope = k * (second - square(first)) + 1 / k;
      const double step = scale_fixed ? 0.0 : maximum(-1.0, minimum(1.0, (1 / k - first) / slope));
      inverse = k * exp(step);
      if (abs(step) < 1e-5 || iterations > 40 || iterations >= settings.max_iterations) {
        const double next_location = location + (mean - first - location) * (inverse - k) / k;
        return {{next_location, 1 / inverse}, fit_status::not_run, constants::nan, {}, iterations};
      }
    }
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return p.location - p.scale * log(draw_exponential(random));
  }
};

MF_NAMESPACE_END
