// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"

MF_NAMESPACE_BEGIN

/// Uniform distribution on [min, max], f(x) = 1 / (max − min). The estimates are the smallest and the largest
/// observation; the likelihood has no derivative there, hence no standard errors. Source: Johnson, Kotz & Balakrishnan,
/// Continuous Univariate Distributions vol. 2 (1995), ch. 26.
struct uniform {
  static constexpr const char* name = "uniform";
  static constexpr parameter parameters[] = {{"min", constraint::real, -1.0, "lower end", tracking::location},
                                             {"max", constraint::real, 4.0, "upper end", tracking::location}};
  using support = supports::reals;
  static constexpr moving_support ends = moving_support::jumps;
  template <class T>
  struct params {
    T min, max;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return select((x >= p.min) && (x <= p.max), T(S(0)), T(S(-constants::infinity)));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -log(p.max - p.min);
  }

  static void ends_at(double minimum, double maximum, double* lowest, double* highest) {
    lowest[0] = -constants::infinity;
    highest[0] = minimum;
    lowest[1] = maximum;
    highest[1] = constants::infinity;
  }

  /// The answer itself; out_of_support when an observation lies beyond an end that the caller fixed.
  template <class Points>
  MF_FN static start_point<2> start(const Points&, const sample_summary& s, const fit_settings& settings) {
    const double low = (settings.fixed & 1u) ? settings.fixed_values[0] : s.minimum;
    const double high = (settings.fixed & 2u) ? settings.fixed_values[1] : s.maximum;
    const fit_status status = !(low <= s.minimum && s.maximum <= high) ? fit_status::out_of_support
                              : !(low < high)                          ? fit_status::constant_sample
                                                                       : fit_status::converged;
    return {{low, high}, status, -log(high - low)};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return p.min + (p.max - p.min) * draw_uniform(random);
  }
};

MF_NAMESPACE_END
