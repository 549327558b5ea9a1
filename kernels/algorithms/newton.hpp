// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Safeguarded Newton on an objective of a few parameters. Steps are taken in unconstrained coordinates u
// (logarithm of a positive parameter, log-odds of a probability), the Hessian is shifted until it is negative definite
// (Levenberg–Marquardt, scaled by its own diagonal) and a step is halved until the log-likelihood does not fall.
// Steps in logarithms and log-odds are capped at 2. The cap, and steps where the Hessian had to be shifted, stretch by
// two for every such step that was taken whole: long valleys and paths to a singularity take few iterations. Source:
// Nocedal & Wright, Numerical Optimization (2006), sections 3.4 and 3.5.
#pragma once

#include "kernels/math/cholesky.hpp"
#include "kernels/objectives/unconstrained.hpp"

MF_NAMESPACE_BEGIN

template <int P>
struct newton_result {
  vec<double, P> parameters;
  jet<double, P> objective;  ///< its value with derivatives in the parameters themselves
  fit_status status;
  int iterations;
};

/// Objectives with a parameter that a short step in standard errors may move far.
template <class O>
concept limits_last_step = requires {
  requires O::longest_last_step < constants::infinity;
};

/// A climb that nothing but the objective ends.
template <int P>
struct no_verdict {
  MF_FN fit_status operator()(const newton_result<P>&) const { return fit_status::not_run; }
};

