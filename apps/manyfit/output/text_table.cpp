// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/text_table.hpp"

#include <algorithm>
#include <utility>

#include "output/text.hpp"

namespace manyfit::app {

text_table::text_table(std::vector<heading> columns) : columns_(std::move(columns)) {
  for (const heading& each : columns_) widths_.push_back(width_of(each.name));
}

void text_table::add(std::string cell) {
  int& width = widths_[cells_.size() % columns_.size()];
  width = std::max(width, width_of(cell));
  cells_.push_back(std::move(cell));
}

void text_table::write(output& to) const {
  const auto row = [&](auto cell_of) {
    std::string& text = to.text();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string fill(static_cast<std::size_t>(widths_[i] - width_of(cell)), ' ');
      if (i > 0) text += "  ";
      if (columns_[i].to_the_right) text += fill;
      text += cell;
      if (!columns_[i].to_the_right && i + 1 < columns_.size()) text += fill;
    }
    text += '\n';
    to.flush_when_full();
  };
  row([&](std::size_t i) -> const std::string& { return columns_[i].name; });
  for (std::size_t first = 0; first < cells_.size(); first += columns_.size())
    row([&](std::size_t i) -> const std::string& { return cells_[first + i]; });
}

}  // namespace manyfit::app
