// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>

#include "cuda_memory.hpp"

namespace manyfit::cuda {

/// A copy from device memory to the caller's memory by way of pinned memory, of which it has a few MiB however large
/// the copy is: in chunks, one on its way while the one before is moved on.
class host_copy {
 public:
  /// Bytes that are in pinned memory at once.
  static constexpr std::size_t most_pinned = std::size_t{8} << 20;

  host_copy(cudaStream_t stream, std::size_t most_bytes)
      : stream_(stream), pinned_(std::min(most_bytes, most_pinned)) {}

  /// Begins to copy after what is on the stream now.
  void begin(const void* from, std::size_t bytes) {
    from_ = static_cast<const char*>(from);
    bytes_ = bytes;
    chunk_ = bytes <= pinned_.bytes() ? bytes : pinned_.bytes() / 2;
    send(0);
  }
  /// Waits for the copy, of at most most_pinned bytes; where it is until the next one begins.
  char* in_pinned_memory() const {
    wait();
    return pinned_.as<char>();
  }
  /// Returns when all of it is at `to`.
  void finish(void* to) const {
    wait();
    for (std::size_t at = 0; at < bytes_; at += chunk_) {
      if (at > 0) wait();
      if (at + chunk_ < bytes_) send(at + chunk_);
      std::memcpy(static_cast<char*>(to) + at, place(at), std::min(chunk_, bytes_ - at));
    }
  }

 private:
  char* place(std::size_t at) const { return pinned_.as<char>(at / chunk_ % 2 * chunk_); }
  void send(std::size_t at) const {
    if (bytes_ == 0) return;
    check(cudaMemcpyAsync(place(at), from_ + at, std::min(chunk_, bytes_ - at), cudaMemcpyDeviceToHost, stream_),
          "copy results to the host");
  }
  void wait() const { check(cudaStreamSynchronize(stream_), "finish its work"); }

  cudaStream_t stream_;
  pinned_buffer pinned_;
  const char* from_ = nullptr;
  std::size_t bytes_ = 0, chunk_ = 1;
};

}  // namespace manyfit::cuda
