// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of Gaussian mixtures: EM attempts by warps, by blocks and by the whole grid, from data to answer in one
// launch with no word from the host in between; and scores, a thread per point. They hold no mathematics: lanes and
// memory are set up here, cuda/mixture_work.hpp says what is done. A warp's attempt keeps its model and sums in shared
// memory and never waits for another warp; a block's or grid's keeps a tile of points with its responsibilities in
// shared memory.
#pragma once

#include "kernels/cuda/contexts.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/mixture_work.hpp"
#include "kernels/gaussian_mixture/score.hpp"
#include "kernels/random/philox_cuda.cuh"

MF_NAMESPACE_BEGIN

/// Bytes of a block's slots for reductions.
inline constexpr std::int64_t mixture_slot_bytes =
    2 * (mixture_tiers[mixture_block].block_threads / 32) * reduction_width * static_cast<std::int64_t>(sizeof(double));
/// Bytes of shared memory that a grid's occupancy is counted with, so that it never depends on the company. A resident
/// one takes all that a block can have.
inline constexpr std::int64_t grid_shared_bytes = tile_bytes + 4096;

/// Shared memory: [warps × shared_bytes].
template <class T>
__global__ void __launch_bounds__(mixture_tiers[mixture_warp].block_threads,
                                  mixture_tiers[mixture_warp].blocks_wanted[sizeof(T) == 8])
    mixture_warp_kernel(const __grid_constant__ mixture_launch<T> launch, std::int64_t shared_bytes) {
  MF_DYNAMIC_SHARED(shared);
  cuda_warp context;
  const int warp = static_cast<int>(threadIdx.x / 32), warps = static_cast<int>(blockDim.x / 32);
  mixture_work<philox_stream>(context, static_cast<int>(blockIdx.x) * warps + warp,
                              reinterpret_cast<char*>(shared) + warp * shared_bytes, launch);
}

/// Shared memory: [mixture_slot_bytes + shared_bytes].
template <class T>
__global__ void __launch_bounds__(mixture_tiers[mixture_block].block_threads,
                                  mixture_tiers[mixture_block].blocks_wanted[sizeof(T) == 8])
    mixture_block_kernel(const __grid_constant__ mixture_launch<T> launch, bool whole_grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context(shared, whole_grid ? static_cast<int>(gridDim.x) : 1,
                     grid_exchange{launch.grid_slots, launch.grid_arrived});
  mixture_work<philox_stream>(context, static_cast<int>(blockIdx.x),
                              reinterpret_cast<char*>(shared) + mixture_slot_bytes, launch);
}

/// The same with resident passes, which have a multiprocessor and all its registers to themselves.
template <class T>
__global__ void __launch_bounds__(mixture_tiers[mixture_resident_block].block_threads, 1)
    mixture_resident_kernel(const __grid_constant__ mixture_launch<T> launch, bool whole_grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_resident_block context(shared, whole_grid ? static_cast<int>(gridDim.x) : 1,
                              grid_exchange{launch.grid_slots, launch.grid_arrived});
  mixture_work<philox_stream>(context, static_cast<int>(blockIdx.x),
                              reinterpret_cast<char*>(shared) + mixture_slot_bytes, launch);
}
/// Resident passes are for float: in double neither registers nor shared memory hold what they need.
template <class T>
inline constexpr bool has_resident_kernel = sizeof(T) == 4;

/// A point's log-density is gone through twice, once for the sum and once for the responsibilities, so that any K is
/// possible.
template <class T>
__global__ void mixture_score_kernel(mixture_score_launch<T> score) {
  const points_view<T>& points = score.points;
  const int D = points.dimensions;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  const std::int64_t first = points.offsets ? points.offsets[0] : 0;
  for (std::int64_t i = grid_stride_begin(); i < score.rows; i += stride) {
    const std::int64_t fit = points.offsets ? sample_of_value(points.offsets, points.count, i) : i / points.size;
    const std::int64_t source = score.one_for_all ? 0 : fit;
    const T* const numbers = score.factors + source * score.numbers;
    const T* const x = points.values + (first + i) * D;
    const int K = static_cast<int>(numbers[0]);
    score_point(x, D, K, numbers + 1, score.shift[source], score.log_density + i,
                score.responsibilities ? score.responsibilities + i * score.width : nullptr,
                score.labels ? score.labels + i : nullptr);
  }
}

