// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/fashion_mnist/idx_reader.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

namespace manyfit::app {
namespace {

/// A folder of this test alone, removed with it.
class idx_reader : public testing::Test {
 protected:
  idx_reader() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / ("manyfit_idx_" + std::string(test->name()));
    std::filesystem::create_directories(folder_);
  }
  ~idx_reader() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string plain(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string compressed(const std::string& name, const std::string& bytes) const {
    gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return path(name);
  }
  /// The complaint about a file, or "" when it is read without one.
  static std::string complaint(const std::string& path, int dimensions) {
    std::vector<int> sizes;
    try {
      read_idx(path, dimensions, sizes);
    } catch (const data_error& e) {
      return e.what();
    }
    return "";
  }

 private:
  std::filesystem::path folder_;
};

std::string bytes(std::initializer_list<int> values) {
  return std::string(values.begin(), values.end());
}

/// Two images of 2 × 3 pixels, values 1 to 12.
std::string images() {
  return bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}
std::string labels() {
  return bytes({0, 0, 8, 1, 0, 0, 0, 2, 9, 0});
}

bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

TEST_F(idx_reader, reads_plain_and_compressed_files_alike) {
  for (const std::string& file : {plain("a", images()), compressed("b", images())}) {
    std::vector<int> sizes;
    const auto values = read_idx(file, 3, sizes);
    EXPECT_EQ(sizes, (std::vector{2, 2, 3}));
    EXPECT_EQ(values, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  }
}

TEST_F(idx_reader, refuses_what_is_not_idx) {
  EXPECT_TRUE(says(complaint(plain("a", "cell,value\n1,2\n"), 3), "is not an IDX file"));
  EXPECT_TRUE(says(complaint(plain("b", ""), 3), "is not an IDX file"));
  EXPECT_TRUE(says(complaint(path("no such file"), 3), "cannot be opened"));
  // Type 13 is float; labels where images were expected.
  EXPECT_TRUE(says(complaint(plain("c", bytes({0, 0, 13, 3, 0, 0, 0, 1})), 3), "holds type 13"));
  EXPECT_TRUE(says(complaint(plain("d", labels()), 3), "with 1 dimensions; expected type 8 (unsigned bytes) with 3"));
}

TEST_F(idx_reader, refuses_every_truncation) {
  const std::string whole = images();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(complaint(plain("cut", whole.substr(0, length)), 3), "") << length << " bytes were accepted";
  EXPECT_TRUE(says(complaint(plain("header", whole.substr(0, 10)), 3), "ends inside its header"));
  EXPECT_TRUE(says(complaint(plain("values", whole.substr(0, 20)), 3), "ends after 4 of the 12 values"));
}

TEST_F(idx_reader, refuses_damaged_compression) {
  std::string file;
  {
    std::ifstream in(compressed("whole", images()), std::ios::binary);
    file.assign(std::istreambuf_iterator<char>(in), {});
  }
  EXPECT_TRUE(says(complaint(plain("cut", file.substr(0, file.size() - 9)), 3), "damaged or cut off"));
  file[file.size() - 6] ^= 1;  // the checksum
  EXPECT_TRUE(says(complaint(plain("checksum", file), 3), "damaged or cut off"));
}

TEST_F(idx_reader, refuses_sizes_that_cannot_be) {
  EXPECT_TRUE(says(complaint(plain("more", images() + "x"), 3), "goes on after the 12 values"));
  EXPECT_TRUE(says(complaint(plain("none", bytes({0, 0, 8, 1, 0, 0, 0, 0})), 1), "claims a size of 0"));
  EXPECT_TRUE(says(complaint(plain("huge", bytes({0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 9, 0, 0, 0, 9})), 3),
                   "claims a size of 4294967295"));
}

TEST_F(idx_reader, refuses_images_and_labels_that_do_not_match) {
  const std::string folder = std::filesystem::path(path("x")).parent_path().string();
  compressed("train-images-idx3-ubyte.gz", images());
  const auto complaint_about = [&](const std::string& content) -> std::string {
    compressed("train-labels-idx1-ubyte.gz", content);
    try {
      const auto data = read_labelled_images(folder, "train", 10);
      EXPECT_EQ(data.count, 2);
      EXPECT_EQ(data.image(1)[0], 7);
    } catch (const data_error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(complaint_about(labels()), "");
  EXPECT_TRUE(says(complaint_about(bytes({0, 0, 8, 1, 0, 0, 0, 1, 9})), "has 1 labels"));
  EXPECT_TRUE(says(complaint_about(bytes({0, 0, 8, 1, 0, 0, 0, 2, 9, 10})), "has the label 10; expected 0 to 9"));
  try {
    read_labelled_images(folder, "t10k", 10);
    FAIL() << "a missing file was accepted";
  } catch (const data_error& e) {
    EXPECT_TRUE(says(e.what(), "dataset-fashion-mnist")) << e.what();
  }
}

}  // namespace
}  // namespace manyfit::app
