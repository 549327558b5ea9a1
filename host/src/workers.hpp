// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace manyfit {

/// Calls work(i) for i in [0, count), on up to `threads` threads of which the caller is one. Where the system has no
/// more threads the work is done by those there are. What work throws first is thrown here once all have stopped.
template <class Work>
void for_each_index(int threads, std::int64_t count, Work work) {
  if (threads <= 1 || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) work(i);
    return;
  }
  std::atomic<std::int64_t> next = 0;
  std::exception_ptr failure;
  std::mutex failure_guard;
  const auto take = [&] {
    try {
      for (std::int64_t i; (i = next++) < count;) work(i);
    } catch (...) {
      const std::lock_guard lock(failure_guard);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> others;
    others.reserve(static_cast<std::size_t>(threads) - 1);
    try {
      for (std::int64_t i = 1; i < threads && i < count; ++i) others.emplace_back(take);
    } catch (const std::system_error&) {
    }
    take();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace manyfit
