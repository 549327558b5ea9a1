// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The library's threads. They are started when they are first wanted, wait between calls, and are shared by all calls
// of the process. Not OpenMP: its run-time library ends the program where a thread or memory cannot be had, and leaves
// the child of a fork() waiting for threads that only the parent has.
#pragma once

#include <atomic>

namespace manyfit {

/// Threads on loan for one task at a time.
class thread_team {
 public:
  /// `threads` of them, 0 or more. Throws error::kind::memory when one cannot be started.
  explicit thread_team(int threads);
  /// Gives the threads back; their work has ended.
  ~thread_team();
  thread_team(const thread_team&) = delete;
  thread_team& operator=(const thread_team&) = delete;

  /// work(context, worker) for worker = 1 ... threads; it must not throw. Loops inside it end once *stop is true.
  void start(void (*work)(void* context, int worker), void* context, const std::atomic<bool>* stop);
  /// Returns when all have returned from `work`.
  void wait();
  /// Whether the process was forked since, and this is the child, which has none of the threads.
  bool lost() const;

 private:
  struct crew* crew_ = nullptr;
  int threads_;
  unsigned forks_;
};

/// What ends the loops of a call that was stopped; it never leaves the library.
struct stopped {};

}  // namespace manyfit
