// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// From Arrow's arrays to a table's columns. Included only where MF_WITH_ARROW is defined.

#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <string>
#include <vector>

#include "input/cell_rules.hpp"
#include "input/key_part.hpp"

namespace manyfit::app {

bool is_numeric_type(const arrow::DataType& type);
/// Whether cells of the type have one text each.
bool is_key_type(const arrow::DataType& type);

/// Writes the array's values as doubles, NaN where null: numbers [length of the array]. The type must be numeric.
void write_numbers(const arrow::Array& array, double* numbers);

/// The array's texts, missing where null, NaN, empty or called missing. The type must be a key type. The part owns its
/// texts. Throws input_error for text that is not UTF-8, with the column's name.
key_part keys_of(const arrow::Array& array, const std::string& column, const cell_rules& rules);

}  // namespace manyfit::app
