// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <vector>

#include "input/table.hpp"

namespace manyfit::app {

/// What is to become of one column of a source.
struct field_plan {
  enum class numeric : unsigned char { no, if_possible, required };
  numeric as_number = numeric::no;
  bool as_key = false;

  bool wanted() const { return as_number != numeric::no || as_key; }
};

/// The plan for each of a source's columns. Throws input_error for a requested name that is not there (it lists what
/// is) or stands twice. What nobody asked for may have any name.
std::vector<field_plan> plan_fields(const std::string& source, const std::vector<std::string>& names,
                                    const read_request& request);

}  // namespace manyfit::app
