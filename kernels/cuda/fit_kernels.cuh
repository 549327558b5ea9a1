// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of a family: one for warps with a fit each, one for blocks with a fit each, which a cooperative launch
// also runs with one fit over the whole grid. They hold no mathematics: lanes and memory are set up here, cuda/work.hpp
// says what is done. Samples up to a tier's resident size are read from device memory once and stay in shared memory
// through all iterations; a warp's fits never wait for another warp. Persistent: as many blocks as fit on the device,
// each taking the next fit from a counter, largest first.
#pragma once

#include "kernels/cuda/contexts.cuh"
#include "kernels/cuda/functions.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/work.hpp"

MF_NAMESPACE_BEGIN

/// Shared memory: [warps_per_block × resident values of T].
template <class Family, class T>
__global__ void __launch_bounds__(block_threads, resident_blocks_wanted)
    fit_warp_kernel(batch_view<T> batch, fit_settings settings, fit_results_view results, work_list work) {
  MF_DYNAMIC_SHARED(shared);
  cuda_warp context;
  T* resident = reinterpret_cast<T*>(shared) + (threadIdx.x / 32) * tiers[warp_tier].resident_values;
  fit_work<Family>(context, resident, tiers[warp_tier].resident_values, work, batch, settings, results);
}

/// Shared memory: [2 × warps × reduction_width] doubles, then [capacity] values of T.
template <class Family, class T>
__global__ void __launch_bounds__(block_threads, resident_blocks_wanted)
    fit_block_kernel(batch_view<T> batch, fit_settings settings, fit_results_view results, work_list work,
                     std::int64_t capacity, grid_exchange grid, bool whole_grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context(shared, whole_grid ? static_cast<int>(gridDim.x) : 1, grid);
  T* resident = reinterpret_cast<T*>(shared + 2 * warps_per_block * reduction_width);
  fit_work<Family>(context, resident, capacity, work, batch, settings, results);
}

template <class Family, class T>
__global__ void __launch_bounds__(block_threads, resident_blocks_wanted)
    log_likelihood_warp_kernel(batch_view<T> batch, parameters_view parameters, double* out, work_list work) {
  cuda_warp context;
  log_likelihood_work<Family, T>(context, nullptr, 0, work, batch, parameters, out);
}

template <class Family, class T>
__global__ void __launch_bounds__(block_threads, resident_blocks_wanted)
    log_likelihood_block_kernel(batch_view<T> batch, parameters_view parameters, double* out, work_list work,
                                grid_exchange grid, bool whole_grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context(shared, whole_grid ? static_cast<int>(gridDim.x) : 1, grid);
  log_likelihood_work<Family, T>(context, nullptr, 0, work, batch, parameters, out);
}

/// The three tiers' launches, for any pair of kernels: warp(work, blocks, shared) and block(work, blocks, shared,
/// capacity, whole_grid) launch them. `bytes`: of one value; `keeps`: whether samples stay resident.
template <class WarpKernel, class BlockKernel, class LaunchWarp, class LaunchBlock>
int launch_tiers(WarpKernel warp_kernel, BlockKernel block_kernel, const launch_plan& plan, std::size_t bytes,
                 bool keeps, cudaStream_t stream, LaunchWarp launch_warp, LaunchBlock launch_block) {
  device_limits limits;
  int e = device_limits::query(limits);
  if (e == cudaSuccess) e = cudaMemsetAsync(plan.next, 0, tier_count * sizeof(std::int64_t), stream);
  if (e == cudaSuccess) e = cudaMemsetAsync(plan.grid_arrived, 0, sizeof(unsigned long long), stream);
  const std::size_t slots = 2 * warps_per_block * reduction_width * sizeof(double);
  int blocks = 0;
  if (e == cudaSuccess && plan.used[grid_tier]) {
    e = resident_blocks(block_kernel, block_threads, slots, blocks);
    const int wanted = grid_blocks_per_multiprocessor * limits.multiprocessors;
    if (e == cudaSuccess)
      e = launch_block(work_list{plan.order, plan.bounds + 2 * grid_tier, plan.next + grid_tier},
                       blocks < wanted ? blocks : wanted, slots, std::int64_t{0}, true);
  }
  if (e == cudaSuccess && plan.used[block_tier]) {
    std::int64_t capacity = keeps ? tiers[block_tier].resident_values : 0;
    if (plan.largest > 0 && plan.largest < capacity) capacity = plan.largest;
    const auto room = static_cast<std::int64_t>((limits.shared_per_block - slots) / bytes);
    if (capacity > room) capacity = room;
    const std::size_t shared = slots + static_cast<std::size_t>(capacity) * bytes;
    e = resident_blocks(block_kernel, block_threads, shared, blocks);
    if (e == cudaSuccess)
      e = launch_block(work_list{plan.order, plan.bounds + 2 * block_tier, plan.next + block_tier}, blocks, shared,
                       capacity, false);
  }
  if (e == cudaSuccess && plan.used[warp_tier]) {
    const std::size_t shared = keeps ? warps_per_block * tiers[warp_tier].resident_values * bytes : 0;
    e = resident_blocks(warp_kernel, block_threads, shared, blocks);
    if (e == cudaSuccess)
      e = launch_warp(work_list{plan.order, plan.bounds + 2 * warp_tier, plan.next + warp_tier}, blocks, shared);
  }
  return e;
}

/// Fits every sample of a batch in device memory; see cuda_functions.
template <class Family, class T>
int launch_fit(const batch_view<T>& batch, const fit_settings& settings, const fit_results_view& results,
               const launch_plan& plan, void* stream_handle) {
  const auto stream = static_cast<cudaStream_t>(stream_handle);
  const grid_exchange grid{plan.grid_slots, plan.grid_arrived};
  return launch_tiers(
      fit_warp_kernel<Family, T>, fit_block_kernel<Family, T>, plan, sizeof(T), true, stream,
      [&](const work_list& work, int blocks, std::size_t shared) {
        return launch(fit_warp_kernel<Family, T>, {blocks, block_threads, shared, stream, false}, batch, settings,
                      results, work);
      },
      [&](const work_list& work, int blocks, std::size_t shared, std::int64_t capacity, bool whole_grid) {
        return launch(fit_block_kernel<Family, T>, {blocks, block_threads, shared, stream, whole_grid}, batch, settings,
                      results, work, capacity, grid, whole_grid);
      });
}

/// out[fit] = log-likelihood of every sample of a batch in device memory; see cuda_functions.
template <class Family, class T>
int launch_log_likelihood(const batch_view<T>& batch, const parameters_view& parameters, double* out,
                          const launch_plan& plan, void* stream_handle) {
  const auto stream = static_cast<cudaStream_t>(stream_handle);
  const grid_exchange grid{plan.grid_slots, plan.grid_arrived};
  return launch_tiers(
      log_likelihood_warp_kernel<Family, T>, log_likelihood_block_kernel<Family, T>, plan, sizeof(T), false, stream,
      [&](const work_list& work, int blocks, std::size_t shared) {
        return launch(log_likelihood_warp_kernel<Family, T>, {blocks, block_threads, shared, stream, false}, batch,
                      parameters, out, work);
      },
      [&](const work_list& work, int blocks, std::size_t shared, std::int64_t, bool whole_grid) {
        return launch(log_likelihood_block_kernel<Family, T>, {blocks, block_threads, shared, stream, whole_grid},
                      batch, parameters, out, work, grid, whole_grid);
      });
}

MF_NAMESPACE_END
