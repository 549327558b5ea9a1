// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the lanes of a mixture kernel do, without a word of CUDA: take EM attempts from a counter, largest first, and
// run each from data to answer.
#pragma once

#include <algorithm>

#include "kernels/cuda/mixture_functions.hpp"
#include "kernels/cuda/work_list.hpp"
#include "kernels/gaussian_mixture/lanes.hpp"

MF_NAMESPACE_BEGIN

/// `resident_bytes`: bytes of shared memory that a block has for resident passes.
template <class T>
mixture_tier mixture_tier_of(covariance_structure structure, int D, int K, std::int64_t rows,
                             std::int64_t resident_bytes) {
  const bool small = register_components(D, K) > 0;
  if (small && rows <= mixture_tiers[mixture_warp].largest) return mixture_warp;
  const int lanes = mixture_tiers[mixture_resident_block].block_threads;
  const bool resident = !small && plan_resident<T>(structure, D, K, lanes, resident_bytes).points > 0;
  if (rows * K * features(structure, D) <= mixture_tiers[mixture_block].largest)
    return resident ? mixture_resident_block : mixture_block;
  return resident ? mixture_resident_grid : mixture_grid;
}

/// What an attempt needs; `lanes`: of a warp or block. `resident_bytes`: of a resident tier, 0 for another.
template <class T>
mixture_needs needs_of(covariance_structure structure, int D, int K, std::int64_t rows, int lanes, bool given,
                       std::int64_t resident_bytes) {
  const auto bytes = [](std::int64_t numbers, std::size_t size) {
    return (numbers * static_cast<std::int64_t>(size) + 15) / 16 * 16;
  };
  const auto tile = [&](int components) {
    const int points = mixture_tile<T>::points_for(D, components, lanes);
    return register_components(D, components) > 0
               ? bytes(staged_bytes_of<T>(D, components, rows), 1)
               : bytes(mixture_tile<T>::numbers(D, components, points, lanes), sizeof(T));
  };
  // A tied mixture's second moments are the statistics of one full component, which may be summed in another way.
  const bool tied = structure == covariance_structure::tied;
  mixture_needs n;
  n.model = bytes(mixture_model::memory(structure, D, K), sizeof(double));
  n.sums = register_components(D, K) > 0 || (tied && register_components(D, 1) > 0)
               ? bytes(register_sum_numbers(lanes), sizeof(double))
               : 0;
  n.factors = bytes(lane_factor_numbers(D, K), sizeof(T));
  const std::int64_t resident = plan_resident<T>(structure, D, K, lanes, resident_bytes).numbers;
  n.tile = resident > 0 ? bytes(resident, sizeof(T)) : tile(K);
  if (resident > 0 && sizeof(T) == 4)
    n.tile = std::max(n.tile, bytes(plan_tensor(structure, D, K, lanes, resident_bytes).numbers, 4));
  if (tied && tile(1) > n.tile) n.tile = tile(1);
  n.start = given ? 0 : bytes(start_memory(rows, K, D), sizeof(double));
  n.statistics = std::int64_t{K} * features(structure, D);
  for (const int components : {K, tied ? 1 : K})
    if (const int padded = register_components(D, components); padded > 0 && n.statistics < register_sums(D, padded))
      n.statistics = register_sums(D, padded);
  if (tied && n.statistics < features(covariance_structure::full, D))
    n.statistics = features(covariance_structure::full, D);
  n.grid_tile = (D + 2 + std::int64_t{K}) * grid_tile_points_for(D, K, sizeof(T));
  n.shares_model = mixture_model::memory(structure, D, K) > private_model_numbers;
  return n;
}

/// A group at work. It is in memory, and what it holds is read where it is needed: a task's loops get all registers.
template <class T, class Context>
struct mixture_worker {
  Context& context;
  const mixture_launch<T>& launch;
  char *sums = nullptr, *tile = nullptr, *model = nullptr, *factors = nullptr, *start = nullptr;  ///< the group's own
  std::int64_t own_count = 0;                                                                     ///< grid: tasks taken
  mixture_task* task = nullptr;                                                                   ///< at hand

