// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How kernels are launched, the one place that knows: dynamic shared memory, what a device has to offer, how many
// blocks of a kernel it holds at once, and the launch itself. tests/device, where kernels run on the CPU, brings a
// cuda_runtime.h of its own and needs nothing else than what is here.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

#include "kernels/core.hpp"

/// In a kernel: declares `name`, its block's dynamic shared memory as doubles.
#if !defined(MF_DYNAMIC_SHARED)
#define MF_DYNAMIC_SHARED(name) extern __shared__ double name[]
#endif

namespace manyfit {

/// What a launcher asks of the current device; each device is asked once. The environment's
/// MANYFIT_CUDA_MULTIPROCESSORS makes launches as small as on a device of so many: for compute-sanitizer, under which
/// every block that finds no work costs time.
struct device_limits {
  int device = 0, multiprocessors = 0;
  int shared_per_block = 0;  ///< bytes of shared memory that a block can be given at most
  /// Returns cudaError_t.
  static int query(device_limits& limits);
};

/// How many blocks of `threads` threads and `shared` bytes of dynamic shared memory each the current device holds at
/// once, and that the kernel may be launched with so much shared memory. What was found is kept for each kernel and
/// device. Returns cudaError_t; cudaErrorLaunchOutOfResources when not even one block fits.
int resident_blocks(const void* kernel, int threads, std::size_t shared, int& blocks);
template <class... Parameters>
int resident_blocks(void (*kernel)(Parameters...), int threads, std::size_t shared, int& blocks) {
  return resident_blocks(reinterpret_cast<const void*>(kernel), threads, shared, blocks);
}

/// A launch without its kernel.
struct launch_shape {
  int blocks = 1, threads = 32;
  std::size_t shared = 0;  ///< bytes of dynamic shared memory of a block; resident_blocks must have allowed them
  cudaStream_t stream = nullptr;
  bool cooperative = false;  ///< all blocks are on the device at once, so that they may wait for each other
};

/// Launches a kernel; the launch's error.
template <class... Parameters, class... Arguments>
int launch(void (*kernel)(Parameters...), const launch_shape& shape, Arguments&&... arguments) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeCooperative;
  attribute.val.cooperative = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(shape.blocks));
  config.blockDim = dim3(static_cast<unsigned>(shape.threads));
  config.dynamicSmemBytes = shape.shared;
  config.stream = shape.stream;
  config.attrs = &attribute;
  config.numAttrs = shape.cooperative ? 1 : 0;
  return cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...);
}

}  // namespace manyfit
