// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "input/csv_reader.hpp"
#include "input/input.hpp"
#include "input_support.hpp"

namespace manyfit::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

table read(std::string_view text, const read_request& request = {}, const csv_options& options = {}) {
  return read_csv(text, "data.csv", request, options);
}

std::string error_of_text(std::string_view text, const read_request& request = {}) {
  return error_of([&] { read(text, request); });
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

TEST(csv, a_column_is_numeric_when_every_cell_that_is_not_missing_is_a_number) {
  const table t = read("a,b,c\n1,x,\n2.5,3,\n");
  EXPECT_EQ(t.rows, 2u);
  EXPECT_THAT(numbers(t, "a"), ElementsAre(1, 2.5));
  EXPECT_THAT(texts(t, "b"), ElementsAre("x", "3"));
  EXPECT_THAT(numbers(t, "c"), ElementsAre(IsNan(), IsNan()));
}

TEST(csv, empty_na_and_nan_are_missing) {
  const table t = read("k,v\nNA,NA\nnan,NaN\n,\nna,-nan\n", {.numeric_columns = {"v"}, .key_columns = {"k"}});
  EXPECT_THAT(numbers(t, "v"), ElementsAre(IsNan(), IsNan(), IsNan(), IsNan()));
  EXPECT_THAT(texts(t, "k"), ElementsAre("-", "-", "-", "na"));
}

TEST(csv, a_quoted_na_is_a_key) {
  EXPECT_THAT(texts(read("k\n\"NA\"\nNA\n", {.key_columns = {"k"}}), "k"), ElementsAre("NA", "-"));
}

TEST(csv, numbers_may_have_spaces_signs_exponents_and_quotes) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const table t = read("v\n +1.5\t\n-2e3\n.5\n\"7\"\ninf\n-Infinity\n1e400\n-1e-400\n");
  EXPECT_THAT(numbers(t, "v"), ElementsAre(1.5, -2000, 0.5, 7, inf, -inf, inf, 0));
  EXPECT_TRUE(std::signbit(numbers(t, "v").back()));
}

TEST(csv, what_only_begins_like_a_number_is_text) {
  for (const std::string cell : {"1x", "0x10", "1 2", "+-1", "--1", "+", "1e", "nanx", "nan(1)", "infinite", "1_000"}) {
    EXPECT_EQ(read("v\n" + cell + "\n").columns[0].kind, column_kind::text) << cell;
  }
}

TEST(csv, quotes_hold_separators_line_breaks_and_doubled_quotes) {
  const table t = read("\"a,b\",c\r\n\"x,\"\"1\"\"\",\"two\r\nlines\"\r\n\"\"\"\",\"\"\r\n");
  EXPECT_THAT(texts(t, "a,b"), ElementsAre("x,\"1\"", "\""));
  EXPECT_THAT(texts(t, "c"), ElementsAre("two\r\nlines", "-"));
}

TEST(csv, byte_order_mark_last_line_end_and_blank_end_do_not_matter) {
  for (const std::string text : {"a,b\n1,2", "a,b\n1,2\n",
                                 "\xEF\xBB\xBF"
                                 "a,b\r\n1,2\r\n",
                                 "a,b\n1,2\n\n\r\n\n"}) {
    const table t = read(text);
    EXPECT_EQ(t.rows, 1u) << text;
    EXPECT_THAT(numbers(t, "a"), ElementsAre(1)) << text;
    EXPECT_THAT(numbers(t, "b"), ElementsAre(2)) << text;
  }
}

TEST(csv, a_header_alone_is_a_table_of_no_rows) {
  for (const std::string text : {"a,b", "a,b\n", "a,b\r\n\r\n"}) {
    const table t = read(text, {.numeric_columns = {"a"}, .key_columns = {"b"}});
    EXPECT_EQ(t.rows, 0u);
    EXPECT_EQ(t.columns.size(), 2u);
    EXPECT_EQ(group_rows(t, {"b"}).count(), 0);
  }
}

TEST(csv, a_missing_or_doubtful_header_is_refused) {
  EXPECT_THAT(error_of_text(""), HasSubstr("empty"));
  EXPECT_THAT(error_of_text("\na,b\n"), HasSubstr("line 1: blank"));
  EXPECT_THAT(error_of_text("1.5,2\n3,4\n"), HasSubstr("names of the columns were expected"));
  EXPECT_THAT(read("\"0\",\"1\"\n3,4\n").source_names, ElementsAre("0", "1"));
}

