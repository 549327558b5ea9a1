// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#ifdef MF_WITH_ARROW

#include "input/arrow_reader.hpp"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/util/config.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <utility>

#include "input/arrow_columns.hpp"
#include "input/field_plan.hpp"

#if ARROW_VERSION_MAJOR < 19  // the oldest that these sources were compiled against
#error "manyfit needs Apache Arrow 19 or newer"
#endif

namespace manyfit::app {

namespace {

void check(const arrow::Status& status, const std::string& source) {
  if (status.ok()) return;
  if (status.IsOutOfMemory()) throw std::bad_alloc();  // which is not the file's fault
  throw input_error(fmt::format("{}: {}\na sound Parquet or Feather (version 2) file was expected", source,
                                excerpt(status.message(), 200)));
}

template <class Value>
Value check(arrow::Result<Value> result, const std::string& source) {
  check(result.status(), source);
  return std::move(result).ValueUnsafe();
}

/// Which of the schema's columns to take, and the columns as they grow.
class collector {
 public:
  collector(const std::string& source, const arrow::Schema& schema, const read_request& request) {
    result_.source = source;
    result_.source_names = schema.field_names();
    plan_ = plan_fields(source, result_.source_names, request);
    for (int i = 0; i < schema.num_fields(); ++i) {
      field_plan& plan = plan_[static_cast<std::size_t>(i)];
      const arrow::DataType& type = *schema.field(i)->type();
      if (plan.as_number == field_plan::numeric::required && !is_numeric_type(type)) {
        throw input_error(fmt::format("{}: column '{}' is of type {}\nnumbers were expected", source,
                                      excerpt(schema.field(i)->name()), excerpt(type.ToString())));
      }
      if (plan.as_key && !is_key_type(type)) {
        throw input_error(fmt::format("{}: column '{}' is of type {}\na key was expected: text, numbers or dates",
                                      source, excerpt(schema.field(i)->name()), excerpt(type.ToString())));
      }
      if (!is_numeric_type(type)) {
        plan.as_key = plan.as_key || (request.everything() && is_key_type(type));
        plan.as_number = field_plan::numeric::no;
      }
      if (plan.wanted()) wanted_.push_back(i);
    }
    numbers_.resize(plan_.size());
    keys_.resize(plan_.size());
  }

  /// Positions in the schema, in its order.
  const std::vector<int>& wanted() const { return wanted_; }
  const field_plan& plan(int field) const { return plan_[static_cast<std::size_t>(field)]; }

  /// A batch that holds the wanted columns, in order.
  void add(const arrow::RecordBatch& batch) {
    // Feather is a memory image, and Arrow takes the codes of a Parquet dictionary on trust: both are to be checked
    // before anything follows them.
    check(batch.ValidateFull(), result_.source);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto field = static_cast<std::size_t>(wanted_[i]);
      const arrow::Array& array = *batch.column(static_cast<int>(i));
      if (plan_[field].as_number != field_plan::numeric::no) append_numbers(array, numbers_[field]);
      if (plan_[field].as_key) append_codes(array, keys_[field].dictionary, keys_[field].codes);
    }
    add_rows(batch.num_rows());
  }
  void add_rows(std::int64_t rows) { result_.rows += static_cast<std::size_t>(rows); }

  table finish() {
    for (const int i : wanted_) {
      const auto field = static_cast<std::size_t>(i);
      const std::string& name = result_.source_names[field];
      if (plan_[field].as_number != field_plan::numeric::no) {
        result_.columns.push_back({.name = name, .kind = column_kind::numeric, .numbers = std::move(numbers_[field])});
      }
      if (plan_[field].as_key) {
        const auto& texts = keys_[field].dictionary.texts();
        result_.columns.push_back({.name = name,
                                   .kind = column_kind::text,
                                   .codes = std::move(keys_[field].codes),
                                   .dictionary = {texts.begin(), texts.end()}});
      }
    }
    return std::move(result_);
  }

 private:
  struct key {
    text_dictionary dictionary;
    std::vector<std::int32_t> codes;
  };
  table result_;
  std::vector<field_plan> plan_;
  std::vector<int> wanted_;
  std::vector<std::vector<double>> numbers_;
  std::vector<key> keys_;
};

std::shared_ptr<arrow::io::BufferReader> reader_of(std::string_view bytes) {
  return std::make_shared<arrow::io::BufferReader>(arrow::Buffer::Wrap(bytes.data(), bytes.size()));
}

/// What Parquet throws, in our words.
template <class Work>
auto translating(const std::string& source, Work work) {
  try {
    return work();
  } catch (const parquet::ParquetStatusException& error) {
    check(error.status(), source);
    throw;
  } catch (const parquet::ParquetException& error) {
    throw input_error(fmt::format("{}: {}\na sound Parquet file was expected", source, excerpt(error.what(), 200)));
  }
}

/// All row groups, or the one that is named.
table read_parquet(const std::shared_ptr<arrow::io::BufferReader>& file, const std::string& source,
                   const read_request& request, const arrow_options& options, std::optional<int> only = {}) {
  parquet::ArrowReaderProperties properties(options.threads != 1);
  properties.set_batch_size(1 << 20);  // every batch brings a whole dictionary of keys with it
  properties.set_pre_buffer(false);    // the bytes are in memory already
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(file), source);
  const auto reader = check(builder.properties(properties)->Build(), source);

