// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// From an input's rows to points of several coordinates: one sample per key, or one in all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "input/file_bytes.hpp"
#include "manyfit/mixture.hpp"
#include "samples.hpp"

namespace manyfit::app {

struct point_request {
  std::string path;
  std::vector<std::string> columns = {};  ///< coordinates; empty: all numeric columns not named otherwise
  std::string weights = {};               ///< empty: none
  std::vector<std::string> by = {};       ///< empty: all rows are one sample
  input_format format = {};               ///< what was said about the file
  bool keep_order = false;                ///< results go back to the rows: keep which sample each row is in
};

/// Samples end to end, each in the order of its rows; samples in order of their keys' first appearance.
template <class T>
struct point_set {
  std::string source = {};                    ///< the input's name for messages
  std::vector<std::string> names = {};        ///< of the coordinates
  std::vector<T> values = {};                 ///< [rows × coordinates]; NaN where missing; empty when mapped
  std::vector<T> weights = {};                ///< [rows], or empty
  std::vector<std::int64_t> offsets = {};     ///< [samples + 1], in rows
  std::vector<key_column> keys = {};          ///< [parts of the key]; empty without --by
  std::vector<std::int32_t> row_sample = {};  ///< as in sample_set
  /// A file whose numbers are used where they lie, so that it may be larger than memory; or null.
  std::shared_ptr<const file_bytes> file = {};
  std::span<const T> mapped = {};  ///< [rows × coordinates], in `file`

  int dimensions() const { return static_cast<int>(names.size()); }
  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t rows() const { return offsets.back(); }
  std::span<const T> coordinates() const { return file ? mapped : std::span<const T>(values); }
  point_batch<T> view() const {
    const point_batch<T> all = ragged_points<T>(coordinates(), dimensions(), offsets);
    return weights.empty() ? all : all.weighted(weights);
  }
};

/// The columns that a request needs of a table, and those columns as points. Throw input_error.
read_request columns_of(const point_request& request);
template <class T>
point_set<T> table_points(table&& data, const point_request& request);

/// Reads with a progress bar on stderr. A .npy array of two dimensions has a point per row, of one dimension points of
/// one coordinate; its coordinates are called x0, x1, ...; a file of the right type is mapped, not read. Throws
/// input_error.
template <class T>
point_set<T> read_points(const point_request& request, const common_options& options, int threads);

}  // namespace manyfit::app
