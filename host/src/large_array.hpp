// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory for large arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace manyfit {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Asks for huge pages for what of the memory lies in whole ones: the first touch of 4 KiB at a time costs as much as
/// the work on them, and rows in random order miss the translations of small pages. Where it is refused nothing is
/// lost.
inline void prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef __linux__
  const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(memory) + huge_page - 1) & ~(huge_page - 1);
  const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) & ~(huge_page - 1);
  if (memory != nullptr && begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

/// Capacity for `count` elements in a vector that has none yet, in huge pages where it is large.
template <class T>
void reserve_large(std::vector<T>& empty, std::size_t count) {
  empty.reserve(count);
  prefer_huge_pages(empty.data(), empty.capacity() * sizeof(T));
}

struct large_array_deleter {
  void operator()(void* memory) const { std::free(memory); }
};
template <class T>
using large_array = std::unique_ptr<T[], large_array_deleter>;

/// Memory for `count` elements, not initialised. Throws std::bad_alloc.
template <class T>
large_array<T> make_large_array(std::size_t count) {
  static_assert(std::is_trivially_default_constructible_v<T> && std::is_trivially_destructible_v<T>);
  if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
  const std::size_t bytes = count * sizeof(T);
  void* const memory = bytes < 2 * huge_page
                           ? std::malloc(bytes > 0 ? bytes : 1)
                           : std::aligned_alloc(huge_page, (bytes + huge_page - 1) & ~(huge_page - 1));
  if (memory == nullptr) throw std::bad_alloc();
  if (bytes >= 2 * huge_page) prefer_huge_pages(memory, bytes);
  return large_array<T>(static_cast<T*>(memory));
}

}  // namespace manyfit
