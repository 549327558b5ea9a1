// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "input/parse_number.hpp"

namespace manyfit::app {

void append_json_text(std::string& text, std::string_view value) {
  const bool plain =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (!plain) {
    text += nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return;
  }
  text += '"';
  text += value;
  text += '"';
}

/// Whether a character makes a reader, ours or another's, end a field.
constexpr auto ends_field = [] {
  std::array<bool, 256> all{};
  for (const char c : std::string_view(",\"\r\n\t;|")) all[static_cast<unsigned char>(c)] = true;
  return all;
}();

void append_csv_text(std::string& text, std::string_view value) {
  // Blanks at the ends, a text that means "missing" and what may be taken for a separator would not come back the same
  // without quotes.
  const bool quotes =
      std::any_of(value.begin(), value.end(), [](char c) { return ends_field[static_cast<unsigned char>(c)]; }) ||
      (!value.empty() && (is_missing(value) || value.front() == ' ' || value.back() == ' '));
  if (!quotes) {
    text += value;
    return;
  }
  text += '"';
  for (const char c : value) {
    if (c == '"') text += '"';
    text += c;
  }
  text += '"';
}

std::string readable_number(double value, int digits) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}g}", value, digits);
}

int width_of(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace manyfit::app
