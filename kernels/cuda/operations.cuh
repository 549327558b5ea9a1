// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The operations on CUDA: the kernels of one on samples, one for warps and parts of warps with a sample each, one for
// blocks with a sample each, and one for a cooperative launch with one sample over the whole grid. They hold no
// mathematics: lanes and memory are set up here, cuda/work.hpp says what is done. Samples up to a tier's resident size
// are read from device memory once and stay in shared memory through all iterations; a warp's samples never wait for
// another warp. Persistent: as many blocks as fit on the device, each taking the next sample from a counter, largest
// first.
#pragma once

#include "kernels/cuda/contexts.cuh"
#include "kernels/cuda/functions.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/work.hpp"

MF_NAMESPACE_BEGIN

/// Doubles of shared memory for a block's reductions: a multiple of 16 bytes.
inline constexpr int block_slots = 2 * warps_per_block * reduction_width;
static_assert(block_slots % 2 == 0);

/// Where a group of `Width` lanes keeps its sample or a part of it. `shared`: [block_threads / Width × capacity values
/// of T].
template <int Width, class T>
__device__ T* lanes_buffer(double* shared, std::int64_t capacity) {
  return reinterpret_cast<T*>(shared) + (threadIdx.x / Width) * capacity;
}
/// Where a block does. `shared`: [block_slots] doubles, then [capacity] values of T.
template <class T>
__device__ T* block_buffer(double* shared) {
  return reinterpret_cast<T*>(shared + block_slots);
}
using one_block = cuda_own_block<block_threads>;
/// A block, or every block of a cooperative launch: samples of any size.
__device__ inline cuda_block grid_context(double* shared, const grid_exchange& grid) {
  return cuda_block(shared, static_cast<int>(gridDim.x), grid);
}

/// Whether derivatives are evaluated over points of two registers each.
template <class Operation, class Family, class T>
inline constexpr bool climbs_over_doubles = Operation::template iterates<Family> && sizeof(T) == 8;

template <class Operation, class Family, class T, int Width>
__global__ void __launch_bounds__(block_threads,
                                  resident_blocks_wanted(true, climbs_over_doubles<Operation, Family, T>))
    lanes_kernel(batch_view<T> batch, typename Operation::given given, typename Operation::results results,
                 work_list work, std::int64_t capacity) {
  MF_DYNAMIC_SHARED(shared);
  cuda_lanes<Width> context;
  sample_work<Operation, Family>(context, lanes_buffer<Width, T>(shared, capacity), capacity, work, batch, given,
                                 results);
}

template <class Operation, class Family, class T>
__global__ void __launch_bounds__(block_threads,
                                  resident_blocks_wanted(true, climbs_over_doubles<Operation, Family, T>))
    block_kernel(batch_view<T> batch, typename Operation::given given, typename Operation::results results,
                 work_list work, std::int64_t capacity) {
  MF_DYNAMIC_SHARED(shared);
  one_block context(shared);
  sample_work<Operation, Family>(context, block_buffer<T>(shared), capacity, work, batch, given, results);
}

template <class Operation, class Family, class T>
__global__ void __launch_bounds__(block_threads, resident_blocks_wanted(false, false))
    grid_kernel(batch_view<T> batch, typename Operation::given given, typename Operation::results results,
                work_list work, std::int64_t capacity, grid_exchange grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context = grid_context(shared, grid);
  sample_work<Operation, Family>(context, block_buffer<T>(shared), capacity, work, batch, given, results);
}

/// Kernels for one task: of a part of a warp (or a warp's once more: whole warps then take those fits too), of a warp,
/// of a block and of all blocks. Each takes the task's arguments, then a work list and the capacity for resident
/// values; the last one also the grid's exchange.
template <class Kernel, class GridKernel>
struct tier_kernels {
  Kernel part, warp, block;
  GridKernel grid;
};

