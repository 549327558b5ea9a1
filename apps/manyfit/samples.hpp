// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// From an input's rows to the samples of a batch: one per key, or one per row of a .npy array, or one in all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "input/input.hpp"
#include "input/table.hpp"
#include "manyfit/batch.hpp"
#include "options.hpp"

namespace manyfit::app {

/// What to read, and how rows become samples.
struct sample_request {
  std::string path;
  std::string column = {};           ///< empty: the only numeric column not named otherwise
  std::string weights = {};          ///< empty: none
  std::vector<std::string> by = {};  ///< empty: all rows are one sample
  input_format format = {};          ///< what was said about the file
  bool keep_order = false;           ///< results go back to the rows: keep which sample each row is in
};

/// The text of one part of every sample's key.
struct key_column {
  std::string name;
  std::vector<std::string> texts;  ///< [samples]
};

/// Samples end to end, each in the order of its rows; samples in order of their keys' first appearance.
template <class T>
struct sample_set {
  std::string source = {};                 ///< the input's name for messages
  std::string value_name = {};             ///< the values' column; empty for an array
  std::vector<T> values = {};              ///< [rows]; NaN where missing
  std::vector<T> weights = {};             ///< [rows], or empty
  std::vector<std::int64_t> offsets = {};  ///< [samples + 1]
  std::vector<key_column> keys = {};       ///< [parts of the key]; empty without --by
  std::vector<std::int32_t> row_sample =
      {};                               ///< [rows], with keep_order and where rows are not in samples' order already
  std::vector<std::size_t> shape = {};  ///< of a .npy array; empty for a table

  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  batch<T> view() const {
    const batch<T> all = ragged<T>(values, offsets);
    return weights.empty() ? all : all.weighted(weights);
  }
};

/// Reads an input with a progress bar on stderr. Throws input_error.
input_data read_with_bar(const std::string& path, const read_request& columns, const input_format& format,
                         const common_options& options, int threads);

/// Gives the cells of a key column that have no text the empty text, so that no row is lost.
void name_missing_keys(column& key);

/// Reads with a progress bar on stderr. An empty or NA cell in a key column counts as the empty text. Throws
/// input_error.
template <class T>
sample_set<T> read_samples(const sample_request& request, const common_options& options, int threads);

}  // namespace manyfit::app
