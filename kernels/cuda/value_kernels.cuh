// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels that treat each value by itself: log-densities and draws. A thread per value, grid-stride; consecutive
// threads read and write consecutive values. What depends on the fit alone (log_constant) is computed once per fit
// first.
#pragma once

#include "kernels/cuda/functions.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/work.hpp"
#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cuda.cuh"
#include "kernels/random/transforms.hpp"

MF_NAMESPACE_BEGIN

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

template <class Family>
__global__ void constants_kernel(parameters_view parameters, std::int64_t count, double* constants) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t fit = grid_stride_begin(); fit < count; fit += stride)
    constants[fit] = checked_log_constant<Family>(parameters, fit);
}

template <class Family, class T>
__global__ void log_density_kernel(batch_view<T> batch, std::int64_t values, parameters_view parameters,
                                   const double* constants, double* out) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  const std::int64_t first = batch.offsets ? batch.offsets[0] : 0;
  std::int64_t i = grid_stride_begin();
  for (dense_place dense(i, batch.offsets ? 1 : batch.size, stride); i < values; i += stride, dense.advance()) {
    const std::int64_t fit = batch.offsets ? sample_of_value(batch.offsets, batch.count, i) : dense.fit;
    out[i] = log_density_of_value<Family>(batch.values[first + i], parameters, fit, constants[fit]);
  }
}

template <class Family>
__global__ void simulate_kernel(parameters_view parameters, std::int64_t count, std::int64_t size, std::uint64_t seed,
                                const std::uint64_t* streams, double* out) {
  constexpr int P = parameter_count<Family>;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  std::int64_t i = grid_stride_begin();
  for (dense_place place(i, size, stride); i < count * size; i += stride, place.advance()) {
    const vec<double, P> p = parameters_of<P>(parameters, place.fit);
    philox_stream random(seed, streams ? streams[place.fit] : static_cast<std::uint64_t>(place.fit),
                         static_cast<std::uint64_t>(place.at));
    out[i] = draw_of<Family>(p, random);
  }
}

/// A launch for `work` independent pieces: blocks enough to fill any device, few enough to stride.
inline launch_shape launch_over(std::int64_t work, void* stream_handle) {
  const std::int64_t blocks = (work + block_threads - 1) / block_threads;
  return {.blocks = static_cast<int>(blocks < 1       ? 1
                                     : blocks > 16384 ? 16384
                                                      : blocks),
          .threads = block_threads,
          .stream = static_cast<cudaStream_t>(stream_handle)};
}

template <class Family, class T>
int launch_log_density(const batch_view<T>& batch, std::int64_t values, const parameters_view& parameters, double* out,
                       double* constants, void* stream_handle) {
  const int e =
      launch(constants_kernel<Family>, launch_over(batch.count, stream_handle), parameters, batch.count, constants);
  if (e != cudaSuccess) return e;
  return launch(log_density_kernel<Family, T>, launch_over(values, stream_handle), batch, values, parameters, constants,
                out);
}

template <class Family>
int launch_simulate(const parameters_view& parameters, std::int64_t count, std::int64_t size, std::uint64_t seed,
                    const std::uint64_t* streams, double* out, void* stream_handle) {
  return launch(simulate_kernel<Family>, launch_over(count * size, stream_handle), parameters, count, size, seed,
                streams, out);
}

MF_NAMESPACE_END