/// Launches the tiers that a plan uses, largest first. `bytes`: of one value.
template <class Kernel, class GridKernel, class... Arguments>
int launch_tiers(const tier_kernels<Kernel, GridKernel>& kernels, const launch_plan& plan, int bytes,
                 cudaStream_t stream, const Arguments&... arguments) {
  device_limits limits;
  int e = device_limits::query(limits);
  if (e == cudaSuccess) e = cudaMemsetAsync(plan.next, 0, tier_count * sizeof(std::int64_t), stream);
  if (e == cudaSuccess) e = cudaMemsetAsync(plan.grid_arrived, 0, sizeof(unsigned long long), stream);
  const auto work_of = [&](tier_index t, int groups) {
    return work_list{plan.order, plan.bounds + 2 * t, plan.next + t, groups};
  };
  const auto capacity_of = [&](tier_index t, int lanes) {
    return buffer_values(lanes, bytes, plan.largest > 0 && tier_of(plan.largest) == t ? plan.largest : 0);
  };
  constexpr std::size_t slots = block_slots * sizeof(double);
  int blocks = 0;
  if (e == cudaSuccess && plan.used[grid_tier]) {
    const std::int64_t capacity = buffer_values(block_threads, bytes, 0);
    const std::size_t shared = slots + static_cast<std::size_t>(capacity * bytes);
    e = resident_blocks(kernels.grid, block_threads, shared, blocks);
    if (const int most = grid_blocks_per_multiprocessor * limits.multiprocessors; blocks > most) blocks = most;
    if (e == cudaSuccess)
      e = launch(kernels.grid, {blocks, block_threads, shared, stream, true}, arguments..., work_of(grid_tier, 1),
                 capacity, grid_exchange{plan.grid_slots, plan.grid_arrived});
  }
  for (const tier_index t : {block_tier, warp_tier, part_tier}) {
    if (e != cudaSuccess || !plan.used[t]) continue;
    const Kernel kernel = t == block_tier ? kernels.block : t == warp_tier ? kernels.warp : kernels.part;
    const bool whole_warps = t == part_tier && kernels.part == kernels.warp;
    const int lanes = tiers[whole_warps ? warp_tier : t].lanes_for(bytes), groups = block_threads / lanes;
    const std::int64_t capacity = capacity_of(t, lanes);
    const std::size_t shared = (t == block_tier ? slots : 0) + static_cast<std::size_t>(groups * capacity * bytes);
    e = resident_blocks(kernel, block_threads, shared, blocks);
    if (e == cudaSuccess)
      e = launch(kernel, {blocks, block_threads, shared, stream, false}, arguments..., work_of(t, groups * blocks),
                 capacity);
  }
  return e;
}

/// An operation on every sample of a batch in device memory; see on_cuda.
template <class Operation, class Family, class T>
int launch_samples(const batch_view<T>& batch, const typename Operation::given& given,
                   const typename Operation::results& results, const launch_plan& plan, void* stream) {
  constexpr int bytes = sizeof(T);
  const tier_kernels kernels{lanes_kernel<Operation, Family, T, tiers[part_tier].lanes_for(bytes)>,
                             lanes_kernel<Operation, Family, T, tiers[warp_tier].lanes_for(bytes)>,
                             block_kernel<Operation, Family, T>, grid_kernel<Operation, Family, T>};
  return launch_tiers(kernels, plan, bytes, static_cast<cudaStream_t>(stream), batch, given, results);
}

// Log-densities: what depends on the fit alone (log_constant) is computed once per fit first.

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

template <class Family, class T>
int launch_log_density(const batch_view<T>& batch, const parameters_view& parameters, const log_density_view& out,
                       const launch_plan&, void* stream) {
  const int e =
      launch(constants_kernel<Family>, launch_over(batch.count, stream), parameters, batch.count, out.workspace);
  if (e != cudaSuccess) return e;
  return launch(log_density_kernel<Family, T>, launch_over(out.size, stream), batch, out.size, parameters,
                out.workspace, out.values);
}

struct cuda_loops {
  using target = on_cuda;
  template <class Operation, class Family, class T>
  static constexpr auto sample = &launch_samples<Operation, Family, T>;
  template <class Family, class T>
  static constexpr auto log_density = &launch_log_density<Family, T>;
};

MF_NAMESPACE_END
