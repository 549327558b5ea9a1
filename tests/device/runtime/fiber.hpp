// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Fibers: threads of control that hand the processor to each other by name. What the sanitizers need to know of a
// switch is told here: AddressSanitizer which stack is in use, ThreadSanitizer which fiber reads and writes.
#pragma once

#include <cstddef>

namespace simulated {

class fiber {
 public:
  fiber() = default;
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber();

  /// Prepares a stack on which `entry` begins at the first switch; `entry` never returns.
  void prepare(void (*entry)());
  /// Makes this the fiber of the caller, which has a stack already.
  void adopt();
  /// To be called first in `entry`.
  static void begin();
  /// Goes on in `to`, until another switches back; a fiber that `ends` is not switched to again.
  static void go(fiber& from, fiber& to, bool ends = false);

 private:
  static void arrive(fiber& self);
  char* stack_ = nullptr;  ///< from a pool, to which it returns
  void* top_ = nullptr;    ///< stack pointer while another fiber runs
  const void* bottom_ = nullptr;
  std::size_t bytes_ = 0;
  void* fake_stack_ = nullptr;  ///< AddressSanitizer's
  void* thread_ = nullptr;      ///< ThreadSanitizer's
  bool owns_thread_ = false;
};

/// Edges of the order in which memory is seen, for ThreadSanitizer; nothing in other builds. What was written before a
/// release is seen after an acquire of the same place.
void order_release(void* place);
void order_acquire(void* place);

}  // namespace simulated
