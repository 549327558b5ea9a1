// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantiles of one sample over a group, with nothing but sums and minima: bisection on the weight below a threshold that
// snaps to the data, so about log₂ n passes, no sort, no memory, and the same answer for every group.
#pragma once

#include "kernels/groups/group.hpp"

MF_NAMESPACE_BEGIN

/// The order statistics around a weight: the largest point y with W(< y) <= target, and the smallest with W(<= y) > target.
struct bracket_values {
  double lower, upper;
};

/// For target weight t in (0, W): `lower` is the smallest point y with W(≤ y) ≥ t, `upper` the smallest with W(≤ y) > t.
/// They differ only where t is hit exactly, as for the median of an even number of points.
template <class Points>
MF_FN_LARGE bracket_values weighted_order_statistics(const Points& points, const sample_summary& s, double target) {
  using S = typename Points::scalar;
  const double slack = 1e-12 * s.weight;
  // Invariant: W(≤ below) < target ≤ W(≤ above), and `above` is a point of the sample.
  double below = s.minimum - 1 - abs(s.minimum), above = s.maximum;
  double weight_below = 0, weight_above = s.weight;
  bool by_interpolation = true;
  for (int pass = 0; pass < 200; ++pass) {
    double pivot = below + 0.5 * (above - below);
    if (by_interpolation && pass > 0) {
      const double share = (target - weight_below) / (weight_above - weight_below);
      pivot = below + minimum(0.98, maximum(0.02, share)) * (above - below);
    }
    if (pass == 0) pivot = s.mean;
    if (!(pivot < above)) pivot = below;
    // Snap down to the largest point at or below the pivot; it closes in on the data at once.
    const double point = -points.minimum_of([=](const S& y) { return select(y <= S(pivot), -y, S(constants::infinity)); });
    if (!(point > below)) {
      // No point in (below, pivot]: the next point above is either `above` or a closer candidate.
      const double next = points.minimum_of([=](const S& y) { return select(y > S(pivot), y, S(constants::infinity)); });
      const double weight_next = points.sum([=](const S& y) { return vec<S, 1>{select(y <= S(next), S(1), S(0))}; })[0];
      if (weight_next >= target - slack) {
        above = next;
        weight_above = weight_next;
        break;
      }
      below = next;
      weight_below = weight_next;
      continue;
    }
    const double weight_point = points.sum([=](const S& y) { return vec<S, 1>{select(y <= S(point), S(1), S(0))}; })[0];
    const double before = above - below;
    if (weight_point >= target - slack) {
      above = point;
      weight_above = weight_point;
    } else {
      below = point;
      weight_below = weight_point;
    }
    by_interpolation = above - below <= 0.5 * before;
  }
  bracket_values result{above, above};
  if (abs(weight_above - target) <= slack && above < s.maximum)
    result.upper = points.minimum_of([=](const S& y) { return select(y > S(above), y, S(constants::infinity)); });
  return result;
}

/// The weighted q-quantile: the midpoint of the two order statistics where the weight is hit exactly.
template <class Points>
MF_FN_LARGE double quantile(const Points& points, const sample_summary& s, double q) {
  const auto around = weighted_order_statistics(points, s, q * s.weight);
  return 0.5 * (around.lower + around.upper);
}

MF_NAMESPACE_END
