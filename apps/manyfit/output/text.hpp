// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// How numbers and texts are written in JSON, CSV and tables. Locale plays no part.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace manyfit::app {

/// The shortest text that reads back as the same number; "nan", "inf" and "-inf" for those.
template <class Number>
void append_number(std::string& text, Number value) {
  char digits[32];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// A number in JSON: null where there is none, and for infinities, which JSON cannot say.
inline void append_json_number(std::string& text, double value) {
  std::isfinite(value) ? append_number(text, value) : (void)text.append("null");
}

/// A number in CSV: an empty field where there is none.
inline void append_csv_number(std::string& text, double value) {
  if (!std::isnan(value)) append_number(text, value);
}

/// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_text(std::string& text, std::string_view value);

/// A CSV field, in quotes where RFC 4180 wants them.
void append_csv_text(std::string& text, std::string_view value);

/// For people: `digits` significant digits, no needless zeros, "-" where there is no number.
std::string readable_number(double value, int digits = 6);

/// How many columns of a terminal a UTF-8 text takes, one per character.
int width_of(std::string_view text);

}  // namespace manyfit::app
