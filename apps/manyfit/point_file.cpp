// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "point_file.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <system_error>
#include <utility>

#include "input/arrow_reader.hpp"
#include "input/npy_reader.hpp"

namespace manyfit::app {

namespace {

/// A file with one of these extensions; no pipe, which can be read once only, and not by us.
bool is_file_of(const std::string& path, std::initializer_list<std::string_view> extensions) {
  std::error_code failed;
  const std::string extension = std::filesystem::path(path).extension().string();
  return path != "-" && std::find(extensions.begin(), extensions.end(), extension) != extensions.end() &&
         std::filesystem::is_regular_file(path, failed);
}

}  // namespace

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
std::optional<point_set<T>> map_points(const point_request& request) {
  // Numbers that mean "missing" are to be replaced, and other formats are refused, where the file is read.
  const input_format& format = request.format;
  if (!is_file_of(request.path, {".npy"}) || !format.missing.empty() || format.of_text_only() || !format.array.empty())
    return std::nullopt;
  auto file = std::make_shared<const file_bytes>(request.path);
  std::optional<npy_view<T>> view = view_npy<T>(file->view(), file->name());
  if (!view) return std::nullopt;
  point_set<T> result = array_points<T>(file->name(), view->shape);
  result.mapped = view->values;
  result.file = std::move(file);
  return result;
}

template <class T>
parquet_points<T>::parquet_points(const point_request& request, int threads)
    : request_(request), file_(request.path), begin_{0}, most_(static_cast<std::size_t>(threads) + 1) {
  for (const std::int64_t rows : parquet_groups(file_.view(), file_.name())) begin_.push_back(begin_.back() + rows);
  if (begin_.size() > 1) names_ = decoded(0)->names;
}

template <class T>
auto parquet_points<T>::decoded(int index) const -> group {
  std::promise<group> promise;
  std::shared_future<group> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [each, future] : recent_)
      if (each == index) found = future;
    if (!found.valid()) {
      if (recent_.size() == most_) recent_.pop_front();
      recent_.emplace_back(index, promise.get_future().share());
    }
  }
  if (found.valid()) return found.get();  // waits where another thread is at it
  try {
    auto made = std::make_shared<const point_set<T>>(table_points<T>(
        read_parquet_group(file_.view(), file_.name(), columns_of(request_), index, request_.format), request_));
    promise.set_value(made);
    return made;
  } catch (...) {
    promise.set_exception(std::current_exception());
    throw;
  }
}

template <class T>
void parquet_points<T>::read(std::int64_t first, std::int64_t count, T* values, T* weights) const {
  auto index = static_cast<int>(std::upper_bound(begin_.begin(), begin_.end(), first) - begin_.begin()) - 1;
  const std::int64_t D = dimensions();
  for (; count > 0; ++index) {
    const std::int64_t inside = first - begin_[static_cast<std::size_t>(index)],
                       here = std::min(count, begin_[static_cast<std::size_t>(index) + 1] - first);
    if (here <= 0) continue;  // a group without rows
    const group rows = decoded(index);
    std::copy_n(rows->values.begin() + inside * D, here * D, values);
    values += here * D;
    if (weights) weights = std::copy_n(rows->weights.begin() + inside, here, weights);
    first += here;
    count -= here;
  }
}

template <class T>
std::shared_ptr<const parquet_points<T>> stream_points(const point_request& request, int threads, std::int64_t memory) {
  if (!has_arrow() || !request.by.empty() || request.format.of_text_only() || !request.format.array.empty() ||
      !is_file_of(request.path, {".parquet", ".pq"}))
    return nullptr;
  // Compressed or not, no file of less than a sixteenth is worth a look.
  if (static_cast<std::int64_t>(std::filesystem::file_size(request.path)) < memory / 16) return nullptr;
  auto source = std::make_shared<const parquet_points<T>>(request, threads);
  // Columns are doubles, and there is a copy as points.
  const std::int64_t bytes = source->rows() * (source->dimensions() + source->weighted()) *
                             static_cast<std::int64_t>(sizeof(double) + sizeof(T));
  return bytes > memory ? source : nullptr;
}

std::int64_t half_of_memory() {
  return static_cast<std::int64_t>(host_memory() / 2);
}

template class parquet_points<double>;
template class parquet_points<float>;
template std::shared_ptr<const parquet_points<double>> stream_points(const point_request&, int, std::int64_t);
template std::shared_ptr<const parquet_points<float>> stream_points(const point_request&, int, std::int64_t);
template point_set<double> array_points(const std::string&, const std::vector<std::size_t>&);
template point_set<float> array_points(const std::string&, const std::vector<std::size_t>&);
template std::optional<point_set<double>> map_points(const point_request&);
template std::optional<point_set<float>> map_points(const point_request&);

}  // namespace manyfit::app
