// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a cell of a text file means as a number, or as a missing value.

#pragma once

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace manyfit::app {

inline std::string_view without_spaces(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Empty, NA, and NaN in any letter case.
inline bool is_missing(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() == 2) return text == "NA";
  return text.size() == 3 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'a' && (text[2] | 0x20) == 'n';
}

/// The number in a cell; NaN for a missing value (with a sign too: C prints "-nan"); nothing for anything else. Spaces
/// around it and a leading '+' are allowed; infinities are inf or infinity in any letter case. A number too large for a
/// double becomes infinite and one too small zero, as rounding would have it.
inline std::optional<double> parse_number(std::string_view text) {
  if (text.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (text.front() == ' ' || text.front() == '\t' || text.back() == ' ' || text.back() == '\t') {
    text = without_spaces(text);
  }
  if (is_missing(text)) return std::numeric_limits<double>::quiet_NaN();

  std::string_view digits = text;  // without the sign
  if (digits.front() == '+' || digits.front() == '-') digits.remove_prefix(1);
  if (digits.empty() || digits.front() == '-') return std::nullopt;
  if ((digits.front() | 0x20) == 'n') {  // from_chars would take nan(anything)
    if (is_missing(digits) && digits.size() == 3) return std::numeric_limits<double>::quiet_NaN();
    return std::nullopt;
  }

  const bool negative = text.front() == '-';
  double value = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value);
  if (end != last || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves the value alone. strtod rounds it, and reads the same plain syntax that was just accepted.
    value = std::strtod(std::string(digits).c_str(), nullptr);
  }
  return negative ? -value : value;
}

}  // namespace manyfit::app
