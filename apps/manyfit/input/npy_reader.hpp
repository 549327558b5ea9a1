// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "input/input_error.hpp"

namespace manyfit::app {

/// An array of one or two dimensions, in C order whatever the order of the file.
struct npy_array {
  std::string source = {};              ///< the name for messages: a path, or "stdin"
  std::vector<std::size_t> shape = {};  ///< 1 or 2 entries
  /// [product of shape]. Float32 stays float, and float16 becomes it; float64, integers and booleans become double
  /// (integers beyond 2^53 are rounded).
  std::variant<std::vector<double>, std::vector<float>> values = {};

  std::size_t size() const {
    return std::visit([](const auto& each) { return each.size(); }, values);
  }
  bool single_precision() const { return values.index() == 1; }
};

/// The bytes every .npy file begins with.
inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Reads a .npy file of version 1, 2 or 3: float16, float32 and float64, integers of 1 to 8 bytes, booleans; both byte
/// orders; C and Fortran order; 1 or 2 dimensions. Throws input_error for anything else, and for a file whose length is
/// not what its header says.
npy_array read_npy(std::string_view bytes, const std::string& source);

/// The numbers of a .npy file where they lie in its bytes.
template <class T>
struct npy_view {
  std::vector<std::size_t> shape = {};  ///< 1 or 2 entries
  std::span<const T> values = {};       ///< [product of shape], C order
};

/// As read_npy, without a copy; nothing where the bytes are not such an array as they are: of another type than T
/// (float or double), in the other byte order, in Fortran order, or not aligned. Throws as read_npy does.
template <class T>
std::optional<npy_view<T>> view_npy(std::string_view bytes, const std::string& source);

}  // namespace manyfit::app
