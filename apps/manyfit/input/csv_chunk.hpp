// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The inner part of the CSV reader: cutting text into chunks at record boundaries, and parsing one chunk.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input/field_plan.hpp"
#include "input/text_dictionary.hpp"

namespace manyfit::app {

/// What was wrong, and where. Turned into an input_error only once it is known to be the first in the file.
struct csv_fault {
  const char* at = nullptr;
  std::string given = {};     ///< follows "line N: "
  std::string expected = {};  ///< the second line
};

/// One record or one chunk of records, parsed.
struct csv_chunk {
  struct field {
    std::vector<double> numbers = {};
    std::vector<std::int32_t> codes = {};
    text_dictionary dictionary = {};
    bool numeric = true;  ///< false once a cell was not a number; `numbers` is then of no use
  };
  std::size_t rows = 0;
  std::vector<field> fields = {};
  std::optional<csv_fault> fault = {};
};

struct csv_layout {
  char delimiter = ',';
  std::vector<std::string> names = {};
  std::vector<field_plan> plan = {};
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

/// Cuts text into pieces of about `chunk_bytes` that begin at record boundaries. A line end is one exactly when the
/// quotes before it are even in number. That holds up to the first misplaced quote of a broken file, which is as far as
/// anyone parses.
std::vector<std::string_view> split_records(std::string_view text, std::size_t chunk_bytes);

}  // namespace manyfit::app
