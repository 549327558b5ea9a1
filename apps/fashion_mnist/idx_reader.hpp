// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Reads labelled images in the IDX format of MNIST, plain or gzip-compressed. The format: two zero bytes, a type byte
// (8: unsigned bytes), the number of dimensions, each size as a big-endian 32-bit number, then the values. Source:
// LeCun, Cortes & Burges, The MNIST database of handwritten digits, "File formats".
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace manyfit::app {

/// Thrown for data that cannot be used; what() says which file, what it held and what was expected. Exit code 3.
class data_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct labelled_images {
  int count = 0, rows = 0, columns = 0;
  std::vector<std::uint8_t> pixels;  ///< [count × rows × columns], 0 is background
  std::vector<std::uint8_t> labels;  ///< [count]
  int pixel_count() const { return rows * columns; }
  const std::uint8_t* image(int i) const { return pixels.data() + static_cast<std::size_t>(i) * pixel_count(); }
};

/// The values of one IDX file of unsigned bytes with `dimensions` dimensions, whose sizes go into `sizes`. Throws
/// data_error: missing, not IDX, of another type, shorter or longer than its header says, damaged compression.
std::vector<std::uint8_t> read_idx(const std::string& path, int dimensions, std::vector<int>& sizes);

/// The two files of one part of the data set, `part` being "train" or "t10k", in `folder`. Throws data_error also when
/// images and labels differ in number or a label is not below `classes`.
labelled_images read_labelled_images(const std::string& folder, const std::string& part, int classes);

}  // namespace manyfit::app
