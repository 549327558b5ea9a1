// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What part of a sample a picture shows, and how it is counted.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace manyfit::app {

/// Counted bars of equal width. Densities and probabilities are of the whole sample, with what lies beyond the shown
/// range, so that a fitted density can be laid over them as it is.
struct histogram {
  double low = 0, high = 1;           ///< the first bar's left edge and the last bar's right edge
  double width = 1;                   ///< of a bar; for discrete data a whole number of values
  std::vector<double> heights;        ///< continuous: density; discrete: mean probability per whole number in the bar
  std::int64_t count = 0;             ///< values used
  std::int64_t below = 0, above = 0;  ///< values of `count` cut off on either side
  double minimum = 0, maximum = 0;    ///< of all values used

  bool empty() const { return count == 0; }
  double tallest() const;
};

/// Counts `values` into bars. weights: empty, or one per value; Left out: NaN, values beyond ±1e300, and weights
/// that are not > 0 and finite.
///
/// Range: a side is cut where the sample reaches more than 5 interquartile ranges beyond its quartile, so that a few
/// outliers do not squeeze the rest into one bar; never more than 3 % of the values on a side. Quantiles are of at most
/// 262,144 evenly picked values, unweighted. Bars, continuous: width 2·IQR·n^(−1/3) (Freedman & Diaconis 1981), at
/// least 5 and at most `most_bars` of them; rounded data (few distinct values on a grid) get bars of whole grid steps,
/// without which some bars would hold more grid points than others. Discrete: one bar per whole number where
/// `most_bars` suffices, else several numbers to a bar. `widest`: a continuous bar's width at most, for data of several
/// clusters, whose quartiles say little of any one of them.
histogram count_values(std::span<const double> values, std::span<const double> weights, bool discrete, int most_bars,
                       double widest = std::numeric_limits<double>::infinity());

}  // namespace manyfit::app
