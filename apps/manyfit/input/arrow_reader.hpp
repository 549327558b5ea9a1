// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Parquet and Feather by Apache Arrow C++. Built without it (MF_WITH_ARROW not defined), every function here throws an
// input_error that says what is missing and how to get it.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "input/input_format.hpp"
#include "input/table.hpp"

namespace manyfit::app {

/// Whether this program can read and write Parquet and read Feather.
bool has_arrow();

/// The bytes a Parquet file begins with, and a Feather (version 2, that is Arrow IPC) file.
inline constexpr std::string_view parquet_magic = "PAR1";
inline constexpr std::string_view feather_magic = "ARROW1";

struct arrow_options {
  unsigned threads = 0;  ///< that decode; 0 means as many as the machine has cores
  progress_function progress = {};
  input_format format = {};  ///< of which `missing` counts
};

/// Reads a Parquet or Feather file that lies in memory. Numbers are integers, floats, booleans (0 and 1) and decimals;
/// any plain type can be a key: strings and categories as they are, numbers, dates and times as text. Null, NaN and
/// the empty string are missing, and what format.missing says. A column without a name that counts the rows, and one
/// that pandas says is its index, is no number column by default. Columns of other types (lists, structs) are not read,
/// and refused when asked for. Checksums of pages are verified where there are any. Throws input_error, and
/// std::bad_alloc where Arrow has no memory.
table read_arrow(std::string_view bytes, const std::string& source, const read_request& request,
                 const arrow_options& options = {});

/// How many rows each row group of a Parquet file has. Throws input_error.
std::vector<std::int64_t> parquet_groups(std::string_view bytes, const std::string& source);

/// As read_arrow, of one row group of a Parquet file only. May be called from several threads at once.
table read_parquet_group(std::string_view bytes, const std::string& source, const read_request& request, int group,
                         const input_format& format = {});

/// Columns for a Parquet file, which grow value by value and are held until they are written. Throws std::bad_alloc
/// where Arrow has no memory.
class parquet_columns {
 public:
  parquet_columns();
  parquet_columns(parquet_columns&&) noexcept;
  ~parquet_columns();
  /// Another column: of doubles, or of strings.
  void add(const std::string& name, column_kind kind);
  /// NaN becomes null.
  void append(std::size_t column, double value);
  /// A view of nothing (no data) becomes null.
  void append(std::size_t column, std::string_view value);
  /// Writes the columns, which must be of one length; nothing is left in them. Throws input_error when the file cannot
  /// be written.
  void write(const std::string& path);

 private:
  struct builders;
  std::unique_ptr<builders> builders_;
};

}  // namespace manyfit::app
