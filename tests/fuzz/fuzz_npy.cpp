// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Any bytes read as .npy give an array whose size is that of its shape, or an input_error.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "input/npy_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto array = manyfit::app::read_npy({reinterpret_cast<const char*>(data), size}, "fuzz");
    std::size_t expected = 1;
    for (const std::size_t length : array.shape) expected *= length;
    if (array.shape.empty() || array.shape.size() > 2 || array.size() != expected) std::abort();
  } catch (const manyfit::app::input_error&) {
  }
  return 0;
}
