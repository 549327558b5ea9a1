// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Gaussian mixtures of data that need not fit into memory: one fit whose rows are read when they are needed, with the
// bits that the same rows would give in memory.
//   struct archive : manyfit::point_source<float> { ... };
//   auto mixture = manyfit::fit_mixture(manyfit::executor::cpu(), archive("big"), {.components = 8, .restarts = 1});
// A file that is mapped into memory needs none of this: give points() a span of the mapping.
#pragma once

#include <cstdint>
#include <functional>

#include "manyfit/mixture.hpp"

namespace manyfit {

/// Rows of points that are read window by window. T is float or double.
template <class T>
class point_source {
 public:
  virtual ~point_source() = default;
  virtual std::int64_t rows() const = 0;
  virtual int dimensions() const = 0;
  /// Whether every row has a weight, >= 0; 0 or NaN leaves the row out.
  virtual bool weighted() const { return false; }
  /// Writes rows [first, first + count) to values [count × dimensions], row-major, and, where weighted(), to weights
  /// [count], which is null otherwise. A NaN coordinate makes a row missing. Always gives the same values for the same
  /// rows. Called from several threads at once, on each mostly in ascending order, a few thousand rows at a time or a
  /// single one. What it throws ends the whole call, and comes out of it.
  virtual void read(std::int64_t first, std::int64_t count, T* values, T* weights) const = 0;
};

/// Fits one Gaussian mixture to all rows of a source: the answer is that of fit_mixture(where, points(...)) on the same
/// rows, to the bit. Every attempt reads all rows twice for their moments, up to 11 times for a k-means++ start, and
/// once per iteration; .minibatch_rows needs fewer sweeps. Memory beside the source's own: some hundred kilobytes a
/// thread, and what components take. Runs on the CPU alone: throws `error` for a CUDA executor, and for a wrong call.
mixture_results fit_mixture(const executor& where, const point_source<double>& data,
                            const mixture_options& options = {});
mixture_results fit_mixture(const executor& where, const point_source<float>& data,
                            const mixture_options& options = {});

/// Receives scores, from row `first` on; in ascending order, from the calling thread.
using score_receiver = std::function<void(std::int64_t first, const mixture_scores& scores)>;

/// Scores all rows of a source under the one mixture that there is, a few thousand rows at a time, with the bits that
/// the same rows would give in memory. On any device. Throws `error` for a wrong call.
void score_mixture(const executor& where, const point_source<double>& data, const mixture_results& mixture,
                   const score_receiver& receive, const mixture_score_options& options = {});
void score_mixture(const executor& where, const point_source<float>& data, const mixture_results& mixture,
                   const score_receiver& receive, const mixture_score_options& options = {});

}  // namespace manyfit
