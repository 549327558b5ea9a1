// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "point_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "input/npy_reader.hpp"

namespace manyfit::app {

template <class T>
point_set<T> array_points(const std::string& source, const std::vector<std::size_t>& shape) {
  const std::size_t coordinates = shape.size() == 2 ? shape[1] : 1;
  if (coordinates == 0 || coordinates > static_cast<std::size_t>(max_dimensions))
    throw input_error(
        fmt::format("{}: each row has {} coordinates\n1 to {} were expected", source, coordinates, max_dimensions));
  point_set<T> result{.source = source};
  for (std::size_t d = 0; d < coordinates; ++d) result.names.push_back(fmt::format("x{}", d));
  result.offsets = {0, static_cast<std::int64_t>(shape[0])};
  return result;
}

template <class T>
std::optional<point_set<T>> map_points(const std::string& path) {
  // A pipe can be read once only, and is not for us to read.
  std::error_code failed;
  if (path == "-" || std::filesystem::path(path).extension() != ".npy" ||
      !std::filesystem::is_regular_file(path, failed))
    return std::nullopt;
  auto file = std::make_shared<const file_bytes>(path);
  std::optional<npy_view<T>> view = view_npy<T>(file->view(), file->name());
  if (!view) return std::nullopt;
  point_set<T> result = array_points<T>(file->name(), view->shape);
  result.mapped = view->values;
  result.file = std::move(file);
  return result;
}

template point_set<double> array_points(const std::string&, const std::vector<std::size_t>&);
template point_set<float> array_points(const std::string&, const std::vector<std::size_t>&);
template std::optional<point_set<double>> map_points(const std::string&);
template std::optional<point_set<float>> map_points(const std::string&);

}  // namespace manyfit::app
