// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/column_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "input/parse_number.hpp"

namespace manyfit::app {

namespace {

/// prefix, digits, suffix.
bool is_numbered(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix))
    return false;
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

column_names name_columns(std::vector<std::string> header) {
  column_names result{.names = std::move(header), .unnamed = {}};
  result.unnamed.resize(result.names.size());
  for (std::size_t i = 0; i < result.names.size(); ++i) {
    std::string& name = result.names[i];
    if (const std::string_view trimmed = without_spaces(name); trimmed.size() != name.size())
      name = std::string(trimmed);
    if (name.empty()) {
      name = fmt::format("column_{}", i + 1);
      result.unnamed[i] = true;
    } else {
      result.unnamed[i] = is_numbered(name, "__index_level_", "__") || is_numbered(name, "Unnamed: ", "");
    }
  }
  return result;
}

bool counts_rows(std::span<const double> numbers) {
  const auto is_nan = [](double each) { return std::isnan(each); };
  if (std::all_of(numbers.begin(), numbers.end(), is_nan)) return true;
  bool rising = true;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!(numbers[i] >= 0) || numbers[i] != std::floor(numbers[i]) || std::isinf(numbers[i])) return false;
    rising = rising && (i == 0 || numbers[i - 1] < numbers[i]);
  }
  if (rising) return true;
  std::vector<double> sorted(numbers.begin(), numbers.end());
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

void settle_defaults(table& data, const std::vector<bool>& unnamed, const std::vector<std::size_t>& field,
                     const read_request& request) {
  if (!request.all_numeric) return;
  const std::set<std::string_view> asked(request.numeric_columns.begin(), request.numeric_columns.end());
  const auto by_default = [&](const column& each) {
    return each.kind == column_kind::numeric && !asked.contains(each.name);
  };
  std::size_t kept = 0;
  for (std::size_t i = 0; i < data.columns.size(); ++i) {
    column& each = data.columns[i];
    if (by_default(each) && unnamed[field[i]] && counts_rows(each.numbers)) continue;
    if (kept != i) data.columns[kept] = std::move(each);
    ++kept;
  }
  data.columns.resize(kept);
  std::set<std::string_view> seen;
  for (const column& each : data.columns) {
    if (!by_default(each) || seen.insert(each.name).second) continue;
    throw input_error(
        fmt::format("{}: two columns of numbers have the name '{}'\nname the columns to be used, or give these names "
                    "that differ; the columns are {}",
                    data.source, excerpt(each.name), list_names(data.source_names)));
  }
}

}  // namespace manyfit::app
