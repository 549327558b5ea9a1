// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of mixtures of families: what a family's own kernels do not do. They know no family, so that this is
// compiled once; a component's log-densities and its M step are its family's launches.
#include "kernels/cuda/operations.cuh"
#include "kernels/cuda/responsibility_functions.hpp"

MF_NAMESPACE_BEGIN

/// Blocks per multiprocessor that leave a thread 128 registers: with the 64 that ptxas takes else a block would spill.
inline constexpr int responsibility_blocks = 4;

template <int Width>
__global__ void __launch_bounds__(block_threads, responsibility_blocks)
    responsibility_lanes_kernel(responsibility_batch all, work_list work, std::int64_t) {
  cuda_lanes<Width> context;
  responsibility_work(context, work, all);
}

__global__ void __launch_bounds__(block_threads, responsibility_blocks)
    responsibility_block_kernel(responsibility_batch all, work_list work, std::int64_t) {
  MF_DYNAMIC_SHARED(shared);
  one_block context(shared);
  responsibility_work(context, work, all);
}

__global__ void __launch_bounds__(block_threads, responsibility_blocks)
    responsibility_grid_kernel(responsibility_batch all, work_list work, std::int64_t, grid_exchange grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context = grid_context(shared, grid);
  responsibility_work(context, work, all);
}

template <int Width>
__global__ void __launch_bounds__(block_threads, responsibility_blocks)
    column_lanes_kernel(column_batch all, work_list work, std::int64_t) {
  cuda_lanes<Width> context;
  column_work(context, work, all);
}

__global__ void __launch_bounds__(block_threads, responsibility_blocks)
    column_block_kernel(column_batch all, work_list work, std::int64_t) {
  MF_DYNAMIC_SHARED(shared);
  one_block context(shared);
  column_work(context, work, all);
}

__global__ void __launch_bounds__(block_threads, responsibility_blocks)
    column_grid_kernel(column_batch all, work_list work, std::int64_t, grid_exchange grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context = grid_context(shared, grid);
  column_work(context, work, all);
}

__global__ void drop_small_responsibilities_kernel(double* responsibilities, const double* w, std::int64_t values) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = grid_stride_begin(); i < values; i += stride)
    responsibilities[i] = responsibility_that_counts(responsibilities[i], w[i]);
}

__global__ void point_mass_kernel(const double* x, std::int64_t values, double at, double* out) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = grid_stride_begin(); i < values; i += stride) out[i] = point_mass_log_density(x[i], at);
}

__global__ void repeat_kernel(const double* x, std::int64_t values, std::int64_t times, double* out) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = grid_stride_begin(); i < values; i += stride) {
    const double value = x[i];
    for (std::int64_t k = 0; k < times; ++k) out[k * values + i] = value;
  }
}

__global__ void add_present_kernel(const double* x, const double* added, std::int64_t values, double* table) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = grid_stride_begin(); i < values; i += stride)
    if (!is_missing(x[i])) table[i] += added[i];
}

MF_NAMESPACE_END

namespace manyfit {

int launch_find_responsibilities(const responsibility_batch& all, const launch_plan& plan, void* stream) {
  constexpr int bytes = sizeof(double);
  const tier_kernels kernels{responsibility_lanes_kernel<tiers[part_tier].lanes_for(bytes)>,
                             responsibility_lanes_kernel<tiers[warp_tier].lanes_for(bytes)>,
                             responsibility_block_kernel, responsibility_grid_kernel};
  return launch_tiers(kernels, plan, bytes, static_cast<cudaStream_t>(stream), all);
}

int launch_drop_small_responsibilities(double* responsibilities, const double* w, std::int64_t values, void* stream) {
  return launch(drop_small_responsibilities_kernel, launch_over(values, stream), responsibilities, w, values);
}

int launch_point_mass(const double* x, std::int64_t values, double at, double* out, void* stream) {
  return launch(point_mass_kernel, launch_over(values, stream), x, values, at, out);
}

int launch_column_sums(const column_batch& all, const launch_plan& plan, void* stream) {
  constexpr int bytes = sizeof(double);
  const tier_kernels kernels{column_lanes_kernel<tiers[part_tier].lanes_for(bytes)>,
                             column_lanes_kernel<tiers[warp_tier].lanes_for(bytes)>, column_block_kernel,
                             column_grid_kernel};
  return launch_tiers(kernels, plan, bytes, static_cast<cudaStream_t>(stream), all);
}

int launch_repeat(const double* x, std::int64_t values, std::int64_t times, double* out, void* stream) {
  return launch(repeat_kernel, launch_over(values, stream), x, values, times, out);
}

int launch_add_present(const double* x, const double* added, std::int64_t values, double* table, void* stream) {
  return launch(add_present_kernel, launch_over(values, stream), x, added, values, table);
}

}  // namespace manyfit
