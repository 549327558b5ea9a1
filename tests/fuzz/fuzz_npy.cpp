// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Any bytes read as .npy give an array whose size is that of its shape, or an input_error; and used where they lie, as
// a file is that is mapped, they give the same numbers or the same error.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input/npy_reader.hpp"

namespace {

using namespace manyfit::app;

/// The view, if there is one, must be of what was read, or its error the same.
template <class T>
void compare(std::string_view bytes, const std::optional<npy_array>& read, const std::string& message) {
  try {
    const std::optional<npy_view<T>> view = view_npy<T>(bytes, "fuzz");
    if (!read) std::abort();
    if (!view) return;
    const auto* const values = std::get_if<std::vector<T>>(&read->values);
    if (!values || view->shape != read->shape || view->values.size() != values->size()) std::abort();
    if (reinterpret_cast<std::uintptr_t>(view->values.data()) % alignof(T) != 0) std::abort();
    if (!values->empty() && std::memcmp(values->data(), view->values.data(), values->size() * sizeof(T)) != 0)
      std::abort();
  } catch (const input_error& error) {
    if (read || message != error.what()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<npy_array> read;
  std::string message;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    read = read_npy(bytes, "fuzz");
    std::size_t expected = 1;
    for (const std::size_t length : read->shape) expected *= length;
    if (read->shape.empty() || read->shape.size() > 2 || read->size() != expected) std::abort();
  } catch (const input_error& error) {
    message = error.what();
  }
  for (const std::size_t shift : {0u, 1u, 4u}) {  // a mapping begins at a page; a header may leave the numbers anywhere
    std::vector<char> moved(shift + size);
    if (size > 0) std::memcpy(moved.data() + shift, data, size);
    compare<double>({moved.data() + shift, size}, read, message);
    compare<float>({moved.data() + shift, size}, read, message);
  }
  return 0;
}
