// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The rows of one fit: where they lie, and the one rule that says which of them count.
#pragma once

#include "kernels/data/frame.hpp"
#include "kernels/math/polynomial.hpp"
#include "kernels/views.hpp"

MF_NAMESPACE_BEGIN

/// One fit's raw points: a slice of a batch.
template <class T>
struct sample {
  const T* values;   ///< [size]
  const T* weights;  ///< [size] or null
  std::int64_t size;
};

/// Where a fit's points lie among all values of a batch.
struct sample_place {
  std::int64_t begin, size;
};

template <class T>
MF_FN sample_place place_of(const batch_view<T>& batch, std::int64_t fit) {
  const std::int64_t begin = batch.offsets ? batch.offsets[fit] : fit * batch.size;
  return {begin, batch.offsets ? batch.offsets[fit + 1] - begin : batch.size};
}
template <class T>
MF_FN sample<T> sample_at(const batch_view<T>& batch, const sample_place& place) {
  return {batch.values + place.begin, batch.weights ? batch.weights + place.begin : nullptr, place.size};
}
template <class T>
MF_FN sample<T> sample_of(const batch_view<T>& batch, std::int64_t fit) {
  return sample_at(batch, place_of(batch, fit));
}

/// How a row counts.
enum class row_class { used, missing, left_out, nonfinite, outside };

/// The class of a value x with weight w: missing when either is NaN, left out when the weight is 0.
template <class Support, class T>
MF_FN row_class classify(T x, T w) {
  if (is_missing(x) || is_missing(w)) return row_class::missing;
  if (w == 0) return row_class::left_out;
  if (!is_finite(x) || !is_finite(w) || w < 0) return row_class::nonfinite;
  return Support::contains(x) ? row_class::used : row_class::outside;
}

/// What one pass over a sample tells, in coordinates y (the values themselves where a family has no coordinate).
struct sample_summary {
  std::int64_t observations = 0;  ///< values used: present, with a weight > 0
  std::int64_t missing = 0;       ///< NaN value or NaN weight
  std::int64_t outside = 0;       ///< finite values outside the support
  std::int64_t nonfinite = 0;     ///< infinite values, infinite or negative weights
  std::int64_t left_out = 0;      ///< values of weight 0
  double weight = 0;              ///< Σw; the number of observations when there are no weights
  double mean = 0;                ///< Σwy / Σw
  double minimum = 0, maximum = 0;
  frame in;  ///< what the coordinates are relative to
};

/// Adds one row to the counts of a summary.
MF_FN void count(sample_summary& s, row_class row) {
  s.observations += row == row_class::used;
  s.missing += row == row_class::missing;
  s.left_out += row == row_class::left_out;
  s.nonfinite += row == row_class::nonfinite;
  s.outside += row == row_class::outside;
}
/// Rows that are there, with a weight other than 0: what a fit reports as its number of observations.
MF_FN std::int64_t present(const sample_summary& s) {
  return s.observations + s.outside + s.nonfinite;
}

/// Reads a sample in the frame that suits it: `read(frame)` gives its summary there, and is asked again while a better
/// frame is found. Σ w y may leave the doubles' range where no value does and no frame can help: its mean is then
/// formed in a smaller unit. Rows: the rule of the group, see contracts/group.hpp.
template <class Rows, class Read, class Group>
MF_FN_LARGE sample_summary read_in_frame(Read read, const Group& points) {
  using S = typename Group::scalar;
  frame f;
  sample_summary s;
  do s = read(f);
  while (Rows::template improve<S>(s, f));
  if constexpr (!is_single<S>) {  // groups add floats in double
    constexpr double small = 0x1p-100;
    if (s.observations > 0 && !is_finite(s.mean) && is_finite(s.weight))
      s.mean = points.sum([=](const S& y) { return vec<S, 1>{y * S(small)}; })[0] / s.weight / small;
  }
  return s;
}

MF_NAMESPACE_END
