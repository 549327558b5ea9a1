// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Files of points that are used where they lie, so that they may be larger than memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manyfit/point_source.hpp"
#include "point_samples.hpp"

namespace manyfit::app {

/// An array's name, shape and coordinates' names as one sample, its values still to come. Throws input_error.
template <class T>
point_set<T> array_points(const std::string& source, const std::vector<std::size_t>& shape);

/// The .npy file of a request that names no columns, mapped: its numbers must be of type T, in C order and this
/// machine's byte order. Nothing for any other file, which is to be read. Throws input_error for a broken .npy file.
template <class T>
std::optional<point_set<T>> map_points(const point_request& request);

/// A Parquet file whose row groups are decoded when their rows are needed, at most one more of them in memory than
/// there are threads. Coordinates and weights are the columns that read_points would take.
template <class T>
class parquet_points : public point_source<T> {
 public:
  /// Decodes the first row group, to see what columns there are. Throws input_error.
  parquet_points(const point_request& request, int threads);

  std::int64_t rows() const override { return begin_.back(); }
  int dimensions() const override { return static_cast<int>(names_.size()); }
  bool weighted() const override { return !request_.weights.empty(); }
  void read(std::int64_t first, std::int64_t count, T* values, T* weights) const override;
  const std::vector<std::string>& names() const { return names_; }

 private:
  using group = std::shared_ptr<const point_set<T>>;
  group decoded(int index) const;

  point_request request_;
  file_bytes file_;
  std::vector<std::int64_t> begin_;  ///< [groups + 1]: the first row of each
  std::vector<std::string> names_;
  std::size_t most_ = 0;
  mutable std::mutex mutex_;
  mutable std::deque<std::pair<int, std::shared_future<group>>> recent_;  ///< oldest first
};

/// Points of a Parquet file that would take more than `memory` bytes, as a source; null for any other file.
template <class T>
std::shared_ptr<const parquet_points<T>> stream_points(const point_request& request, int threads, std::int64_t memory);

/// Half of the memory that this process may use, in bytes.
std::int64_t half_of_memory();

}  // namespace manyfit::app
