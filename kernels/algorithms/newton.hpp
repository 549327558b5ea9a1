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

/// A climb that nothing but the objective ends.
template <int P>
struct no_verdict {
  MF_FN fit_status operator()(const newton_result<P>&) const { return fit_status::not_run; }
};

/// The step of a climb that is being taken, from `best`, the best point so far, which begins at the start as
/// max_iterations. Space: the parameters' number and ranges, as space_of<O>.
template <class Space, int P = Space::dimension>
struct newton_step {
  vec<double, P> trial;    ///< where the objective is wanted
  vec<double, P> step;     ///< of the unconstrained coordinates, that led or leads from `best` to the trial
  double stretch = 1;      ///< how far beyond Newton's step and the cap
  double decrement = 0;    ///< g'H⁻¹g at `best`
  int halving = 0;         ///< of the step, of which the trial is the end
  int steps_in_noise = 0;  ///< that came one after the other
  bool concave = false, capped = false, climbed = false;

  /// At the start; false where the climb ends there.
  MF_FN static bool has_density(newton_result<P>& best) {
    // −inf: what is fixed gives an observation density zero; a sum may have made it 0 · inf.
    if (is_finite(best.objective.value)) return true;
    best.status = best.objective.value > 0 ? fit_status::unbounded_likelihood : fit_status::out_of_support;
    return false;
  }
  /// At a trial, which is taken unless it falls; true where a shorter step is to be tried.
  MF_FN bool shortens(newton_result<P>& best, const Space& space, const jet<double, P>& objective,
                      const fit_settings& settings, double noise) {
    const double slack = 8 * noise * (1 + abs(best.objective.value));
    climbed = is_finite(objective.value) && objective.value >= best.objective.value - slack;
    if (climbed) {
      best.parameters = trial;
      best.objective = objective;
    }
    ++halving;
    // Where a step gains less than float's rounding, shorter ones show nothing that it does not.
    if (climbed || halving == (is_in_noise(noise) ? 3 : 40)) return false;
    for (int i = 0; i < P; ++i) step[i] *= 0.5;
    try_step(best, space, settings);
    return true;
  }
  /// After the last trial of a step: false where the climb ends.
  template <class Verdict>
  MF_FN bool settle(newton_result<P>& best, const Space& space, const fit_settings& settings, double noise,
                    const Verdict& verdict) {
    ++best.iterations;
    stretch = (capped || !concave) && climbed && halving == 1 ? 2 * stretch : 1;
    steps_in_noise = is_in_noise(noise) ? steps_in_noise + 1 : 0;
    if (!climbed || steps_in_noise > 8) {  // no ascent left that rounding lets us see
      const bool near =
          decrement <= 1e6 * maximum(tolerance_of(settings, noise), 100 * noise * noise) || decrement <= 100 * noise;
      best.status = !near     ? fit_status::max_iterations
                    : concave ? fit_status::converged
                              : fit_status::singular_information;
      return false;
    }
    const fit_status ended = verdict(best);
    if (ended != fit_status::not_run) {
      best.status = ended;
      return false;
    }
    for (int i = 0; i < P; ++i)
      if (space.constraint_of(i) == constraint::positive &&
          !(best.parameters[i] > 1e-150 && best.parameters[i] < 1e150)) {
        best.status = fit_status::unbounded_likelihood;
        return false;
      }
    return true;
  }
  /// The next step from `best`, or the end.
  MF_FN bool propose(newton_result<P>& best, const Space& space, const fit_settings& settings, double noise) {
    const double tolerance = tolerance_of(settings, noise), last_step = maximum(tolerance, 1e-13);
    const auto at = derivatives_in_unconstrained(space, best.parameters, best.objective, settings.fixed);
    auto curvature = at.curvature;
    cholesky<P> factor(curvature);
    concave = factor.positive_definite;
    for (double shift = 1e-3; !factor.positive_definite && shift < 1e12; shift *= 8) {
      for (int i = 0; i < P; ++i) {
        const double diagonal = at.curvature[packed(i, i)];
        curvature[packed(i, i)] = diagonal + shift * (abs(diagonal) + 1e-300);
      }
      factor = cholesky<P>(curvature);
    }
    if (!factor.positive_definite) return false;  // derivatives beyond the doubles' range: nowhere to go
    step = factor.solve(at.score);
    decrement = 0;
    double largest = 0;
    for (int i = 0; i < P; ++i) {
      decrement += step[i] * at.score[i];
      if (space.constraint_of(i) != constraint::real) largest = maximum(largest, abs(step[i]));
    }
    // Where a parameter is told by its fourth derivative only (df near the normal), a step that is short in standard
    // errors may be long in the parameter, and the information would be that of another place.
    bool is_short = true;
    if constexpr (Space::longest_last_step < constants::infinity)
      is_short = largest <= Space::longest_last_step || best.iterations >= 60;
    if (!(decrement > tolerance) && is_short) {
      best.status = concave ? fit_status::converged : fit_status::singular_information;
      return false;
    }
    if (concave && decrement <= last_step && is_short) {
      // One step from the maximum: taken without looking. It lands within the square of its length (1e-13 in standard
      // errors of one observation), changes the Hessian by a few 1e-7 relative, and gains half the decrement.
      for (int i = 0; i < P; ++i)
        if (!((settings.fixed >> i) & 1u))
          best.parameters[i] = stepped(space.constraint_of(i), best.parameters[i], step[i]);
      best.objective.value += 0.5 * decrement;
      best.status = fit_status::converged;
      return false;
    }
    // Narrow samples: the parameters' own rounding is worth more than the tolerance.
    bool below_rounding = true;
    for (int i = 0; i < P; ++i) {
      const double unit = space.constraint_of(i) == constraint::real ? abs(best.parameters[i]) : 1;
      below_rounding = below_rounding && abs(step[i]) <= 0x1p-50 * unit;
    }
    if (below_rounding) {
      best.status = concave ? fit_status::converged : fit_status::singular_information;
      return false;
    }
    if (best.iterations >= settings.max_iterations) return false;
    const double longer = concave ? 1 : stretch, cap = 2 * stretch;
    capped = longer * largest > cap;
    for (int i = 0; i < P; ++i) step[i] *= capped ? cap / largest : longer;
    halving = 0;
    try_step(best, space, settings);
    return true;
  }

