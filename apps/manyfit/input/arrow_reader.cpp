// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#ifdef MF_WITH_ARROW

#include "input/arrow_reader.hpp"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/util/config.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "host/src/large_array.hpp"
#include "input/arrow_columns.hpp"
#include "input/arrow_pool.hpp"
#include "input/column_names.hpp"
#include "input/field_plan.hpp"
#include "input/parquet_layout.hpp"
#include "kernels/cpu/parallel.hpp"

#if ARROW_VERSION_MAJOR < 19  // the oldest that these sources were compiled against
#error "manyfit needs Apache Arrow 19 or newer"
#endif

namespace manyfit::app {

namespace {

/// Arrow found no memory, for so many bytes.
struct no_memory {
  std::int64_t bytes;
};

void check(const arrow::Status& status, const std::string& source) {
  if (status.ok()) return;
  if (status.IsOutOfMemory()) {  // "malloc of size 71776119061217344 failed"
    const std::string message = status.message();
    const std::size_t digits = message.find_first_of("0123456789");
    throw no_memory{digits == message.npos ? 0 : std::strtoll(message.c_str() + digits, nullptr, 10)};
  }
  throw input_error(fmt::format("{}: {}\na sound Parquet or Feather (version 2) file was expected", source,
                                excerpt(status.message(), 200)));
}

template <class Value>
Value check(arrow::Result<Value> result, const std::string& source) {
  check(result.status(), source);
  return std::move(result).ValueUnsafe();
}

/// The columns that pandas says are its index, by the names they have in the file.
std::set<std::string> pandas_index(const arrow::Schema& schema) {
  const auto metadata = schema.metadata();
  const int at = metadata ? metadata->FindKey("pandas") : -1;
  std::set<std::string> names;
  if (at < 0) return names;
  const auto pandas = nlohmann::json::parse(metadata->value(at), nullptr, false);
  if (!pandas.is_object() || !pandas.contains("index_columns") || !pandas["index_columns"].is_array()) return names;
  for (const auto& each : pandas["index_columns"])
    if (each.is_string()) names.insert(each.get<std::string>());
  return names;
}

/// The keys of some of the rows: [wanted columns].
using key_parts = std::vector<key_part>;

/// Which of a schema's columns to take, and the table they become.
class collector {
 public:
  collector(const std::string& source, const arrow::Schema& schema, const read_request& request,
            const arrow_options& options)
      : source_(source), request_(request), rules_(options.format), threads_(options.threads) {
    const std::set<std::string> index = pandas_index(schema);
    columns_ = name_columns(schema.field_names());
    plan_ = plan_fields(source, columns_.names, request);
    for (int i = 0; i < schema.num_fields(); ++i) {
      const auto field = static_cast<std::size_t>(i);
      field_plan& plan = plan_[field];
      const arrow::DataType& type = *schema.field(i)->type();
      if (plan.as_number == field_plan::numeric::required && !is_numeric_type(type)) {
        throw input_error(fmt::format("{}: column '{}' is of type {}\nnumbers were expected", source,
                                      excerpt(columns_.names[field]), excerpt(type.ToString())));
      }
      if (plan.as_key && !is_key_type(type)) {
        throw input_error(fmt::format("{}: column '{}' is of type {}\na key was expected: text, numbers or dates",
                                      source, excerpt(columns_.names[field]), excerpt(type.ToString())));
      }
      if (!is_numeric_type(type)) {
        plan.as_key = plan.as_key || (request.everything() && is_key_type(type));
        plan.as_number = field_plan::numeric::no;
      }
      // The schema alone decides, so that every part of a file has the same columns.
      const bool counts = index.contains(schema.field(i)->name()) ||
                          (columns_.unnamed[field] && (arrow::is_integer(type.id()) || type.id() == arrow::Type::NA));
      if (counts && request.all_numeric && plan.as_number == field_plan::numeric::if_possible)
        plan.as_number = field_plan::numeric::no;
      if (plan.wanted()) wanted_.push_back(i);
    }
  }

  /// Positions in the schema, in its order.
  const std::vector<int>& wanted() const { return wanted_; }
  const field_plan& plan(int field) const { return plan_[static_cast<std::size_t>(field)]; }

  /// Reserves memory for so many rows.
  void reserve(std::int64_t rows) {
    rows_ = rows;
    numbers_.resize(wanted_.size());
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (plan(wanted_[i]).as_number == field_plan::numeric::no) continue;
      if (numbers_[i].empty()) reserve_large(numbers_[i], static_cast<std::size_t>(rows));
      numbers_[i].resize(static_cast<std::size_t>(rows));
    }
  }