TEST(csv, a_ragged_record_is_refused_with_its_line) {
  EXPECT_THAT(error_of_text("a,b\n\"x\ny\",1\n3\n"),
              HasSubstr("data.csv, line 4: 1 field in this record, but the header has 2"));
  EXPECT_THAT(error_of_text("a,b\n1,2,3\n"), HasSubstr("line 2: 3 fields"));
  EXPECT_THAT(error_of_text("a,b\n1,2\n\n3,4\n"), HasSubstr("line 3: 1 field"));
}

TEST(csv, misplaced_quotes_and_line_ends_are_refused_with_their_line) {
  EXPECT_THAT(error_of_text("a\nx\"y\n"), HasSubstr("line 2: a quote inside a field"));
  EXPECT_THAT(error_of_text("a\n1\n\"x\"y\n"), HasSubstr("line 3: text after the closing quote"));
  EXPECT_THAT(error_of_text("a\n1\n\"x\n\n"), HasSubstr("line 3: a quoted field begins that never ends"));
  EXPECT_THAT(error_of_text("a\r1\r2"), HasSubstr("line 1: a carriage return"));
}

TEST(csv, a_required_number_that_is_none_is_refused_with_line_column_and_text) {
  const std::string message = error_of_text("g,v\na,1\nb,two\nc,3\n", {.numeric_columns = {"v"}});
  EXPECT_THAT(message, HasSubstr("data.csv, line 3: column 'v' holds 'two'"));
  EXPECT_THAT(message, HasSubstr("a number was expected"));
}

TEST(csv, text_of_a_file_cannot_write_to_the_terminal) {
  EXPECT_THAT(error_of_text("v\n\x1b[31mred\n", {.numeric_columns = {"v"}}), HasSubstr("holds '?[31mred'"));
}

TEST(csv, a_requested_column_that_is_not_there_is_refused_with_those_that_are) {
  EXPECT_THAT(error_of_text("g,v\n", {.numeric_columns = {"w"}}), HasSubstr("no column 'w'\nthe columns are 'g', 'v'"));
  EXPECT_THAT(error_of_text("g,v\n", {.key_columns = {"h"}}), HasSubstr("no column 'h'"));
}

TEST(csv, only_requested_columns_are_stored) {
  const table t = read("g,v,w,x\n01,1,2,y\n1,3,4,z\n", {.numeric_columns = {"v"}, .key_columns = {"g"}});
  ASSERT_EQ(t.columns.size(), 2u);
  EXPECT_THAT(texts(t, "g"), ElementsAre("01", "1"));  // as written, although both look like the number 1
  EXPECT_THAT(numbers(t, "v"), ElementsAre(1, 3));
  EXPECT_THAT(t.source_names, ElementsAre("g", "v", "w", "x"));
}

TEST(csv, all_numeric_takes_the_numeric_columns_that_are_not_keys) {
  const table t = read("g,v,w,x\n1,1,2,y\n2,3,4,5\n", {.key_columns = {"g"}, .all_numeric = true});
  ASSERT_EQ(t.columns.size(), 3u);
  EXPECT_EQ(t.find("g", column_kind::numeric), nullptr);
  EXPECT_THAT(numbers(t, "w"), ElementsAre(2, 4));
  EXPECT_EQ(t.find("x", column_kind::numeric), nullptr);
}

TEST(csv, a_column_may_be_key_and_number) {
  const table t = read("a\n2\n1\n2\n", {.numeric_columns = {"a"}, .key_columns = {"a"}});
  EXPECT_THAT(numbers(t, "a"), ElementsAre(2, 1, 2));
  EXPECT_THAT(texts(t, "a"), ElementsAre("2", "1", "2"));
}