 private:
  /// Of g'H⁻¹g, the squared distance to the maximum in units of one observation's standard error.
  MF_FN static double tolerance_of(const fit_settings& settings, double noise) {
    return settings.tolerance > 0 ? settings.tolerance : maximum(1e-18, 100 * noise * noise);
  }
  MF_FN bool is_in_noise(double noise) const { return noise > 0x1p-40 && decrement <= 100 * noise; }
  MF_FN void try_step(const newton_result<P>& best, const Space& space, const fit_settings& settings) {
    for (int i = 0; i < P; ++i)
      trial[i] = (settings.fixed >> i) & 1u ? best.parameters[i]
                                            : stepped(space.constraint_of(i), best.parameters[i], step[i]);
  }
};

/// A climb of which the objective is evaluated from outside: begin(), then advance() are given it at wanted() and say
/// whether it is wanted once more. What stands between two passes, a sum over several machines, a checkpoint (a climb
/// is a value: copy it), is the caller's.
template <class Space, int P = Space::dimension>
struct newton_climb {
  newton_result<P> best;  ///< the answer once nothing is wanted any more; before, the best point so far
  newton_step<Space> next;

  explicit newton_climb(const vec<double, P>& start) : best{start, {}, fit_status::max_iterations, 0} {
    next.trial = start;
  }
  const vec<double, P>& wanted() const { return next.trial; }

  /// After the objective was evaluated at the start. `noise`: relative rounding error of the objective's terms (2⁻⁵² in
  /// double, 2⁻²³ in float).
  bool begin(const Space& space, const jet<double, P>& objective, const fit_settings& settings, double noise) {
    best.objective = objective;
    return next.has_density(best) && next.propose(best, space, settings, noise);
  }
  /// After it was evaluated at a trial. `verdict`, asked after every iteration: newton_result<P> → the status with
  /// which to end there, or not_run to go on.
  template <class Verdict>
  bool advance(const Space& space, const jet<double, P>& objective, const fit_settings& settings, double noise,
               const Verdict& verdict) {
    if (next.shortens(best, space, objective, settings, noise)) return true;
    return next.settle(best, space, settings, noise, verdict) && next.propose(best, space, settings, noise);
  }
};

/// Climbs from `start` to an end; `noise` and `verdict` as newton_climb's.
template <objective O, int P = O::dimension, class Verdict = no_verdict<P>>
MF_FN_LARGE newton_result<P> maximise_by_newton(const O over, const vec<double, P>& start, const fit_settings& settings,
                                                double noise, Verdict verdict = {}) {
  const space_of<O> space;
  newton_result<P> best{start, over.template at<2>(start), fit_status::max_iterations, 0};
  newton_step<space_of<O>> next;
  if (!next.has_density(best)) return best;
  while (next.propose(best, space, settings, noise)) {
    while (next.shortens(best, space, over.template at<2>(next.trial), settings, noise)) {
    }
    if (!next.settle(best, space, settings, noise, verdict)) break;
  }
  return best;
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
