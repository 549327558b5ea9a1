// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace manyfit {

struct large_array_deleter {
  void operator()(void* memory) const { std::free(memory); }
};
template <class T>
using large_array = std::unique_ptr<T[], large_array_deleter>;

/// Memory for `count` elements, not initialised: in huge pages where the system gives them for the asking, since the
/// first touch of 4 KiB at a time costs as much as the work on them. Throws std::bad_alloc.
template <class T>
large_array<T> make_large_array(std::size_t count) {
  static_assert(std::is_trivially_default_constructible_v<T> && std::is_trivially_destructible_v<T>);
  constexpr std::size_t huge_page = std::size_t{2} << 20;
  if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
  const std::size_t bytes = count * sizeof(T);
  void* const memory = bytes < 2 * huge_page
                           ? std::malloc(bytes > 0 ? bytes : 1)
                           : std::aligned_alloc(huge_page, (bytes + huge_page - 1) & ~(huge_page - 1));
  if (memory == nullptr) throw std::bad_alloc();
#ifdef __linux__
  if (bytes >= 2 * huge_page) ::madvise(memory, bytes, MADV_HUGEPAGE);  // where it is refused nothing is lost
#endif
  return large_array<T>(static_cast<T*>(memory));
}

}  // namespace manyfit
