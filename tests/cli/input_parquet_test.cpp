// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// What Parquet and Feather files bring with them beside their values: an index, checksums, row groups, bytes for text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "input/arrow_reader.hpp"
#include "input/file_bytes.hpp"
#include "input_support.hpp"

#ifdef MF_WITH_ARROW
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>
#endif

namespace manyfit::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

#ifndef MF_WITH_ARROW

TEST(parquet_input, reads_what_pandas_writes) {
  GTEST_SKIP() << "built without Apache Arrow (MF_WITH_ARROW is not defined)";
}

#else

struct named_array {
  std::string name;
  std::shared_ptr<arrow::Array> values;
};

template <class Builder, class Value>
std::shared_ptr<arrow::Array> array_of(const std::vector<Value>& values) {
  Builder builder;
  for (const Value& each : values) EXPECT_TRUE(builder.Append(each).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Table> table_of(const std::vector<named_array>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const named_array& each : columns) {
    fields.push_back(arrow::field(each.name, each.values->type()));
    arrays.push_back(each.values);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

std::string parquet_of(
    const std::vector<named_array>& columns, std::int64_t rows_in_group = 1 << 20,
    const std::shared_ptr<parquet::WriterProperties>& properties = parquet::default_writer_properties()) {
  const auto file = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(
      parquet::arrow::WriteTable(*table_of(columns), arrow::default_memory_pool(), file, rows_in_group, properties)
          .ok());
  return file->Finish().ValueOrDie()->ToString();
}

std::string feather_of(const std::vector<named_array>& columns) {
  const auto data = table_of(columns);
  const auto file = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto writer = arrow::ipc::MakeFileWriter(file, data->schema()).ValueOrDie();
  EXPECT_TRUE(writer->WriteTable(*data, 2).ok() && writer->Close().ok());
  return file->Finish().ValueOrDie()->ToString();
}

std::vector<std::string> names_of(const table& from) {
  std::vector<std::string> names;
  for (const column& each : from.columns) names.push_back(each.name);
  return names;
}

std::vector<std::string> texts(const table& from, std::string_view name) {
  const column& each = from.at(name, column_kind::text);
  std::vector<std::string> all;
  for (const auto code : each.codes) all.push_back(code < 0 ? "-" : each.dictionary[static_cast<std::size_t>(code)]);
  return all;
}

TEST(parquet_input, leaves_out_the_index_that_pandas_names) {
  const file_bytes file(MF_GOLDEN_DIR "/pandas_index.parquet");
  const table t = read_arrow(file.view(), "p.parquet", {.all_numeric = true});
  EXPECT_THAT(names_of(t), ElementsAre("x"));
  EXPECT_THAT(t.at("x", column_kind::numeric).numbers, ElementsAre(1.5, 2.5, 4, 3));
  const table asked = read_arrow(file.view(), "p.parquet", {.numeric_columns = {"__index_level_0__"}});
  EXPECT_THAT(asked.columns[0].numbers, ElementsAre(5, 7, 9, 2));
}

TEST(arrow_names, may_be_empty_doubled_or_with_blanks_where_nobody_asked_for_them) {
  const auto whole = array_of<arrow::Int64Builder, std::int64_t>({3, 1, 2});
  const auto real = array_of<arrow::DoubleBuilder, double>({1, 2, 4});
  const auto text = array_of<arrow::StringBuilder, std::string>({"a", "b", "a"});
  for (const auto& write : {+[](const std::vector<named_array>& c) { return parquet_of(c); },
                            +[](const std::vector<named_array>& c) { return feather_of(c); }}) {
    const std::string file =
        write({{"", whole}, {"note", text}, {"note", text}, {" x ", real}, {"__index_level_0__", whole}});
    EXPECT_THAT(names_of(read_arrow(file, "f", {.all_numeric = true})), ElementsAre("x"));
    EXPECT_THAT(read_arrow(file, "f", {.numeric_columns = {"x"}}).columns[0].numbers, ElementsAre(1, 2, 4));
    EXPECT_THAT(error_of([&] { read_arrow(file, "f", {.key_columns = {"note"}}); }), HasSubstr("stands twice"));
    const std::string both = write({{"x", real}, {"x", whole}});
    EXPECT_THAT(error_of([&] { read_arrow(both, "f", {.all_numeric = true}); }), HasSubstr("the name 'x'"));
  }
}

TEST(arrow_keys, of_negative_zero_are_zero_and_of_nan_are_missing) {
  const auto keys = array_of<arrow::DoubleBuilder, double>({-0.0, 0.0, std::nan(""), 1.5});
  for (const std::string& file : {parquet_of({{"k", keys}}), feather_of({{"k", keys}})})
    EXPECT_THAT(texts(read_arrow(file, "f", {.key_columns = {"k"}}), "k"), ElementsAre("0", "0", "-", "1.5"));
}

TEST(parquet, rows_keep_their_places_over_batches_and_row_groups) {
  std::mt19937 random(7);
  std::vector<std::string> keys;
  std::vector<double> values;
  for (int row = 0; row < 150000; ++row) {  // more than two batches, of keys too many for a dictionary
    keys.push_back("a key that is the " + std::to_string(random() % 90000) + "th of its kind and repeats");
    values.push_back(row);
  }
  const auto file = parquet_of(
      {{"k", array_of<arrow::StringBuilder, std::string>(keys)}, {"x", array_of<arrow::DoubleBuilder, double>(values)}},
      100000);
  for (const unsigned threads : {1u, 3u}) {
    const table t = read_arrow(file, "f", {.numeric_columns = {"x"}, .key_columns = {"k"}}, {.threads = threads});
    EXPECT_EQ(t.rows, keys.size());
    EXPECT_EQ(t.at("x", column_kind::numeric).numbers, values);
    EXPECT_EQ(texts(t, "k"), keys);
  }
}

TEST(parquet, counts_of_rows_that_differ_are_refused) {
  const std::vector<double> values(77, 1.5);
  const std::string file = parquet_of({{"x", array_of<arrow::DoubleBuilder, double>(values)}});
  const std::string count = "\x9A\x01";  // 77 as Thrift's compact protocol writes it
  std::uint32_t footer = 0;
  std::memcpy(&footer, file.data() + file.size() - 8, 4);
  int found = 0;
  for (std::size_t at = file.find(count, file.size() - 8 - footer); at != file.npos; at = file.find(count, at + 1)) {
    for (const char* other : {"\x98\x01", "\x9C\x01", "\xFE\x7F", "\x81\x01"}) {  // 76, 78, 8191, -65
      std::string changed = file;
      changed.replace(at, 2, other);
      EXPECT_NE(error_of([&] { read_arrow(changed, "f", {.numeric_columns = {"x"}}); }), "") << found;
    }
    ++found;
  }
  EXPECT_GE(found, 3);  // of the file, of the row group, of the column
}

TEST(arrow_keys, of_bytes_that_are_not_utf_8_are_refused) {
  const auto keys = array_of<arrow::BinaryBuilder, std::string>({"a", "caf\xE9"});
  for (const std::string& file : {parquet_of({{"k", keys}}), feather_of({{"k", keys}})})
    EXPECT_THAT(error_of([&] { read_arrow(file, "f", {.key_columns = {"k"}}); }), HasSubstr("not UTF-8"));
}

TEST(arrow_missing_texts, are_missing_as_numbers_and_as_keys) {
  const std::string file = parquet_of({{"k", array_of<arrow::StringBuilder, std::string>({"a", "N/A", "b"})},
                                       {"v", array_of<arrow::DoubleBuilder, double>({-9999, 2, 3})}});
  const table t = read_arrow(file, "f", {.numeric_columns = {"v"}, .key_columns = {"k"}},
                             {.format = {.missing = {"N/A", "-9999"}}});
  EXPECT_THAT(t.at("v", column_kind::numeric).numbers, ElementsAre(IsNan(), 2, 3));
  EXPECT_THAT(t.at("k", column_kind::text).codes, ElementsAre(0, -1, 1));
}

TEST(parquet_row_groups, give_the_same_table_however_many_there_are_and_threads) {
  std::mt19937 random(6);
  std::vector<std::string> text;
  std::vector<std::int64_t> whole;
  std::vector<double> real;
  for (int row = 0; row < 5000; ++row) {
    text.push_back("key " + std::to_string(random() % 700));
    whole.push_back(static_cast<std::int64_t>(random() % 90));
    real.push_back(static_cast<double>(random() % 1000) / 8);
  }
  const std::vector<named_array> columns = {{"t", array_of<arrow::StringBuilder>(text)},
                                            {"w", array_of<arrow::Int64Builder>(whole)},
                                            {"x", array_of<arrow::DoubleBuilder>(real)}};
  const read_request request = {.numeric_columns = {"x"}, .key_columns = {"t", "w"}};
  const table one = read_arrow(parquet_of(columns), "f", request, {.threads = 1});
  EXPECT_EQ(one.at("x", column_kind::numeric).numbers, real);
  EXPECT_EQ(texts(one, "t"), text);
  // With a dictionary in every page, with one that is given up, and without any.
  using builder = parquet::WriterProperties::Builder;
  for (const auto& properties : {parquet::default_writer_properties(), builder().dictionary_pagesize_limit(64)->build(),
                                 builder().disable_dictionary()->build()})
    for (const std::int64_t rows : {100, 1700, 5000})
      for (const unsigned threads : {1u, 3u}) {
        const table cut = read_arrow(parquet_of(columns, rows, properties), "f", request, {.threads = threads});
        ASSERT_EQ(cut.columns.size(), 3u);
        for (std::size_t i = 0; i < 3; ++i) {
          EXPECT_EQ(cut.columns[i].numbers, one.columns[i].numbers);
          EXPECT_EQ(cut.columns[i].codes, one.columns[i].codes);
          EXPECT_EQ(cut.columns[i].dictionary, one.columns[i].dictionary);
        }
      }
}

TEST(parquet_checksums, are_verified_and_our_own_files_have_them) {
  std::vector<double> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sqrt(static_cast<double>(i) + 0.5);
  const auto properties = parquet::WriterProperties::Builder()
                              .enable_page_checksum()
                              ->disable_dictionary()
                              ->compression(parquet::Compression::UNCOMPRESSED)
                              ->build();
  std::string file = parquet_of({{"x", array_of<arrow::DoubleBuilder>(values)}}, 1 << 20, properties);
  EXPECT_EQ(read_arrow(file, "f", {.numeric_columns = {"x"}}).columns[0].numbers, values);
  const std::string one(reinterpret_cast<const char*>(&values[500]), sizeof(double));
  const std::size_t at = file.find(one);
  ASSERT_NE(at, file.npos);
  file[at] = static_cast<char>(file[at] ^ 1);  // a number a little off, and nothing else wrong
  EXPECT_THAT(error_of([&] { read_arrow(file, "f", {.numeric_columns = {"x"}}); }), HasSubstr("CRC"));
  EXPECT_THAT(error_of([&] { read_parquet_group(file, "f", {.numeric_columns = {"x"}}, 0); }), HasSubstr("CRC"));

  parquet_columns out;
  out.add("x", column_kind::numeric);
  for (const double value : values) out.append(0, value);
  const scratch_file ours(".parquet");
  out.write(ours.path());
  std::string written;
  {
    const file_bytes whole(ours.path());
    written = whole.view();
  }
  int errors = 0;
  for (std::size_t i = written.size() / 4; i < written.size() / 2; i += 50) {  // in the middle there are only numbers
    written[i] = static_cast<char>(written[i] ^ 1);
    errors += error_of([&] { read_arrow(written, "f", {.numeric_columns = {"x"}}); }) != "nothing thrown";
    written[i] = static_cast<char>(written[i] ^ 1);
  }
  EXPECT_GT(errors, 10);
  EXPECT_EQ(errors, static_cast<int>((written.size() / 2 - written.size() / 4 + 49) / 50));
}

#endif

}  // namespace
}  // namespace manyfit::app
