// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Files as people have them: indices without a name, doubled names, semicolons, decimal commas, other words for
// missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <random>
#include <string>

#include "input/cell_rules.hpp"
#include "input/column_names.hpp"
#include "input/csv_reader.hpp"
#include "input_support.hpp"

namespace manyfit::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

const read_request by_default = {.all_numeric = true};

table read(std::string_view text, const read_request& request, const input_format& format = {}) {
  return read_csv(text, "data.csv", request, {.format = format});
}

std::string error_of_text(std::string_view text, const read_request& request, const input_format& format = {}) {
  return error_of([&] { read(text, request, format); });
}

std::vector<std::string> names_of(const table& from) {
  std::vector<std::string> names;
  for (const column& each : from.columns) names.push_back(each.name);
  return names;
}

const std::vector<double>& numbers(const table& from, std::string_view name) {
  return from.at(name, column_kind::numeric).numbers;
}

TEST(names, lose_the_blanks_about_them) {
  const table t = read(" x ,\"\tg \"\n1,a\n2,b\n", {.numeric_columns = {"x"}, .key_columns = {"g"}});
  EXPECT_THAT(t.source_names, ElementsAre("x", "g"));
  EXPECT_THAT(numbers(t, "x"), ElementsAre(1, 2));
}

TEST(names, that_nobody_asked_for_may_be_empty_or_stand_twice) {
  const read_request x = {.numeric_columns = {"x"}, .key_columns = {"g"}};
  EXPECT_THAT(numbers(read("g,x,note,note\na,2,u,v\n", x), "x"), ElementsAre(2));
  EXPECT_THAT(numbers(read(",g,x,,\nu,a,2,v,w\n", x), "x"), ElementsAre(2));
  EXPECT_THAT(error_of_text("x,g,x\n1,a,2\n", x), HasSubstr("'x' stands twice"));
  EXPECT_THAT(error_of_text("g,x,g\na,1,b\n", x), HasSubstr("'g' stands twice"));
}

TEST(names, that_stand_twice_are_refused_where_both_would_be_taken_by_default) {
  EXPECT_THAT(error_of_text("x,y,x\n1,2,3\n", by_default), HasSubstr("the name 'x'"));
  EXPECT_THAT(names_of(read("note,x,note\nu,2,v\n", by_default)), ElementsAre("x"));
  EXPECT_THAT(names_of(read("note,x,note\n1,2,v\n", by_default)), ElementsAre("note", "x"));
}

TEST(unnamed_column, that_counts_the_rows_is_no_number_column_by_default) {
  for (const char* index : {"0,1,2,3", "1,2,3,4", "5,7,9,2", "3,0,1,2", "0,10,20,1000000", ",,,"}) {
    std::string text = ",x\n";
    const std::vector<double> x = {2, 4, 1, 8};
    std::string_view rest = index;
    for (const double each : x) {
      text += std::string(rest.substr(0, rest.find(','))) + "," + std::to_string(each) + "\n";
      rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + (rest.find(',') != rest.npos));
    }
    EXPECT_THAT(names_of(read(text, by_default)), ElementsAre("x")) << text;
  }
  for (const char* name : {"__index_level_0__", "Unnamed: 0", "\"\"", "  "})
    EXPECT_THAT(names_of(read(std::string(name) + ",x\n\"1\",5\n\"2\",6\n", by_default)), ElementsAre("x")) << name;
}

TEST(unnamed_column, that_counts_nothing_is_one_like_others) {
  for (const char* cells : {"0.5,1.5", "0.25,1.75", "1,1", "-1,0", "1,inf", "1,"}) {
    const std::string_view both = cells;
    const std::string first(both.substr(0, both.find(','))), second(both.substr(both.find(',') + 1));
    EXPECT_THAT(names_of(read(",x\n" + first + ",5\n" + second + ",6\n", by_default)), ElementsAre("column_1", "x"))
        << cells;
  }
  EXPECT_THAT(numbers(read(",x\n1,5\n2,6\n", {.numeric_columns = {"column_1"}}), "column_1"), ElementsAre(1, 2));
  EXPECT_THAT(names_of(read("id,x\n1,5\n2,6\n", by_default)), ElementsAre("id", "x"));
}

