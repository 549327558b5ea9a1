// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the simulated device's own tests share: memory that frees itself, launches, and runs under many seeds.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "kernels/cuda/launch.cuh"
#include "simulated/device.hpp"

namespace manyfit::tests {

/// `count` values in device memory, or in pinned memory.
template <class T, bool Pinned = false>
class device_array {
 public:
  explicit device_array(std::size_t count) : count_(count) {
    if constexpr (Pinned)
      EXPECT_EQ(cudaMallocHost(&data_, count * sizeof(T)), cudaSuccess);
    else
      EXPECT_EQ(cudaMalloc(&data_, count * sizeof(T)), cudaSuccess);
  }
  ~device_array() { Pinned ? cudaFreeHost(data_) : cudaFree(data_); }
  device_array(const device_array&) = delete;
  device_array& operator=(const device_array&) = delete;
  T* get() const { return data_; }
  std::vector<T> on_host() const {
    std::vector<T> values(count_);
    EXPECT_EQ(cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};
template <class T>
using pinned_array = device_array<T, true>;

/// Of 60 runs, each with another seed, those for which `run` is not true. A mistake of order shows in some, not in all.
/// On a device that holds the six blocks of these tests' grids at once, however small the environment's is.
inline int failures_of_60(const std::function<bool()>& run) {
  const simulated::device_settings before = simulated::settings();
  int failures = 0;
  for (int i = 1; i <= 60; ++i) {
    simulated::device_settings other = before;
    other.multiprocessors = std::max(before.multiprocessors, 3);
    other.blocks = std::max(before.blocks, 2);
    other.seed = before.seed * 1000 + static_cast<std::uint64_t>(i);
    simulated::set_device(other);
    failures += !run();
  }
  simulated::set_device(before);
  return failures;
}

/// Launches a kernel and waits for it; the launch's error.
template <class... Parameters, class... Arguments>
int run_kernel(void (*kernel)(Parameters...), const launch_shape& shape, Arguments... arguments) {
  const int e = launch(kernel, shape, arguments...);
  cudaDeviceSynchronize();
  return e;
}

}  // namespace manyfit::tests
