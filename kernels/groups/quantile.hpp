// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantiles of one sample over a group by sums and minima alone: no sort, no workspace, and the same result on every
// group. A pass sums the weight below several pivots at once. They are placed by interpolation in the weights found so
// far, as in Floyd & Rivest, Communications of the ACM 18 (1975) 165–172; where that converges slowly (ties, outliers
// by orders of magnitude) the next pivots divide the doubles between the bounds evenly, which bounds the number of
// passes by 64 / log₂ 8 for any sample. A thousand points take about six passes.
#pragma once

#include <bit>

#include "kernels/data/rows.hpp"
#include "kernels/math/polynomial.hpp"

MF_NAMESPACE_BEGIN

/// The order statistics around a weight; see weighted_order_statistics.
struct bracket_values {
  double lower, upper;
};

/// Doubles as integers in the same order, and back: neighbours differ by one, −0 and 0 are one number.
MF_FN std::int64_t rank_of_double(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits >= 0 ? bits : std::numeric_limits<std::int64_t>::min() - bits;
}
MF_FN double double_of_rank(std::int64_t rank) {
  return std::bit_cast<double>(rank >= 0 ? rank : std::numeric_limits<std::int64_t>::min() - rank);
}

/// The smallest point above `threshold`; infinity when there is none.
template <class Points>
MF_FN_LARGE double next_point(const Points& points, double threshold) {
  using S = typename Points::scalar;
  return points.minimum_of([=](const S& y) { return select(y > S(threshold), y, S(constants::infinity)); });
}

/// For target weight t in (0, W): `lower` is the smallest point y with W(≤ y) ≥ t, `upper` the smallest with W(≤ y) >
/// t. They differ only where t is hit exactly, as for the median of an even number of points.
/// With `precision` > 0 the search ends where no more than that fraction of the weight is in question, between points
/// by interpolation: half the passes.
template <class Points>
MF_FN_LARGE bracket_values weighted_order_statistics(const Points& points, const sample_summary& s, double target,
                                                     double precision = 0) {
  using S = typename Points::scalar;
  constexpr int K = 7;
  const double slack = 1e-12 * s.weight, per_point = s.weight / static_cast<double>(s.observations);
  if (s.minimum == s.maximum) return {s.minimum, s.minimum};
  // Invariant: W(≤ below) < target ≤ W(≤ above); the order statistic lies in (below, above].
  double below = -constants::infinity, above = s.maximum, next = constants::infinity;
  double weight_below = 0, weight_above = s.weight;

  // The first pivots: where a triangular density has the quantile, and some way to either side. The mean absolute
  // deviation does not overflow, as squares may.
  const double spread = points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(s.mean))}; })[0] / s.weight;
  vec<double, K> pivots;
  for (int k = 0; k < K; ++k) pivots[k] = s.mean + spread * (3.4 * (target / s.weight - 0.5) + 0.45 * (k - K / 2));

  for (int pass = 0; pass < 200; ++pass) {
    const double low = maximum(below, s.minimum);
    for (int k = 0; k < K; ++k) {
      pivots[k] = minimum(maximum(pivots[k], low), above);
      if constexpr (is_single<S>) pivots[k] = static_cast<S>(pivots[k]);  // what the group will compare with
    }
    const vec<double, K> weights = points.sum([=](const S& y) {
      vec<S, K> out;
      for (int k = 0; k < K; ++k) out[k] = select(y <= S(pivots[k]), S(1), S(0));
      return out;
    });
    const double inside_before = weight_above - weight_below;
    for (int k = 0; k < K; ++k) {
      const bool reached = weights[k] >= target - slack;
      if (reached && pivots[k] < above) above = pivots[k], weight_above = weights[k];
      if (!reached && pivots[k] > below) below = pivots[k], weight_below = weights[k];
    }
    if (above == next) break;
    const double inside = weight_above - weight_below;
    if (inside <= precision * s.weight) {
      const double from = maximum(below, s.minimum), fraction = (target - weight_below) / inside;
      const double between = (1 - fraction) * from + fraction * above;
      return {between, between};
    }
    const bool stalled = inside > 0.5 * inside_before;
    next = constants::infinity;
    if (stalled || inside <= 3 * per_point) {  // among ties, or nearly there: look at the next point itself
      next = next_point(points, below);
      if (!(next < above)) break;
    }
    const double from = maximum(below, s.minimum);
    if (stalled) {
      const auto first = static_cast<std::uint64_t>(rank_of_double(from));
      const std::uint64_t step = (static_cast<std::uint64_t>(rank_of_double(above)) - first) / K;
      for (int k = 0; k < K; ++k) pivots[k] = double_of_rank(static_cast<std::int64_t>(first + step * k));
    } else {
      // How far the order statistic may lie from where its fraction of the bracket's weight says: about √points.
      const double fraction = (target - weight_below) / inside, deviation = sqrt(per_point / inside);
      const double offset[K] = {0, -2.5, -0.8, -0.25, 0.25, 0.8, 2.5};
      for (int k = 0; k < K; ++k) {
        const double at = minimum(1.0, maximum(0.0, fraction + offset[k] * deviation));
        pivots[k] = (1 - at) * from + at * above;
      }
    }
    if (next < above) pivots[0] = next;
  }
  bracket_values result{above, above};
  if (abs(weight_above - target) <= slack && above < s.maximum) result.upper = next_point(points, above);
  return result;
}