TEST(csv, the_result_is_the_same_for_any_number_of_threads_and_size_of_chunks) {
  std::string text = "key,value,note\n";
  for (int i = 0; i < 500; ++i) {
    text += "k" + std::to_string(i * 7919 % 97) + "," + std::to_string(i * 0.37) +
            (i % 3 == 0 ? ",\"a \"\"line\"\"\nbreak, " + std::to_string(i % 5) + "\"\r\n" : ",plain\n");
  }
  const table whole = read(text, {}, {.threads = 1});
  ASSERT_EQ(whole.rows, 500u);
  for (const std::size_t chunk : {1u, 7u, 64u, 1000u}) {
    for (const unsigned threads : {1u, 2u, 5u}) {
      const table cut = read(text, {}, {.threads = threads, .chunk_bytes = chunk});
      ASSERT_EQ(cut.columns.size(), whole.columns.size());
      for (std::size_t i = 0; i < whole.columns.size(); ++i) {
        EXPECT_EQ(cut.columns[i].numbers, whole.columns[i].numbers);
        EXPECT_EQ(cut.columns[i].codes, whole.columns[i].codes);
        EXPECT_EQ(cut.columns[i].dictionary, whole.columns[i].dictionary);
      }
    }
  }
}

TEST(csv, the_first_fault_of_the_file_is_reported_at_any_number_of_threads) {
  std::string text = "a,b\n";
  for (int i = 0; i < 200; ++i) text += i == 50 ? "x\n" : i > 120 ? "1,\"\n" : "1,2\n";
  for (const std::size_t chunk : {1u, 16u, 100000u}) {
    EXPECT_THAT(error_of([&] { read(text, {}, {.threads = 4, .chunk_bytes = chunk}); }), HasSubstr("line 52: 1 field"));
  }
}

TEST(csv, progress_ends_at_the_whole_and_may_stop_the_reading) {
  std::string text = "a\n";
  for (int i = 0; i < 1000; ++i) text += "1\n";
  std::uint64_t done = 0, total = 0;
  read(text, {}, {.threads = 1, .progress = [&](std::uint64_t d, std::uint64_t t) { done = d, total = t; }});
  EXPECT_GT(total, 0u);
  EXPECT_EQ(done, total);
  struct stop {};
  EXPECT_THROW(read(text, {}, {.threads = 2, .chunk_bytes = 10, .progress = [](auto, auto) { throw stop(); }}), stop);
}

TEST(csv, other_formats_by_their_first_bytes_are_refused) {
  EXPECT_THAT(error_of_text("\x1F\x8B\x08"), HasSubstr("gzip"));
  EXPECT_THAT(error_of_text("\xFF\xFE"
                            "a"),
              HasSubstr("UTF-16"));
}

TEST(group_rows, numbers_groups_in_order_of_first_appearance) {
  const table t = read("a,b\ny,1\nx,1\ny,2\ny,1\nx,1\n", {.key_columns = {"a", "b"}});
  const grouping one = group_rows(t, {"a"});
  EXPECT_THAT(one.group_of_row, ElementsAre(0, 1, 0, 0, 1));
  EXPECT_THAT(one.key_text[0], ElementsAre("y", "x"));
  const grouping two = group_rows(t, {"b", "a"});
  EXPECT_THAT(two.group_of_row, ElementsAre(0, 1, 2, 0, 1));
  EXPECT_THAT(two.key_text[0], ElementsAre("1", "1", "2"));
  EXPECT_THAT(two.key_text[1], ElementsAre("y", "x", "y"));
  const grouping none = group_rows(t, {});
  EXPECT_EQ(none.count(), 1);
  EXPECT_THAT(none.group_of_row, ElementsAre(0, 0, 0, 0, 0));
}

TEST(group_rows, leaves_out_and_counts_rows_without_a_whole_key) {
  const table t = read("a,b\ny,\nx,1\n,1\ny,2\n", {.key_columns = {"a", "b"}});
  const grouping groups = group_rows(t, {"a", "b"});
  EXPECT_THAT(groups.group_of_row, ElementsAre(-1, 0, -1, 1));
  EXPECT_EQ(groups.count(), 2);
  EXPECT_EQ(groups.rows_without_key, 2u);
  EXPECT_THAT(groups.key_text[0], ElementsAre("x", "y"));
}

