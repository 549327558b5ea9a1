// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/field_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace manyfit::app {

namespace {

void check_names(const std::string& source, const std::vector<std::string>& names, const read_request& request) {
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) {
      throw input_error(fmt::format("{}: column {} of {} has no name; every column needs one\nthe columns are {}",
                                    source, i + 1, names.size(), list_names(names)));
    }
    if (!seen.insert(names[i]).second) {
      throw input_error(fmt::format("{}: the column name '{}' stands twice; names must differ\nthe columns are {}",
                                    source, excerpt(names[i]), list_names(names)));
    }
  }
  for (const auto* wanted : {&request.numeric_columns, &request.key_columns}) {
    for (const auto& name : *wanted) {
      if (!seen.contains(name)) {
        throw input_error(
            fmt::format("{}: no column '{}'\nthe columns are {}", source, excerpt(name), list_names(names)));
      }
    }
  }
}

}  // namespace

std::vector<field_plan> plan_fields(const std::string& source, const std::vector<std::string>& names,
                                    const read_request& request) {
  check_names(source, names, request);
  std::vector<field_plan> plan(names.size());
  const auto contains = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    plan[i].as_key = contains(request.key_columns, names[i]);
    if (contains(request.numeric_columns, names[i])) {
      plan[i].as_number = field_plan::numeric::required;
    } else if ((request.all_numeric && !plan[i].as_key) || request.everything()) {
      plan[i].as_number = field_plan::numeric::if_possible;
    }
  }
  return plan;
}

}  // namespace manyfit::app