TEST(counts_rows, tells_indices_from_measurements) {
  const double nan = std::nan("");
  EXPECT_TRUE(counts_rows(std::vector<double>{}));
  EXPECT_TRUE(counts_rows(std::vector<double>{nan, nan}));
  EXPECT_TRUE(counts_rows(std::vector<double>{9, 0, 4}));
  EXPECT_FALSE(counts_rows(std::vector<double>{0, 1, nan}));
  EXPECT_FALSE(counts_rows(std::vector<double>{0, 1, 1}));
  EXPECT_FALSE(counts_rows(std::vector<double>{2, 1, 2}));
  EXPECT_FALSE(counts_rows(std::vector<double>{0, 0.5}));
  EXPECT_FALSE(counts_rows(std::vector<double>{0.25, 1.75}));
}

TEST(trailing_separators, are_no_columns) {
  const read_request x = {.numeric_columns = {"x"}, .key_columns = {"g"}};
  for (const char* text : {"x,g,\n1,a,\n2,b,\n", "x,g\n1,a,\n2,b,\n", "x,g,\n1,a\n2,b\n", "x,g,,\n1,a,,\n2,b\n"}) {
    EXPECT_THAT(numbers(read(text, x), "x"), ElementsAre(1, 2)) << text;
    EXPECT_THAT(names_of(read(text, by_default)), ElementsAre("x")) << text;
  }
  EXPECT_THAT(error_of_text("x,g\n1,a,0\n", x), HasSubstr("line 2: 3 fields"));
  EXPECT_THAT(error_of_text("x,g\n1,a,\"\"\n", x), HasSubstr("line 2: 3 fields"));
  EXPECT_THAT(error_of_text("x,g,\n1\n", x), HasSubstr("line 2: 1 field"));
}

TEST(number_column, is_one_most_of_whose_cells_are_numbers_and_refuses_the_others) {
  const std::string text = "id,x\n1,10.5\n2,11.5\n3,N/A\n4,13\n";
  EXPECT_THAT(error_of_text(text, by_default),
              AllOf(HasSubstr("data.csv, line 4: column 'x' holds 'N/A'"), HasSubstr("--missing")));
  EXPECT_THAT(numbers(read(text, by_default, {.missing = {"N/A"}}), "x"), ElementsAre(10.5, 11.5, IsNan(), 13));
  EXPECT_THAT(numbers(read(text, {.numeric_columns = {"id"}}), "id"), ElementsAre(1, 2, 3, 4));
  // As many other texts as numbers, and missing values, decide nothing.
  EXPECT_THAT(names_of(read("x,y\n1,1\nu,2\n", by_default)), ElementsAre("y"));
  EXPECT_THAT(names_of(read("x,y\n1,1\n,2\n,3\nu,4\n", by_default)), ElementsAre("y"));
  EXPECT_THAT(error_of_text("x,y\n1,1\n,2\n3,3\nu,4\n", by_default), HasSubstr("line 5: column 'x' holds 'u'"));
  // The first of the file is named, in whatever column.
  EXPECT_THAT(error_of_text("x,y\n1,1\n2,v\n3,3\nu,4\n5,5\n", by_default), HasSubstr("line 3: column 'y' holds 'v'"));
}

TEST(number_column, refuses_the_same_cell_at_any_number_of_threads_and_size_of_chunks) {
  std::string text = "a,b\n";
  for (int i = 0; i < 300; ++i) text += i == 200 ? "\"q\"\"q\",1\n" : i > 200 && i % 3 == 0 ? "1,w\n" : "1,2\n";
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{50}, std::size_t{1} << 20})
    for (const unsigned threads : {1u, 4u})
      EXPECT_THAT(error_of([&] { read_csv(text, "data.csv", by_default, {.threads = threads, .chunk_bytes = chunk}); }),
                  HasSubstr("line 202: column 'a' holds 'q\"q'"));
}

TEST(delimiter, is_told_by_the_header) {
  const auto names = [](std::string_view text, const csv_options& options = {.format = {}}) {
    return read_csv(text, "data", {.numeric_columns = {"x"}}, options).source_names;
  };
  EXPECT_THAT(names("x,y\n1,2\n"), ElementsAre("x", "y"));
  EXPECT_THAT(names("x;y\n1;2\n"), ElementsAre("x", "y"));
  EXPECT_THAT(names("x\ty\n1\t2\n"), ElementsAre("x", "y"));
  EXPECT_THAT(names("x|y\n1|2\n"), ElementsAre("x", "y"));
  EXPECT_THAT(names("\"a,b,c\";x\nu;2\n"), ElementsAre("a,b,c", "x"));
  EXPECT_THAT(names("x;y, in m;z\n1;2;3\n"), ElementsAre("x", "y, in m", "z"));
  EXPECT_THAT(names("x,y;z\n1,2\n"), ElementsAre("x", "y;z"));
  EXPECT_THAT(names("a,b,c\tx\n1\t2\n", {.format = {}, .prefer = '\t'}), ElementsAre("a,b,c", "x"));
  EXPECT_THAT(names("x\n1\n"), ElementsAre("x"));
  EXPECT_THAT(names("x:y\n1:2\n", {.format = {.delimiter = ':'}}), ElementsAre("x", "y"));
}

