// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the simulated runtime share: one lock, the error and device of a thread, streams, memory.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "simulated/device.hpp"

namespace simulated {

/// One call of the API: counted, and alone. A kernel cannot make one.
class api_call {
 public:
  explicit api_call(const char* function);

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

/// Keeps an error for cudaGetLastError.
cudaError_t fail(cudaError_t error);
/// The calling thread's device. `makes_context`: the call is one of those that put a context on it.
int current_device(bool makes_context = true);

// --- streams ---

/// Something on a stream that others may wait for.
struct ticket {
  bool done = false;
};
struct operation {
  std::function<void()> run;
  std::vector<std::shared_ptr<ticket>> after;
  std::shared_ptr<ticket> done;
  std::string what;
};
struct stream {
  int device = 0;
  bool blocking = true;  ///< waits for the legacy stream, and the legacy stream for it
  bool destroyed = false;
  std::deque<operation> queue;
};
struct event {
  std::shared_ptr<ticket> recorded;  ///< null: never, which nobody waits for
};

/// The stream a call means: the legacy stream of the current device for null. Ends the program for a destroyed one.
stream& stream_of(cudaStream_t handle, const char* function);
/// Puts work on a stream; it runs some time before someone has waited for it.
std::shared_ptr<ticket> enqueue(stream& on, std::string what, std::function<void()> run,
                                std::vector<std::shared_ptr<ticket>> after = {});
/// Runs what it takes until a stream, a device's streams, or one piece of work has finished.
void drain(stream& on);
void drain_device(int device);
void drain_until(const std::shared_ptr<ticket>& done);

// --- memory ---

/// Whether `bytes` from `at` on lie in one allocation of the device, in pinned memory (allocated or registered).
bool is_device_memory(const void* at, std::size_t bytes, int device);
bool is_pinned(const void* at, std::size_t bytes);
bool is_any_device_memory(const void* at);
/// While something runs on the device its memory may be touched; at other times AddressSanitizer reports who does.
void open_device_memory();
void close_device_memory();

// --- kernels ---

struct kernel_limits {
  std::string name;
  int registers = 0, max_threads = 0;
};
/// What the table of registers says of a kernel; for one that is not in it, what its users can rely on.
const kernel_limits& limits_of(const void* kernel);

}  // namespace simulated
