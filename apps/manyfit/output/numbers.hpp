// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// One column of numbers, or a few: what score and simulate write.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "output/output.hpp"

namespace manyfit::app {

/// The header of a .npy file of float32 or float64 in C order.
void write_npy_header(const std::vector<std::int64_t>& shape, bool single, output& to);

/// Numbers as the raw bytes of a .npy file.
void write_npy_values(std::span<const double> values, bool single, output& to);

/// A field of a one-column CSV: a missing value is "" in quotes, since many readers pass over an empty line.
void append_lone_csv_number(std::string& text, double value);

/// Shortest text of the number at the precision of its origin.
void append_at_precision(std::string& text, double value, bool single);

}  // namespace manyfit::app
