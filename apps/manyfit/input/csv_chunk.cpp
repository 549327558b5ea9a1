// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/csv_chunk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "input/input_error.hpp"

namespace manyfit::app {

namespace {

/// A field as it stands in the text.
struct raw_field {
  std::string_view text;  // without the enclosing quotes; points into the file, or into the scanner's scratch
  bool quoted = false;
  bool in_scratch = false;
};

/// Walks over fields and line ends. After next_field() the position is at a delimiter, a line end or the end.
class scanner {
 public:
  scanner(std::string_view text, char delimiter)
      : at_(text.data()), end_(text.data() + text.size()), delimiter_(delimiter) {
    for (const char c : {delimiter, '\n', '\r', '"'}) stops_[static_cast<unsigned char>(c)] = true;
  }

  bool at_end() const { return at_ == end_; }
  const char* position() const { return at_; }

  bool next_field(raw_field& field, csv_fault& fault) {
    if (at_ != end_ && *at_ == '"') return next_quoted(field, fault);
    const char* const first = at_;
    while (at_ != end_ && !stops_[static_cast<unsigned char>(*at_)]) ++at_;
    if (at_ != end_ && *at_ == '"') {
      fault = {at_, "a quote inside a field that does not begin with one",
               "put the whole field in quotes and double the quotes inside it"};
      return false;
    }
    field = {{first, static_cast<std::size_t>(at_ - first)}, false, false};
    return true;
  }

  bool skip_delimiter() {
    if (at_ == end_ || *at_ != delimiter_) return false;
    ++at_;
    return true;
  }

  /// To be called at a line end or the end.
  bool skip_line_end(csv_fault& fault) {
    if (at_ != end_ && *at_ == '\r') {
      if (at_ + 1 == end_ || at_[1] != '\n') {
        fault = {at_, "a carriage return that no line feed follows", "end lines with LF or CRLF"};
        return false;
      }
      ++at_;
    }
    if (at_ != end_) ++at_;
    return true;
  }

