// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/csv_chunk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "input/input_error.hpp"
#include "input/parse_number.hpp"

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
    const char* piece = ++at_;
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
      scratch_.append(piece, at_ + 1);
      piece = at_ += 2;
    }
    field = {{piece, static_cast<std::size_t>(at_ - piece)}, true, doubled};
    if (doubled) field.text = scratch_.append(piece, at_);
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
inline bool store(const raw_field& cell, const field_plan& plan, csv_chunk::field& field) {
  if (plan.as_number != field_plan::numeric::no && field.numeric) {
    if (const auto number = parse_number(cell.text)) {
      field.numbers.push_back(*number);
    } else {
      if (plan.as_number == field_plan::numeric::required) return false;
      field.numeric = false;
      field.numbers = {};
    }
  }
  if (plan.as_key) {
    std::int32_t code = -1;
    if (!(cell.quoted ? cell.text.empty() : is_missing(cell.text))) {
      code = cell.in_scratch ? field.dictionary.code_of_copy(cell.text) : field.dictionary.code_of(cell.text);
    }
    field.codes.push_back(code);
  }
  return true;
}

csv_fault ragged(const char* record, std::size_t found, std::size_t expected) {
  return {record,
          fmt::format("{} field{} in this record, but the header has {}", found, found == 1 ? "" : "s", expected),
          "give every record a field for each column, and put fields that hold the separator in quotes"};
}

}  // namespace

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
  chunk.fields.resize(columns);
  scanner scan(text, layout.delimiter);
  csv_fault fault;
  raw_field cell;
  const char* reported = text.data();

  while (!scan.at_end()) {
    const char* const record = scan.position();
    std::size_t column = 0;
    do {
      const char* const begin = scan.position();
      if (!scan.next_field(cell, fault)) {
        chunk.fault = std::move(fault);
        return chunk;
      }
      if (column < columns && !store(cell, layout.plan[column], chunk.fields[column])) {
        chunk.fault = {begin, fmt::format("column '{}' holds '{}'", excerpt(layout.names[column]), excerpt(cell.text)),
                       "a number was expected, or nothing, NA or NaN for a missing value"};
        return chunk;
      }
      ++column;
    } while (scan.skip_delimiter());
    if (!scan.skip_line_end(fault)) {
      chunk.fault = std::move(fault);
      return chunk;
    }
    if (column != columns) {
      chunk.fault = ragged(record, column, columns);
      return chunk;
    }
    ++chunk.rows;
    if (scan.position() - reported >= report_bytes) {
      on_bytes(static_cast<std::size_t>(scan.position() - reported));
      reported = scan.position();
    }
  }
  on_bytes(static_cast<std::size_t>(scan.position() - reported));
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
