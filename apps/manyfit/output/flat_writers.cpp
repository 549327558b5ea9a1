// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// CSV, .npy and Parquet: the same columns, value by value.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <limits>

#include "input/arrow_reader.hpp"
#include "output/result_writer.hpp"
#include "output/text.hpp"

namespace manyfit::app {

namespace {

/// What the three have in common. Form::put(i) writes the value of column i where that is, Form::end_line() what
/// follows the last.
template <class Form>
class flat_writer : public result_writer {
 public:
  flat_writer(const schema& what, output& to)
      : what_(what), to_(to), columns_(flat_columns(what, table_form::columns, what.column_lines)) {}

  void write(std::int64_t first, std::int64_t last) override {
    for (std::int64_t row = first; row < last; ++row) {
      position line{.row = row};
      do {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
          columns_[i].go_to(line);
          static_cast<Form*>(this)->put(i);
        }
        static_cast<Form*>(this)->end_line();
      } while (next_line(line, what_.column_lines));
    }
  }

  void finish() override {}

 protected:
  void end_line() { to_.flush_when_full(); }

  /// NaN where the row has no such value; whole numbers as doubles.
  double number_at(std::size_t column) const {
    const flat_column& each = columns_[column];
    const auto* const number = std::get_if<0>(&each.of->value);
    if (!number) return static_cast<double>(std::get<1>(each.of->value)(each.at));
    const double value = each.exists() ? (*number)(each.at) : std::nan("");
    return each.of->single ? static_cast<float>(value) : value;
  }

  const schema& what_;
  output& to_;
  std::vector<flat_column> columns_;
};

/// A line for each row; NaN is an empty field, and "" in quotes where there is no other, since many readers pass over
/// an empty line.
class csv : public flat_writer<csv> {
  friend flat_writer;

 public:
  csv(const schema& what, output& to) : flat_writer(what, to) {
    for (const flat_column& each : columns_) {
      append_csv_text(to.text(), each.name);
      to.text() += &each == &columns_.back() ? '\n' : ',';
    }
  }

 private:
  void put(std::size_t column) {
    const flat_column& each = columns_[column];
    std::string& text = to_.text();
    const std::size_t begin = text.size();
    switch (each.of->value.index()) {
      case 0: {
        const double value = number_at(column);
        each.of->single && !std::isnan(value) ? append_number(text, static_cast<float>(value))
                                              : append_csv_number(text, value);
        break;
      }
      case 1:
        append_number(text, std::get<1>(each.of->value)(each.at));
        break;
      default:
        append_csv_text(text, std::get<2>(each.of->value)(each.at));
    }
    if (columns_.size() == 1 && text.size() == begin) text += "\"\"";
    text += column + 1 == columns_.size() ? '\n' : ',';
  }
};

/// The header of a .npy file of float32 or float64 in C order.
std::string npy_header(const std::vector<std::int64_t>& shape, bool single) {
  static_assert(std::endian::native == std::endian::little);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}",
                                   single ? "<f4" : "<f8", fmt::join(shape, ", "));
  constexpr std::size_t before = 10, alignment = 64;  // magic, version and length come before; all are padded together
  header.append(alignment - (before + header.size() + 1) % alignment, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  return start + header;
}

/// The numbers of the CSV as an array of what.array_shape.
class npy : public flat_writer<npy> {
  friend flat_writer;

 public:
  npy(const schema& what, output& to) : flat_writer(what, to) {
    to.write(npy_header(what.array_shape, what.array_single));
    std::erase_if(columns_, [](const flat_column& each) { return each.of->value.index() != 0; });
  }

  void write(std::int64_t first, std::int64_t last) override {
    const auto& piece = columns_.front().of->piece;
    if (columns_.size() != 1 || !piece || what_.array_single) return flat_writer::write(first, last);
    for (std::int64_t row = first; row < last; ++row) {
      const std::span<const double> values = piece(row);
      to_.write({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
    }
  }

 private:
  void put(std::size_t column) {
    const double value = number_at(column);
    what_.array_single ? append(static_cast<float>(value)) : append(value);
  }
  template <class Number>
  void append(Number value) {
    to_.text().append(reinterpret_cast<const char*>(&value), sizeof value);
  }
};

/// The columns of the CSV: numbers as doubles, with null for NaN.
class parquet : public flat_writer<parquet> {
  friend flat_writer;

 public:
  parquet(const schema& what, output& to) : flat_writer(what, to) {
    for (const flat_column& each : columns_)
      file_.add(each.name, each.is_text() ? column_kind::text : column_kind::numeric);
  }
  void finish() override { file_.write(to_.file_to_write()); }

 private:
  void put(std::size_t column) {
    if (columns_[column].is_text())
      file_.append(column, std::get<2>(columns_[column].of->value)(columns_[column].at));
    else
      file_.append(column, number_at(column));
  }
  void end_line() {}

  parquet_columns file_;
};

}  // namespace

std::unique_ptr<result_writer> writer_of(const schema& what, output_format format, output& to) {
  switch (format) {
    case output_format::json:
      return json_writer(what, to);
    case output_format::csv:
      return std::make_unique<csv>(what, to);
    case output_format::parquet:
      return std::make_unique<parquet>(what, to);
    case output_format::npy:
      return std::make_unique<npy>(what, to);
    default:
      if (what.for_programs) return std::make_unique<csv>(what, to);
      return table_writer(what, to);
  }
}

void write_result(const schema& what, output_format format, output& to) {
  const std::unique_ptr<result_writer> writer = writer_of(what, format, to);
  writer->write(0, what.rows);
  writer->finish();
}

}  // namespace manyfit::app
