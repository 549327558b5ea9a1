// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// For likelihoods with several local maxima in the location (Student-t and Cauchy with the scale fixed): the global
// maximum, and whether a maximum is a singularity at tied observations.
#pragma once

#include "kernels/groups/quantile.hpp"

MF_NAMESPACE_BEGIN

/// argmin over location of Σ w loss(|y − location|), to within `step` or a 2⁶⁰th of the range; loss: increasing in the
/// distance, scalar → scalar. Branch and bound over intervals: the lower bound of an interval moves every point to the
/// nearest end of it. At most 64 intervals are kept, those with the lowest bounds; a unimodal sample keeps a dozen.
template <class Points, class Loss>
MF_FN_CALL double location_of_least(Points points, const sample_summary& s, double step, Loss loss) {
  using S = typename Points::scalar;
  constexpr int most = 64, at_once = shares_passes<Points> ? 2 : 4;
  double left[most], bound[most];
  int count = 16;
  double width = (s.maximum - s.minimum) / count, best = constants::infinity, best_at = s.minimum;
  for (int i = 0; i < count; ++i) left[i] = s.minimum + i * width;
  for (int level = 0; level < 60; ++level) {
    const double half = 0.5 * width;
    for (int first = 0; first < count; first += at_once) {
      double middle[at_once];
      for (int k = 0; k < at_once; ++k) middle[k] = left[first + k < count ? first + k : count - 1] + half;
      const auto total = points.sum([&](const S& y) {
        vec<S, 2 * at_once> out;
        for (int k = 0; k < at_once; ++k) {
          const S distance = abs(y - S(middle[k]));
          out[2 * k] = loss(distance);
          out[2 * k + 1] = loss(maximum(distance - S(half), S(0)));
        }
        return out;
      });
      for (int k = 0; k < at_once && first + k < count; ++k) {
        if (total[2 * k] < best) best = total[2 * k], best_at = middle[k];
        bound[first + k] = total[2 * k + 1];
      }
    }
    if (!(width > step)) break;
    int kept = 0;
    for (int i = 0; i < count; ++i)
      if (bound[i] < best) left[kept] = left[i], bound[kept++] = bound[i];
    while (kept > most / 2) {  // the worst one goes
      int worst = 0;
      for (int i = 1; i < kept; ++i)
        if (bound[i] > bound[worst]) worst = i;
      --kept;
      left[worst] = left[kept];
      bound[worst] = bound[kept];
    }
    if (kept == 0) break;
    width = half;
    for (int i = kept - 1; i >= 0; --i) {
      left[2 * i + 1] = left[i] + width;
      left[2 * i] = left[i];
    }
    count = 2 * kept;
  }
  return best_at;
}

/// The observations nearest to a location.
struct tied {
  double at, distance;       ///< their value, and how far it is
  double fraction;           ///< of the weight
  double mean_log_distance;  ///< Σ w log|y − location| over the others, by the weight of all
};
template <class Points>
MF_FN_CALL tied tied_at(Points points, const sample_summary& s, double location) {
  using S = typename Points::scalar;
  const double reach = points.minimum_of([=](const S& y) { return abs(y - S(location)); });
  const auto total = points.sum([=](const S& y) {
    const S distance = abs(y - S(location));
    const auto near = distance <= S(reach);
    return vec<S, 2>{select(near, S(1), S(0)), select(near, S(0), log(select(near, S(1), distance)))};
  });
  const double at = points.minimum_of(
      [=](const S& y) { return select(abs(y - S(location)) <= S(reach), y, S(constants::infinity)); });
  return {at, reach, total[0] / s.weight, total[1] / s.weight};
}

/// Whether a scale has fallen so far that the question of a singularity is asked.
MF_FN bool may_be_singular(const sample_summary& s, double scale) {
  return scale < 1e-6 * (s.maximum - s.minimum);
}

/// Where a path with falling scale ends for a density of tails |z|^−(df + 1): with `fraction` of the weight at one
/// place the mean log-likelihood goes as −log(scale) (fraction − df (1 − fraction)). Below 1e-6 of the range the
/// question is asked; above it, or where the likelihood falls, the answer is not_run. At balance, boundary, it has a
/// limit: `location` moves to the tied value and `limit` is the mean log-likelihood there, `log_constant` being the
/// density's logarithm at z = 0, scale 1.
template <class Points>
MF_FN_CALL fit_status singular_at(Points points, const sample_summary& s, double df, double scale, double log_constant,
                                  double& location, double& limit) {
  if (!may_be_singular(s, scale)) return fit_status::not_run;
  const tied at = tied_at(points, s, location);
  const double excess = at.fraction - df * (1 - at.fraction);
  if (!(excess > -1e-9 && at.distance < scale)) return fit_status::not_run;
  if (excess > 1e-9) return fit_status::unbounded_likelihood;
  location = at.at;
  limit = log_constant - (df + 1) * at.mean_log_distance + 0.5 * (df + 1) * (1 - at.fraction) * log(df);
  return fit_status::boundary;
}

MF_NAMESPACE_END