  /// A batch that holds the wanted columns, in order, as the rows from `first_row` on, for which memory must be
  /// reserved. May be called from several threads.
  key_parts read(const arrow::RecordBatch& batch, std::int64_t first_row) {
    // Feather is a memory image, and Arrow takes the codes of a Parquet dictionary on trust: both are to be checked
    // before anything follows them.
    check(batch.ValidateFull(), source_);
    key_parts keys(wanted_.size());
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto field = static_cast<std::size_t>(wanted_[i]);
      const arrow::Array& array = *batch.column(static_cast<int>(i));
      if (plan_[field].as_number != field_plan::numeric::no) {
        double* const numbers = numbers_[i].data() + first_row;
        write_numbers(array, numbers);
        if (rules_.has_missing())
          for (double& each : std::span(numbers, static_cast<std::size_t>(array.length())))
            if (rules_.is_missing_number(each)) each = std::numeric_limits<double>::quiet_NaN();
      }
      if (plan_[field].as_key) keys[i] = keys_of(array, columns_.names[field], rules_);
    }
    return keys;
  }

  /// The parts in their order; they are used up.
  table join(std::vector<key_parts>& parts) {
    table result{.source = source_, .rows = static_cast<std::size_t>(rows_)};
    std::vector<std::size_t> field_of_column;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto field = static_cast<std::size_t>(wanted_[i]);
      const auto add = [&](column&& each) {
        each.name = columns_.names[field];
        result.columns.push_back(std::move(each));
        field_of_column.push_back(field);
      };
      if (plan_[field].as_number != field_plan::numeric::no) {
        add({.kind = column_kind::numeric, .numbers = std::move(numbers_[i])});
      }
      if (plan_[field].as_key) {
        std::vector<key_part> keys;
        for (key_parts& part : parts) keys.push_back(std::move(part[i]));
        add(join_keys(keys, threads_));
      }
    }
    result.source_names = columns_.names;
    settle_defaults(result, std::vector<bool>(columns_.names.size(), false), field_of_column, request_);
    return result;
  }

 private:
  const std::string& source_;
  const read_request& request_;
  cell_rules rules_;
  unsigned threads_;
  column_names columns_;
  std::vector<field_plan> plan_;
  std::vector<int> wanted_;
  std::int64_t rows_ = 0;
  std::vector<std::vector<double>> numbers_;  // [wanted columns][rows]
};

std::shared_ptr<arrow::io::BufferReader> reader_of(std::string_view bytes) {
  return std::make_shared<arrow::io::BufferReader>(arrow::Buffer::Wrap(bytes.data(), bytes.size()));
}

/// Whose fault it is: the file's, where it asks for more than a file of its size can hold (Arrow does not take all its
/// memory from the pool it is given), else the machine's.
template <class Work>
auto blaming(std::string_view bytes, const std::string& source, Work work) {
  try {
    return work();
  } catch (const no_memory& failure) {
    if (failure.bytes <= plausible_pool::most_for(bytes.size())) throw std::bad_alloc();
    throw input_error(
        fmt::format("{}: a column claims {} bytes, more than the file can hold\na sound Parquet or Feather "
                    "(version 2) file was expected",
                    source, failure.bytes));
  }
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

parquet::ReaderProperties verifying(arrow::MemoryPool& pool) {
  parquet::ReaderProperties properties(&pool);
  properties.set_page_checksum_verification(true);
  return properties;
}

/// All row groups, or the one that is named. Several are decoded at a time, each by a thread and a reader of its own.
table read_parquet(const std::shared_ptr<arrow::io::BufferReader>& file, const std::string& source,
                   const read_request& request, const arrow_options& options, std::optional<int> only = {}) {
  plausible_pool pool(static_cast<std::size_t>(check(file->GetSize(), source)));
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(file, verifying(pool)), source);
  const auto reader = check(builder.memory_pool(&pool)->Build(), source);
  const std::shared_ptr<parquet::FileMetaData> metadata = reader->parquet_reader()->metadata();

  std::shared_ptr<arrow::Schema> schema;
  check(reader->GetSchema(&schema), source);
  collector columns(source, *schema, request, options);
  std::vector<key_parts> parts;
  if (columns.wanted().empty()) {
    columns.reserve(only ? metadata->RowGroup(*only)->num_rows() : metadata->num_rows());
    return columns.join(parts);
  }

  const int first = only.value_or(0), groups = only ? 1 : metadata->num_row_groups();
  const unsigned threads = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  parquet::ArrowReaderProperties properties(groups == 1 && threads > 1);
  properties.set_pre_buffer(false);   // the bytes are in memory already
  std::int64_t batch_rows = 1 << 16;  // small enough for a core's own cache
  // Parquet counts leaves, but what is wanted is never nested.
  std::vector<int> leaves;
  for (const int field : columns.wanted()) {
    leaves.push_back(reader->manifest().schema_fields[static_cast<std::size_t>(field)].column_index);
    const auto type = schema->field(field)->type()->id();
    // Keys repeat: let Parquet hand over its own dictionary instead of a string for every row.
    if (columns.plan(field).as_key && (type == arrow::Type::STRING || type == arrow::Type::BINARY) &&
        has_dictionary_throughout(*metadata, leaves.back())) {
      properties.set_read_dictionary(leaves.back(), true);
      batch_rows = 1 << 20;  // every batch brings a whole dictionary with it
    }
  }
  properties.set_batch_size(batch_rows);

  const std::vector<std::int64_t> first_row =
      rows_of_groups(*metadata, leaves, first, groups, check(file->GetSize(), source), source);
  columns.reserve(first_row.back());
  std::vector<std::vector<key_parts>> of_group(static_cast<std::size_t>(groups));
  std::atomic<std::int64_t> done = 0;
  const auto caller = std::this_thread::get_id();
  const auto report = [&](std::int64_t ended) {
    const auto size = static_cast<std::uint64_t>(check(file->GetSize(), source));
    options.progress(size * static_cast<std::uint64_t>(ended) / static_cast<std::uint64_t>(groups), size);
  };
  parallel_for(static_cast<int>(threads), groups, 1, [&](std::int64_t index) {
    translating(source, [&] {
      parquet::arrow::FileReaderBuilder again;
      check(again.Open(file, verifying(pool), metadata), source);
      const auto group_reader = check(again.memory_pool(&pool)->properties(properties)->Build(), source);
      const auto batches = check(group_reader->GetRecordBatchReader({first + static_cast<int>(index)}, leaves), source);
      const auto group = static_cast<std::size_t>(index);
      std::int64_t row = first_row[group];
      while (const auto batch = check(batches->Next(), source)) {
        if (batch->num_rows() > first_row[group + 1] - row) throw_wrong_count(source);
        of_group[group].push_back(columns.read(*batch, row));
        row += batch->num_rows();
      }
      if (row != first_row[group + 1]) throw_wrong_count(source);
    });
    const std::int64_t ended = ++done;
    if (options.progress && std::this_thread::get_id() == caller) report(ended);
  });
  if (options.progress && groups > 0) report(groups);
  for (auto& group : of_group) std::move(group.begin(), group.end(), std::back_inserter(parts));
  return columns.join(parts);
}

