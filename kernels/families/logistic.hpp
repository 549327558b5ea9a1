// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Logistic distribution with location μ and scale σ, f(x) = exp(−z) / (σ (1 + exp(−z))²), z = (x − μ)/σ.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 23. The density is
/// log-concave: in (μ/σ, 1/σ) the log-likelihood is concave, and its maximum the only one.
struct logistic {
  static constexpr const char* name = "logistic";
  static constexpr parameter parameters[] = {
      {"location", constraint::real, 1.5, "location: the mean", tracking::location},
      {"scale", constraint::positive, 2.0, "scale: standard deviation √3/π", tracking::scale}};
  using support = supports::reals;
  template <class T>
  struct params {
    T location, scale;
  };

  /// Through |z|, so that the exponential cannot overflow.
  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    const T distance = abs((x - p.location) / p.scale);
    return -distance - 2.0 * log1p(exp(-distance));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -log(p.scale);
  }

  /// Mean log-likelihood and derivatives from six sums: of log f, t, t z, v, v z and v z², with t = tanh(z/2) = −∂log
  /// f/∂z and v = (1 − t²)/2 = ∂t/∂z.
  template <class Points>
  MF_FN_LARGE static jet<double, 2> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double location = p.location, by_scale = 1 / p.scale;
    const auto total = points.sum([=](const S& y) {
      const S z = (y - S(location)) * S(by_scale), distance = abs(z);
      const S e = exp(-distance), inverse = S(1) / (S(1) + e);
      const S t = select(z < S(0), e - S(1), S(1) - e) * inverse, v = S(2) * e * inverse * inverse, vz = v * z;
      return vec<S, 6>{distance + S(2) * log(S(1) + e), t, t * z, v, vz, vz * z};
    });
    const double w = s.weight, t = total[1] / w, tz = total[2] / w, v = total[3] / w, vz = total[4] / w,
                 vzz = total[5] / w;
    jet<double, 2> r;
    r.value = -log(p.scale) - total[0] / w;
    r.gradient[0] = t * by_scale;
    r.gradient[1] = (tz - 1) * by_scale;
    r.hessian[packed(0, 0)] = -v * by_scale * by_scale;
    r.hessian[packed(1, 0)] = -(t + vz) * by_scale * by_scale;
    r.hessian[packed(1, 1)] = (1 - 2 * tz - vzz) * by_scale * by_scale;
    return r;
  }

  /// The mean, and the mean absolute deviation, which is 2σ log 2.
  template <class Points>
  MF_FN_LARGE static start_point<2> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const double location = settings.fixed & 1u ? settings.fixed_values[0] : s.mean;
    const double deviation = points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(location))}; })[0] / s.weight;
    if (!(deviation > 0) && !(settings.fixed & 2u)) return {{location, 0}, fit_status::unbounded_likelihood};
    return {{location, deviation / (2 * constants::log_2)}};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    const double u = draw_uniform(random);
    return p.location + p.scale * log(u / (1 - u));
  }
};

MF_NAMESPACE_END
