// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Results as typed columns, and those as CSV.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "input/table.hpp"
#include "kernels/views.hpp"
#include "manyfit/mixture.hpp"
#include "output/output.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// Builds a table of one row per fit, keys first.
class column_writer {
 public:
  column_writer(std::size_t fits, const std::vector<key_column>& keys);
  /// value_of(fit), a number.
  template <class F>
  requires std::is_invocable_v<F, std::int64_t>
  void numbers(std::string name, F value_of) {
    column& each = data_.columns.emplace_back(column{.name = std::move(name)});
    each.numbers.reserve(data_.rows);
    for (std::size_t fit = 0; fit < data_.rows; ++fit)
      each.numbers.push_back(static_cast<double>(value_of(static_cast<std::int64_t>(fit))));
  }
  template <class Number>
  void numbers(std::string name, const std::vector<Number>& values) {
    numbers(std::move(name), [&](std::int64_t fit) { return values[static_cast<std::size_t>(fit)]; });
  }
  void statuses(const std::vector<fit_status>& status);
  table take();

 private:
  table data_;
  std::size_t keys_;
};

/// Names key columns so that no two columns have one name: NAME, or key_NAME where that is taken. `names` are all
/// names, those of the keys first.
void name_keys_apart(std::vector<std::string>& names, std::size_t keys);

/// The same for anything with a name.
template <class Column>
void name_keys_apart(std::vector<Column>& columns, std::size_t keys) {
  std::vector<std::string> names;
  for (const Column& each : columns) names.push_back(each.name);
  name_keys_apart(names, keys);
  for (std::size_t i = 0; i < keys; ++i) columns[i].name = names[i];
}

/// The beginning of a CSV header: the names of the keys, to stand before `others`, the rest of that header.
std::string csv_key_names(const std::vector<key_column>& keys, std::string_view others);

/// A header, then a line for each row.
void write_csv(const table& data, output& to);

/// For people: how the numbers of components compare, and which was taken.
void write_choice(int fewest, const std::vector<double>& criteria, const std::vector<std::uint8_t>& regularized,
                  int taken, information_criterion by, output& to);

}  // namespace manyfit::app
