// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Any bytes read as CSV give a table or an input_error, and the same one with one thread as with several threads that
// work on chunks of a few bytes.

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "input/csv_reader.hpp"

namespace {

using namespace manyfit::app;

/// Everything in a table, or the message of the error, as one string.
std::string describe(std::string_view text, const read_request& request, const csv_options& options) {
  std::string all;
  const auto add = [&all](const std::string& part) { all += std::to_string(part.size()) + ':' + part; };
  const auto add_number = [&all](std::uint64_t number) { all += std::to_string(number) + ';'; };
  try {
    const table read = read_csv(text, "fuzz", request, options);
    add_number(read.rows);
    for (const auto& name : read.source_names) add(name);
    for (const auto& each : read.columns) {
      add(each.name);
      if ((each.kind == column_kind::numeric ? each.numbers.size() : each.codes.size()) != read.rows) std::abort();
      for (const double number : each.numbers) add_number(std::bit_cast<std::uint64_t>(number));
      for (const auto code : each.codes) {
        if (code < -1 || code >= static_cast<std::int32_t>(each.dictionary.size())) std::abort();
        add_number(static_cast<std::uint64_t>(code));
      }
      for (const auto& text_of_code : each.dictionary) add(text_of_code);
      if (each.kind == column_kind::text) {
        const grouping groups = group_rows(read, {each.name});
        if (groups.group_of_row.size() != read.rows) std::abort();
      }
    }
  } catch (const input_error& error) {
    all = error.what();
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  // The first byte chooses the request, the second the size of chunks.
  read_request request;
  switch (data[0] % 4) {
    case 1:
      request = {.numeric_columns = {"b"}, .key_columns = {"a"}};
      break;
    case 2:
      request = {.key_columns = {"a"}, .all_numeric = true};
      break;
    case 3:
      request = {.numeric_columns = {"a"}, .key_columns = {"a"}};
      break;
    default:
      break;
  }
  const char delimiters[] = {',', '\t', '\0'};
  input_format format = {.delimiter = delimiters[data[0] / 4 % 3]};
  if (data[0] & 64) format.decimal = ',';
  if (data[0] & 128) format.missing = {"-", "0", "N/A"};
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = describe(text, request, {.format = format, .threads = 1});
  const auto in_chunks = describe(text, request, {.format = format, .threads = 3, .chunk_bytes = 1u + data[1] % 32});
  if (whole != in_chunks) {
    std::fprintf(stderr, "one thread:\n%s\nseveral:\n%s\n", whole.c_str(), in_chunks.c_str());
    std::abort();
  }
  return 0;
}
