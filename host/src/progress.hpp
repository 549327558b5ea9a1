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

#include "manyfit/error.hpp"
#include "threads.hpp"

namespace manyfit {

/// Runs `work(counter)` on a thread of its own and reports the counter from the calling thread ten times a second. What
/// `work` throws comes out; so does what `progress` throws, as soon as the loops of `work` have seen that they are to
/// stop.
template <class Work>
void run_with_progress(std::int64_t total, const std::function<void(std::int64_t, std::int64_t)>& progress, Work work) {
  if (!progress) {
    work(nullptr);
    return;
  }
  struct {
    Work& work;
    std::atomic<std::int64_t> completed{0};
    std::mutex mutex = {};
    std::condition_variable done_changed = {};
    bool done = false;
    std::exception_ptr failure = {};
  } state{work};
  std::atomic<bool> stop{false};
  thread_team worker(1);
  worker.start(
      [](void* context, int) {
        auto& shared = *static_cast<decltype(state)*>(context);
        try {
          shared.work(&shared.completed);
        } catch (...) {
          shared.failure = std::current_exception();
        }
        const std::lock_guard lock(shared.mutex);
        shared.done = true;
        shared.done_changed.notify_one();
      },
      &state, &stop);
  try {
    std::unique_lock lock(state.mutex);
    while (!state.done_changed.wait_for(lock, std::chrono::milliseconds(100), [&] { return state.done; })) {
      lock.unlock();
      progress(state.completed.load(std::memory_order_relaxed), total);
      if (worker.lost())
        throw error(error::kind::device,
                    "the process was forked inside a progress callback; the child has none of the "
                    "threads that are at work, and the call goes on in the parent only");
      lock.lock();
    }
  } catch (...) {
    stop.store(true, std::memory_order_relaxed);
    if (!worker.lost()) worker.wait();
    throw;
  }
  worker.wait();
  if (state.failure) std::rethrow_exception(state.failure);
  progress(total, total);
}

}  // namespace manyfit
