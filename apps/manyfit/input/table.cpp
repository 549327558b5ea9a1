// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "host/src/large_array.hpp"
#include "manyfit/group_by.hpp"

namespace manyfit::app {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Groups rows that are in one group so far, and have one code.
void refine(std::vector<std::int32_t>& group_of_row, const column& key, int threads) {
  if (group_of_row.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw input_error("more than 2147483647 rows with keys of several columns; use one key column or split the input");
  group_of_row = group_by(group_of_row, key.codes, {.threads = threads}).group_of_row;
}

/// Numbers the codes of a first key column; an array serves as the map.
void number_codes(std::vector<std::int32_t>& group_of_row, const column& key) {
  std::vector<std::int32_t> number_of_code(key.dictionary.size(), -1);
  std::int32_t numbers = 0;
  for (std::size_t row = 0; row < group_of_row.size(); ++row) {
    const std::int32_t code = key.codes[row];
    if (code < 0) {
      group_of_row[row] = no_group;
      continue;
    }
    auto& number = number_of_code[static_cast<std::size_t>(code)];
    if (number < 0) number = numbers++;
    group_of_row[row] = number;
  }
}

}  // namespace

const column* table::find(std::string_view name, column_kind kind) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const column& each) { return each.kind == kind && each.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

const column& table::at(std::string_view name, column_kind kind) const {
  if (const column* found = find(name, kind)) return *found;
  if (contains(source_names, name)) {
    throw input_error(fmt::format("{}: column '{}' does not hold {}\nthe columns are {}", source, excerpt(name),
                                  kind == column_kind::numeric ? "numbers only" : "keys", list_names(source_names)));
  }
  throw input_error(
      fmt::format("{}: no column '{}'\nthe columns are {}", source, excerpt(name), list_names(source_names)));
}

grouping group_rows(const table& data, const std::vector<std::string>& key_columns, int threads) {
  grouping result;
  reserve_large(result.group_of_row, data.rows);
  result.group_of_row.resize(data.rows);
  result.key_columns = key_columns;
  for (std::size_t i = 0; i < key_columns.size(); ++i) {
    const column& key = data.at(key_columns[i], column_kind::text);
    i == 0 ? number_codes(result.group_of_row, key) : refine(result.group_of_row, key, threads);
  }
  if (key_columns.size() == 1)
    reserve_large(result.first_row, data.at(key_columns[0], column_kind::text).dictionary.size());
  // Groups are numbered by first appearance, so the first row of the next group is the first with the next number.
  // Rows that lose their key at a later column leave no gap: refine() numbers afresh what is left.
  for (std::size_t row = 0; row < data.rows; ++row) {
    const std::int32_t group = result.group_of_row[row];
    if (group == no_group) ++result.rows_without_key;
    if (group == result.count()) result.first_row.push_back(static_cast<std::int64_t>(row));
  }
  for (const auto& name : key_columns) {
    const column& key = data.at(name, column_kind::text);
    auto& texts = result.key_text.emplace_back();
    reserve_large(texts, result.first_row.size());
    for (const std::int64_t row : result.first_row)
      texts.push_back(key.dictionary[static_cast<std::size_t>(key.codes[static_cast<std::size_t>(row)])]);
  }
  return result;
}

const column& choose_value_column(const table& data, const std::vector<std::string>& excluded) {
  const column* chosen = nullptr;
  for (const column& each : data.columns) {
    if (each.kind != column_kind::numeric || contains(excluded, each.name)) continue;
    if (chosen != nullptr) {
      throw input_error(
          fmt::format("{}: more than one number column ('{}', '{}', ...); name one with --column\n"
                      "the columns are {}",
                      data.source, excerpt(chosen->name), excerpt(each.name), list_names(data.source_names)));
    }
    chosen = &each;
  }
  if (chosen == nullptr) {
    throw input_error(
        fmt::format("{}: no number column is left to be the value; name one with --column\n"
                    "the columns are {}",
                    data.source, list_names(data.source_names)));
  }
  return *chosen;
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t most = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    list += fmt::format("{}'{}'", i == 0 ? "" : ", ", excerpt(names[i]));
  }
  if (names.size() > most) list += fmt::format(" and {} more", names.size() - most);
  return list;
}

}  // namespace manyfit::app
