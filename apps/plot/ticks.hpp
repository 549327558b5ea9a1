// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace manyfit::app {

struct tick {
  double value;
  std::string label;
};

/// Ticks at multiples of 1, 2 or 5 times a power of ten inside [low, high]: as many as possible up to `most`, at least
/// one step apart; labels carry just the digits that tell neighbours apart. `integers`: only at whole numbers.
std::vector<tick> nice_ticks(double low, double high, int most, bool integers = false);

/// A number for reading: `digits` significant digits, a real minus sign, no grouping of thousands; "1.5e−7" where a
/// plain decimal would be long.
std::string readable(double value, int digits = 3);

/// A count, not negative, with its thousands set off: "1,234,567".
std::string grouped(std::int64_t number);

}  // namespace manyfit::app