/// The weighted q-quantile: the midpoint of the two order statistics where the weight is hit exactly. `precision`: as
/// above.
template <class Points>
MF_FN_LARGE double quantile(const Points& points, const sample_summary& s, double q, double precision = 0) {
  const auto around = weighted_order_statistics(points, s, q * s.weight, precision);
  return 0.5 * around.lower + 0.5 * around.upper;
}

/// A group for which a pass for several quantiles at once is faster: its passes are bound by instructions, not by
/// memory. It gives the number of pivots per bracket that its registers hold, 4 or 2.
template <class Points>
concept shares_passes = requires {
  Points::pivots_of_a_bracket;
};
/// Where pivot k of `each` lies beside where its fraction of the bracket's weight says, in standard deviations of it.
MF_FN constexpr double pivot_offset(int each, int k) {
  const double distance = each == 2 ? 0.7 : k == 0 || k == 3 ? 1.2 : 0.35;
  return 2 * k < each ? -distance : distance;
}

/// Where the q[t]-quantiles lie, to `precision` > 0 as above: starting values. Where passes over floats are shared,
/// brackets are as narrow as the pivots of one pass make them for most samples, a tenth of the weight, in which a
/// straight line between the pivots is as good as a second pass.
template <int N, class Points>
MF_FN_CALL vec<double, N> rough_quantiles(const Points& points, const sample_summary& s, const vec<double, N>& q,
                                          double precision) {
  vec<double, N> found;
  if constexpr (!shares_passes<Points>) {
    for (int t = 0; t < N; ++t) found[t] = quantile(points, s, q[t], precision);
    return found;
  } else {
    // As weighted_order_statistics, but every pivot serves all brackets that it falls into.
    using S = typename Points::scalar;
    constexpr int each = Points::pivots_of_a_bracket, K = each * N;
    const double widest = (is_single<S> ? 6 : 1) * precision;
    if (s.minimum == s.maximum) {
      for (int t = 0; t < N; ++t) found[t] = s.minimum;
      return found;
    }
    // Bounds and weights in S: comparing them in double would take longer than the passes.
    vec<S, N> below, above, weight_below, weight_above;
    bool open[N];
    for (int t = 0; t < N; ++t) {
      below[t] = S(s.minimum);
      above[t] = S(s.maximum);
      weight_below[t] = 0;
      weight_above[t] = S(s.weight);
      open[t] = true;
    }
    const double spread = points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(s.mean))}; })[0] / s.weight;
    double lowest = q[0], highest = q[0];
    for (int t = 1; t < N; ++t) {
      lowest = minimum(q[t], lowest);
      highest = maximum(q[t], highest);
    }
    const double first = 3.4 * (lowest - 0.5) - 0.7, step = (3.4 * (highest - 0.5) + 0.7 - first) / (K - 1);
    const S weight = S(s.weight), points_by_weight = S(static_cast<double>(s.observations) / s.weight);
    vec<S, K> pivots;
    for (int k = 0; k < K; ++k) pivots[k] = S(s.mean + spread * (first + k * step));
    for (int pass = 0; pass < 100; ++pass) {
      for (int k = 0; k < K; ++k) pivots[k] = minimum(maximum(pivots[k], S(s.minimum)), S(s.maximum));
      const vec<double, K> counted = points.sum([=](const S& y) {
        vec<S, K> out;
        for (int k = 0; k < K; ++k) out[k] = select(y <= pivots[k], S(1), S(0));
        return out;
      });
      bool any_open = false;
      for (int t = 0; t < N; ++t) {
        const S target = S(q[t]) * weight, before = weight_above[t] - weight_below[t], was = above[t] - below[t];
        const auto narrow = [&](int k) {
          const S reached = S(counted[k]);
          if (reached >= target && pivots[k] < above[t]) above[t] = pivots[k], weight_above[t] = reached;
          if (reached < target && pivots[k] > below[t]) below[t] = pivots[k], weight_below[t] = reached;
        };
        if (pass == 0)
          for (int k = 0; k < K; ++k) narrow(k);
        else
          for (int k = 0; k < each; ++k) narrow(each * t + k);
        const S inside = weight_above[t] - weight_below[t], fraction = (target - weight_below[t]) / inside;
        // Nothing between the bounds: many points are one value, and that is the quantile.
        const bool stalled = inside > S(0.5) * before, closed = stalled && above[t] - below[t] == was && pass > 1;
        open[t] = open[t] && inside > S(widest) * weight && !closed;
        any_open = any_open || open[t];
        found[t] = static_cast<double>(closed ? above[t] : (S(1) - fraction) * below[t] + fraction * above[t]);
        if (stalled) {
          const auto rank = static_cast<std::uint64_t>(rank_of_double(below[t]));
          const std::uint64_t part = (static_cast<std::uint64_t>(rank_of_double(above[t])) - rank) / (each + 1);
          for (int k = 0; k < each; ++k)
            pivots[each * t + k] = S(double_of_rank(static_cast<std::int64_t>(rank + part * (k + 1))));
        } else {
          const S deviation = S(1) / sqrt(inside * points_by_weight);
          for (int k = 0; k < each; ++k) {
            const S at = minimum(S(1), maximum(S(0), fraction + S(pivot_offset(each, k)) * deviation));
            pivots[each * t + k] = (S(1) - at) * below[t] + at * above[t];
          }
        }
      }
      if (!any_open) break;
    }
    return found;
  }
}

MF_NAMESPACE_END
