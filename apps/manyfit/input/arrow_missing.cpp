// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Stands in for arrow_reader.cpp and arrow_writer.cpp in a build without Apache Arrow.

#ifndef MF_WITH_ARROW

#include <fmt/format.h>

#include "input/arrow_reader.hpp"

namespace manyfit::app {

namespace {

[[noreturn]] void throw_input_error(const std::string& what) {
  throw input_error(
      fmt::format("{}: this manyfit was built without Apache Arrow, which Parquet and Feather need\n"
                  "use CSV or .npy, or install Arrow C++ or the Python package pyarrow and build again",
                  what));
}

}  // namespace

bool has_arrow() {
  return false;
}

table read_arrow(std::string_view, const std::string& source, const read_request&, const arrow_options&) {
  throw_input_error(source);
}

std::vector<std::int64_t> parquet_groups(std::string_view, const std::string& source) {
  throw_input_error(source);
}

table read_parquet_group(std::string_view, const std::string& source, const read_request&, int, const input_format&) {
  throw_input_error(source);
}

struct parquet_columns::builders {};
parquet_columns::parquet_columns() = default;
parquet_columns::parquet_columns(parquet_columns&&) noexcept = default;
parquet_columns::~parquet_columns() = default;
void parquet_columns::add(const std::string&, column_kind) {}
void parquet_columns::append(std::size_t, double) {}
void parquet_columns::append(std::size_t, std::string_view) {}
void parquet_columns::write(const std::string& path) {
  throw_input_error(path);
}

}  // namespace manyfit::app

#endif
