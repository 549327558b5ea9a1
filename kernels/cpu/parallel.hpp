// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The parallel loop over indices, whose body may throw. Threads take indices in ascending order, a few at a time
// (dynamic scheduling); what a body writes must not depend on the thread or on the order. The threads are those of
// host/src/threads.cpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>

#include "kernels/core.hpp"

namespace manyfit {

/// Runs work(context, worker) once for each worker from 0 to workers − 1, side by side, worker 0 on the calling thread,
/// and returns when all have returned. `work` must not throw. Throws error::kind::memory, before any work is done, when
/// a thread cannot be started. Threads wait for the next call; calls from several threads at once, from inside `work`
/// and from the child of a fork() each get threads of their own.
void run_team(int workers, void (*work)(void* context, int worker), void* context);

/// The indices [0, count) of one loop, and the first exception of its body.
class index_queue {
 public:
  index_queue(std::int64_t count, std::int64_t grain);
  ~index_queue();
  index_queue(const index_queue&) = delete;
  index_queue& operator=(const index_queue&) = delete;

  /// The next indices [begin, end); false when there are none. Throws when the call that the loop belongs to was
  /// stopped (host/src/progress.hpp).
  MF_FN bool take(std::int64_t& begin, std::int64_t& end) {
    if (stop_ != nullptr && stop_->load(std::memory_order_relaxed)) throw_stopped();
    begin = next_.fetch_add(grain_, std::memory_order_relaxed);
    if (begin >= count_) return false;
    end = count_ - begin < grain_ ? count_ : begin + grain_;
    return true;
  }
  /// In a catch clause: keeps the exception if none of a smaller index is known. No further indices are given out;
  /// those that are out already are finished, so that the exception kept is the one of the smallest index that throws.
  void fail(std::int64_t index) noexcept;
  /// Throws what fail() kept, if anything.
  void rethrow();

 private:
  [[noreturn]] static void throw_stopped();

  std::atomic<std::int64_t> next_{0};
  const std::int64_t count_, grain_;
  const std::atomic<bool>* const stop_;
  std::mutex mutex_;
  std::int64_t failed_ = -1;
  std::exception_ptr failure_;
};

}  // namespace manyfit

MF_NAMESPACE_BEGIN

/// The grain of a loop over fits: small enough to balance the load at the end, large enough to make scheduling free.
inline int fits_at_a_time(std::int64_t count, int threads) {
  const std::int64_t grain = count / (std::int64_t{64} * threads);
  return static_cast<int>(grain < 1 ? 1 : grain > 256 ? 256 : grain);
}

/// body(state, i) for every i in [0, count), `grain` at a time, on at most `threads` threads. state = make(worker) is
/// made once on each thread, worker < threads; it may be a reference. What a body (or make) throws comes out once all
/// threads have stopped; of several exceptions the one of the smallest index.
template <class Make, class Body>
void parallel_for(int threads, std::int64_t count, std::int64_t grain, Make make, Body body) {
  if (count <= 0) return;
  index_queue queue(count, grain);
  const std::int64_t grains = (count - 1) / grain + 1;
  if (threads <= 1 || grains == 1) {
    auto&& state = make(0);
    for (std::int64_t begin, end; queue.take(begin, end);)
      for (std::int64_t i = begin; i < end; ++i) body(state, i);
    return;
  }
  const auto work = [&](int worker) {
    std::int64_t at = 0;
    try {
      auto&& state = make(worker);
      for (std::int64_t begin, end; queue.take(begin, end);)
        for (at = begin; at < end; ++at) body(state, at);
    } catch (...) {
      queue.fail(at);
    }
  };
  using work_type = decltype(work);
  run_team(
      static_cast<int>(grains < threads ? grains : threads),
      [](void* context, int worker) { (*static_cast<work_type*>(context))(worker); },
      const_cast<void*>(static_cast<const void*>(&work)));
  queue.rethrow();
}

/// The same without a state: body(i).
struct no_state {
  no_state operator()(int) const { return {}; }
};
template <class Body>
struct body_without_state {
  Body& body;
  void operator()(const no_state&, std::int64_t i) const { body(i); }
};
template <class Body>
void parallel_for(int threads, std::int64_t count, std::int64_t grain, Body body) {
  parallel_for(threads, count, grain, no_state(), body_without_state<Body>{body});
}

MF_NAMESPACE_END