TEST(take_groups, gives_what_group_rows_gives_whatever_order_the_codes_have) {
  const std::vector<std::string> texts = {"unused", "c", "a", "b", "unused too"};
  const std::vector<std::vector<std::int32_t>> orders = {
      {3, 1, -1, 3, 2}, {0, 1, 1, 2, 3}, {1, 2, 3, -1, 1}, {-1, -1}, {}};
  for (const auto& codes : orders) {
    table t{.rows = codes.size(), .source_names = {"k"}};
    t.columns.push_back({.name = "k", .kind = column_kind::text, .codes = codes, .dictionary = texts});
    const grouping kept = group_rows(t, {"k"}), taken = take_groups(t, {"k"});
    std::vector<std::string> plain;  // distinct texts as rows come
    for (std::size_t row = 0; row < codes.size(); ++row) {
      if (codes[row] < 0) {
        EXPECT_EQ(taken.group_of_row[row], no_group);
        continue;
      }
      const std::string& text = texts[static_cast<std::size_t>(codes[row])];
      if (std::find(plain.begin(), plain.end(), text) == plain.end()) {
        ASSERT_LT(plain.size(), taken.first_row.size());
        EXPECT_EQ(taken.first_row[plain.size()], static_cast<std::int64_t>(row));
        plain.push_back(text);
      }
      EXPECT_EQ(plain[static_cast<std::size_t>(taken.group_of_row[row])], text);
    }
    EXPECT_EQ(taken.key_text, std::vector<std::vector<std::string>>{plain});
    EXPECT_EQ(taken.rows_without_key, static_cast<std::size_t>(std::count(codes.begin(), codes.end(), -1)));
    EXPECT_EQ(taken.group_of_row, kept.group_of_row);
    EXPECT_EQ(taken.first_row, kept.first_row);
    EXPECT_EQ(taken.key_text, kept.key_text);
  }
}

TEST(csv, keys_that_come_again_after_thousands_of_others_are_the_same) {
  std::mt19937 random(6);
  std::string text = "k\n";
  std::vector<std::string> wanted, distinct;
  std::map<std::string, std::int32_t> codes;
  for (int row = 0; row < 60000; ++row) {
    const auto number = std::to_string(random() % 20000);
    std::string key = random() % 2 ? "k" + number : "a key of more than sixteen bytes " + number;
    if (random() % 50 == 0) key = "";
    if (random() % 4 == 0 && !wanted.empty()) key = wanted.back();
    text += key.empty() ? "NA\n" : key + "\n";
    if (!key.empty() && codes.try_emplace(key, static_cast<std::int32_t>(codes.size())).second) distinct.push_back(key);
    wanted.push_back(std::move(key));
  }
  for (const std::size_t chunk_bytes : {std::size_t{5000}, std::size_t{300000}, std::size_t{1} << 30}) {
    const table t = read(text, {.key_columns = {"k"}}, {.threads = 3, .chunk_bytes = chunk_bytes});
    const column& key = t.at("k", column_kind::text);
    EXPECT_EQ(key.dictionary, distinct);
    ASSERT_EQ(key.codes.size(), wanted.size());
    for (std::size_t row = 0; row < wanted.size(); ++row)
      ASSERT_EQ(key.codes[row], wanted[row].empty() ? -1 : codes[wanted[row]]) << row;
  }
}

TEST(choose_value_column, takes_the_only_numeric_column_not_named_otherwise) {
  const table t = read("g,v,w\na,1,2\n");
  EXPECT_EQ(choose_value_column(t, {"w"}).name, "v");
  EXPECT_THAT(error_of([&] { choose_value_column(t, {}); }), HasSubstr("--column\nthe columns are 'g', 'v', 'w'"));
  EXPECT_THAT(error_of([&] { choose_value_column(t, {"v", "w"}); }), HasSubstr("no number column is left"));
}

TEST(read_input, goes_by_the_extension_and_then_by_the_first_bytes) {
  EXPECT_EQ(read_table(scratch_file(".tsv", "a,b\tc\n1\t2\n").path(), {}).source_names.size(), 2u);
  EXPECT_EQ(read_table(scratch_file(".csv", "a\tb,c\n1,2\n").path(), {}).source_names.size(), 2u);
  EXPECT_EQ(read_table(scratch_file(".TXT", "a\tb\n1\t2\n").path(), {}).source_names.size(), 2u);
  EXPECT_EQ(read_table(scratch_file(".dat", "a,b\n1,2\n").path(), {}).source_names.size(), 2u);
}

TEST(read_input, refuses_what_cannot_be_read) {
  EXPECT_THAT(error_of([] { read_input("/no/such/file.csv", {}); }), HasSubstr("No such file"));
  EXPECT_THAT(error_of([] { read_input("/", {}); }), HasSubstr("directory"));
}

}  // namespace
}  // namespace manyfit::app
