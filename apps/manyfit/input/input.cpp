// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <utility>

#include "input/arrow_reader.hpp"
#include "input/csv_reader.hpp"
#include "input/file_bytes.hpp"

namespace manyfit::app {

namespace {

enum class format { unknown, csv, tsv, either, arrow, npy };

format format_of_extension(const std::string& path) {
  if (path == "-") return format::unknown;
  static const std::map<std::string, format> formats = {
      {".csv", format::csv},    {".tsv", format::tsv},       {".tab", format::tsv},
      {".txt", format::either}, {".pq", format::arrow},      {".parquet", format::arrow},
      {".npy", format::npy},    {".feather", format::arrow}, {".arrow", format::arrow},
  };
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = formats.find(extension);
  return found == formats.end() ? format::unknown : found->second;
}

format format_of_bytes(std::string_view bytes) {
  if (bytes.starts_with(npy_magic)) return format::npy;
  if (bytes.starts_with(parquet_magic) || bytes.starts_with(feather_magic)) return format::arrow;
  return format::either;
}

}  // namespace

namespace {

input_data read_bytes(const file_bytes& file, const std::string& path, const read_request& request,
                      const input_options& options) {
  format as = format_of_extension(path);
  if (as == format::unknown) as = format_of_bytes(file.view());
  // "PAR1" alone could begin a CSV header as well; a real Parquet file ends with it too.
  if (as == format::arrow && format_of_extension(path) == format::unknown && file.view().starts_with(parquet_magic) &&
      !file.view().ends_with(parquet_magic)) {
    as = format::either;
  }

  switch (as) {
    case format::npy:
      if (!request.numeric_columns.empty() || !request.key_columns.empty()) {
        const auto& named = request.numeric_columns.empty() ? request.key_columns : request.numeric_columns;
        throw input_error(
            fmt::format("{}: a .npy array has no column '{}'\nname no columns, or give a file that has "
                        "them (CSV, TSV, Parquet, Feather)",
                        file.name(), excerpt(named.front())));
      }
      return read_npy(file.view(), file.name());
    case format::arrow:
      return read_arrow(file.view(), file.name(), request, {.threads = options.threads, .progress = options.progress});
    default:
      return read_csv(file.view(), file.name(), request,
                      {.delimiter = as == format::csv   ? ','
                                    : as == format::tsv ? '\t'
                                                        : '\0',
                       .threads = options.threads,
                       .progress = options.progress});
  }
}

}  // namespace

input_data read_input(const std::string& path, const read_request& request, const input_options& options) {
  const file_bytes file(path);
  try {
    input_data data = read_bytes(file, path, request, options);
    file.check_whole();
    return data;
  } catch (const input_error&) {
    file.check_whole();  // what is wrong with a file that was cut is that it was cut
    throw;
  }
}

table read_table(const std::string& path, const read_request& request, const input_options& options) {
  input_data data = read_input(path, request, options);
  if (auto* const read = std::get_if<table>(&data)) return std::move(*read);
  throw input_error(
      fmt::format("{}: a .npy array has no columns\na file that has them was expected: CSV, TSV, "
                  "Parquet, Feather",
                  std::get<npy_array>(data).source));
}

}  // namespace manyfit::app
