// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Safeguarded Newton on a mean log-likelihood of a few parameters. Steps are taken in unconstrained coordinates u
// (logarithm of a positive parameter, log-odds of a probability), the Hessian is shifted until it is negative definite
// (Levenberg–Marquardt, scaled by its own diagonal) and a step is halved until the log-likelihood does not fall.
// Steps in logarithms and log-odds are capped at 2. The cap, and steps where the Hessian had to be shifted, stretch by
// two for every such step that was taken whole: long valleys and paths to a singularity take few iterations. Source:
// Nocedal & Wright, Numerical Optimization (2006), sections 3.4 and 3.5.
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/math/cholesky.hpp"

MF_NAMESPACE_BEGIN

/// First and second derivative of a parameter with respect to its unconstrained coordinate, at parameter value p.
struct transform_derivatives {
  double first, second;
};
MF_FN transform_derivatives derivatives_at(constraint kind, double p) {
  if (kind == constraint::positive) return {p, p};
  if (kind == constraint::probability) return {p * (1 - p), p * (1 - p) * (1 - 2 * p)};
  return {1, 0};
}

/// The parameter after a step of `step` in its unconstrained coordinate.
MF_FN_LARGE double stepped(constraint kind, double p, double step) {
  if (kind == constraint::positive) return p * exp(step);
  if (kind == constraint::probability) {
    const double odds = p / (1 - p) * exp(step);
    return odds / (1 + odds);
  }
  return p + step;
}

template <int P>
struct newton_result {
  vec<double, P> parameters;
  jet<double, P> objective;  ///< mean log-likelihood with derivatives in the parameters themselves
  fit_status status;
  int iterations;
};

/// Score and negative Hessian of the objective in unconstrained coordinates; a fixed parameter gets score 0, unit
/// diagonal.
template <class Family, int P>
struct unconstrained_derivatives {
  vec<double, P> score;
  vec<double, packed_size(P)> curvature;

  MF_FN_LARGE unconstrained_derivatives(const vec<double, P>& p, const jet<double, P>& e, std::uint32_t fixed) {
    transform_derivatives t[P];
    for (int i = 0; i < P; ++i) t[i] = derivatives_at(constraint_of<Family>(i), p[i]);
    for (int i = 0; i < P; ++i) {
      const bool free_i = !((fixed >> i) & 1u);
      score[i] = free_i ? e.gradient[i] * t[i].first : 0.0;
      for (int j = 0; j <= i; ++j) {
        const bool free = free_i && !((fixed >> j) & 1u);
        double second = e.hessian[packed(i, j)] * t[i].first * t[j].first;
        if (i == j) second += e.gradient[i] * t[i].second;
        curvature[packed(i, j)] = free ? -second : (i == j ? 1.0 : 0.0);
      }
    }
  }
};

/// Families with a parameter that a short step in standard errors may move far.
template <class Family>
concept limits_last_step = requires {
  Family::longest_last_step;
};

/// Climbs from `start`. evaluate: vec<double, P> → jet<double, P>, the mean log-likelihood at natural parameters.
/// `noise`: relative rounding error of the objective's terms (2⁻⁵² in double, 2⁻²³ in float). `verdict`, asked after
/// every iteration: newton_result<P> → the status with which to end there, or not_run to go on.
template <class Family, int P, class Evaluate, class Verdict>
MF_FN_LARGE newton_result<P> maximise_by_newton(const vec<double, P>& start, const fit_settings& settings, double noise,
                                                Evaluate evaluate, Verdict verdict) {
  // Tolerance on g'H⁻¹g, the squared distance to the maximum in units of one observation's standard error.
  const double tolerance = settings.tolerance > 0 ? settings.tolerance : maximum(1e-18, 100 * noise * noise);
  const double last_step = maximum(tolerance, 1e-13);
  newton_result<P> best{start, evaluate(start), fit_status::max_iterations, 0};
  // −inf: what is held fixed gives an observation density zero; a sum may have made it 0 · inf.
  if (!is_finite(best.objective.value)) {
    best.status = best.objective.value > 0 ? fit_status::unbounded_likelihood : fit_status::out_of_support;
    return best;
  }
  double stretch = 1;
  int steps_in_noise = 0;
  for (;;) {
    const unconstrained_derivatives<Family, P> at(best.parameters, best.objective, settings.fixed);
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
      if (constraint_of<Family>(i) != constraint::real) largest = maximum(largest, abs(step[i]));
    }
    // Where a parameter is told by its fourth derivative only (df near the normal), a step that is short in standard
    // errors may be long in the parameter, and the information would be that of another place.
    bool is_short = true;
    if constexpr (limits_last_step<Family>) is_short = largest <= Family::longest_last_step || best.iterations >= 60;
    if (!(decrement > tolerance) && is_short) {
      best.status = concave ? fit_status::converged : fit_status::singular_information;
      return best;
    }
    if (concave && decrement <= last_step && is_short) {
      // One step from the maximum: taken without looking. It lands within the square of its length (1e-13 in standard
      // errors of one observation), changes the Hessian by a few 1e-7 relative, and gains half the decrement.
      for (int i = 0; i < P; ++i)
        if (!((settings.fixed >> i) & 1u))
          best.parameters[i] = stepped(constraint_of<Family>(i), best.parameters[i], step[i]);
      best.objective.value += 0.5 * decrement;
      best.status = fit_status::converged;
      return best;
    }
    // Narrow samples: the parameters' own rounding is worth more than the tolerance.
    bool below_rounding = true;
    for (int i = 0; i < P; ++i) {
      const double unit = constraint_of<Family>(i) == constraint::real ? abs(best.parameters[i]) : 1;
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
        trial[i] = (settings.fixed >> i) & 1u ? best.parameters[i]
                                              : stepped(constraint_of<Family>(i), best.parameters[i], step[i]);
      const jet<double, P> objective = evaluate(trial);
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
      if (constraint_of<Family>(i) == constraint::positive &&
          !(best.parameters[i] > 1e-150 && best.parameters[i] < 1e150)) {
        best.status = fit_status::unbounded_likelihood;
        return best;
      }
  }
}

MF_NAMESPACE_END
