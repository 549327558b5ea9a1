// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "point_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "point_file.hpp"

namespace manyfit::app {

namespace {

template <class T>
point_set<T> points_of(npy_array&& array) {
  point_set<T> result = array_points<T>(array.source, array.shape);
  if (auto* const same = std::get_if<std::vector<T>>(&array.values))
    result.values = std::move(*same);
  else
    result.values = std::visit([](auto&& each) { return std::vector<T>(each.begin(), each.end()); }, array.values);
  return result;
}

std::vector<const column*> coordinates_of(const table& data, const point_request& request) {
  std::vector<const column*> found;
  if (!request.columns.empty()) {
    for (const std::string& name : request.columns) found.push_back(&data.at(name, column_kind::numeric));
    return found;
  }
  for (const column& each : data.columns) {
    const bool key = std::find(request.by.begin(), request.by.end(), each.name) != request.by.end();
    if (each.kind == column_kind::numeric && !key && each.name != request.weights) found.push_back(&each);
  }
  if (found.empty())
    throw input_error(
        fmt::format("{}: no number column to take coordinates from; its columns are {}\n"
                    "name them with --columns a,b",
                    data.source, list_names(data.source_names)));
  return found;
}

}  // namespace

template <class T>
point_set<T> table_points(table&& data, const point_request& request) {
  const std::vector<const column*> coordinates = coordinates_of(data, request);
  if (coordinates.size() > static_cast<std::size_t>(max_dimensions))
    throw input_error(
        fmt::format("{}: {} number columns\nat most {} coordinates were expected; name them with "
                    "--columns a,b",
                    data.source, coordinates.size(), max_dimensions));
  const column* weight = request.weights.empty() ? nullptr : &data.at(request.weights, column_kind::numeric);
  point_set<T> result{.source = data.source};
  for (const column* each : coordinates) result.names.push_back(each->name);
  std::vector<std::int64_t> place(data.rows);  // of each row among the points
  result.offsets = {0, static_cast<std::int64_t>(data.rows)};
  if (request.by.empty()) {
    std::iota(place.begin(), place.end(), 0);
  } else {
    for (column& each : data.columns)
      if (each.kind == column_kind::text) name_missing_keys(each);
    grouping groups = take_groups(data, request.by);
    for (std::size_t i = 0; i < request.by.size(); ++i)
      result.keys.push_back({request.by[i], std::move(groups.key_text[i])});
    const std::vector<std::int32_t>& sample = groups.group_of_row;
    result.offsets = group_offsets(groups);
    std::vector<std::int64_t> next = result.offsets;
    for (std::size_t row = 0; row < data.rows; ++row) place[row] = next[static_cast<std::size_t>(sample[row])]++;
    if (request.keep_order && !std::is_sorted(sample.begin(), sample.end()))
      result.row_sample = std::move(groups.group_of_row);
  }
  const std::size_t D = coordinates.size();
  result.values.resize(data.rows * D);
  for (std::size_t d = 0; d < D; ++d)
    for (std::size_t row = 0; row < data.rows; ++row)
      result.values[static_cast<std::size_t>(place[row]) * D + d] = static_cast<T>(coordinates[d]->numbers[row]);
  if (weight) {
    result.weights.resize(data.rows);
    for (std::size_t row = 0; row < data.rows; ++row)
      result.weights[static_cast<std::size_t>(place[row])] = static_cast<T>(weight->numbers[row]);
  }
  return result;
}

read_request columns_of(const point_request& request) {
  read_request columns{
      .numeric_columns = request.columns, .key_columns = request.by, .all_numeric = request.columns.empty()};
  if (!request.weights.empty() &&
      std::find(request.columns.begin(), request.columns.end(), request.weights) == request.columns.end())
    columns.numeric_columns.push_back(request.weights);
  return columns;
}

template <class T>
point_set<T> read_points(const point_request& request, const common_options& options, int threads) {
  const read_request columns = columns_of(request);
  if (columns.numeric_columns.empty() && columns.key_columns.empty())
    if (std::optional<point_set<T>> mapped = map_points<T>(request)) return *std::move(mapped);
  input_data data = read_with_bar(request.path, columns, request.format, options, threads);
  if (auto* array = std::get_if<npy_array>(&data)) return points_of<T>(std::move(*array));
  return table_points<T>(std::move(std::get<table>(data)), request);
}

template point_set<double> table_points(table&&, const point_request&);
template point_set<float> table_points(table&&, const point_request&);
template point_set<double> read_points(const point_request&, const common_options&, int);
template point_set<float> read_points(const point_request&, const common_options&, int);

}  // namespace manyfit::app
