// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "input/file_bytes.hpp"
#include "input/input.hpp"
#include "input/npz_reader.hpp"
#include "input_support.hpp"

namespace manyfit::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
  return text;
}

std::string npy(const std::vector<double>& values) {
  std::string header =
      "{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::to_string(values.size()) + ",), }\n";
  std::string bytes = std::string(npy_magic) + std::string("\1\0", 2) + little_endian(header.size(), 2) + header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return bytes;
}

std::string deflated(const std::string& data) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(::deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

/// An archive as numpy writes it: 64-bit sizes in the local header, plain ones in the directory.
std::string npz(const std::vector<std::pair<std::string, std::string>>& members, bool compressed) {
  std::string file, directory;
  for (const auto& [name, data] : members) {
    const std::string packed = compressed ? deflated(data) : data;
    const auto checksum =
        static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const unsigned char*>(data.data()), data.size()));
    const std::string method = little_endian(compressed ? 8 : 0, 2);
    const std::size_t at = file.size();
    file += "PK\3\4" + little_endian(45, 2) + little_endian(0, 2) + method + little_endian(0, 4) +
            little_endian(checksum, 4) + little_endian(0xFFFFFFFF, 4) + little_endian(0xFFFFFFFF, 4) +
            little_endian(name.size(), 2) + little_endian(20, 2) + name + little_endian(1, 2) + little_endian(16, 2) +
            little_endian(data.size(), 8) + little_endian(packed.size(), 8) + packed;
    directory += "PK\1\2" + little_endian(45, 2) + little_endian(45, 2) + little_endian(0, 2) + method +
                 little_endian(0, 4) + little_endian(checksum, 4) + little_endian(packed.size(), 4) +
                 little_endian(data.size(), 4) + little_endian(name.size(), 2) + little_endian(0, 2) +
                 little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 4) +
                 little_endian(at, 4) + name;
  }
  return file + directory + "PK\5\6" + little_endian(0, 4) + little_endian(members.size(), 2) +
         little_endian(members.size(), 2) + little_endian(directory.size(), 4) + little_endian(file.size(), 4) +
         little_endian(0, 2);
}

std::vector<double> doubles(const npy_array& array) {
  return std::get<std::vector<double>>(array.values);
}

std::string error_of_text(const std::string& bytes, const std::string& array = {}) {
  return error_of([&] { read_npz(bytes, "a.npz", array); });
}

TEST(npz, of_one_array_is_that_array) {
  const file_bytes file(MF_GOLDEN_DIR "/one_array.npz");  // numpy.savez(a=[1.5, 2.5, 4, 3])
  EXPECT_THAT(doubles(read_npz(file.view(), "n.npz", "")), ElementsAre(1.5, 2.5, 4, 3));
  EXPECT_THAT(doubles(read_npz(file.view(), "n.npz", "a")), ElementsAre(1.5, 2.5, 4, 3));
  const file_bytes packed(MF_GOLDEN_DIR "/two_arrays.npz");  // numpy.savez_compressed(values=..., zeros=...)
  EXPECT_THAT(std::get<std::vector<float>>(read_npz(packed.view(), "n.npz", "values").values),
              ElementsAre(1.5f, 2.5f, 4, 3));
  EXPECT_EQ(read_npz(packed.view(), "n.npz", "zeros").shape, (std::vector<std::size_t>{100, 30}));
}

TEST(npz, of_several_arrays_needs_a_name) {
  for (const bool compressed : {false, true}) {
    const std::string file = npz({{"a.npy", npy({1, 2})}, {"b.npy", npy({3})}}, compressed);
    EXPECT_THAT(doubles(read_npz(file, "a.npz", "b")), ElementsAre(3));
    EXPECT_THAT(error_of_text(file), HasSubstr("2 arrays; name one with --array\nthe arrays are 'a', 'b'"));
    EXPECT_THAT(error_of_text(file, "c"), HasSubstr("no array 'c'\nthe arrays are 'a', 'b'"));
  }
  const std::string alike = npz({{"x.npy", npy({1})}, {"xy.npy", npy({2})}, {"wx.npy", npy({3})}}, false);
  EXPECT_THAT(doubles(read_npz(alike, "a.npz", "x")), ElementsAre(1));
  EXPECT_THAT(doubles(read_npz(alike, "a.npz", "xy")), ElementsAre(2));
  EXPECT_THAT(error_of_text(npz({}, false)), HasSubstr("without an array"));
}

TEST(npz, larger_than_a_step_of_inflating_comes_out_whole) {
  std::vector<double> values(3 << 20);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sqrt(static_cast<double>(i));
  EXPECT_EQ(doubles(read_npz(npz({{"a.npy", npy(values)}}, true), "a.npz", "")), values);
}

TEST(npz, every_cut_and_every_flipped_byte_is_refused_or_changes_nothing) {
  for (const bool compressed : {false, true}) {
    const std::string whole = npz({{"a.npy", npy({1, 2, 2, 2})}}, compressed);
    const std::vector<double> values = {1, 2, 2, 2};
    ASSERT_EQ(doubles(read_npz(whole, "a.npz", "")), values);
    for (std::size_t length = 0; length < whole.size(); ++length)
      EXPECT_NE(error_of_text(whole.substr(0, length)), "nothing thrown") << length;
    for (std::size_t i = 0; i < whole.size(); ++i)
      for (const int bit : {1, 16, 128}) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ bit);
        error_of([&] { EXPECT_EQ(doubles(read_npz(damaged, "a.npz", "")), values) << i; });
      }
  }
}

TEST(npz, that_claims_more_than_it_holds_takes_no_memory_for_it) {
  std::string file = npz({{"a.npy", npy({1, 2})}}, true);
  const std::size_t size_at = file.find("PK\1\2") + 24;
  file.replace(size_at, 4, little_endian(0xFFFFFFF0, 4));
  EXPECT_THAT(error_of_text(file), HasSubstr("damaged"));
}

TEST(read_input, takes_npz_by_extension_or_by_magic_and_an_array_s_name_for_nothing_else) {
  const std::string bytes = npz({{"a.npy", npy({1, 2})}, {"b.npy", npy({3})}}, true);
  for (const char* extension : {".npz", ".data", ""}) {
    const scratch_file file(extension, bytes);
    EXPECT_EQ(std::get<npy_array>(read_input(file.path(), {}, {.format = {.array = "a"}})).size(), 2u);
  }
  const scratch_file array(".npy", npy({1, -9999, 3})), text(".csv", "x\n1\n");
  EXPECT_THAT(error_of([&] { read_input(array.path(), {}, {.format = {.array = "a"}}); }), HasSubstr("--array"));
  EXPECT_THAT(error_of([&] { read_input(text.path(), {}, {.format = {.array = "a"}}); }), HasSubstr("--array"));
  EXPECT_THAT(error_of([&] { read_input(array.path(), {}, {.format = {.delimiter = ';'}}); }),
              HasSubstr("--delimiter"));
  EXPECT_THAT(error_of([&] { read_input(array.path(), {}, {.format = {.decimal = ','}}); }), HasSubstr("--decimal"));
  const auto read = std::get<npy_array>(read_input(array.path(), {}, {.format = {.missing = {"-9999"}}}));
  EXPECT_TRUE(std::isnan(std::get<std::vector<double>>(read.values)[1]));
}

}  // namespace
}  // namespace manyfit::app
