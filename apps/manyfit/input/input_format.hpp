// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <vector>

namespace manyfit::app {

/// What a caller says about a file that is not written as usual.
struct input_format {
  char delimiter = 0;                     ///< of text; 0: told from the header, among , ; tab |
  char decimal = '.';                     ///< of text: point or comma
  std::vector<std::string> missing = {};  ///< texts, or numbers in any writing, that mean "missing" as well
  std::string array = {};                 ///< which array of a .npz file; empty: the only one

  bool of_text_only() const { return delimiter != 0 || decimal != '.'; }
};

}  // namespace manyfit::app
