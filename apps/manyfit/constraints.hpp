// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// What a parameter may be, in words.
#pragma once

#include <string>

#include "manyfit/families.hpp"

namespace manyfit::app {

/// "real", "positive", "probability", "count (to be fixed)".
const char* constraint_text(constraint kind);

/// "shape (positive), rate (positive)".
std::string list_parameters(const family_info& family);

}  // namespace manyfit::app
