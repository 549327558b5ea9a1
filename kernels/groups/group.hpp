// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What an algorithm sees of a sample. A group G over one fit's points gives
//   G::scalar                 what a formula is evaluated on: pack, double or float
//   g.load(sample)            one pass: drops missing values, counts, checks support, keeps y = coordinate(x); one or
//   two
//                             more where the sample needs a frame (frame.hpp)
//   g.sum(f)                  Σ w f(y) over the used points, f: scalar → vec<scalar, K>; gives vec<double, K>
//   g.minimum_of(f)            min f(y), f: scalar → scalar; gives double
// Every lane of a group gets the same result, bit for bit, and the order of summation depends on the fit's own size
// only. A value that is not used is kept as a second copy of a used one with weight 0: sums and minima then need no
// mask. f must be finite on used values, or the sum is not finite either.
#pragma once

#include "kernels/groups/frame.hpp"

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

/// How a value counts.
enum class standing { used, missing, left_out, nonfinite, outside };

/// The standing of one value x with weight w: missing when either is NaN, left out when the weight is 0.
template <class Family, class T>
MF_FN standing standing_of(T x, T w) {
  if (is_missing(x) || is_missing(w)) return standing::missing;
  if (w == 0) return standing::left_out;
  if (!is_finite(x) || !is_finite(w) || w < 0) return standing::nonfinite;
  return Family::support::contains(x) ? standing::used : standing::outside;
}

/// Adds one value's standing to the counts of a summary.
MF_FN void count(sample_summary& s, standing value) {
  s.observations += value == standing::used;
  s.missing += value == standing::missing;
  s.left_out += value == standing::left_out;
  s.nonfinite += value == standing::nonfinite;
  s.outside += value == standing::outside;
}

/// Reads a sample in the frame that suits it: `read(frame)` gives its summary there, and is asked again while a better
/// frame is found. Σ w y may leave the doubles' range where no value does and no frame can help: its mean is then
/// formed in a smaller unit.
template <class Family, class Read, class Group>
MF_FN_LARGE sample_summary read_in_frame(Read read, const Group& points) {
  using S = typename Group::scalar;
  frame f;
  sample_summary s;
  do s = read(f);
  while (improve_frame<Family, S>(s, f));
  if constexpr (!is_single<S>) {  // groups add floats in double
    constexpr double small = 0x1p-100;
    if (s.observations > 0 && !is_finite(s.mean) && is_finite(s.weight))
      s.mean = points.sum([=](const S& y) { return vec<S, 1>{y * S(small)}; })[0] / s.weight / small;
  }
  return s;
}

MF_NAMESPACE_END
