// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "input/input_format.hpp"
#include "input/table.hpp"

namespace manyfit::app {

struct csv_options {
  /// Delimiter 0: of , ; tab | the one that stands most often in the header, the first of them where that leaves a
  /// choice; `prefer` where it stands there at all.
  input_format format = {.delimiter = ','};
  char prefer = 0;
  /// Threads that parse; 0 means as many as the machine has cores. The result is the same for any number.
  unsigned threads = 0;
  /// Bytes per chunk of work. Only tests have a reason to change it: the result is the same for any size.
  std::size_t chunk_bytes = std::size_t{1} << 20;
  progress_function progress = {};
};

/// Reads CSV by RFC 4180, strictly: a header; every record with as many fields as the header; quotes only around whole
/// fields; LF or CRLF; a byte order mark and blank lines at the end are passed over. Names lose the blanks about them;
/// a column without a name is called column_N, and one that counts the rows is no number column by default. A record
/// may end in separators with nothing behind them, and may lack fields of columns without a name. Empty, NA, NaN and
/// the texts of `format.missing` are missing. A quoted "NA" or "NaN" is missing as a number but is a text as a key (NA
/// is a country). A key must be UTF-8. Where all number columns are asked for, one with more numbers than other texts
/// is such a column, and other texts in it are refused. Lines in messages are counted as an editor does, with line
/// breaks inside quotes. `text` is not kept: the table owns all it holds. Throws input_error.
table read_csv(std::string_view text, const std::string& source, const read_request& request,
               const csv_options& options = {});

}  // namespace manyfit::app