TEST(decimal_comma, is_read_on_request) {
  const input_format comma = {.decimal = ','};
  EXPECT_THAT(numbers(read("x;y\n1,5;2\n-,25e1;3\n4;1\n", {.numeric_columns = {"x"}}, comma), "x"),
              ElementsAre(1.5, -2.5, 4));
  EXPECT_THAT(numbers(read("x\n1,5\n2,5\n", {.numeric_columns = {"x"}}, comma), "x"), ElementsAre(1.5, 2.5));
  EXPECT_THAT(numbers(read("x,y\n\"1,5\",2\n", {.numeric_columns = {"x"}}, comma), "x"), ElementsAre(1.5));
  EXPECT_THAT(error_of_text("x;y\n1.5;2\n", {.numeric_columns = {"x"}}, comma), HasSubstr("a decimal point"));
  EXPECT_THAT(error_of_text("x;y\n1,5,2;2\n", {.numeric_columns = {"x"}}, comma), HasSubstr("holds '1,5,2'"));
}

TEST(decimal_comma, and_thousands_are_named_as_the_cause_where_they_are_none) {
  const read_request x = {.numeric_columns = {"x"}};
  EXPECT_THAT(error_of_text("x;y\n1,5;2\n", x), AllOf(HasSubstr("a decimal comma"), HasSubstr("--decimal ','")));
  EXPECT_THAT(error_of_text("x\n1,5\n", x), HasSubstr("--decimal ,"));
  EXPECT_THAT(error_of_text("x;y\n1,5;2\n2,5;3\n4,0;1\n", by_default), HasSubstr("line 2: column 'x' holds '1,5'"));
  EXPECT_THAT(error_of_text("x,y\n\"1,234.5\",2\n", x), HasSubstr("thousands separators"));
  EXPECT_THAT(error_of_text("x,y\n\"1,234\",2\n\"12,345\",3\n", by_default), HasSubstr("thousands separator"));
}

TEST(trouble_with, names_thousands_and_decimal_signs_and_nothing_else) {
  const auto cause = [](std::string_view text, char decimal = '.') {
    const auto trouble = trouble_with(text, decimal);
    return trouble ? trouble->cause : "none";
  };
  for (const char* text : {"1,234,567", "1 234", "12 345.6", "1'234", "1_234",
                           "1\xC2\xA0"
                           "234",
                           "1\xE2\x80\xAF"
                           "234",
                           "1,00,000", "-1,234.5", "1.234.567"})
    EXPECT_THAT(cause(text), HasSubstr("thousands separators")) << text;
  EXPECT_THAT(cause("1,234"), HasSubstr("a thousands separator or a decimal comma"));
  EXPECT_THAT(cause("1.234", ','), HasSubstr("a thousands separator or a decimal point"));
  EXPECT_THAT(cause("1.234,5"), HasSubstr("thousands separators and a decimal comma"));
  EXPECT_THAT(cause("1.234,5", ','), HasSubstr("thousands separators"));
  EXPECT_THAT(cause("1,5"), HasSubstr("a decimal comma"));
  EXPECT_THAT(cause(" -0,25"), HasSubstr("a decimal comma"));
  for (const char* text : {"", "abc", "2020-01-02", "01.02.2020", "1.2.3", "12:30", "1,2,3", "1,", ",", "1 2", "x1,5"})
    EXPECT_EQ(cause(text), "none") << text;
}

TEST(missing, has_the_texts_that_the_caller_adds_as_numbers_and_as_keys) {
  const input_format format = {.missing = {"N/A", "null", "-", ".", "-9999"}};
  const table t = read("k,v\nN/A,N/A\nnull, null \n\"-\",-\n.,.\na,-9999.0\n-9999,-9.999e3\nb,7\n",
                       {.numeric_columns = {"v"}, .key_columns = {"k"}}, format);
  EXPECT_THAT(numbers(t, "v"), ElementsAre(IsNan(), IsNan(), IsNan(), IsNan(), IsNan(), IsNan(), 7));
  EXPECT_THAT(t.at("k", column_kind::text).codes, ElementsAre(-1, -1, -1, -1, 0, -1, 1));
  EXPECT_THAT(
      numbers(read("v;w\n-99,0;1\n5,5;2\n", {.numeric_columns = {"v"}}, {.decimal = ',', .missing = {"-99"}}), "v"),
      ElementsAre(IsNan(), 5.5));
}

