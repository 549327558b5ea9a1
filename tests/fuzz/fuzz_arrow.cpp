// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Any bytes read as Parquet or Feather give a sound table or an input_error, and the same table with several threads as
// with one and, for Parquet, row group by row group. Nothing else comes out: a broken file is never called a lack of
// memory.

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "input/arrow_reader.hpp"

namespace {

using namespace manyfit::app;

/// Everything in a sound table as one string.
std::string describe(const table& read) {
  std::string all = std::to_string(read.rows) + ";";
  for (const column& each : read.columns) {
    const bool numeric = each.kind == column_kind::numeric;
    if ((numeric ? each.numbers.size() : each.codes.size()) != read.rows) std::abort();
    all += each.name + ":";
    for (const double number : each.numbers) all += std::to_string(std::bit_cast<std::uint64_t>(number)) + ",";
    for (const std::int32_t code : each.codes) {
      if (code < -1 || code >= static_cast<std::int32_t>(each.dictionary.size())) std::abort();
      all += code < 0 ? "-," : each.dictionary[static_cast<std::size_t>(code)] + ",";
    }
  }
  return all;
}

std::string described(std::string_view bytes, const read_request& request, const arrow_options& options) {
  try {
    return describe(read_arrow(bytes, "fuzz", request, options));
  } catch (const input_error&) {
    return "refused";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  read_request request;
  switch (data[0] % 4) {
    case 1:
      request = {.numeric_columns = {"v"}, .key_columns = {"g"}};
      break;
    case 2:
      request = {.key_columns = {"g"}, .all_numeric = true};
      break;
    case 3:
      request = {.numeric_columns = {"v"}};
      break;
    default:
      break;
  }
  arrow_options options{.threads = 1};
  if (data[0] & 128) options.format.missing = {"a", "2"};
  // Aligned as a mapped file is.
  const std::size_t length = size - 1;
  const std::unique_ptr<char, void (*)(void*)> copy(static_cast<char*>(std::aligned_alloc(64, (length + 64) / 64 * 64)),
                                                    std::free);
  std::memcpy(copy.get(), data + 1, length);
  const std::string_view bytes(copy.get(), length);
  const std::string one = described(bytes, request, options);
  options.threads = 3;
  if (described(bytes, request, options) != one) {
    std::fprintf(stderr, "one thread:\n%s\n", one.c_str());
    std::abort();
  }
  if (!bytes.starts_with(parquet_magic)) return 0;
  try {
    const std::vector<std::int64_t> groups = parquet_groups(bytes, "fuzz");
    for (std::size_t i = 0; i < groups.size() && i < 3; ++i)
      describe(read_parquet_group(bytes, "fuzz", request, static_cast<int>(i), options.format));
  } catch (const input_error&) {
  }
  return 0;
}
