// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace manyfit {

/// Runs `work(counter)` on a thread of its own and reports the counter from the calling thread ten times a second.
template <class Work>
void run_with_progress(std::int64_t total, const std::function<void(std::int64_t, std::int64_t)>& progress, Work work) {
  if (!progress) {
    work(nullptr);
    return;
  }
  std::atomic<std::int64_t> completed{0};
  std::mutex mutex;
  std::condition_variable done_changed;
  bool done = false;
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      work(&completed);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    done = true;
    done_changed.notify_one();
  });
  {
    std::unique_lock lock(mutex);
    while (!done_changed.wait_for(lock, std::chrono::milliseconds(100), [&] { return done; })) {
      lock.unlock();
      progress(completed.load(std::memory_order_relaxed), total);
      lock.lock();
    }
  }
  worker.join();
  if (failure) std::rethrow_exception(failure);
  progress(total, total);
}

}  // namespace manyfit