TEST(key, that_is_not_utf_8_is_refused_with_line_and_byte) {
  const read_request request = {.numeric_columns = {"x"}, .key_columns = {"g"}};
  EXPECT_THAT(error_of_text("g,x\ncaf\xE9,1\n", request), HasSubstr("data.csv, line 2, byte 7: column 'g'"));
  EXPECT_THAT(error_of_text("g,x\n\"a\"\"\xE9\",1\n", request), HasSubstr("line 2"));
  EXPECT_EQ(error_of_text("g,x,note\ncaf\xC3\xA9,1,\xE9\n", request), "nothing thrown");  // the note was not asked for
  // The first fault of the file is reported, at any size of chunks.
  std::string text = "g,x\n";
  for (int i = 0; i < 100; ++i) text += i == 40 ? "\xFF,1\n" : i == 60 ? "b,two\n" : "a,1\n";
  for (const std::size_t chunk : {1u, 30u, 100000u})
    EXPECT_THAT(error_of([&] { read_csv(text, "data.csv", request, {.threads = 3, .chunk_bytes = chunk}); }),
                HasSubstr("line 42, byte 164"));
}

TEST(find_invalid_utf8, knows_overlong_forms_surrogates_and_the_end) {
  for (const char* sound :
       {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xEE\x80\x80"})
    EXPECT_EQ(find_invalid_utf8(sound), std::string_view::npos) << sound;
  for (const char* broken : {"a\x80", "a\xC3", "a\xC0\xAF", "a\xE0\x80\xAF", "a\xED\xA0\x80", "a\xF0\x80\x80\x80",
                             "a\xF4\x90\x80\x80", "a\xF5\x80\x80\x80", "a\xE2\x82", "a\xFF"})
    EXPECT_EQ(find_invalid_utf8(broken), 1u);
}

TEST(key, of_a_negative_zero_is_that_of_zero) {
  const auto keys = [](std::string_view text) {
    const table t = read(text, {.key_columns = {"k"}});
    const grouping groups = group_rows(t, {"k"});
    std::vector<std::string> all;
    for (const std::int32_t group : groups.group_of_row)
      all.push_back(groups.key_text[0][static_cast<std::size_t>(group)]);
    return all;
  };
  EXPECT_THAT(keys("k\n-0.0\n0\n1\n"), ElementsAre("0", "0", "1"));
  EXPECT_THAT(keys("k\n0\n1\n-0\n"), ElementsAre("0", "1", "0"));
  EXPECT_THAT(keys("k\n0.0\n-0.0\n0\n-0\n"), ElementsAre("0.0", "0.0", "0", "0"));
  EXPECT_THAT(keys("k\n-0.00\n-1\n"), ElementsAre("0.00", "-1"));
  EXPECT_THAT(keys("k\n-0x\n-00\n-0.\n"), ElementsAre("-0x", "-00", "-0."));  // no numbers as they are printed
}

TEST(rows, are_all_accounted_for) {
  std::mt19937 random(4);
  std::string text = "k,v\n";
  std::size_t missing = 0;
  const char* values[] = {"1.5", "", "NA", "-9", "2"};
  const char* keys[] = {"a", "", "b", "NA", "-0"};
  for (int i = 0; i < 1000; ++i) {
    const auto value = random() % 5;
    text += std::string(keys[random() % 5]) + "," + values[value] + "\n";
    missing += value >= 1 && value <= 3;
  }
  const table t = read(text, {.numeric_columns = {"v"}, .key_columns = {"k"}}, {.missing = {"-9"}});
  EXPECT_EQ(t.rows, 1000u);
  const auto& v = numbers(t, "v");
  EXPECT_EQ(static_cast<std::size_t>(std::count_if(v.begin(), v.end(), [](double x) { return std::isnan(x); })),
            missing);
}

/// Of the processor: what else the machine does is no matter.
double seconds(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(cost, of_a_million_columns_is_in_proportion) {
  std::string header, record;
  for (int i = 0; i < 200000; ++i) {
    header += "c" + std::to_string(i) + ",";
    record += "1,";
  }
  const std::string text = header + "x\n" + record + "2\n";
  EXPECT_THAT(numbers(read(text, {.numeric_columns = {"x"}}), "x"), ElementsAre(2));
  EXPECT_EQ(read(text, by_default).columns.size(), 200001u);
  EXPECT_LT(seconds([&] { read(text, by_default); }), 5.0);
}

}  // namespace
}  // namespace manyfit::app
