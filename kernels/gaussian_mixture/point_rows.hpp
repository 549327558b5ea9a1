// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The rows of one fit, of many coordinates: which of them count, and for how much. The rule is that of data/rows.hpp.
#pragma once

#include "kernels/data/rows.hpp"
#include "kernels/gaussian_mixture/views.hpp"

MF_NAMESPACE_BEGIN

/// How many rows of a fit are in which class, and their weight.
struct row_counts {
  std::int64_t observations = 0, missing = 0, nonfinite = 0;
  double weight = 0;
};

template <class T>
struct rows_view {
  const T* values = nullptr;   ///< [size × dimensions]
  const T* weights = nullptr;  ///< [size] or null
  std::int64_t size = 0;
  int dimensions = 1;
};

template <class T>
MF_FN rows_view<T> rows_of(const points_view<T>& points, std::int64_t fit) {
  const std::int64_t first = points.offsets ? points.offsets[fit] : fit * points.size;
  const std::int64_t size = points.offsets ? points.offsets[fit + 1] - first : points.size;
  return {points.values + first * points.dimensions, points.weights ? points.weights + first : nullptr, size,
          points.dimensions};
}

/// What a row is worth: its weight, 0 when it is left out. Counts it when asked.
template <class T>
MF_FN_LARGE double weigh_row(const rows_view<T>& rows, std::int64_t i, row_counts* counts = nullptr) {
  double weight = rows.weights ? static_cast<double>(rows.weights[i]) : 1.0;
  bool missing = is_missing(weight), finite = is_weight(weight);
  for (int d = 0; d < rows.dimensions; ++d) {
    const T x = rows.values[i * rows.dimensions + d];
    missing = missing || is_missing(x);
    finite = finite && is_finite(x);
  }
  const row_class row = class_of(missing, weight == 0, finite, true);
  if (row != row_class::used) weight = 0;
  if (counts) {
    counts->missing += row == row_class::missing;
    counts->nonfinite += row == row_class::nonfinite;
    counts->observations += row == row_class::used || row == row_class::nonfinite;
    counts->weight += weight;
  }
  return weight;
}

/// Whether a row has a density: all of its coordinates are numbers.
template <class T>
MF_FN bool all_finite(const T* row, int dimensions) {
  bool finite = true;
  for (int d = 0; d < dimensions; ++d) finite = finite && is_finite(row[d]);
  return finite;
}

MF_NAMESPACE_END