template <class T>
int mixture_shared_bytes(mixture_tier tier, std::int64_t& bytes) {
  device_limits limits;
  const int e = device_limits::query(limits);
  const mixture_tier_policy& policy = mixture_tiers[tier];
  std::int64_t capacity = limits.shared_per_block;
  if (tier == mixture_warp) {
    bytes = capacity / (policy.block_threads / 32) / 16 * 16;
  } else {
    if (capacity > grid_shared_bytes && !is_resident(tier)) capacity = grid_shared_bytes;
    bytes = is_resident(tier) && !has_resident_kernel<T> ? 0 : (capacity - mixture_slot_bytes) / 16 * 16;
  }
  return e;
}

template <class T>
int mixture_resident_blocks(mixture_tier tier, std::int64_t shared_bytes, int& blocks) {
  device_limits limits;
  int e = device_limits::query(limits);
  if (e != cudaSuccess) return e;
  const mixture_tier_policy& policy = mixture_tiers[tier];
  const auto count = [&](auto kernel, std::int64_t bytes) {
    const int error = resident_blocks(kernel, policy.block_threads, static_cast<std::size_t>(bytes), blocks);
    const int wanted = policy.blocks_wanted[sizeof(T) == 8] * limits.multiprocessors;
    if (is_grid(tier) && blocks > wanted) blocks = wanted;
    return error;
  };
  if (tier == mixture_warp) return count(mixture_warp_kernel<T>, shared_bytes * (policy.block_threads / 32));
  const std::int64_t capacity = limits.shared_per_block, asked = mixture_slot_bytes + shared_bytes;
  if (is_resident(tier)) {
    if constexpr (has_resident_kernel<T>) return count(mixture_resident_kernel<T>, is_grid(tier) ? capacity : asked);
    return cudaErrorInvalidValue;
  }
  // A grid's blocks are counted whatever this launch asks for: see grid_shared_bytes.
  return count(mixture_block_kernel<T>, !is_grid(tier)                 ? asked
                                        : capacity < grid_shared_bytes ? capacity
                                                                       : grid_shared_bytes);
}

/// Launches one tier; the launch's error. Its shared memory must have been asked for by mixture_resident_blocks.
template <class T>
int launch_mixture(mixture_tier tier, const mixture_launch<T>& launch, int blocks, std::int64_t shared_bytes,
                   void* stream_handle) {
  const mixture_tier_policy& policy = mixture_tiers[tier];
  const bool warp = tier == mixture_warp, grid = is_grid(tier);
  const launch_shape shape{
      .blocks = blocks,
      .threads = policy.block_threads,
      .shared = static_cast<std::size_t>(warp ? shared_bytes * (policy.block_threads / 32)
                                              : mixture_slot_bytes + shared_bytes),
      .stream = static_cast<cudaStream_t>(stream_handle),
      .cooperative = grid,
  };
  if (warp) return manyfit::launch(mixture_warp_kernel<T>, shape, launch, shared_bytes);
  if constexpr (has_resident_kernel<T>)
    if (is_resident(tier)) return manyfit::launch(mixture_resident_kernel<T>, shape, launch, grid);
  return manyfit::launch(mixture_block_kernel<T>, shape, launch, grid);
}

template <class T>
int launch_mixture_score(const mixture_score_launch<T>& score, void* stream_handle) {
  return launch(mixture_score_kernel<T>, launch_over(score.rows, stream_handle), score);
}

MF_NAMESPACE_END
