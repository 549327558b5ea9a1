// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Files of points that are used where they lie: mapped arrays, and Parquet by row groups.
#include <cstring>

#include "input/arrow_reader.hpp"
#include "input/npy_reader.hpp"
#include "input_support.hpp"
#include "mixture_tests.hpp"
#include "point_file.hpp"

#ifdef MF_WITH_ARROW
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>
#endif

namespace manyfit::app {
namespace {

using tests::draw_points;
using tests::same_fit;

/// A .npy file, its header as long as numpy makes it.
template <class T>
std::string npy_file(const std::string& type, const std::string& shape, const std::vector<T>& values,
                     bool fortran_order = false) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                       ", 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes(npy_magic);
  bytes += {1, 0, 118, 0};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return bytes;
}

mixture_options short_run() {
  mixture_options options;
  options.components = 3;
  options.restarts = 2;
  options.max_iterations = 5;
  return options;
}

TEST(point_file, an_array_of_the_right_type_is_used_where_it_lies) {
  const std::vector<double> values = draw_points(5000, 2, 3, 0, 1);
  const scratch_file file(".npy", npy_file("<f8", "(5000, 2)", values));
  const common_options quiet{.quiet = true};
  const point_set<double> mapped = read_points<double>({.path = file.path()}, quiet, 1);
  EXPECT_TRUE(mapped.values.empty());
  ASSERT_TRUE(mapped.file != nullptr);
  EXPECT_EQ(mapped.rows(), 5000);
  EXPECT_EQ(mapped.names, (std::vector<std::string>{"x0", "x1"}));
  EXPECT_TRUE(tests::same_bits(mapped.coordinates(), values));
  const executor where = executor::cpu(1);
  EXPECT_TRUE(same_fit(fit_mixture(where, mapped.view(), short_run()), 0,
                       fit_mixture(where, points<double>(values, 2), short_run()), 0));
  const point_set<float> converted = read_points<float>({.path = file.path()}, quiet, 1);
  EXPECT_TRUE(converted.file == nullptr);
  ASSERT_EQ(converted.values.size(), values.size());
  EXPECT_EQ(converted.values[7], static_cast<float>(values[7]));
}

TEST(point_file, other_arrays_are_read_and_come_to_the_same) {
  const std::vector<double> rows = {1, 2, 3, 4, 5, 6}, columns = {1, 3, 5, 2, 4, 6};
  std::vector<double> swapped = rows;
  for (double& x : swapped) std::reverse(reinterpret_cast<char*>(&x), reinterpret_cast<char*>(&x) + sizeof x);
  std::string shifted = npy_file("<f8", "(3, 2)", rows);  // a header that leaves the numbers at an odd place
  shifted.insert(11 + 60, " ");
  shifted[8] = 119;
  const std::string files[] = {npy_file("<f8", "(3, 2)", columns, true), npy_file(">f8", "(3, 2)", swapped), shifted,
                               npy_file<std::int64_t>("<i8", "(3, 2)", {1, 2, 3, 4, 5, 6})};
  for (const std::string& bytes : files) {
    const scratch_file file(".npy", bytes);
    const point_set<double> read = read_points<double>({.path = file.path()}, {.quiet = true}, 1);
    EXPECT_TRUE(read.file == nullptr);
    EXPECT_EQ(read.values, rows);
  }
  const scratch_file line(".npy", npy_file("<f8", "(6,)", rows, true));  // one dimension has but one order
  const point_set<double> mapped = read_points<double>({.path = line.path()}, {.quiet = true}, 1);
  EXPECT_EQ(mapped.dimensions(), 1);
  EXPECT_TRUE(tests::same_bits(mapped.coordinates(), rows));
}

TEST(point_file, a_broken_array_is_refused) {
  const std::string whole = npy_file<double>("<f8", "(3, 2)", {1, 2, 3, 4, 5, 6});
  const scratch_file cut(".npy", whole.substr(0, whole.size() - 8)),
      wide(".npy", npy_file<double>("<f8", "(1, 1025)", std::vector<double>(1025)));
  for (const scratch_file* file : {&cut, &wide})
    EXPECT_NE(error_of([&] { read_points<double>({.path = file->path()}, {.quiet = true}, 1); }), "nothing thrown");
}

#ifndef MF_WITH_ARROW

TEST(parquet_points, stream_row_groups) {
  GTEST_SKIP() << "built without Apache Arrow (MF_WITH_ARROW is not defined)";
}

#else

/// A table a, b, w, and a text, in row groups of `rows_each`.
void write_sample(const std::string& path, const std::vector<double>& values, std::int64_t rows_each) {
  arrow::DoubleBuilder a, b;
  arrow::FloatBuilder w;
  arrow::StringBuilder text;
  for (std::size_t i = 0; 2 * i < values.size(); ++i) {
    ASSERT_TRUE(a.Append(values[2 * i]).ok());
    ASSERT_TRUE((i % 311 == 4 ? b.AppendNull() : b.Append(values[2 * i + 1])).ok());
    ASSERT_TRUE(w.Append(static_cast<float>(1 + i % 3)).ok());
    ASSERT_TRUE(text.Append("x").ok());
  }
  const auto schema = arrow::schema({arrow::field("a", arrow::float64()), arrow::field("text", arrow::utf8()),
                                     arrow::field("w", arrow::float32()), arrow::field("b", arrow::float64())});
  const auto data = arrow::Table::Make(
      schema, {a.Finish().ValueOrDie(), text.Finish().ValueOrDie(), w.Finish().ValueOrDie(), b.Finish().ValueOrDie()});
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  ASSERT_TRUE(parquet::arrow::WriteTable(*data, arrow::default_memory_pool(), file, rows_each).ok());
  ASSERT_TRUE(file->Close().ok());
}

TEST(parquet_points, stream_row_groups_with_the_bits_of_memory) {
  const scratch_file file(".parquet");
  write_sample(file.path(), draw_points(70001, 2, 3, 5, 2), 6007);  // no window, partition or tile ends with a group
  const common_options quiet{.quiet = true};
  for (const char* weights : {"", "w"}) {
    const point_request request{.path = file.path(), .columns = {"b", "a"}, .weights = weights};
    const mixture_results expected =
        fit_mixture(executor::cpu(1), read_points<double>(request, quiet, 1).view(), short_run());
    EXPECT_EQ(expected.missing[0], 226);
    for (const int threads : {1, 2, 5}) {
      const parquet_points<double> source(request, threads);
      EXPECT_EQ(source.rows(), 70001);
      EXPECT_EQ(source.names(), request.columns);
      EXPECT_TRUE(same_fit(fit_mixture(executor::cpu(threads), source, short_run()), 0, expected, 0));
    }
    const parquet_points<float> narrow(request, 2);
    EXPECT_TRUE(same_fit(fit_mixture(executor::cpu(2), narrow, short_run()), 0,
                         fit_mixture(executor::cpu(1), read_points<float>(request, quiet, 1).view(), short_run()), 0));
  }
}

TEST(parquet_points, take_the_columns_that_reading_takes) {
  const scratch_file file(".parquet");
  write_sample(file.path(), draw_points(50, 2, 3, 5, 2), 20);
  for (const char* weights : {"", "w"}) {
    const point_request request{.path = file.path(), .weights = weights};
    EXPECT_EQ(parquet_points<double>(request, 1).names(), read_points<double>(request, {.quiet = true}, 1).names);
  }
  EXPECT_NE(error_of([&] { parquet_points<double>({.path = file.path(), .columns = {"c"}}, 1); }), "nothing thrown");
}

TEST(parquet_points, are_chosen_where_memory_would_not_do) {
  const scratch_file file(".parquet"), text(".csv", "a,b\n1,2\n");
  write_sample(file.path(), draw_points(5000, 2, 3, 5, 2), 1000);
  EXPECT_TRUE(stream_points<double>({.path = file.path()}, 1, 5000 * 3 * 16 - 1) != nullptr);
  EXPECT_TRUE(stream_points<double>({.path = file.path()}, 1, 5000 * 3 * 16) == nullptr);
  EXPECT_TRUE(stream_points<double>({.path = file.path(), .by = {"text"}}, 1, 1) == nullptr);
  EXPECT_TRUE(stream_points<double>({.path = text.path()}, 1, 1) == nullptr);
  EXPECT_TRUE(half_of_memory() > std::int64_t{1} << 20);
}

TEST(parquet_points, a_damaged_group_ends_the_fit_with_what_is_wrong) {
  const scratch_file file(".parquet");
  write_sample(file.path(), draw_points(70001, 2, 3, 5, 2), 6007);
  const parquet_points<double> source({.path = file.path(), .columns = {"a", "b"}}, 2);
  std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
  const std::size_t quarter = std::filesystem::file_size(file.path()) / 4;  // three groups, their headers included
  bytes.seekp(static_cast<std::streamoff>(quarter));
  bytes << std::string(quarter, '\xff');
  bytes.close();
  EXPECT_NE(error_of([&] { fit_mixture(executor::cpu(2), source, short_run()); }), "nothing thrown");
}

#endif

}  // namespace
}  // namespace manyfit::app
