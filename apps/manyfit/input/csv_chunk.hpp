// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The inner part of the CSV reader: cutting text into chunks at record boundaries, and parsing one chunk.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "input/cell_rules.hpp"
#include "input/field_plan.hpp"
#include "input/key_part.hpp"

namespace manyfit::app {

/// What was wrong, and where. Turned into an input_error only once it is known to be the first in the file.
struct csv_fault {
  const char* at = nullptr;
  std::string given = {};     ///< follows "line N: "
  std::string expected = {};  ///< the second line
  bool with_byte = false;     ///< the byte is worth naming beside the line
};

struct csv_layout {
  char delimiter = ',';
  std::vector<std::string> names = {};
  std::vector<field_plan> plan = {};
  cell_rules rules = {};
  std::size_t least_fields = 1;  ///< of a record: up to the last column that has a name of its own

  /// Numbers the wanted columns: place_of_column[column] is a place in csv_chunk::fields, -1 for the others.
  void set_plan(std::vector<field_plan> of_columns);
  std::vector<std::int32_t> place_of_column = {};
  std::vector<std::size_t> column_of_place = {};
};

/// One chunk of records, parsed.
struct csv_chunk {
  /// A cell with its place in the file; the text may be a copy that lives in csv_chunk::copies.
  struct cell {
    std::string_view text = {};
    const char* at = nullptr;
  };
  struct field {
    std::vector<double> numbers = {};  ///< [rows], as long as every cell is a number
    key_collector cells = {};          ///< of a key, until all have been read
    key_part keys = {};
    std::int64_t number_cells = 0, other_cells = 0;  ///< neither counts what is missing
    cell first_other = {};                           ///< the first cell that is no number
    bool numeric() const { return first_other.at == nullptr; }
  };
  std::size_t rows = 0;
  std::vector<field> fields = {};                               ///< [wanted columns]
  std::deque<std::pair<std::string, const char*>> copies = {};  ///< texts that had doubled quotes, and where they were
  std::optional<csv_fault> fault = {};
};

/// Parses the record at the beginning of `text` into plain texts, with `quoted` saying which were in quotes. Returns
/// the bytes it takes with its line end, or a fault.
struct csv_record {
  std::vector<std::string> fields = {};
  std::vector<bool> quoted = {};
  std::size_t bytes = 0;
  std::optional<csv_fault> fault = {};
};
csv_record parse_record(std::string_view text, char delimiter);

/// Parses whole records. `on_bytes` hears, about every megabyte, of bytes that were dealt with since its last call.
/// Stops at the first fault.
csv_chunk parse_chunk(std::string_view text, const csv_layout& layout,
                      const std::function<void(std::size_t)>& on_bytes);

/// The fault of a cell that should be a number.
csv_fault not_a_number(const csv_layout& layout, std::size_t column, const csv_chunk::cell& cell);

/// Cuts text into chunks of about `chunk_bytes` that begin at record boundaries. A line end is one exactly when the
/// quotes before it are even in number. That holds up to the first misplaced quote of a broken file, which is as far as
/// anyone parses.
std::vector<std::string_view> split_records(std::string_view text, std::size_t chunk_bytes);

}  // namespace manyfit::app
