// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#ifdef MF_WITH_ARROW

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include <cmath>
#include <memory>
#include <new>

#include "input/arrow_reader.hpp"

namespace manyfit::app {

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> array_of(const column& each) {
  if (each.kind == column_kind::numeric) {
    arrow::DoubleBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<std::int64_t>(each.numbers.size())));
    for (const double number : each.numbers) {
      std::isnan(number) ? builder.UnsafeAppendNull() : builder.UnsafeAppend(number);
    }
    return builder.Finish();
  }
  // Large strings, since the texts of one column may be more than 2 GiB.
  arrow::LargeStringBuilder builder;
  for (const auto code : each.codes) {
    ARROW_RETURN_NOT_OK(code < 0 ? builder.AppendNull()
                                 : builder.Append(each.dictionary[static_cast<std::size_t>(code)]));
  }
  return builder.Finish();
}

arrow::Status write(const table& data, const std::string& path) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const column& each : data.columns) {
    ARROW_ASSIGN_OR_RAISE(const auto array, array_of(each));
    fields.push_back(
        arrow::field(each.name, each.kind == column_kind::numeric ? arrow::float64() : arrow::large_utf8()));
    arrays.push_back(array);
  }
  const auto written =
      arrow::Table::Make(arrow::schema(std::move(fields)), std::move(arrays), static_cast<std::int64_t>(data.rows));
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::FileOutputStream::Open(path));
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::SNAPPY)->enable_page_checksum()->build();
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*written, arrow::default_memory_pool(), file,
                                                 parquet::DEFAULT_MAX_ROW_GROUP_LENGTH, properties));
  return file->Close();
}

}  // namespace

void write_parquet(const table& data, const std::string& path) {
  std::string failure;
  try {
    const arrow::Status status = write(data, path);
    if (status.ok()) return;
    if (status.IsOutOfMemory()) throw std::bad_alloc();
    failure = status.message();
  } catch (const parquet::ParquetStatusException& error) {
    if (error.status().IsOutOfMemory()) throw std::bad_alloc();
    failure = error.what();
  } catch (const parquet::ParquetException& error) {
    failure = error.what();
  }
  throw input_error(fmt::format("cannot write {}: {}\na path that can be written was expected", excerpt(path, 300),
                                excerpt(failure, 200)));
}

}  // namespace manyfit::app

#endif
