// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Any bytes read as .npz give an array whose size is that of its shape, or an input_error.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "input/npz_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::string array : {"", "a"}) {
    try {
      const manyfit::app::npy_array read = manyfit::app::read_npz(bytes, "fuzz", array);
      std::size_t expected = 1;
      for (const std::size_t length : read.shape) expected *= length;
      if (read.shape.empty() || read.shape.size() > 2 || read.size() != expected) std::abort();
    } catch (const manyfit::app::input_error&) {
    }
  }
  return 0;
}