 private:
  bool next_quoted(raw_field& field, csv_fault& fault) {
    const char* const open = at_;
    const char* unread = ++at_;
    bool doubled = false;
    for (;;) {
      at_ =
          static_cast<const char*>(at_ == end_ ? nullptr : std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
      if (at_ == nullptr) {
        at_ = end_;
        fault = {open, "a quoted field begins that never ends", "close the quotes"};
        return false;
      }
      if (at_ + 1 == end_ || at_[1] != '"') break;
      if (!doubled) scratch_.clear();
      doubled = true;
      scratch_.append(unread, at_ + 1);
      unread = at_ += 2;
    }
    field = {{unread, static_cast<std::size_t>(at_ - unread)}, true, doubled};
    if (doubled) field.text = scratch_.append(unread, at_);
    ++at_;
    if (at_ != end_ && *at_ != delimiter_ && *at_ != '\n' && *at_ != '\r') {
      fault = {at_, "text after the closing quote of a field",
               "end the field there, or double the quotes that belong to it"};
      return false;
    }
    return true;
  }

  const char* at_;
  const char* end_;
  char delimiter_;
  std::array<bool, 256> stops_{};
  std::string scratch_;
};

/// False when a number was required and is not there.
inline bool store(const csv_chunk::cell& cell, bool quoted, const field_plan& plan, const cell_rules& rules,
                  csv_chunk::field& field) {
  if (plan.as_number != field_plan::numeric::no) {
    if (const auto number = rules.number(cell.text)) {
      if (field.numeric()) field.numbers.push_back(*number);
      field.number_cells += !std::isnan(*number);
    } else {
      if (plan.as_number == field_plan::numeric::required) return false;
      if (field.numeric()) {
        field.first_other = cell;
        field.numbers = {};
      }
      // What people read as a number tells of a column of numbers as well.
      ++(trouble_with(cell.text, rules.decimal()) ? field.number_cells : field.other_cells);
    }
  }
  if (plan.as_key) field.cells.add(rules.is_missing_key(cell.text, quoted) ? std::string_view() : cell.text);
  return true;
}

/// The first key of the chunk that is not UTF-8, if it comes before the fault there is.
void check_keys(const csv_layout& layout, std::size_t column, const key_part& keys, csv_chunk& chunk) {
  for (const std::string_view text : keys.texts) {
    const std::size_t bad = find_invalid_utf8(text);
    if (bad == text.npos) continue;
    const char* at = text.data() + bad;
    for (const auto& [copy, origin] : chunk.copies)
      if (copy.data() == text.data()) at = origin;
    if (!chunk.fault || at < chunk.fault->at)
      chunk.fault = {at,
                     fmt::format("column '{}' holds a key that is not UTF-8 (byte 0x{:02X})",
                                 excerpt(layout.names[column]), static_cast<unsigned char>(text[bad])),
                     "save the file as UTF-8, for example with iconv -f latin1 -t utf-8", true};
    return;  // texts are in order of first appearance
  }
}

csv_fault ragged(const char* record, std::size_t found, const csv_layout& layout) {
  const std::size_t expected = layout.names.size();
  return {record,
          fmt::format("{} field{} in this record, but the header has {}", found, found == 1 ? "" : "s", expected),
          expected == 1 && layout.delimiter == ','
              ? "one field was expected; put fields that hold the separator in quotes, and for decimal commas add "
                "--decimal ,"
              : "give every record a field for each column, and put fields that hold the separator in quotes"};
}

}  // namespace

void csv_layout::set_plan(std::vector<field_plan> of_columns) {
  plan = std::move(of_columns);
  place_of_column.assign(plan.size(), -1);
  column_of_place.clear();
  for (std::size_t column = 0; column < plan.size(); ++column) {
    if (!plan[column].wanted()) continue;
    place_of_column[column] = static_cast<std::int32_t>(column_of_place.size());
    column_of_place.push_back(column);
  }
}

csv_fault not_a_number(const csv_layout& layout, std::size_t column, const csv_chunk::cell& cell) {
  std::string given = fmt::format("column '{}' holds '{}'", excerpt(layout.names[column]), excerpt(cell.text));
  if (auto trouble = trouble_with(cell.text, layout.rules.decimal()))
    return {cell.at, given + ", " + trouble->cause, trouble->advice};
  return {cell.at, given,
          layout.plan[column].as_number == field_plan::numeric::required
              ? "a number was expected, or nothing, NA or NaN for a missing value (--missing TEXT adds others)"
              : "most of its cells are numbers, so a number was expected, or nothing, NA or NaN (--missing TEXT adds "
                "others); or name the columns to use"};
}

csv_record parse_record(std::string_view text, char delimiter) {
  csv_record record;
  scanner scan(text, delimiter);
  csv_fault fault;
  raw_field field;
  do {
    if (!scan.next_field(field, fault)) {
      record.fault = std::move(fault);
      return record;
    }
    record.fields.emplace_back(field.text);
    record.quoted.push_back(field.quoted);
  } while (scan.skip_delimiter());
  if (!scan.skip_line_end(fault)) record.fault = std::move(fault);
  record.bytes = static_cast<std::size_t>(scan.position() - text.data());
  return record;
}

csv_chunk parse_chunk(std::string_view text, const csv_layout& layout,
                      const std::function<void(std::size_t)>& on_bytes) {
  constexpr std::ptrdiff_t report_bytes = 1 << 20;
  const std::size_t columns = layout.plan.size();
  csv_chunk chunk;
  chunk.fields.resize(layout.column_of_place.size());
  scanner scan(text, layout.delimiter);
  csv_fault fault;
  raw_field raw;
  const char* reported = text.data();

  const auto take = [&](std::size_t column, const char* begin) {
    const std::int32_t place = layout.place_of_column[column];
    if (place < 0) return true;
    csv_chunk::cell cell{raw.text, begin};
    if (raw.in_scratch && layout.plan[column].as_key) cell.text = chunk.copies.emplace_back(raw.text, begin).first;
    csv_chunk::field& field = chunk.fields[static_cast<std::size_t>(place)];
    if (raw.in_scratch && field.numeric() && layout.plan[column].as_number == field_plan::numeric::if_possible)
      cell.text = chunk.copies.emplace_back(raw.text, begin).first;  // it may become the first that is no number
    if (store(cell, raw.quoted, layout.plan[column], layout.rules, field)) return true;
    chunk.fault = not_a_number(layout, column, cell);
    return false;
  };
  const auto parse_one = [&] {  // a record; false at a fault
    const char* const record = scan.position();
    std::size_t column = 0, beyond = 0;  // fields beyond the header's that hold something
    do {
      const char* const begin = scan.position();
      if (!scan.next_field(raw, fault)) {
        chunk.fault = std::move(fault);
        return false;
      }
      if (column >= columns)
        beyond += raw.quoted || !raw.text.empty();
      else if (!take(column, begin))
        return false;
      ++column;
    } while (scan.skip_delimiter());
    // Separators at the ends of lines are no columns, neither in the records nor in the header.
    if (column < layout.least_fields || beyond > 0) {
      chunk.fault = ragged(record, column, layout);
      return false;
    }
    raw = {};
    for (; column < columns; ++column) take(column, scan.position());
    if (scan.skip_line_end(fault)) return true;
    chunk.fault = std::move(fault);
    return false;
  };

  constexpr std::size_t sample_rows = 512;  // after which it is known about how many there will be
  const auto reserve = [&] {
    const auto done = static_cast<std::size_t>(scan.position() - text.data());
    const std::size_t rows = sample_rows + sample_rows * (text.size() - done) / done * 17 / 16;
    for (std::size_t place = 0; place < chunk.fields.size(); ++place) {
      const field_plan& plan = layout.plan[layout.column_of_place[place]];
      csv_chunk::field& field = chunk.fields[place];
      if (plan.as_number != field_plan::numeric::no && field.numeric()) field.numbers.reserve(rows);
      if (plan.as_key) field.cells.reserve(rows);
    }
  };
  while (!scan.at_end() && parse_one()) {
    if (++chunk.rows == sample_rows) reserve();
    if (scan.position() - reported >= report_bytes) {
      on_bytes(static_cast<std::size_t>(scan.position() - reported));
      reported = scan.position();
    }
  }
  for (std::size_t place = 0; place < chunk.fields.size(); ++place) {
    csv_chunk::field& field = chunk.fields[place];
    const std::size_t column = layout.column_of_place[place];
    if (!layout.plan[column].as_key) continue;
    field.keys = field.cells.finish();
    check_keys(layout, column, field.keys, chunk);
  }
  if (!chunk.fault) on_bytes(static_cast<std::size_t>(scan.position() - reported));
  return chunk;
}

std::vector<std::string_view> split_records(std::string_view text, std::size_t chunk_bytes) {
  std::vector<std::string_view> chunks;
  const char* const end = text.data() + text.size();
  const char* begin = text.data();
  const bool has_quotes = !text.empty() && std::memchr(text.data(), '"', text.size()) != nullptr;
  chunk_bytes = std::max<std::size_t>(chunk_bytes, 1);

  while (begin != end) {
    const char* cut = end;
    if (static_cast<std::size_t>(end - begin) > chunk_bytes) {
      cut = begin + chunk_bytes;
      // Every chunk begins outside quotes, so it is enough to count from there.
      bool inside = has_quotes && std::count(begin, cut, '"') % 2 != 0;
      for (; cut != end; ++cut) {
        if (has_quotes && *cut == '"') inside = !inside;
        if (*cut == '\n' && !inside) break;
      }
      if (cut != end) ++cut;
    }
    chunks.emplace_back(begin, static_cast<std::size_t>(cut - begin));
    begin = cut;
  }
  return chunks;
}

}  // namespace manyfit::app