table read_feather(const std::shared_ptr<arrow::io::BufferReader>& file, const std::string& source,
                   const read_request& request, const arrow_options& options) {
  plausible_pool pool(static_cast<std::size_t>(check(file->GetSize(), source)));
  auto ipc_options = arrow::ipc::IpcReadOptions::Defaults();
  ipc_options.memory_pool = &pool;
  ipc_options.use_threads = options.threads != 1;
  auto reader = check(arrow::ipc::RecordBatchFileReader::Open(file, ipc_options), source);
  collector columns(source, *reader->schema(), request, options);
  // An empty list would mean all.
  if (!columns.wanted().empty()) {
    ipc_options.included_fields = columns.wanted();
    reader = check(arrow::ipc::RecordBatchFileReader::Open(file, ipc_options), source);
  }
  const int batches = reader->num_record_batches();
  std::vector<key_parts> parts;
  std::int64_t rows = 0;
  columns.reserve(rows);  // there may be no batch
  for (int i = 0; i < batches; ++i) {
    const auto batch = check(reader->ReadRecordBatch(i), source);
    const std::int64_t first_row = std::exchange(rows, rows + batch->num_rows());
    columns.reserve(rows);
    if (!columns.wanted().empty()) parts.push_back(columns.read(*batch, first_row));
    if (options.progress) {
      const auto size = static_cast<std::uint64_t>(check(file->GetSize(), source));
      options.progress(size * static_cast<std::uint64_t>(i + 1) / static_cast<std::uint64_t>(batches), size);
    }
  }
  return columns.join(parts);
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
    return blaming(bytes, source,
                   [&] { return translating(source, [&] { return read_parquet(file, source, request, options); }); });
  if (bytes.starts_with(feather_magic))
    return blaming(bytes, source, [&] { return read_feather(file, source, request, options); });
  throw input_error(
      fmt::format("{}, byte 0: neither Parquet nor Feather\n'PAR1' or 'ARROW1' was expected to begin it", source));
}

std::vector<std::int64_t> parquet_groups(std::string_view bytes, const std::string& source) {
  const auto read = [&] {
    plausible_pool pool(bytes.size());
    const auto metadata = parquet::ParquetFileReader::Open(reader_of(bytes), verifying(pool))->metadata();
    std::vector<std::int64_t> rows;
    for (int group = 0; group < metadata->num_row_groups(); ++group)
      rows.push_back(metadata->RowGroup(group)->num_rows());
    return rows;
  };
  return blaming(bytes, source, [&] { return translating(source, read); });
}

table read_parquet_group(std::string_view bytes, const std::string& source, const read_request& request, int group,
                         const input_format& format) {
  const auto read = [&] {
    return read_parquet(reader_of(bytes), source, request, {.threads = 1, .format = format}, group);
  };
  return blaming(bytes, source, [&] { return translating(source, read); });
}

}  // namespace manyfit::app

#endif