  /// Lays out the workspaces of group number `group` of the launch: shared memory, or device memory where the launch
  /// has it.
  MF_FN_CALL void lay_out(int group, char* shared) {
    const auto place = [&](const lane_workspace& workspace) {
      if (workspace.pool) return workspace.pool + group * workspace.bytes;
      char* const at = shared;
      shared += workspace.bytes;
      return at;
    };
    sums = place(launch.sums);
    tile = place(launch.tile);
    model = place(launch.model);
    factors = place(launch.factors);
    start = place(launch.start);
  }

  /// Takes the next task for the group; false when none is left.
  MF_FN_CALL bool take_task() {
    const work_list work{launch.order, launch.bounds, launch.next};
    const std::int64_t position = work.bounds[0] + take(context, work, 1, own_count);
    if (position >= work.bounds[1]) return false;
    task = launch.tasks + work.fit(position);
    return true;
  }

  /// The model and the lanes' memory for the task. Blocks of a grid that share a model use the first block's
  /// workspaces, which are then in device memory. Passes in grid tiles have one copy of the statistics and so need a
  /// shared model.
  MF_FN_CALL void lay_out_task(mixture_model& m, mixture_lane_memory<T>& memory) const {
    m.D = launch.points.dimensions;
    m.K = task->components;
    m.structure = launch.settings.structure;
    m.collapse = sizeof(T) == 4 ? 1e-6 : 1e-10;
    const int blocks = context.blocks();
    const std::int64_t numbers = mixture_model::memory(m.structure, m.D, m.K);
    const std::int64_t limit = launch.partial_limit < 0 ? partial_numbers / blocks : launch.partial_limit;
    const bool shares_model = blocks > 1 && (numbers > private_model_numbers || numbers > limit);
    m.bind(reinterpret_cast<double*>(shares_model ? launch.model.pool : model));
    memory.factors = reinterpret_cast<T*>(shares_model ? launch.factors.pool : factors);
    memory.start = reinterpret_cast<double*>(shares_model ? launch.start.pool : start);
    memory.tile = reinterpret_cast<T*>(tile);
    memory.sums = reinterpret_cast<double*>(sums);
    memory.shares_model = shares_model;
    if constexpr (Context::has_resident_passes) {
      memory.resident = plan_resident<T>(m.structure, m.D, m.K, 32 * context.warps(), launch.resident_bytes);
      memory.resident.place = context.place_in_shared_memory(tile);
      if (sizeof(T) == 4 && memory.resident.points > 0 && launch.tensor_passes)
        memory.tensor = plan_tensor(m.structure, m.D, m.K, 32 * context.warps(), launch.resident_bytes);
      memory.tensor.place = memory.resident.place;
    }
    if (blocks == 1) return;
    memory.partial = launch.partial;
    memory.partial_each = launch.partial_each;
    memory.partial_limit = limit;
    memory.grid_tile = launch.grid_tile;
    memory.grid_tile_points = grid_tile_points_for(m.D, m.K, sizeof(T));
  }
};

/// Runs the task at hand, from data to answer.
template <class Random, class T, class Context>
MF_FN_CALL void run_task(const mixture_worker<T, Context>& worker) {
  mixture_model m;
  mixture_lane_memory<T> memory;
  worker.lay_out_task(m, memory);
  mixture_lanes_group<T, Context> lanes(worker.context, rows_of(worker.launch.points, worker.task->fit), memory);
  fit_one_mixture<mixture_lanes_group<T, Context>, Random>(lanes, m, worker.launch.settings, *worker.task,
                                                           memory.start);
}

/// Runs every task of the work list. `group`: the number of this group within the launch; `shared`: its shared memory.
template <class Random, class T, class Context>
MF_FN_LARGE void mixture_work(Context& context, int group, char* shared, const mixture_launch<T>& launch) {
  mixture_worker<T, Context> worker{context, launch};
  worker.lay_out(group, shared);
  while (context.uniform(worker.take_task())) run_task<Random>(worker);
}

MF_NAMESPACE_END
