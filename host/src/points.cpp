// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/mixture.hpp"

#include <string>

namespace manyfit {

namespace {

template <class T>
std::int64_t rows_of(std::span<const T> values, int dimensions) {
  if (dimensions < 1 || dimensions > max_dimensions)
    throw error(error::kind::argument, "points: " + std::to_string(dimensions) + " dimensions given; 1 to " +
                                           std::to_string(max_dimensions) + " expected");
  if (values.size() % static_cast<std::size_t>(dimensions) != 0)
    throw error(error::kind::argument, "points: " + std::to_string(values.size()) +
                                           " values do not divide into rows of " + std::to_string(dimensions) +
                                           " coordinates");
  return static_cast<std::int64_t>(values.size()) / dimensions;
}

}  // namespace

template <class T>
point_batch<T> point_batch<T>::weighted(std::span<const T> weights) const {
  if (static_cast<std::int64_t>(weights.size()) != row_count)
    throw error(error::kind::argument, "weights: " + std::to_string(weights.size()) + " given for " +
                                           std::to_string(row_count) + " rows; give one weight per row");
  point_batch result = *this;
  result.view.weights = weights.data();
  return result;
}

template <class T>
point_batch<T> points(std::span<const T> values, int dimensions, memory_space memory) {
  return dense_points(values, dimensions, 1, memory);
}

template <class T>
point_batch<T> dense_points(std::span<const T> values, int dimensions, std::int64_t fits, memory_space memory) {
  const std::int64_t rows = rows_of(values, dimensions);
  if (fits < 0 || (fits == 0 ? rows != 0 : rows % fits != 0))
    throw error(error::kind::argument, "dense points: " + std::to_string(rows) + " rows do not divide into " +
                                           std::to_string(fits) +
                                           " fits of equal size; use ragged_points() for unequal ones");
  return {{values.data(), nullptr, nullptr, fits == 0 ? 0 : rows / fits, fits, dimensions}, memory, rows};
}

template <class T>
point_batch<T> ragged_points(std::span<const T> values, int dimensions, std::span<const std::int64_t> offsets,
                             memory_space memory) {
  const std::int64_t rows = rows_of(values, dimensions);
  bool valid = !offsets.empty() && offsets.front() >= 0 && offsets.back() <= rows;
  for (std::size_t i = 1; i < offsets.size(); ++i) valid = valid && offsets[i - 1] <= offsets[i];
  if (!valid)
    throw error(
        error::kind::argument,
        "ragged points: offsets count rows; they must be one more than there are fits, start at 0 or more, never "
        "fall, and end at or before the number of rows (" +
            std::to_string(rows) + ")");
  return {{values.data(), nullptr, offsets.data(), 0, static_cast<std::int64_t>(offsets.size()) - 1, dimensions},
          memory,
          rows};
}

#define MF_INSTANTIATE(T)                                                                    \
  template point_batch<T> point_batch<T>::weighted(std::span<const T>) const;                \
  template point_batch<T> points(std::span<const T>, int, memory_space);                     \
  template point_batch<T> dense_points(std::span<const T>, int, std::int64_t, memory_space); \
  template point_batch<T> ragged_points(std::span<const T>, int, std::span<const std::int64_t>, memory_space);
MF_INSTANTIATE(float)
MF_INSTANTIATE(double)
#undef MF_INSTANTIATE

}  // namespace manyfit
