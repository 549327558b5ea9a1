// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/cell_rules.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace manyfit::app {

cell_rules::cell_rules(const input_format& format)
    : plain_(format.decimal == '.' && format.missing.empty()), decimal_(format.decimal), missing_(format.missing) {
  for (const std::string& text : missing_) {
    const auto number = number_in(text);
    if (number && !std::isnan(*number)) missing_numbers_.push_back(*number);
  }
}

std::optional<double> cell_rules::number_in(std::string_view cell) const {
  if (decimal_ == '.') return parse_number(cell);
  if (cell.find('.') != cell.npos) return std::nullopt;
  std::string with_point(cell);
  std::replace(with_point.begin(), with_point.end(), decimal_, '.');
  return parse_number(with_point);
}

std::optional<double> cell_rules::unusual_number(std::string_view text) const {
  const std::string_view cell = without_spaces(text);
  if (std::find(missing_.begin(), missing_.end(), cell) != missing_.end())
    return std::numeric_limits<double>::quiet_NaN();
  const std::optional<double> number = number_in(cell);
  if (number && is_missing_number(*number)) return std::numeric_limits<double>::quiet_NaN();
  return number;
}

namespace {

/// Digits, and what stands between them.
struct digit_groups {
  std::vector<std::size_t> sizes = {std::size_t{0}};
  std::string separators;  // a blank for every kind of blank
};

/// Takes a number apart: digits and separators, without its sign. Nothing when there is anything else.
std::optional<digit_groups> groups_in(std::string_view text) {
  // The separators that take more than a byte: no-break space, thin space, narrow no-break space, apostrophe.
  static constexpr std::array<std::pair<std::string_view, char>, 4> wide = {
      {{"\xC2\xA0", ' '}, {"\xE2\x80\x89", ' '}, {"\xE2\x80\xAF", ' '}, {"\xE2\x80\x99", '\''}}};
  text = without_spaces(text);
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  // Most texts are told by their first byte, and this is asked of every cell of a column of text.
  if (text.empty() || !((text.front() >= '0' && text.front() <= '9') || text.front() == ',' || text.front() == '.'))
    return std::nullopt;
  digit_groups found;
  while (!text.empty()) {
    if (text.front() >= '0' && text.front() <= '9') {
      ++found.sizes.back();
      text.remove_prefix(1);
      continue;
    }
    char separator = text.front();
    std::size_t bytes = 1;
    for (const auto& [written, meaning] : wide) {
      if (text.starts_with(written)) separator = meaning, bytes = written.size();
    }
    if (std::string_view(",. '_").find(separator) == std::string_view::npos) return std::nullopt;
    found.separators += separator;
    found.sizes.push_back(0);
    text.remove_prefix(bytes);
  }
  if (found.separators.empty() || found.sizes.back() == 0) return std::nullopt;
  return found;
}

/// Whether the first `count` groups are those of a number in thousands, or in lakhs.
bool in_thousands(const digit_groups& groups, std::size_t count) {
  if (count < 2 || groups.sizes[0] < 1 || groups.sizes[0] > 3 || groups.sizes[count - 1] != 3) return false;
  for (std::size_t i = 1; i + 1 < count; ++i) {
    if (groups.sizes[i] != 3 && groups.sizes[i] != 2) return false;
  }
  const auto last = groups.separators.begin() + static_cast<std::ptrdiff_t>(count) - 1;
  return std::all_of(groups.separators.begin(), last, [&](char each) { return each == groups.separators[0]; });
}

}  // namespace

std::optional<number_trouble> trouble_with(std::string_view text, char decimal) {
  const auto groups = groups_in(text);
  if (!groups) return std::nullopt;
  const char other = decimal == '.' ? ',' : '.';
  const std::string sign = decimal == '.' ? "comma" : "point";
  const std::string change = decimal == '.' ? "add --decimal ','" : "leave --decimal out";
  const std::size_t count = groups->sizes.size();
  const char last = groups->separators.back();
  const bool thousands = in_thousands(*groups, count);
  if (count == 2 && last == other) {
    if (thousands)
      return number_trouble{"whose " + sign + " is a thousands separator or a decimal " + sign,
                            "write such numbers without thousands separators; for a decimal " + sign + " " + change};
    return number_trouble{"a number with a decimal " + sign, change + " to have it read as such"};
  }
  if (thousands || (last == decimal && last != groups->separators[0] && in_thousands(*groups, count - 1)))
    return number_trouble{"a number with thousands separators", "write such numbers without them"};
  if (last == other && last != groups->separators[0] && in_thousands(*groups, count - 1))
    return number_trouble{"a number with thousands separators and a decimal " + sign,
                          "write such numbers without thousands separators, and " + change};
  return std::nullopt;
}

namespace {

/// Whether all bytes are below 0x80, as in most texts.
bool is_ascii(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080u;
  std::uint64_t found = 0, word = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::memcpy(&word, text.data() + i, 8);
    found |= word;
  }
  for (; i < text.size(); ++i) found |= static_cast<std::uint64_t>(text[i]);
  return (found & high_bits) == 0;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  if (is_ascii(text)) return text.npos;
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    bool valid = first >= 0xC2 && first <= 0xF4;
    for (std::size_t k = 1; k < length; ++k) valid = valid && (byte(i + k) & 0xC0) == 0x80;
    // Overlong forms, surrogates, and what lies beyond U+10FFFF.
    const unsigned char second = byte(i + 1);
    valid = valid && !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F) &&
            !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
    if (!valid) return i;
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace manyfit::app
