// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Results in every form in which they can be written. A writer knows a schema, and nothing of what it describes.
#pragma once

#include <memory>

#include "output/output.hpp"
#include "output/schema.hpp"

namespace manyfit::app {

/// Writes the rows of a result in order, as many at a time as there are.
class result_writer {
 public:
  virtual ~result_writer() = default;
  /// Rows from `first` to before `last`. Columns as JSON take all rows at once.
  virtual void write(std::int64_t first, std::int64_t last) = 0;
  virtual void finish() = 0;
};

/// The writer of this form, which begins it at once: a head, the names of columns. Schema and output must outlive it.
std::unique_ptr<result_writer> writer_of(const schema& what, output_format format, output& to);
std::unique_ptr<result_writer> json_writer(const schema& what, output& to);
/// For people: what.one of a single row, else aligned columns. On a terminal only the first of very many rows.
std::unique_ptr<result_writer> table_writer(const schema& what, output& to);

/// The whole result. Call to.finish() when nothing else can go wrong.
void write_result(const schema& what, output_format format, output& to);

/// A table of all rows, with the fields that have a heading in tables of many.
void write_lines(const schema& what, output& to);
/// A table of the first `rows` rows, with the fields that stand in `form` and a line for each index along `lines`.
void write_lines(const schema& what, table_form form, const axes& lines, std::int64_t rows, output& to);

}  // namespace manyfit::app
