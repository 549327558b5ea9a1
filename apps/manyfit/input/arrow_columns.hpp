// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// From Arrow's arrays to a table's columns. Included only where MF_WITH_ARROW is defined.

#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <vector>

#include "input/text_dictionary.hpp"

namespace manyfit::app {

bool is_numeric_type(const arrow::DataType& type);
/// Whether cells of the type have one text each.
bool is_key_type(const arrow::DataType& type);

/// Appends the array's values as doubles, NaN where null. The type must be numeric.
void append_numbers(const arrow::Array& array, std::vector<double>& numbers);

/// Appends the codes of the array's texts, -1 where missing. The type must be a key type.
void append_codes(const arrow::Array& array, text_dictionary& dictionary, std::vector<std::int32_t>& codes);

}  // namespace manyfit::app
