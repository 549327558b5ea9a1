// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "input/input.hpp"
#include "input/npy_reader.hpp"
#include "input_support.hpp"

namespace manyfit::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A file of the given version around a header and data.
std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string bytes(npy_magic);
  bytes += {version, '\0'};
  std::size_t length = header.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i, length >>= 8) bytes += static_cast<char>(length & 0xFF);
  return bytes + header + data;
}

std::string header(const std::string& type, const std::string& shape, bool fortran_order = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran_order ? "True" : "False") + ", 'shape': " + shape +
         ", }   \n";
}

template <class Value>
std::string bytes_of(const std::vector<Value>& values, bool swapped = false) {
  std::string bytes;
  for (const Value value : values) {
    char each[sizeof(Value)];
    std::memcpy(each, &value, sizeof(Value));
    if (swapped) std::reverse(each, each + sizeof(Value));
    bytes.append(each, sizeof(Value));
  }
  return bytes;
}

std::vector<double> doubles(const npy_array& array) {
  return std::get<std::vector<double>>(array.values);
}

std::string error_of_text(const std::string& bytes) {
  return error_of([&] { read_npy(bytes, "a.npy"); });
}

template <class Value>
void expect_read(const std::string& type) {
  const std::vector<Value> values = {static_cast<Value>(1), static_cast<Value>(-2), static_cast<Value>(100)};
  const std::vector<double> expected(values.begin(), values.end());
  for (const bool big : {false, true}) {
    const auto array = read_npy(npy(header((big ? ">" : "<") + type, "(3,)"), bytes_of(values, big)), "a.npy");
    EXPECT_THAT(array.shape, ElementsAre(3u)) << type;
    EXPECT_EQ(doubles(array), expected) << type;
    EXPECT_FALSE(array.single_precision());
  }
}

TEST(npy, reads_doubles_and_integers_of_both_byte_orders) {
  expect_read<double>("f8");
  expect_read<std::int8_t>("i1");
  expect_read<std::int16_t>("i2");
  expect_read<std::int32_t>("i4");
  expect_read<std::int64_t>("i8");
  expect_read<std::uint8_t>("u1");
  expect_read<std::uint16_t>("u2");
  expect_read<std::uint32_t>("u4");
  expect_read<std::uint64_t>("u8");
}

TEST(npy, reads_booleans_as_zero_and_one) {
  EXPECT_THAT(doubles(read_npy(npy(header("|b1", "(2,)"), std::string("\0\1", 2)), "a.npy")), ElementsAre(0, 1));
}

TEST(npy, keeps_float32_as_float) {
  for (const bool big : {false, true}) {
    const auto array = read_npy(npy(header(big ? ">f4" : "<f4", "(2,)"), bytes_of<float>({1.5f, -0.1f}, big)), "a.npy");
    ASSERT_TRUE(array.single_precision());
    EXPECT_THAT(std::get<std::vector<float>>(array.values), ElementsAre(1.5f, -0.1f));
    EXPECT_EQ(array.size(), 2u);
  }
}

