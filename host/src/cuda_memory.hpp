// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "cuda_cache.hpp"
#include "manyfit/error.hpp"
#include "manyfit/executor.hpp"

namespace manyfit::cuda {

/// Throws what a CUDA call says went wrong.
inline void check(int status, const char* doing) {
  const auto e = static_cast<cudaError_t>(status);
  if (e == cudaSuccess) return;
  cudaGetLastError();
  throw error(e == cudaErrorMemoryAllocation ? error::kind::memory : error::kind::device,
              std::string("CUDA could not ") + doing + ": " + cudaGetErrorString(e));
}

/// Device memory, or pinned host memory, that goes back to what is kept when its scope ends. By then its work must have
/// finished; where an exception ends the scope it is waited for.
template <bool Pinned>
class basic_buffer {
 public:
  basic_buffer() = default;
  explicit basic_buffer(std::size_t bytes) : bytes_(bytes) {
    if (bytes > 0) block_ = take_memory(bytes, Pinned);
  }
  basic_buffer(basic_buffer&& other) noexcept
      : block_(std::exchange(other.block_, {})), bytes_(std::exchange(other.bytes_, 0)) {}
  basic_buffer& operator=(basic_buffer&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~basic_buffer() {
    if (!block_.data) return;
    if (std::uncaught_exceptions() > 0) cudaDeviceSynchronize();
    give_back(block_);
  }
  template <class T>
  T* as(std::size_t byte_offset = 0) const {
    return reinterpret_cast<T*>(static_cast<char*>(block_.data) + byte_offset);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  memory_block block_;
  std::size_t bytes_ = 0;
};
using device_buffer = basic_buffer<false>;
using pinned_buffer = basic_buffer<true>;

/// Makes a device current for a scope.
class device_scope {
 public:
  explicit device_scope(int device) : device_(device) {
    check(cudaGetDevice(&before_), "ask for the current device");
    if (before_ != device_) check(cudaSetDevice(device_), "select the device");
  }
  ~device_scope() {
    if (before_ != device_) cudaSetDevice(before_);
  }
  device_scope(const device_scope&) = delete;
  device_scope& operator=(const device_scope&) = delete;

 private:
  int device_, before_ = 0;
};

/// Bytes of device memory that a call may take: the caller's limit, or most of what is free.
inline std::int64_t allowance(const executor& where) {
  std::size_t free_bytes = 0, total = 0;
  check(cudaMemGetInfo(&free_bytes, &total), "ask for free memory");
  const std::size_t most = (free_bytes + kept_memory()) / 10 * 9;
  return static_cast<std::int64_t>(where.memory_limit() > 0 ? std::min(where.memory_limit(), most) : most);
}

/// A stream of our own that begins after all work that is on the caller's stream now.
class own_stream {
 public:
  explicit own_stream(cudaStream_t caller) : kept_(take_stream()) {
    cudaError_t e = cudaEventRecord(kept_.event, caller);
    if (e == cudaSuccess) e = cudaStreamWaitEvent(kept_.stream, kept_.event, 0);
    if (e != cudaSuccess) give_back(kept_);
    check(e, "order a stream after the caller's");
  }
  ~own_stream() {
    if (!kept_.stream) return;
    if (std::uncaught_exceptions() > 0) cudaStreamSynchronize(kept_.stream);
    give_back(kept_);
  }
  own_stream(own_stream&& other) noexcept : kept_(std::exchange(other.kept_, {})) {}
  own_stream& operator=(own_stream&&) = delete;
  cudaStream_t get() const { return kept_.stream; }
  void wait() const { check(cudaStreamSynchronize(kept_.stream), "finish its work"); }

 private:
  kept_stream kept_;
};

}  // namespace manyfit::cuda
