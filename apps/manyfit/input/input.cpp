// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <limits>
#include <map>
#include <utility>

#include "input/arrow_reader.hpp"
#include "input/cell_rules.hpp"
#include "input/csv_reader.hpp"
#include "input/file_bytes.hpp"
#include "input/npz_reader.hpp"

namespace manyfit::app {

namespace {

enum class format { unknown, text, tsv, arrow, npy, npz };

format format_of_extension(const std::string& path) {
  if (path == "-") return format::unknown;
  static const std::map<std::string, format> formats = {
      {".csv", format::text},      {".tsv", format::tsv},       {".tab", format::tsv}, {".txt", format::text},
      {".pq", format::arrow},      {".parquet", format::arrow}, {".npy", format::npy}, {".npz", format::npz},
      {".feather", format::arrow}, {".arrow", format::arrow},
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
  return bytes.starts_with(npz_magic) ? format::npz : format::text;
}

npy_array read_array(format as, const file_bytes& file, const read_request& request, const input_format& how) {
  if (!request.numeric_columns.empty() || !request.key_columns.empty()) {
    const auto& named = request.numeric_columns.empty() ? request.key_columns : request.numeric_columns;
    throw input_error(
        fmt::format("{}: an array has no column '{}'\nname no columns, or give a file that has "
                    "them (CSV, TSV, Parquet, Feather)",
                    file.name(), excerpt(named.front())));
  }
  npy_array array =
      as == format::npz ? read_npz(file.view(), file.name(), how.array) : read_npy(file.view(), file.name());
  if (const cell_rules rules(how); rules.has_missing())
    std::visit(
        [&]<class T>(std::vector<T>& values) {
          for (T& each : values)
            if (rules.is_missing_number(static_cast<double>(each))) each = std::numeric_limits<T>::quiet_NaN();
        },
        array.values);
  return array;
}

/// What was said about the file must be about such a file: nothing is ignored.
void check_format(format as, const std::string& name, const input_format& how) {
  const bool text = as == format::text || as == format::tsv;
  if (!text && how.of_text_only())
    throw input_error(fmt::format("{}: no text, and {} is given\nleave it out, or give a CSV file", name,
                                  how.delimiter != 0 ? "--delimiter" : "--decimal"));
  if (as != format::npz && !how.array.empty())
    throw input_error(
        fmt::format("{}: no .npz file, and --array '{}' is given\nleave it out", name, excerpt(how.array)));
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
    as = format::text;
  }

  check_format(as, file.name(), options.format);
  switch (as) {
    case format::npy:
    case format::npz:
      return read_array(as, file, request, options.format);
    case format::arrow:
      return read_arrow(file.view(), file.name(), request,
                        {.threads = options.threads, .progress = options.progress, .format = options.format});
    default:
      return read_csv(file.view(), file.name(), request,
                      {.format = options.format,
                       .prefer = as == format::tsv ? '\t' : '\0',
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
      fmt::format("{}: an array has no columns\na file that has them was expected: CSV, TSV, "
                  "Parquet, Feather",
                  std::get<npy_array>(data).source));
}

}  // namespace manyfit::app
