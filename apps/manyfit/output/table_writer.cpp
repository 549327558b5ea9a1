// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>

#include "input/input_error.hpp"
#include "output/result_writer.hpp"
#include "output/text.hpp"

namespace manyfit::app {

namespace {

constexpr std::int64_t rows_on_a_terminal = 40;

/// Cells are collected row by row, then written with every column as wide as its widest cell: numbers stand to the
/// right, words to the left.
class aligned_table {
 public:
  explicit aligned_table(const std::vector<flat_column>& columns) : columns_(columns), widths_(columns.size()) {
    for (const flat_column& each : columns) add(each.name);
  }
  void add(std::string cell) {
    int& width = widths_[cells_.size() % widths_.size()];
    width = std::max(width, width_of(cell));
    cells_.push_back(std::move(cell));
  }
  void write(output& to) const {
    std::string& text = to.text();
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const std::size_t column = i % widths_.size();
      const bool last = column + 1 == widths_.size(), words = columns_[column].is_text();
      const std::string fill(static_cast<std::size_t>(widths_[column] - width_of(cells_[i])), ' ');
      if (column > 0) text += "  ";
      if (!words) text += fill;
      text += cells_[i];
      if (words && !last) text += fill;
      if (last) text += '\n';
      to.flush_when_full();
    }
  }

 private:
  const std::vector<flat_column>& columns_;
  std::vector<int> widths_;
  std::vector<std::string> cells_;  // [1 + rows][columns]
};

std::string cell_of(const flat_column& each) {
  const field& of = *each.of;
  const position& where = each.at;
  if (of.shown) return of.shown(where);
  if (!each.exists()) return "-";
  if (const auto* const number = std::get_if<0>(&of.value)) return readable_number((*number)(where), of.digits);
  if (const auto* const whole = std::get_if<1>(&of.value)) return fmt::format("{}", (*whole)(where));
  return excerpt(std::get<2>(of.value)(where));
}

/// Says how many indices of an axis stand side by side no more.
void write_notes(const std::vector<flat_column>& columns, output& to) {
  std::vector<const axis*> told;
  for (const flat_column& each : columns)
    for (std::size_t d = each.lines; d < each.of->along.size(); ++d) {
      const axis* const along = each.of->along[d].get();
      if (along->size <= along->shown || std::find(told.begin(), told.end(), along) != told.end()) continue;
      told.push_back(along);
      to.write(fmt::format("... and {} more {}; --format csv for all\n", along->size - along->shown, along->plural));
    }
}

class writer : public result_writer {
 public:
  writer(const schema& what, output& to) : what_(what), to_(to) {}

  void write(std::int64_t, std::int64_t last) override {
    const bool keys = std::any_of(what_.fields.begin(), what_.fields.end(), [](const field& each) { return each.key; });
    if (what_.rows == 1 && !keys && what_.one) return what_.one(what_, to_);
    const std::int64_t shown = to_.to_terminal() ? std::min(last, rows_on_a_terminal) : last;
    write_lines(what_, table_form::many, what_.table_lines, shown, to_);
    if (shown < last) to_.write(fmt::format("... and {} more {}; --format csv for all\n", last - shown, what_.name));
  }

  void finish() override {}

 private:
  const schema& what_;
  output& to_;
};

}  // namespace

void write_lines(const schema& what, table_form form, const axes& lines, std::int64_t rows, output& to) {
  std::vector<flat_column> columns = flat_columns(what, form, lines);
  aligned_table table(columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    position line{.row = row};
    do {
      for (flat_column& each : columns) {
        each.go_to(line);
        // What goes on for several lines stands on the first of them.
        const auto deeper = line.at.begin() + static_cast<std::ptrdiff_t>(each.lines);
        const bool again = std::any_of(deeper, line.at.end(), [](std::int64_t index) { return index > 0; });
        table.add(again ? "" : cell_of(each));
      }
    } while (next_line(line, lines));
  }
  table.write(to);
  write_notes(columns, to);
}

void write_lines(const schema& what, output& to) {
  write_lines(what, table_form::many, what.table_lines, what.rows, to);
}

std::unique_ptr<result_writer> table_writer(const schema& what, output& to) {
  return std::make_unique<writer>(what, to);
}

}  // namespace manyfit::app