/// Climbs from `start`. `noise`: relative rounding error of the objective's terms (2⁻⁵² in double, 2⁻²³ in float).
/// `verdict`, asked after every iteration: newton_result<P> → the status with which to end there, or not_run to go on.
template <objective O, int P = O::dimension, class Verdict = no_verdict<P>>
MF_FN_LARGE newton_result<P> maximise_by_newton(const O over, const vec<double, P>& start, const fit_settings& settings,
                                                double noise, Verdict verdict = {}) {
  // Tolerance on g'H⁻¹g, the squared distance to the maximum in units of one observation's standard error.
  const double tolerance = settings.tolerance > 0 ? settings.tolerance : maximum(1e-18, 100 * noise * noise);
  const double last_step = maximum(tolerance, 1e-13);
  newton_result<P> best{start, over.template at<2>(start), fit_status::max_iterations, 0};
  // −inf: what is held fixed gives an observation density zero; a sum may have made it 0 · inf.
  if (!is_finite(best.objective.value)) {
    best.status = best.objective.value > 0 ? fit_status::unbounded_likelihood : fit_status::out_of_support;
    return best;
  }
  double stretch = 1;
  int steps_in_noise = 0;
  for (;;) {
    const auto at = derivatives_in_unconstrained<O>(best.parameters, best.objective, settings.fixed);
    auto curvature = at.curvature;
    cholesky<P> factor(curvature);
    const bool concave = factor.positive_definite;
    for (double shift = 1e-3; !factor.positive_definite && shift < 1e12; shift *= 8) {
      for (int i = 0; i < P; ++i) {
        const double diagonal = at.curvature[packed(i, i)];
        curvature[packed(i, i)] = diagonal + shift * (abs(diagonal) + 1e-300);
      }
      factor = cholesky<P>(curvature);
    }
    if (!factor.positive_definite) return best;  // derivatives beyond the doubles' range: nowhere to go
    vec<double, P> step = factor.solve(at.score);
    double decrement = 0, largest = 0;
    for (int i = 0; i < P; ++i) {
      decrement += step[i] * at.score[i];
      if (O::constraint_of(i) != constraint::real) largest = maximum(largest, abs(step[i]));
    }
    // Where a parameter is told by its fourth derivative only (df near the normal), a step that is short in standard
    // errors may be long in the parameter, and the information would be that of another place.
    bool is_short = true;
    if constexpr (limits_last_step<O>) is_short = largest <= O::longest_last_step || best.iterations >= 60;
    if (!(decrement > tolerance) && is_short) {
      best.status = concave ? fit_status::converged : fit_status::singular_information;
      return best;
    }
    if (concave && decrement <= last_step && is_short) {
      // One step from the maximum: taken without looking. It lands within the square of its length (1e-13 in standard
      // errors of one observation), changes the Hessian by a few 1e-7 relative, and gains half the decrement.
      for (int i = 0; i < P; ++i)
        if (!((settings.fixed >> i) & 1u))
          best.parameters[i] = stepped(O::constraint_of(i), best.parameters[i], step[i]);
      best.objective.value += 0.5 * decrement;
      best.status = fit_status::converged;
      return best;
    }
    // Narrow samples: the parameters' own rounding is worth more than the tolerance.
    bool below_rounding = true;
    for (int i = 0; i < P; ++i) {
      const double unit = O::constraint_of(i) == constraint::real ? abs(best.parameters[i]) : 1;
      below_rounding = below_rounding && abs(step[i]) <= 0x1p-50 * unit;
    }
    if (below_rounding) {
      best.status = concave ? fit_status::converged : fit_status::singular_information;
      return best;
    }
    if (best.iterations >= settings.max_iterations) return best;
    const double longer = concave ? 1 : stretch, cap = 2 * stretch;
    const bool capped = longer * largest > cap;
    for (int i = 0; i < P; ++i) step[i] *= capped ? cap / largest : longer;

    bool climbed = false, whole = true;
    const double slack = 8 * noise * (1 + abs(best.objective.value));
    // Where a step gains less than float's rounding, shorter ones show nothing that it does not.
    const bool in_noise = noise > 0x1p-40 && decrement <= 100 * noise;
    const int halvings = in_noise ? 3 : 40;
    for (int halving = 0; halving < halvings && !climbed; ++halving) {
      vec<double, P> trial;
      for (int i = 0; i < P; ++i)
        trial[i] =
            (settings.fixed >> i) & 1u ? best.parameters[i] : stepped(O::constraint_of(i), best.parameters[i], step[i]);
      const jet<double, P> objective = over.template at<2>(trial);
      if (is_finite(objective.value) && objective.value >= best.objective.value - slack) {
        best.parameters = trial;
        best.objective = objective;
        climbed = true;
      }
      whole = whole && climbed;
      for (int i = 0; i < P; ++i) step[i] *= 0.5;
    }
    ++best.iterations;
    stretch = (capped || !concave) && whole ? 2 * stretch : 1;
    steps_in_noise = in_noise ? steps_in_noise + 1 : 0;
    if (!climbed || steps_in_noise > 8) {  // no ascent left that rounding lets us see
      const bool near = decrement <= 1e6 * maximum(tolerance, 100 * noise * noise) || decrement <= 100 * noise;
      best.status = !near     ? fit_status::max_iterations
                    : concave ? fit_status::converged
                              : fit_status::singular_information;
      return best;
    }
    const fit_status ended = verdict(best);
    if (ended != fit_status::not_run) {
      best.status = ended;
      return best;
    }
    for (int i = 0; i < P; ++i)
      if (O::constraint_of(i) == constraint::positive && !(best.parameters[i] > 1e-150 && best.parameters[i] < 1e150)) {
        best.status = fit_status::unbounded_likelihood;
        return best;
      }
  }
}

template <objective O, int P = O::dimension, class Verdict = no_verdict<P>>
MF_FN_CALL newton_result<P> called_newton(const O over, const vec<double, P>& start, const fit_settings& settings,
                                          double noise, Verdict verdict) {
  return maximise_by_newton(over, start, settings, noise, verdict);
}
/// The same over rows. Of three parameters and more a call: on a GPU what a fit holds otherwise would take the
/// registers of its passes. Of fewer it is none, and the group of rows stays in registers.
template <objective O, int P = O::dimension, class Verdict>
MF_FN_LARGE newton_result<P> climb_over_rows(const O over, const vec<double, P>& start, const fit_settings& settings,
                                             double noise, Verdict verdict) {
  if constexpr (P > 2)
    return called_newton(over, start, settings, noise, verdict);
  else
    return maximise_by_newton(over, start, settings, noise, verdict);
}

MF_NAMESPACE_END
