// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/field_plan.hpp"

#include <fmt/format.h>

#include <map>

namespace manyfit::app {

namespace {

/// What is asked of a name, and how many columns have it.
struct asked_name {
  bool as_number = false, as_key = false;
  int columns = 0;
};

}  // namespace

std::vector<field_plan> plan_fields(const std::string& source, const std::vector<std::string>& names,
                                    const read_request& request) {
  // A map of what is asked, since a hostile header may have a million names and any of them.
  std::map<std::string_view, asked_name> asked;
  for (const std::string& name : request.numeric_columns) asked[name].as_number = true;
  for (const std::string& name : request.key_columns) asked[name].as_key = true;

  std::vector<field_plan> plan(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = asked.find(names[i]);
    if (found != asked.end()) {
      ++found->second.columns;
      plan[i].as_key = found->second.as_key;
      if (found->second.as_number) plan[i].as_number = field_plan::numeric::required;
    } else if (request.all_numeric || request.everything()) {
      plan[i].as_number = field_plan::numeric::if_possible;
    }
  }
  for (const auto& [name, each] : asked) {
    if (each.columns == 1) continue;
    throw input_error(
        each.columns == 0
            ? fmt::format("{}: no column '{}'\nthe columns are {}", source, excerpt(name), list_names(names))
            : fmt::format("{}: the column name '{}' stands twice; what is asked for must be one column\n"
                          "the columns are {}",
                          source, excerpt(name), list_names(names)));
  }
  return plan;
}

}  // namespace manyfit::app