TEST(npy, reads_float16_of_both_byte_orders_exactly) {
  const std::vector<std::uint16_t> bits = {0x3E00, 0x4100, 0x4400, 0xC200, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0x8000};
  const std::vector<float> values = {1.5f, 2.5f, 4, -3, 0x1p-24f, -0x1.FF8p-15f, 0x1p-14f, 65504, -0.0f};
  for (const bool big : {false, true}) {
    const auto array = read_npy(npy(header(big ? ">f2" : "<f2", "(9,)"), bytes_of(bits, big)), "a.npy");
    EXPECT_EQ(std::get<std::vector<float>>(array.values), values);
    EXPECT_TRUE(std::signbit(std::get<std::vector<float>>(array.values).back()));
  }
  const std::vector<std::uint16_t> special = {0x7C00, 0xFC00, 0x7E00};
  const auto array = read_npy(npy(header("<f2", "(3,)"), bytes_of(special)), "a.npy");
  const auto& read = std::get<std::vector<float>>(array.values);
  EXPECT_EQ(read[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(read[1], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(read[2]));
}

TEST(npy, gives_rows_in_order_whatever_the_order_of_the_file) {
  const auto c = read_npy(npy(header("<f8", "(2, 3)"), bytes_of<double>({1, 2, 3, 4, 5, 6})), "a.npy");
  const auto fortran = read_npy(npy(header("<f8", "(2, 3)", true), bytes_of<double>({1, 4, 2, 5, 3, 6})), "a.npy");
  EXPECT_THAT(c.shape, ElementsAre(2u, 3u));
  EXPECT_THAT(doubles(c), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(c.shape, fortran.shape);
  EXPECT_EQ(doubles(c), doubles(fortran));
}

TEST(npy, turns_large_fortran_arrays_without_a_slip) {
  const std::size_t rows = 67, columns = 41;
  std::vector<double> stored(rows * columns);
  for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<double>(i);
  const auto values = doubles(read_npy(npy(header("<f8", "(67, 41)", true), bytes_of(stored)), "a.npy"));
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) ASSERT_EQ(values[r * columns + c], stored[c * rows + r]);
  }
}

TEST(npy, reads_all_three_versions) {
  for (const char version : {1, 2, 3}) {
    EXPECT_THAT(doubles(read_npy(npy(header("<f8", "(1,)"), bytes_of<double>({7}), version), "a.npy")), ElementsAre(7));
  }
  EXPECT_THAT(error_of_text(npy(header("<f8", "(1,)"), bytes_of<double>({7}), 4)), HasSubstr("byte 6: .npy version 4"));
}

TEST(npy, reads_empty_arrays) {
  EXPECT_EQ(read_npy(npy(header("<f8", "(0,)"), ""), "a.npy").size(), 0u);
  EXPECT_EQ(read_npy(npy(header("<f8", "(0, 3)"), ""), "a.npy").size(), 0u);
  EXPECT_THAT(error_of_text(npy(header("<f8", "(3, 0)"), "")), HasSubstr("3 rows of no values"));
}

TEST(npy, other_numbers_of_dimensions_are_refused) {
  EXPECT_THAT(error_of_text(npy(header("<f8", "()"), bytes_of<double>({1}))), HasSubstr("0 dimensions"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(1, 1, 1)"), bytes_of<double>({1}))), HasSubstr("3 dimensions"));
}

TEST(npy, other_types_are_refused_with_their_name) {
  for (const std::string type : {"<f1", "<c16", "|O", "<U3", "<M8", "|f8", "f8", "<f3", ""}) {
    EXPECT_THAT(error_of_text(npy(header(type, "(1,)"), "xxxxxxxx")), HasSubstr("type '" + type + "'"));
  }
  EXPECT_THAT(error_of_text(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", "xxxxxxxx")),
              HasSubstr("structured type"));
}

TEST(npy, a_length_other_than_the_header_says_is_refused) {
  EXPECT_THAT(error_of_text(npy(header("<f8", "(3,)"), bytes_of<double>({1, 2}))),
              HasSubstr("16 bytes of data, but shape"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(1,)"), bytes_of<double>({1, 2}))), HasSubstr("takes 8"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(2305843009213693952, 8)"), "")), HasSubstr("more than 2^64"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(2305843009213693952,)"), "")), HasSubstr("more than 2^64"));
}

TEST(npy, every_cut_of_a_file_is_refused) {
  const std::string whole = npy(header("<f8", "(2,)"), bytes_of<double>({1, 2}), 2);
  ASSERT_EQ(error_of_text(whole), "nothing thrown");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(error_of_text(whole.substr(0, length)), "nothing thrown") << length;
  }
}

TEST(npy, headers_that_numpy_would_not_write_are_refused_with_the_byte) {
  const std::string data = bytes_of<double>({1});
  EXPECT_EQ(error_of_text(npy("{\"shape\":(1,),\"descr\":\"<f8\",\"fortran_order\":False}", data)), "nothing thrown");
  EXPECT_THAT(error_of_text(npy("{'descr': '<f8', 'shape': (1,), }", data)), HasSubstr("incomplete"));
  EXPECT_THAT(error_of_text(npy("{'descr': '<f8', 'descr': '<f8'}", data)), HasSubstr("byte 27: key 'descr'"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(-1,)"), data)), HasSubstr("no length"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(1)"), data)), HasSubstr("',' was expected"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(99999999999999999999,)"), data)), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(error_of_text(npy("[1]", data)), HasSubstr("byte 10: '['"));
  EXPECT_THAT(error_of_text(npy(header("<f8", "(1,)") + "x", data)), HasSubstr("after the header's dict"));
}

TEST(read_input, takes_npy_by_extension_or_by_magic_and_refuses_column_names) {
  const std::string bytes = npy(header("<f8", "(2,)"), bytes_of<double>({1, 2}));
  for (const std::string extension : {".npy", ".data", ""}) {
    const scratch_file file(extension, bytes);
    EXPECT_EQ(std::get<npy_array>(read_input(file.path(), {})).size(), 2u);
    EXPECT_EQ(std::get<npy_array>(read_input(file.path(), {.all_numeric = true})).size(), 2u);
    EXPECT_THAT(error_of([&] { read_input(file.path(), {.numeric_columns = {"v"}}); }), HasSubstr("no column 'v'"));
    EXPECT_THAT(error_of([&] { read_table(file.path(), {}); }), HasSubstr("no columns"));
  }
  EXPECT_THAT(error_of([&] { read_input(scratch_file(".npy", "a,b\n1,2\n").path(), {}); }), HasSubstr("not a .npy"));
}

}  // namespace
}  // namespace manyfit::app
