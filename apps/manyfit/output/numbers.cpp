// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/numbers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstring>

#include "output/text.hpp"

namespace manyfit::app {

void write_npy_header(const std::vector<std::int64_t>& shape, bool single, output& to) {
  static_assert(std::endian::native == std::endian::little);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}",
                                   single ? "<f4" : "<f8", fmt::join(shape, ", "));
  constexpr std::size_t before = 10, alignment = 64;  // magic, version and length come before; all are padded together
  header.append(alignment - (before + header.size() + 1) % alignment, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  to.write(start + header);
}

void write_npy_values(std::span<const double> values, bool single, output& to) {
  if (!single) {
    to.write({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    return;
  }
  for (const double value : values) {
    const auto rounded = static_cast<float>(value);
    char bytes[sizeof rounded];
    std::memcpy(bytes, &rounded, sizeof rounded);
    to.write({bytes, sizeof bytes});
  }
}

void append_lone_csv_number(std::string& text, double value) {
  if (std::isnan(value)) text += "\"\"";
  append_csv_number(text, value);
}

void append_at_precision(std::string& text, double value, bool single) {
  if (single)
    append_number(text, static_cast<float>(value));
  else
    append_number(text, value);
}

}  // namespace manyfit::app
