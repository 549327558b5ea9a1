// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The source of a fit's rows: memory, or a reader through a window of a few hundred kilobytes per thread. Tiles are
// requested in ascending order, so that every window is read once; the content of a tile does not depend on the
// windows, and so neither do the bits of a sum.
#pragma once

#include <algorithm>

#include "kernels/cpu/mixture_rows.hpp"

MF_NAMESPACE_BEGIN

/// Bytes of a window's coordinates, about, and rows that it holds at least: the largest tile.
inline constexpr std::int64_t window_bytes = std::int64_t{1} << 18;
inline constexpr std::int64_t least_window_rows = 256;

/// The rows that a thread read last: [first, first + count).
template <class T>
struct row_window {
  aligned_array<T> values, weights, one;
  std::int64_t first = 0, count = 0;
};

template <class T>
class row_fetcher {
 public:
  /// `rows` gives size and dimensions, and the data too where `reader` is null.
  row_fetcher(const rows_view<T>& rows, const points_reader<T>* reader) : rows_(rows), reader_(reader) {}

  std::int64_t size() const { return rows_.size; }
  int dimensions() const { return rows_.dimensions; }

  /// Rows [first, first + count), at most 256 of them; until the window's next use.
  rows_view<T> fetch(row_window<T>& window, std::int64_t first, std::int64_t count) const {
    if (!reader_) return in_memory(first, count);
    const std::int64_t D = rows_.dimensions;
    if (first < window.first || first + count > window.first + window.count) {
      // Whole tiles, so that none lies across the end and is read twice.
      const std::int64_t tiles = window_bytes / static_cast<std::int64_t>(sizeof(T)) / D / least_window_rows;
      const std::int64_t most = std::max<std::int64_t>(tiles, 1) * least_window_rows;
      window.first = first;
      window.count = std::min(most, rows_.size - first);
      T* const weights = reader_->weighted ? window.weights.resize(most) : nullptr;
      reader_->read(reader_->source, first, window.count, window.values.resize(most * D), weights);
    }
    const std::int64_t inside = first - window.first;
    return {window.values.get() + inside * D, reader_->weighted ? window.weights.get() + inside : nullptr, count,
            rows_.dimensions};
  }
  /// One row out of order: the window stays where it is.
  rows_view<T> fetch_one(row_window<T>& window, std::int64_t i) const {
    if (!reader_) return in_memory(i, 1);
    T* const values = window.one.resize(rows_.dimensions + std::int64_t{1});
    T* const weight = reader_->weighted ? values + rows_.dimensions : nullptr;
    reader_->read(reader_->source, i, 1, values, weight);
    return {values, weight, 1, rows_.dimensions};
  }

 private:
  rows_view<T> in_memory(std::int64_t first, std::int64_t count) const {
    return {rows_.values + first * rows_.dimensions, rows_.weights ? rows_.weights + first : nullptr, count,
            rows_.dimensions};
  }

  rows_view<T> rows_;
  const points_reader<T>* reader_;
};

MF_NAMESPACE_END
