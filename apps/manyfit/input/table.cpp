// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

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

/// Finds where groups begin. False when they are not numbered in order of first appearance.
bool find_first_rows(grouping& groups) {
  groups.first_row.clear();
  groups.rows_without_key = 0;
  std::int32_t next = 0;
  for (std::size_t row = 0; row < groups.group_of_row.size(); ++row) {
    const std::int32_t group = groups.group_of_row[row];
    if (group > next) return false;
    groups.rows_without_key += group == no_group;
    if (group == next) {
      groups.first_row.push_back(static_cast<std::int64_t>(row));
      ++next;
    }
  }
  return true;
}

/// Numbers codes in order of first appearance, and drops the texts that no row has. An array serves as the map.
void number_codes(std::vector<std::int32_t>& codes, std::vector<std::string>& texts) {
  std::vector<std::int32_t> number_of_code(texts.size(), -1);
  std::vector<std::string> numbered;
  for (std::int32_t& code : codes) {
    if (code < 0) continue;
    auto& number = number_of_code[static_cast<std::size_t>(code)];
    if (number < 0) {
      number = static_cast<std::int32_t>(numbered.size());
      numbered.push_back(std::move(texts[static_cast<std::size_t>(code)]));
    }
    code = number;
  }
  texts = std::move(numbered);
}

/// A reader numbers the texts of a column as they come, so that its codes are mostly the groups that are wanted.
void take_groups_of_one(column& key, grouping& result) {
  result.group_of_row = std::move(key.codes);
  std::vector<std::string>& texts = result.key_text.emplace_back(std::move(key.dictionary));
  reserve_large(result.first_row, texts.size());
  if (find_first_rows(result) && result.first_row.size() == texts.size()) return;
  number_codes(result.group_of_row, texts);
  find_first_rows(result);
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
  table keys{.source = data.source, .rows = data.rows, .source_names = data.source_names};
  for (const std::string& name : key_columns) keys.columns.push_back(data.at(name, column_kind::text));
  return take_groups(keys, key_columns, threads);
}

grouping take_groups(table& data, const std::vector<std::string>& key_columns, int threads) {
  grouping result;
  result.key_columns = key_columns;
  std::vector<column*> keys;
  for (const std::string& name : key_columns)
    keys.push_back(&data.columns[static_cast<std::size_t>(&data.at(name, column_kind::text) - data.columns.data())]);
  if (keys.size() == 1) {
    take_groups_of_one(*keys[0], result);
    return result;
  }
  if (keys.empty()) result.group_of_row.resize(data.rows);
  for (const column* key : keys)
    key == keys[0] ? void(result.group_of_row = key->codes) : refine(result.group_of_row, *key, threads);
  find_first_rows(result);
  for (const column* key : keys) {
    auto& texts = result.key_text.emplace_back();
    texts.reserve(result.first_row.size());
    for (const std::int64_t row : result.first_row)
      texts.push_back(key->dictionary[static_cast<std::size_t>(key->codes[static_cast<std::size_t>(row)])]);
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
