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
#include <stdexcept>

#include "input/arrow_reader.hpp"

namespace manyfit::app {

struct parquet_columns::builders {
  arrow::FieldVector fields = {};
  std::vector<std::unique_ptr<arrow::DoubleBuilder>> numbers = {};     ///< [columns]; null for a text
  std::vector<std::unique_ptr<arrow::LargeStringBuilder>> texts = {};  ///< [columns]; null for numbers
};

namespace {

void check(const arrow::Status& status) {
  if (status.IsOutOfMemory()) throw std::bad_alloc();
  if (!status.ok()) throw std::runtime_error(status.message());
}

arrow::Status write_table(const arrow::Table& table, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::FileOutputStream::Open(path));
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::SNAPPY)->enable_page_checksum()->build();
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), file,
                                                 parquet::DEFAULT_MAX_ROW_GROUP_LENGTH, properties));
  return file->Close();
}

}  // namespace

parquet_columns::parquet_columns() : builders_(std::make_unique<builders>()) {}
parquet_columns::parquet_columns(parquet_columns&&) noexcept = default;
parquet_columns::~parquet_columns() = default;

void parquet_columns::add(const std::string& name, column_kind kind) {
  const bool numeric = kind == column_kind::numeric;
  // Large strings, since the texts of one column may be more than 2 GiB.
  builders_->fields.push_back(arrow::field(name, numeric ? arrow::float64() : arrow::large_utf8()));
  builders_->numbers.push_back(numeric ? std::make_unique<arrow::DoubleBuilder>() : nullptr);
  builders_->texts.push_back(numeric ? nullptr : std::make_unique<arrow::LargeStringBuilder>());
}

void parquet_columns::append(std::size_t column, double value) {
  arrow::DoubleBuilder& to = *builders_->numbers[column];
  check(std::isnan(value) ? to.AppendNull() : to.Append(value));
}

void parquet_columns::append(std::size_t column, std::string_view value) {
  arrow::LargeStringBuilder& to = *builders_->texts[column];
  check(value.data() ? to.Append(value) : to.AppendNull());
}

void parquet_columns::write(const std::string& path) {
  std::string failure;
  try {
    arrow::ArrayVector arrays(builders_->fields.size());
    for (std::size_t i = 0; i < arrays.size(); ++i)
      check(builders_->numbers[i] ? builders_->numbers[i]->Finish(&arrays[i])
                                  : builders_->texts[i]->Finish(&arrays[i]));
    const auto table = arrow::Table::Make(arrow::schema(builders_->fields), std::move(arrays));
    const arrow::Status status = write_table(*table, path);
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
