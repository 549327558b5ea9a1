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
#include "kernels/cuda/policy.hpp"

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

MF_NAMESPACE_BEGIN

// For kernels that treat each value by itself: a thread per value, grid-stride; consecutive threads read and write
// consecutive values.
MF_FN std::int64_t grid_stride_begin() {
#if defined(__CUDA_ARCH__)
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
#else
  return 0;
#endif
}

/// The sample that value number i (counted from offsets[0]) belongs to: the last whose offset is not above it.
MF_FN_LARGE std::int64_t sample_of_value(const std::int64_t* offsets, std::int64_t count, std::int64_t i) {
  std::int64_t low = 0, high = count;  // offsets[low] − offsets[0] ≤ i < offsets[high] − offsets[0]
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    if (offsets[middle] - offsets[0] <= i)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/// Where value number i of a dense batch stands, followed through a loop over i that goes on by a stride: one division
/// before the loop and none in it.
class dense_place {
 public:
  MF_FN dense_place(std::int64_t i, std::int64_t size, std::int64_t stride)
      : size_(size > 0 ? size : 1),
        fits_on_(stride / size_),
        values_on_(stride % size_),
        fit(i / size_),
        at(i % size_) {}
  MF_FN void advance() {
    fit += fits_on_;
    at += values_on_;
    if (at >= size_) {
      at -= size_;
      ++fit;
    }
  }

 private:
  std::int64_t size_, fits_on_, values_on_;

 public:
  std::int64_t fit, at;  ///< the fit's number, and the value's in its sample
};

/// A launch for `work` independent items: blocks enough to fill any device, few enough to stride.
inline launch_shape launch_over(std::int64_t work, void* stream_handle) {
  const std::int64_t blocks = (work + block_threads - 1) / block_threads;
  return {.blocks = static_cast<int>(blocks < 1       ? 1
                                     : blocks > 16384 ? 16384
                                                      : blocks),
          .threads = block_threads,
          .stream = static_cast<cudaStream_t>(stream_handle)};
}

MF_NAMESPACE_END