  std::shared_ptr<arrow::Schema> schema;
  check(reader->GetSchema(&schema), source);
  collector columns(source, *schema, request);
  if (columns.wanted().empty()) {
    const auto metadata = reader->parquet_reader()->metadata();
    columns.add_rows(only ? metadata->RowGroup(*only)->num_rows() : metadata->num_rows());
    return columns.finish();
  }

  // Parquet counts leaves, but what is wanted is never nested.
  std::vector<int> leaves;
  for (const int field : columns.wanted()) {
    leaves.push_back(reader->manifest().schema_fields[static_cast<std::size_t>(field)].column_index);
    const auto type = schema->field(field)->type()->id();
    // Keys repeat: let Parquet hand over its own dictionary instead of a string for every row.
    if (columns.plan(field).as_key && (type == arrow::Type::STRING || type == arrow::Type::BINARY)) {
      properties.set_read_dictionary(leaves.back(), true);
    }
  }
  parquet::arrow::FileReaderBuilder again;
  check(again.Open(file), source);
  const auto key_reader = check(again.properties(properties)->Build(), source);

  const int groups = key_reader->num_row_groups();
  for (int group = only.value_or(0); group < (only ? *only + 1 : groups); ++group) {
    const auto batches = check(key_reader->GetRecordBatchReader({group}, leaves), source);
    while (const auto batch = check(batches->Next(), source)) columns.add(*batch);
    if (options.progress) {
      const auto size = static_cast<std::uint64_t>(check(file->GetSize(), source));
      options.progress(size * static_cast<std::uint64_t>(group + 1) / static_cast<std::uint64_t>(groups), size);
    }
  }
  return columns.finish();
}

table read_feather(const std::shared_ptr<arrow::io::BufferReader>& file, const std::string& source,
                   const read_request& request, const arrow_options& options) {
  auto ipc_options = arrow::ipc::IpcReadOptions::Defaults();
  ipc_options.use_threads = options.threads != 1;
  auto reader = check(arrow::ipc::RecordBatchFileReader::Open(file, ipc_options), source);
  collector columns(source, *reader->schema(), request);
  // An empty list would mean all.
  if (!columns.wanted().empty()) {
    ipc_options.included_fields = columns.wanted();
    reader = check(arrow::ipc::RecordBatchFileReader::Open(file, ipc_options), source);
  }
  const int batches = reader->num_record_batches();
  for (int i = 0; i < batches; ++i) {
    const auto batch = check(reader->ReadRecordBatch(i), source);
    columns.wanted().empty() ? columns.add_rows(batch->num_rows()) : columns.add(*batch);
    if (options.progress) {
      const auto size = static_cast<std::uint64_t>(check(file->GetSize(), source));
      options.progress(size * static_cast<std::uint64_t>(i + 1) / static_cast<std::uint64_t>(batches), size);
    }
  }
  return columns.finish();
}

}  // namespace

bool has_arrow() {
  return true;
}

table read_arrow(std::string_view bytes, const std::string& source, const read_request& request,
                 const arrow_options& options) {
  if (bytes.starts_with("FEA1")) {
    throw input_error(
        fmt::format("{}, byte 0: Feather version 1\nversion 2 was expected; write it again with "
                    "pandas.DataFrame.to_feather or arrow::write_feather",
                    source));
  }
  const auto file = reader_of(bytes);
  if (bytes.starts_with(parquet_magic))
    return translating(source, [&] { return read_parquet(file, source, request, options); });
  if (bytes.starts_with(feather_magic)) return read_feather(file, source, request, options);
  throw input_error(
      fmt::format("{}, byte 0: neither Parquet nor Feather\n'PAR1' or 'ARROW1' was expected to begin it", source));
}

std::vector<std::int64_t> parquet_groups(std::string_view bytes, const std::string& source) {
  return translating(source, [&] {
    const auto metadata = parquet::ParquetFileReader::Open(reader_of(bytes))->metadata();
    std::vector<std::int64_t> rows;
    for (int group = 0; group < metadata->num_row_groups(); ++group)
      rows.push_back(metadata->RowGroup(group)->num_rows());
    return rows;
  });
}

table read_parquet_group(std::string_view bytes, const std::string& source, const read_request& request, int group) {
  return translating(source, [&] { return read_parquet(reader_of(bytes), source, request, {.threads = 1}, group); });
}

}  // namespace manyfit::app

#endif
