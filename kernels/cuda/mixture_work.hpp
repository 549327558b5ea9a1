// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the lanes of a mixture kernel do, without a word of CUDA: take EM runs from a counter, largest first, and run
// each from data to answer. Also which lanes run which fit, as data.
#pragma once

#include "kernels/cuda/work_list.hpp"
#include "kernels/groups/mixture_lanes.hpp"

MF_NAMESPACE_BEGIN

/// Who runs an EM run: a warp, a block, or the grid; by the run's own size only.
enum mixture_tier { mixture_warp, mixture_block, mixture_grid, mixture_tier_count };
struct mixture_tier_policy {
  const char* name;
  int block_threads;     ///< lanes of a block
  int blocks_wanted;     ///< per multiprocessor, what the kernel's registers are limited for
  std::int64_t largest;  ///< rows (warp), or rows × components × features (block), at most
};
inline constexpr mixture_tier_policy mixture_tiers[] = {
    {"warp", 128, 4, 8192},
    {"block", 256, 2, std::int64_t{1} << 25},
    {"grid", 256, 2, INT64_MAX},
};
/// Doubles of a model up to which the blocks of a grid each keep their own copy.
inline constexpr std::int64_t private_model_numbers = 1024;

constexpr mixture_tier mixture_tier_of(covariance_structure structure, int D, int K, std::int64_t rows) {
  if (register_components(D, K) > 0 && rows <= mixture_tiers[mixture_warp].largest) return mixture_warp;
  return rows * K * features(structure, D) <= mixture_tiers[mixture_block].largest ? mixture_block : mixture_grid;
}

/// One kind of memory that every group needs a piece of: in shared memory one after the other, or in device memory.
struct lane_room {
  char* pool = nullptr;    ///< device memory, [groups × bytes]; null: shared memory
  std::int64_t bytes = 0;  ///< of one group, a multiple of 16
};

/// One launch of one tier.
template <class T>
struct mixture_launch {
  points_view<T> points;
  mixture_settings settings;
  mixture_task* tasks = nullptr;  ///< what `work` numbers; outcomes are written back
  work_list work;
  lane_room model, sums, factors, tile, start;
  double* partial = nullptr;  ///< grid: see mixture_lane_memory
  std::int64_t partial_each = 0;
  T* chunk = nullptr;
  std::int64_t partial_limit = -1;  ///< for tests: another limit than the device's; -1: none
};

/// What one task needs of each room, in bytes.
struct mixture_needs {
  std::int64_t model = 0, sums = 0, factors = 0, tile = 0, start = 0;
};
template <class T>
mixture_needs needs_of(covariance_structure structure, int D, int K, std::int64_t rows, int lanes, bool given) {
  const auto bytes = [](std::int64_t numbers, std::size_t size) {
    return (numbers * static_cast<std::int64_t>(size) + 15) / 16 * 16;
  };
  // A tied mixture's second moments are the statistics of one full component of the same D, which may be summed in
  // another way than the mixture itself.
  const bool registers = register_components(D, K) > 0, tiles = !registers;
  mixture_needs n;
  n.model = bytes(mixture_model::memory(structure, D, K), sizeof(double));
  n.sums = register_components(D, 1) > 0 ? bytes(register_sum_numbers(lanes), sizeof(double)) : 0;
  n.factors = bytes(lane_factor_numbers(D, K), sizeof(T));
  n.tile =
      tiles ? bytes(mixture_tile<T>::numbers(D, K, mixture_tile<T>::points_for(D, K, lanes), lanes), sizeof(T)) : 0;
  if (tiles && structure == covariance_structure::tied) {
    const std::int64_t one =
        bytes(mixture_tile<T>::numbers(D, 1, mixture_tile<T>::points_for(D, 1, lanes), lanes), sizeof(T));
    if (one > n.tile) n.tile = one;
  }
  n.start = given ? 0 : bytes(start_memory(rows, K, D), sizeof(double));
  return n;
}

/// Runs every task of the work list. `group`: the number of this group within the launch; `shared`: its shared memory.
template <class Random, class T, class Context>
MF_FN_LARGE void mixture_work(Context& context, int group, char* shared, const mixture_launch<T>& launch) {
  const auto place = [&](const lane_room& room, std::int64_t number) {
    if (room.pool) return room.pool + number * room.bytes;
    char* const at = shared;
    shared += room.bytes;
    return at;
  };
  char* const sums = place(launch.sums, group);
  char* const tile = place(launch.tile, group);
  char* const own_model = place(launch.model, group);
  char* const own_factors = place(launch.factors, group);
  char* const own_start = place(launch.start, group);
  const std::int64_t begin = launch.work.bounds[0], end = launch.work.bounds[1];
  std::int64_t own_count = 0;
  for (;;) {
    const std::int64_t position = begin + take(context, launch.work, 1, own_count);
    if (position >= end) break;
    const std::int64_t number = launch.work.fit(position);
    mixture_task task = launch.tasks[number];
    mixture_model m;
    m.D = launch.points.dimensions;
    m.K = task.components;
    m.structure = launch.settings.structure;
    m.collapse = sizeof(T) == 4 ? 1e-6 : 1e-10;
    const std::int64_t limit = launch.partial_limit < 0 ? partial_numbers / context.blocks() : launch.partial_limit;
    // Blocks of a grid that share a model use the first block's rooms, which are then in device memory. Passes in
    // chunks have one copy of the statistics and so need a shared model.
    const std::int64_t model_numbers = mixture_model::memory(m.structure, m.D, m.K);
    const bool shares = context.blocks() > 1 && (model_numbers > private_model_numbers || model_numbers > limit);
    m.bind(reinterpret_cast<double*>(shares ? launch.model.pool : own_model));
    mixture_lane_memory<T> memory;
    memory.factors = reinterpret_cast<T*>(shares ? launch.factors.pool : own_factors);
    memory.tile = reinterpret_cast<T*>(tile);
    memory.sums = reinterpret_cast<double*>(sums);
    memory.shares_model = shares;
    const rows_view<T> rows = rows_of(launch.points, task.fit);
    if (context.blocks() > 1) {
      memory.partial = launch.partial;
      memory.partial_each = launch.partial_each;
      memory.partial_limit = limit;
      memory.chunk = launch.chunk;
      memory.chunk_points = chunk_points_for(m.D, m.K, sizeof(T));
    }
    mixture_lanes<T, Context> lanes(context, rows, memory);
    fit_one_mixture<mixture_lanes<T, Context>, Random>(
        lanes, m, launch.settings, task, reinterpret_cast<double*>(shares ? launch.start.pool : own_start));
    if (context.lane() == 0) launch.tasks[number] = task;
  }
}

MF_NAMESPACE_END
