// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What is kept of each device between calls, since reserving it costs more than a small batch's work: device memory,
// pinned memory, streams. A call takes what it needs and gives it back when all of its work has finished; host threads
// that call at the same time have allocations of their own.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace manyfit::cuda {

/// An allocation of memory, of at least the size that was asked for.
struct memory_block {
  void* data = nullptr;
  std::size_t capacity = 0;
  int device = -1;
  bool pinned = false;  ///< host memory, for every device
};

/// Of each kind and device at most so much is kept unused; larger allocations are not kept at all.
inline constexpr std::size_t most_kept_bytes = std::size_t{64} << 20;

/// An allocation of the current device's memory or of pinned memory; error::kind::memory where there is none. `bytes` >
/// 0.
memory_block take_memory(std::size_t bytes, bool pinned);
/// Nothing that was launched may use it any more.
void give_back(const memory_block& block) noexcept;

/// Unused memory of the current device that is kept, in bytes: as good as free.
std::size_t kept_memory();
/// Frees what is kept of every device.
void release_kept_memory();

/// A non-blocking stream of a device, and an event for what it has to wait for.
struct kept_stream {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  int device = -1;
};
kept_stream take_stream();
/// Its work must have finished.
void give_back(const kept_stream& stream) noexcept;

}  // namespace manyfit::cuda
