// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// A result as data: what each of its rows (fits, mixtures, scores, draws) holds, and what that is called. It is
// described once, and written by one writer for each form (result_writer.hpp), which knows no command. Values are asked
// for one at a time, so that a million rows need no memory but their own.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "input/table.hpp"
#include "output/output.hpp"

namespace manyfit::app {

/// Where a value stands: its row, and its index along each axis of its field, outermost first.
struct position {
  std::int64_t row = 0;
  std::array<std::int64_t, 4> at = {};
};

/// What values are repeated along: parameters, components, coordinates.
struct axis {
  std::int64_t size = 0;                 ///< the most of any row
  std::vector<std::string> labels = {};  ///< [size], or empty: numbers from 0
  bool list = true;                      ///< JSON: a list; else an object, by the labels
  /// How long it is there, where that differs; values beyond are missing. -1: there is none, and JSON says null.
  std::function<std::int64_t(const position&)> own_size = {};
  bool nan_beyond = false;  ///< a number beyond may be asked for, and is NaN: columns need not ask how long it is
  std::int64_t shown = std::numeric_limits<std::int64_t>::max();  ///< so many at most, side by side in a table
  const char* plural = "";  ///< what they are called where a table leaves some out

  std::int64_t size_at(const position& where) const { return own_size ? own_size(where) : size; }
};
using axes = std::vector<std::shared_ptr<const axis>>;

inline std::shared_ptr<const axis> make_axis(axis each) {
  return std::make_shared<const axis>(std::move(each));
}

/// A value by its position. NaN is no value; integers and texts are always there.
using value_at = std::variant<std::function<double(const position&)>, std::function<std::int64_t(const position&)>,
                              std::function<std::string_view(const position&)>>;

inline value_at number(std::function<double(const position&)> value) {
  return value;
}
inline value_at integer(std::function<std::int64_t(const position&)> value) {
  return value;
}
inline value_at text(std::function<std::string_view(const position&)> value) {
  return value;
}
/// The element of each row. The vector must outlive the field.
template <class Number>
value_at each_of(const std::vector<Number>& values) {
  if constexpr (std::is_floating_point_v<Number>)
    return number([&values](const position& where) { return values[static_cast<std::size_t>(where.row)]; });
  else
    return integer([&values](const position& where) { return values[static_cast<std::size_t>(where.row)]; });
}

/// One value of every row, or of every row and index along some axes. Where neighbours run along the same axis, tables,
/// CSV and Parquet go through that axis once, with all of them at each index; JSON has one member for each.
struct field {
  std::string json = {};  ///< the member; empty: not in JSON
  /// The column of CSV and Parquet, with {0}, {1} where the labels along the first axis, the second, ... stand; empty:
  /// not there.
  std::string column = {};
  std::optional<std::string> many = {};  ///< heading in a table of many rows, as `column`; none: not there
  std::optional<std::string> one = {};   ///< the same in a table of a single row
  value_at value = {};
  axes along = {};
  /// A row's values along its one axis in one piece, where they lie so: for arrays.
  std::function<std::span<const double>(std::int64_t row)> piece = {};
  std::function<bool(std::int64_t row)> present = {};      ///< JSON: whether the row has the member at all
  std::function<std::string(const position&)> shown = {};  ///< a table's cell, in place of the value
  int digits = 6;                                          ///< of a number in a table
  bool key = false;             ///< what the rows are by: other names before its own; stands first
  bool lower_triangle = false;  ///< of a symmetric matrix, whose two axes are the last, columns hold that much
  bool single = false;          ///< the number's origin is a float
  bool literal = false;         ///< a text that is JSON already, such as true
};

/// A field of one value for each row that has one name everywhere.
inline field scalar(const std::string& name, value_at value) {
  return {.json = name, .column = name, .many = name, .value = std::move(value)};
}

enum class json_layout {
  objects,  ///< "fits": [{...}, {...}]
  columns,  ///< "a": [...], "b": [...]
  values    ///< "values": [[...], [...]] of the only field that has a member, or [...] of a single row
};

/// A result. What it refers to must outlive it.
struct schema {
  std::string command = {};
  std::vector<std::pair<std::string, std::string>> about = {};  ///< what else a document says of all rows
  std::string name = "fits";                                    ///< of the rows: JSON's member, and in a table's notes
  std::int64_t rows = 0;
  std::vector<field> fields = {};
  json_layout layout = json_layout::objects;
  bool indented = false;      ///< JSON on many lines, for a few rows that people read
  axes column_lines = {};     ///< CSV and Parquet: a line for each index along these, not one for each row
  axes table_lines = {};      ///< the same of a table of many rows
  bool for_programs = false;  ///< a table is the CSV
  /// What is said to people of a single row without a key, in place of a table.
  std::function<void(const schema&, output&)> one = {};
  std::vector<std::int64_t> array_shape = {};  ///< of a .npy file; empty: there is none
  bool array_single = false;                   ///< .npy: float32
};

/// A field at one index of each of its axes, as a column; indices of axes that are lines come with each line.
struct flat_column {
  const field* of = nullptr;
  position at = {};
  std::size_t lines = 0;  ///< how many of its axes, the first ones, are lines
  bool ragged = false;    ///< rows may have fewer along one of the others
  std::string name = {};

  bool is_text() const { return of->value.index() == 2; }
  /// Goes to this row and line.
  const position& go_to(const position& line) {
    at.row = line.row;
    for (std::size_t d = 0; d < lines; ++d) at.at[d] = line.at[d];
    return at;
  }
  /// Whether the row that it is at has as many as that along every axis.
  bool exists() const {
    for (std::size_t d = lines; ragged && d < of->along.size(); ++d)
      if (at.at[d] >= of->along[d]->size_at(at)) return false;
    return true;
  }
};

enum class table_form { columns, many, one };

/// The columns of all fields that stand in `form`, in order; those that have a line for each index along `lines` come
/// last. No two have one name, where keys are concerned.
std::vector<flat_column> flat_columns(const schema& of, table_form form, const axes& lines);

/// The next line of a row, or false at its end: `line` begins with all indices 0. A row has one line at least.
bool next_line(position& line, const axes& lines);

}  // namespace manyfit::app
