// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the cells of an input mean: numbers, missing values, keys.

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input/input_format.hpp"
#include "input/parse_number.hpp"

namespace manyfit::app {

class cell_rules {
 public:
  cell_rules() = default;
  explicit cell_rules(const input_format& format);

  /// As parse_number, with the texts that the caller calls missing and the caller's decimal sign.
  std::optional<double> number(std::string_view text) const {
    return plain_ ? parse_number(text) : unusual_number(text);
  }
  /// Whether a number that was stored as one is among those the caller calls missing.
  bool is_missing_number(double value) const {
    return std::find(missing_numbers_.begin(), missing_numbers_.end(), value) != missing_numbers_.end();
  }
  /// Of a key: empty, NA and NaN without quotes, and the caller's texts with or without.
  bool is_missing_key(std::string_view text, bool quoted = true) const {
    if (quoted ? text.empty() : is_missing(text)) return true;
    return !missing_.empty() && std::find(missing_.begin(), missing_.end(), text) != missing_.end();
  }
  bool has_missing() const { return !missing_.empty(); }
  char decimal() const { return decimal_; }

 private:
  std::optional<double> unusual_number(std::string_view text) const;
  /// With the caller's decimal sign.
  std::optional<double> number_in(std::string_view cell) const;

  bool plain_ = true;
  char decimal_ = '.';
  std::vector<std::string> missing_;
  std::vector<double> missing_numbers_;
};

/// Why a cell that people read as a number is none here.
struct number_trouble {
  std::string cause;   ///< follows "column 'x' holds '1,5', "
  std::string advice;  ///< a line of its own
};

/// Thousands separators and the other decimal sign; nothing for any other text.
std::optional<number_trouble> trouble_with(std::string_view text, char decimal);

/// The first byte that is no UTF-8 (RFC 3629), or npos.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace manyfit::app
