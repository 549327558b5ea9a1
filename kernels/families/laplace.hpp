// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/groups/quantile.hpp"

MF_NAMESPACE_BEGIN

/// Laplace (double exponential) distribution with location μ and scale σ, f(x) = exp(−|x − μ|/σ) / (2σ).
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 24. The maximum is the
/// median with the mean absolute deviation about it; where a whole interval of medians is as good, its midpoint is
/// given.
struct laplace {
  static constexpr const char* name = "laplace";
  static constexpr parameter parameters[] = {
      {"location", constraint::real, 1.5, "location: the median", tracking::location},
      {"scale", constraint::positive, 2.0, "mean absolute deviation", tracking::scale}};
  using support = supports::reals;
  template <class T>
  struct params {
    T location, scale;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return -abs(x - p.location) / p.scale;
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -constants::log_2 - log(p.scale);
  }

  static constexpr int corner = 0;
  MF_FN static vec<double, 2> expected_information(const params<double>& p) {
    const double information = 1 / square(p.scale);
    return {information, information};
  }

  /// The answer itself. The likelihood has a corner at the median and hence no observed information: the expected one,
  /// 1/σ² an observation for both parameters, stands in its place.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const double location = settings.fixed & 1u ? settings.fixed_values[0] : quantile(points, s, 0.5);
    const double deviation = points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(location))}; })[0] / s.weight;
    const double scale = settings.fixed & 2u ? settings.fixed_values[1] : deviation;
    if (!(scale > 0)) return {{location, 0}, fit_status::unbounded_likelihood};
    return {{location, scale},
            fit_status::converged,
            -constants::log_2 - log(scale) - deviation / scale,
            expected_information({location, scale})};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    const double magnitude = draw_exponential(random);
    return p.location + p.scale * (draw_uniform(random) < 0.5 ? -magnitude : magnitude);
  }
};

MF_NAMESPACE_END
