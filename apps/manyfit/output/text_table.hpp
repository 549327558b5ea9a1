// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// A table in aligned columns of text.
#pragma once

#include <string>
#include <vector>

#include "output/output.hpp"

namespace manyfit::app {

/// Cells are collected row by row, then written with every column as wide as its widest cell.
class text_table {
 public:
  struct heading {
    std::string name;
    bool to_the_right = false;  ///< numbers stand to the right, words to the left
  };
  explicit text_table(std::vector<heading> columns);
  void add(std::string cell);
  void write(output& to) const;

 private:
  std::vector<heading> columns_;
  std::vector<int> widths_;
  std::vector<std::string> cells_;  // [rows][columns]
};

}  // namespace manyfit::app
