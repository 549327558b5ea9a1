// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "input/arrow_reader.hpp"
#include "input/file_bytes.hpp"
#include "input/input.hpp"
#include "input_support.hpp"

#ifdef MF_WITH_ARROW
#include <arrow/api.h>
#include <arrow/array/array_dict.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/decimal.h>
#include <parquet/arrow/writer.h>
#endif

namespace manyfit::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

TEST(arrow_missing, says_what_is_missing_and_what_to_do) {
  if (has_arrow()) GTEST_SKIP() << "built with Apache Arrow";
  const scratch_file file(".parquet", "PAR1 PAR1");
  const std::string message = error_of([&] { read_table(file.path(), {}); });
  EXPECT_THAT(message, HasSubstr("built without Apache Arrow"));
  EXPECT_THAT(message, HasSubstr("pyarrow"));
  EXPECT_THAT(error_of([&] { parquet_columns().write(file.path()); }), HasSubstr("built without Apache Arrow"));
}

#ifndef MF_WITH_ARROW

TEST(arrow_file, reads_parquet_and_feather) {
  GTEST_SKIP() << "built without Apache Arrow (MF_WITH_ARROW is not defined)";
}

#else

template <class Builder, class Values>
std::shared_ptr<arrow::Array> array_of(Builder builder, const Values& values) {
  for (const auto& value : values) {
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return builder.Finish().ValueOrDie();
}

template <class Value>
using optionals = std::vector<std::optional<Value>>;

std::shared_ptr<arrow::Table> sample() {
  const auto text = array_of(arrow::StringBuilder(), optionals<std::string>{"b", "a", std::nullopt, "b", ""});
  // The dictionary has an entry that no row uses, and another order than the rows.
  const auto words = array_of(arrow::StringBuilder(), optionals<std::string>{"unused", "y", "x"});
  const auto indices = array_of(arrow::Int8Builder(), optionals<std::int8_t>{2, 1, std::nullopt, 2, 1});
  const auto category = arrow::DictionaryArray::FromArrays(indices, words).ValueOrDie();
  const auto whole = array_of(arrow::Int64Builder(), optionals<std::int64_t>{1, std::nullopt, 3, 1, 5});
  const auto single = array_of(arrow::FloatBuilder(), optionals<float>{1.5f, std::nanf(""), std::nullopt, -2.0f, 0.0f});
  const auto truth = array_of(arrow::BooleanBuilder(), optionals<bool>{true, false, std::nullopt, true, true});
  arrow::Decimal128Builder decimals(arrow::decimal128(10, 2));
  for (const int cents : {125, -350, 0, 1, 100}) EXPECT_TRUE(decimals.Append(arrow::Decimal128(cents)).ok());
  const auto decimal = decimals.Finish().ValueOrDie();
  const auto day = array_of(arrow::Date32Builder(), optionals<std::int32_t>{0, 1, 0, std::nullopt, 1});
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(lists.Append().ok());
  const auto list = lists.Finish().ValueOrDie();
  const arrow::ArrayVector arrays = {text, category, whole, single, truth, decimal, day, list};
  const std::vector<std::string> names = {"text", "category", "whole", "single", "truth", "decimal", "day", "list"};
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < arrays.size(); ++i) fields.push_back(arrow::field(names[i], arrays[i]->type()));
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

void write(const std::string& path, bool parquet) {
  const auto data = sample();
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  if (parquet) {
    ASSERT_TRUE(parquet::arrow::WriteTable(*data, arrow::default_memory_pool(), file, 2).ok());  // rows in a row group
  } else {
    const auto writer = arrow::ipc::MakeFileWriter(file, data->schema()).ValueOrDie();
    ASSERT_TRUE(writer->WriteTable(*data, 2).ok());
    ASSERT_TRUE(writer->Close().ok());
  }
  ASSERT_TRUE(file->Close().ok());
}

std::vector<std::string> texts(const table& from, std::string_view name) {
  const column& each = from.at(name, column_kind::text);
  std::vector<std::string> all;
  for (const auto code : each.codes) all.push_back(code < 0 ? "-" : each.dictionary[static_cast<std::size_t>(code)]);
  return all;
}

const std::vector<double>& numbers(const table& from, std::string_view name) {
  return from.at(name, column_kind::numeric).numbers;
}

/// The same promises for both formats.
class arrow_file : public testing::TestWithParam<std::string> {
 protected:
  arrow_file() : file_(GetParam()) { write(file_.path(), GetParam() == ".parquet"); }
  const std::string& path() const { return file_.path(); }

 private:
  scratch_file file_;
};

TEST(feather_file, may_hold_no_batch_of_rows) {
  const scratch_file place(".feather");
  const auto file = arrow::io::FileOutputStream::Open(place.path()).ValueOrDie();
  const auto schema = arrow::schema(
      {arrow::field("x", arrow::float64()), arrow::field("y", arrow::int32()), arrow::field("k", arrow::utf8())});
  ASSERT_TRUE(arrow::ipc::MakeFileWriter(file, schema).ValueOrDie()->Close().ok());
  ASSERT_TRUE(file->Close().ok());
  const table read = read_table(place.path(), {.numeric_columns = {"x", "y"}, .key_columns = {"k"}});
  EXPECT_EQ(read.rows, 0u);
  EXPECT_EQ(numbers(read, "x").size(), 0u);
  EXPECT_EQ(numbers(read, "y").size(), 0u);
  EXPECT_EQ(texts(read, "k").size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(formats, arrow_file, testing::Values(".parquet", ".feather"),
                         [](const auto& each) { return each.param.substr(1); });

TEST_P(arrow_file, numbers_of_every_type_become_double_and_null_is_missing) {
  const table t = read_table(path(), {});
  EXPECT_EQ(t.rows, 5u);
  EXPECT_THAT(numbers(t, "whole"), ElementsAre(1, IsNan(), 3, 1, 5));
  EXPECT_THAT(numbers(t, "single"), ElementsAre(1.5, IsNan(), IsNan(), -2, 0));
  EXPECT_THAT(numbers(t, "truth"), ElementsAre(1, 0, IsNan(), 1, 1));
  EXPECT_THAT(numbers(t, "decimal"), ElementsAre(1.25, -3.5, 0, 0.01, 1));
}

TEST_P(arrow_file, strings_categories_and_dates_are_text_and_lists_are_passed_over) {
  const table t = read_table(path(), {});
  EXPECT_THAT(texts(t, "text"), ElementsAre("b", "a", "-", "b", "-"));
  EXPECT_THAT(texts(t, "category"), ElementsAre("x", "y", "-", "x", "y"));
  EXPECT_THAT(t.at("category", column_kind::text).dictionary, ElementsAre("x", "y"));
  EXPECT_THAT(texts(t, "day"), ElementsAre("1970-01-01", "1970-01-02", "1970-01-01", "-", "1970-01-02"));
  EXPECT_EQ(t.columns.size(), 7u);
  EXPECT_EQ(t.source_names.size(), 8u);
}

TEST_P(arrow_file, only_requested_columns_are_stored_and_numbers_can_be_keys) {
  const table t = read_table(path(), {.numeric_columns = {"decimal"}, .key_columns = {"single", "whole", "category"}});
  EXPECT_EQ(t.columns.size(), 4u);
  EXPECT_THAT(texts(t, "whole"), ElementsAre("1", "-", "3", "1", "5"));
  EXPECT_THAT(texts(t, "single"), ElementsAre("1.5", "-", "-", "-2", "0"));
  EXPECT_THAT(group_rows(t, {"whole", "category"}).group_of_row, ElementsAre(0, -1, -1, 0, 1));
}

TEST_P(arrow_file, all_numeric_takes_the_numeric_columns_that_are_not_keys) {
  const table t = read_table(path(), {.key_columns = {"whole"}, .all_numeric = true});
  ASSERT_EQ(t.columns.size(), 4u);
  EXPECT_EQ(t.columns[0].kind, column_kind::text);
  EXPECT_EQ(t.columns[1].name, "single");
}

TEST_P(arrow_file, columns_that_are_not_there_or_of_another_type_are_refused) {
  const auto error_of_text = [&](const read_request& request) {
    return error_of([&] { read_table(path(), request); });
  };
  EXPECT_THAT(error_of_text({.numeric_columns = {"w"}}),
              HasSubstr("no column 'w'\nthe columns are 'text', 'category'"));
  EXPECT_THAT(error_of_text({.numeric_columns = {"text"}}), HasSubstr("column 'text' is of type"));
  EXPECT_THAT(error_of_text({.key_columns = {"list"}}), HasSubstr("column 'list' is of type list"));
}

TEST_P(arrow_file, the_format_is_known_without_an_extension) {
  std::string content;
  {
    const file_bytes whole(path());
    content = whole.view();
  }
  const scratch_file bare("", content);
  EXPECT_EQ(read_table(bare.path(), {}).rows, 5u);
}

TEST_P(arrow_file, every_cut_of_a_file_is_refused) {
  const file_bytes whole(path());
  for (std::size_t length = 0; length < whole.view().size(); length += 97) {
    EXPECT_NE(error_of([&] { read_arrow(whole.view().substr(0, length), "cut", {}); }), "nothing thrown") << length;
  }
}

TEST_P(arrow_file, a_damaged_file_is_read_or_refused) {
  const file_bytes whole(path());
  std::string damaged(whole.view());
  for (std::size_t i = 0; i < damaged.size(); i += 5) {
    const char sound = damaged[i];
    damaged[i] = static_cast<char>(~sound);
    error_of([&] { read_arrow(damaged, "damaged", {}, {.threads = 1}); });
    damaged[i] = sound;
  }
}

TEST_P(arrow_file, progress_ends_at_the_whole) {
  std::uint64_t done = 0, total = 1;
  read_table(path(), {}, {.progress = [&](std::uint64_t d, std::uint64_t t) { done = d, total = t; }});
  EXPECT_EQ(done, total);
}

TEST(parquet_columns, give_back_what_was_written_with_null_for_missing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto columns = [&] {
    parquet_columns out;
    out.add("shape", column_kind::numeric);
    out.add("status", column_kind::text);
    for (const double number : {1.5, nan, -0.0}) out.append(0, number);
    for (const std::string_view text : {std::string_view("converged"), std::string_view(), std::string_view("too_few")})
      out.append(1, text);
    return out;
  };
  const scratch_file file(".parquet");
  columns().write(file.path());
  const table in = read_table(file.path(), {});
  EXPECT_THAT(numbers(in, "shape"), ElementsAre(1.5, IsNan(), 0));
  EXPECT_THAT(texts(in, "status"), ElementsAre("converged", "-", "too_few"));
  EXPECT_THAT(error_of([&] { columns().write("/no/such/folder/x.parquet"); }), HasSubstr("cannot write"));
}

#endif

}  // namespace
}  // namespace manyfit::app
