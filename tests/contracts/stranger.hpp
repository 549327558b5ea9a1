// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a stranger adds: a model, a curve of two parameters with Gaussian noise, y = a exp(−b t) + noise of known size,
// and an algorithm over an objective, gradient ascent. Neither knows the other, rows' place or lanes.
#pragma once

#include "kernels/objectives/likelihood.hpp"
#include "kernels/objectives/unconstrained.hpp"

MF_NAMESPACE_BEGIN

struct decay_curve {
  static constexpr int dimension = 2;
  using rows = plain_rows<column_role::covariate>;  ///< value y, time t
  static constexpr double noise = 0.25;
  MF_FN static constexpr constraint constraint_of(int i) { return i == 0 ? constraint::real : constraint::positive; }
  template <class T, class Row>
  MF_FN static T log_density(const vec<T, 2>& p, const Row& row) {
    const T residual = (row.y - p[0] * exp(-(p[1] * row.column[0]))) * decltype(row.y)(1 / noise);
    return -0.5 * square(residual) - (constants::half_log_two_pi + log(noise));
  }
};

/// Where steepest ascent from `start` ends, in unconstrained coordinates: a step grows while it climbs (Armijo's rule,
/// Nocedal & Wright, Numerical Optimization (2006), section 3.1) and is halved where it does not.
template <objective O>
MF_FN_LARGE vec<double, O::dimension> climb_by_gradient(const O over, const vec<double, O::dimension>& start,
                                                        double tolerance, int iterations) {
  const unconstrained<O> free{over};
  vec<double, O::dimension> u;
  for (int i = 0; i < O::dimension; ++i) u[i] = unconstrained_coordinate(O::constraint_of(i), start[i]);
  auto here = free.template at<1>(u);
  double step = 0.1;
  for (int t = 0; t < iterations && step > 1e-14; ++t) {
    double slope = 0;
    vec<double, O::dimension> trial = u;
    for (int i = 0; i < O::dimension; ++i) {
      slope += square(here.gradient[i]);
      trial[i] += step * here.gradient[i];
    }
    if (slope <= square(tolerance)) break;
    const auto there = free.template at<1>(trial);
    const bool climbs = there.value >= here.value + 0.3 * step * slope;
    step *= climbs ? 1.6 : 0.5;
    if (!climbs) continue;
    u = trial;
    here = there;
  }
  return free.natural(u);
}

MF_NAMESPACE_END
