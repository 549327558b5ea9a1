// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The names in a header, as people have them: with blanks about them, empty, or twice.

#pragma once

#include <span>
#include <string>
#include <vector>

#include "input/table.hpp"

namespace manyfit::app {

/// The names of a source's columns, ready to be looked up.
struct column_names {
  std::vector<std::string> names = {};  ///< without blanks about them; one without a name is called column_N, N from 1
  std::vector<bool> unnamed = {};       ///< also where a program put a name to an index: __index_level_0__, Unnamed: 0
};
column_names name_columns(std::vector<std::string> header);

/// Whether numbers are those of rows: whole, none negative, missing or twice, as an index has them after rows were left
/// out or put in another order. No numbers, or none but missing ones, count nothing and say nothing: true.
bool counts_rows(std::span<const double> numbers);

/// Takes out of a table what the defaults are not to find: unnamed columns that count the rows and that nobody asked
/// for. `unnamed` [source columns] and `field` [columns of the table], each column's place in the source. Throws
/// input_error when a column that is left by default has a name that stands twice.
void settle_defaults(table& data, const std::vector<bool>& unnamed, const std::vector<std::size_t>& field,
                     const read_request& request);

}  // namespace manyfit::app
