// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>
#include <utility>

#include "manyfit/error.hpp"

namespace manyfit::cuda {

/// Throws what a CUDA call says went wrong.
inline void check(int status, const char* doing) {
  const auto e = static_cast<cudaError_t>(status);
  if (e == cudaSuccess) return;
  cudaGetLastError();
  throw error(e == cudaErrorMemoryAllocation ? error::kind::memory : error::kind::device,
              std::string("CUDA could not ") + doing + ": " + cudaGetErrorString(e));
}

/// Device memory, or pinned host memory, that frees itself.
template <bool Pinned>
class basic_buffer {
 public:
  basic_buffer() = default;
  explicit basic_buffer(std::size_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    if constexpr (Pinned)
      check(cudaMallocHost(&data_, bytes), "reserve pinned host memory");
    else
      check(cudaMalloc(&data_, bytes), "reserve device memory");
  }
  basic_buffer(basic_buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  basic_buffer& operator=(basic_buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~basic_buffer() {
    if (data_) Pinned ? cudaFreeHost(data_) : cudaFree(data_);
  }
  template <class T>
  T* as(std::size_t byte_offset = 0) const {
    return reinterpret_cast<T*>(static_cast<char*>(data_) + byte_offset);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};
using device_buffer = basic_buffer<false>;
using pinned_buffer = basic_buffer<true>;

/// Makes a device current for a scope.
class device_scope {
 public:
  explicit device_scope(int device) {
    check(cudaGetDevice(&before_), "ask for the current device");
    check(cudaSetDevice(device), "select the device");
  }
  ~device_scope() { cudaSetDevice(before_); }
  device_scope(const device_scope&) = delete;
  device_scope& operator=(const device_scope&) = delete;

 private:
  int before_ = 0;
};

/// A stream of our own that begins after all work that is on the caller's stream now.
class own_stream {
 public:
  explicit own_stream(cudaStream_t caller) {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
    cudaEvent_t here = nullptr;
    check(cudaEventCreateWithFlags(&here, cudaEventDisableTiming), "create an event");
    const cudaError_t recorded = cudaEventRecord(here, caller);
    const cudaError_t waiting = recorded == cudaSuccess ? cudaStreamWaitEvent(stream_, here, 0) : recorded;
    cudaEventDestroy(here);
    check(waiting, "order a stream after the caller's");
  }
  ~own_stream() {
    if (stream_) cudaStreamDestroy(stream_);
  }
  own_stream(own_stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  own_stream& operator=(own_stream&&) = delete;
  cudaStream_t get() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "finish its work"); }

 private:
  cudaStream_t stream_ = nullptr;
};

}  // namespace manyfit::cuda
