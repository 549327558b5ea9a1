// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A table in memory, column by column: what every reader with named columns (CSV, TSV, Parquet, Feather) delivers and
// what the commands work on.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "input/input_error.hpp"
#include "manyfit/group_by.hpp"

namespace manyfit::app {

enum class column_kind { numeric, text };

/// One column. Only the vectors of its kind are filled.
struct column {
  std::string name = {};
  column_kind kind = column_kind::numeric;
  std::vector<double> numbers = {};          ///< [rows]; NaN where missing
  std::vector<std::int32_t> codes = {};      ///< [rows]; index into `dictionary`, -1 where missing
  std::vector<std::string> dictionary = {};  ///< distinct texts, in order of first appearance
};

/// The columns that were asked for, and what else the source had.
struct table {
  std::string source = {};  ///< the name for messages: a path, or "stdin"
  std::size_t rows = 0;
  std::vector<column> columns = {};            ///< in the order of the source
  std::vector<std::string> source_names = {};  ///< every column name of the source, stored or not

  /// The stored column of that kind, or nullptr.
  const column* find(std::string_view name, column_kind kind) const;
  /// The stored column of that kind. Throws input_error that lists the columns there are.
  const column& at(std::string_view name, column_kind kind) const;
};

/// Which columns to read, and as what. A request that names nothing and has all_numeric = false reads everything: each
/// column is numeric when all its cells that are not missing are numbers, and text otherwise.
/// A name may be asked for both ways, and then gives two columns.
struct read_request {
  std::vector<std::string> numeric_columns = {};  ///< must hold numbers only, else input_error
  std::vector<std::string> key_columns = {};      ///< dictionary-encoded text, even where it looks like numbers
  /// Also every column named in neither list most of whose cells are numbers: then all of them must be, else
  /// input_error.
  bool all_numeric = false;

  bool everything() const { return numeric_columns.empty() && key_columns.empty() && !all_numeric; }
};

/// Called from the thread that reads, now and then, with bytes done and bytes in all. It may throw, to stop the
/// reading.
using progress_function = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Rows with the same key; no_group where any part of it is missing.
struct grouping : row_groups {
  std::size_t rows_without_key = 0;                     ///< rows with no_group
  std::vector<std::string> key_columns = {};            ///< [columns of the key]
  std::vector<std::vector<std::string>> key_text = {};  ///< [columns of the key][groups]
};

/// Groups the rows by the text columns named. Throws input_error when one is not in the table as text, or when there
/// are more than 2^31-1 rows for several columns. With no names: one group of all rows.
/// `threads` 0: as many as the machine has cores; the result is the same for any number.
grouping group_rows(const table& data, const std::vector<std::string>& key_columns, int threads = 0);
/// The same for a table whose key columns nobody needs any more: it may take their codes and texts.
grouping take_groups(table& data, const std::vector<std::string>& key_columns, int threads = 0);

/// The value column when none was named: the only number column not in `excluded`. Throws input_error that lists the
/// columns when there is none or more than one.
const column& choose_value_column(const table& data, const std::vector<std::string>& excluded);

/// 'a', 'b', 'c' - for messages; a long list is cut.
std::string list_names(const std::vector<std::string>& names);

}  // namespace manyfit::app
