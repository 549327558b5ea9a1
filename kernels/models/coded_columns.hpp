// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Columns of few different values. All that a distribution over such a column asks of the rows is how much weight each
// value has, whatever the family. Neighbouring columns form a group as long as what they say together, a value or
// nothing each, is one of 16 patterns (four columns of 0 and 1); a pattern is a byte of a row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/core.hpp"

namespace manyfit {

/// Codes of some rows: of row i and group g at bytes[i × groups + g].
struct code_rows {
  const std::uint8_t* bytes;
  std::int64_t rows;
  int groups;
  const std::int32_t* first_pattern;  ///< [groups + 1]: where a group's patterns begin among those of all

  MF_FN std::int64_t pattern(std::int64_t row, int g) const { return first_pattern[g] + bytes[row * groups + g]; }
};

}  // namespace manyfit

MF_NAMESPACE_BEGIN

/// Most values of a column that is coded, and most patterns of a group of several columns.
inline constexpr std::size_t most_coded_values = 255;
inline constexpr int most_patterns = 16;

class coded_columns {
 public:
  struct column {
    std::size_t number;              ///< among all columns
    std::size_t group, first_value;  ///< where its values begin among those of all coded columns
    int values, states, divisor;     ///< states: one more than values where a cell is missing
    bool tells(std::size_t pattern, std::size_t& value) const {  ///< false: in this pattern its cell is missing
      value = pattern / static_cast<std::size_t>(divisor) % static_cast<std::size_t>(states);
      return value < static_cast<std::size_t>(values);
    }
  };

  const std::vector<column>& columns() const { return columns_; }
  bool empty() const { return columns_.empty(); }
  std::size_t groups() const { return first_pattern_.size() - 1; }
  std::size_t patterns() const { return static_cast<std::size_t>(first_pattern_.back()); }
  std::size_t first_pattern(std::size_t group) const { return static_cast<std::size_t>(first_pattern_[group]); }
  std::size_t patterns_of(std::size_t group) const { return first_pattern(group + 1) - first_pattern(group); }
  /// All columns' values, and where each column's begin: [columns + 1].
  const std::vector<double>& values() const { return values_; }
  const std::vector<std::int64_t>& value_offsets() const { return value_offsets_; }
  code_rows rows(std::size_t first, std::size_t count) const {
    return {bytes_.data() + first * groups(), static_cast<std::int64_t>(count), static_cast<int>(groups()),
            first_pattern_.data()};
  }

  /// Takes column `number` in, if it has few enough values, but no fewer than `fewest`; x: NaN where missing.
  bool take(std::size_t number, const std::vector<double>& x, std::size_t fewest) {
    std::vector<double> found;
    std::vector<std::uint8_t> own(x.size());
    bool missing = false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] != x[i]) {
        missing = true;
        continue;
      }
      const auto at = std::lower_bound(found.begin(), found.end(), x[i]);
      if (at != found.end() && *at == x[i]) continue;
      if (found.size() == most_coded_values) return false;
      found.insert(at, x[i]);
    }
    if (found.empty() || found.size() < fewest) return false;
    for (std::size_t i = 0; i < x.size(); ++i)
      own[i] = static_cast<std::uint8_t>(
          x[i] != x[i] ? found.size()
                       : static_cast<std::size_t>(std::lower_bound(found.begin(), found.end(), x[i]) - found.begin()));
    const int values = static_cast<int>(found.size()), states = values + missing;
    int divisor = columns_.empty() ? 0 : columns_.back().divisor * columns_.back().states;
    if (divisor == 0 || divisor * states > most_patterns) {
      divisor = 1;
      first_pattern_.push_back(first_pattern_.back() + states);
      by_group_.emplace_back(x.size(), std::uint8_t{0});
    } else {
      first_pattern_.back() = first_pattern_[first_pattern_.size() - 2] + divisor * states;
    }
    std::vector<std::uint8_t>& codes = by_group_.back();
    for (std::size_t i = 0; i < x.size(); ++i) codes[i] = static_cast<std::uint8_t>(codes[i] + divisor * own[i]);
    columns_.push_back({number, groups() - 1, values_.size(), values, states, divisor});
    values_.insert(values_.end(), found.begin(), found.end());
    value_offsets_.push_back(static_cast<std::int64_t>(values_.size()));
    return true;
  }
  /// Once all columns are in: codes by row.
  void finish() {
    if (empty()) return;
    const std::size_t n = by_group_[0].size(), G = groups();
    bytes_.resize(n * G);
    constexpr std::size_t at_once = 64;  // rows, so that a group's codes are read, and a row's written, from a cache
    for (std::size_t first = 0; first < n; first += at_once)
      for (std::size_t g = 0; g < G; ++g)
        for (std::size_t i = first; i < std::min(n, first + at_once); ++i) bytes_[i * G + g] = by_group_[g][i];
    by_group_.clear();
    by_group_.shrink_to_fit();
  }

 private:
  std::vector<column> columns_;
  std::vector<std::int32_t> first_pattern_{0};
  std::vector<double> values_;
  std::vector<std::int64_t> value_offsets_{0};
  std::vector<std::vector<std::uint8_t>> by_group_;
  std::vector<std::uint8_t> bytes_;
};

MF_NAMESPACE_END
