// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "samples.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "input/input.hpp"
#include "progress_bar.hpp"

namespace manyfit::app {

void name_missing_keys(column& key) {
  if (std::find(key.codes.begin(), key.codes.end(), -1) == key.codes.end()) return;
  const auto found = std::find(key.dictionary.begin(), key.dictionary.end(), "");
  const auto code = static_cast<std::int32_t>(found - key.dictionary.begin());
  if (found == key.dictionary.end()) key.dictionary.emplace_back();
  std::replace(key.codes.begin(), key.codes.end(), std::int32_t{-1}, code);
}

namespace {

template <class To, class From>
std::vector<To> converted(std::vector<From>&& from) {
  if constexpr (std::is_same_v<To, From>)
    return std::move(from);
  else
    return std::vector<To>(from.begin(), from.end());
}

template <class T>
sample_set<T> samples_of(npy_array&& array) {
  sample_set<T> result{.source = array.source, .shape = array.shape};
  const std::size_t rows = array.shape.size() == 2 ? array.shape[0] : 1;
  const std::size_t size = array.shape.back();
  result.values = std::visit([](auto&& values) { return converted<T>(std::move(values)); }, std::move(array.values));
  for (std::size_t row = 0; row <= rows; ++row) result.offsets.push_back(static_cast<std::int64_t>(row * size));
  return result;
}

template <class T>
sample_set<T> samples_of(table&& data, const sample_request& request, int threads) {
  auto excluded = request.by;
  if (!request.weights.empty()) excluded.push_back(request.weights);
  const column& found =
      request.column.empty() ? choose_value_column(data, excluded) : data.at(request.column, column_kind::numeric);
  std::vector<double>& numbers = data.columns[static_cast<std::size_t>(&found - data.columns.data())].numbers;
  const column* weight = request.weights.empty() ? nullptr : &data.at(request.weights, column_kind::numeric);

  sample_set<T> result{.source = data.source, .value_name = found.name};
  const auto in_row_order = [&] {
    if (weight) result.weights.assign(weight->numbers.begin(), weight->numbers.end());
    result.values = converted<T>(std::move(numbers));
  };
  if (request.by.empty()) {
    result.offsets = {0, static_cast<std::int64_t>(data.rows)};
    in_row_order();
    return result;
  }

  for (column& each : data.columns)
    if (each.kind == column_kind::text) name_missing_keys(each);
  grouping groups = take_groups(data, request.by, threads);
  for (std::size_t i = 0; i < request.by.size(); ++i)
    result.keys.push_back({request.by[i], std::move(groups.key_text[i])});
  for (column& each : data.columns) std::vector<std::int32_t>().swap(each.codes);

  const std::vector<std::int32_t>& sample = groups.group_of_row;
  result.offsets = group_offsets(groups);
  if (std::is_sorted(sample.begin(), sample.end())) {  // rows of one key stand together: they are in place
    in_row_order();
    return result;
  }
  if (weight) result.weights = in_group_order<T, double>(weight->numbers, groups, result.offsets);
  result.values = in_group_order<T, double>(numbers, groups, result.offsets);
  if (request.keep_order) result.row_sample = std::move(groups.group_of_row);
  return result;
}

}  // namespace

input_data read_with_bar(const std::string& path, const read_request& columns, const input_format& format,
                         const common_options& options, int threads) {
  progress_bar bar("reading", "B", options.quiet);
  return read_input(path, columns,
                    {.threads = static_cast<unsigned>(threads), .progress = bar.function(), .format = format});
}

template <class T>
sample_set<T> read_samples(const sample_request& request, const common_options& options, int threads) {
  read_request columns{.key_columns = request.by, .all_numeric = request.column.empty()};
  if (!request.column.empty()) columns.numeric_columns.push_back(request.column);
  if (!request.weights.empty() && request.weights != request.column) columns.numeric_columns.push_back(request.weights);
  input_data data = read_with_bar(request.path, columns, request.format, options, threads);
  if (auto* array = std::get_if<npy_array>(&data)) return samples_of<T>(std::move(*array));
  return samples_of<T>(std::move(std::get<table>(data)), request, threads);
}

template sample_set<double> read_samples(const sample_request&, const common_options&, int);
template sample_set<float> read_samples(const sample_request&, const common_options&, int);

}  // namespace manyfit::app
