// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the lanes of a mixture kernel do, without a word of CUDA: take EM runs from a counter, largest first, and run
// each from data to answer.
#pragma once

#include "kernels/cuda/mixture_functions.hpp"
#include "kernels/cuda/work_list.hpp"
#include "kernels/groups/mixture_lanes.hpp"

MF_NAMESPACE_BEGIN

inline mixture_tier mixture_tier_of(covariance_structure structure, int D, int K, std::int64_t rows) {
  if (register_components(D, K) > 0 && rows <= mixture_tiers[mixture_warp].largest) return mixture_warp;
  return rows * K * features(structure, D) <= mixture_tiers[mixture_block].largest ? mixture_block : mixture_grid;
}

/// What a run needs; `lanes`: of a warp or block.
template <class T>
mixture_needs needs_of(covariance_structure structure, int D, int K, std::int64_t rows, int lanes, bool given) {
  const auto bytes = [](std::int64_t numbers, std::size_t size) {
    return (numbers * static_cast<std::int64_t>(size) + 15) / 16 * 16;
  };
  const auto tile = [&](int components) {
    const int points = mixture_tile<T>::points_for(D, components, lanes);
    return register_components(D, components) > 0
               ? 0
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
  n.tile = tied && tile(1) > tile(K) ? tile(1) : tile(K);
  n.start = given ? 0 : bytes(start_memory(rows, K, D), sizeof(double));
  n.statistics = std::int64_t{K} * features(structure, D);
  if (tied && n.statistics < features(covariance_structure::full, D))
    n.statistics = features(covariance_structure::full, D);
  n.chunk = (D + 2 + std::int64_t{K}) * chunk_points_for(D, K, sizeof(T));
  n.shares_model = mixture_model::memory(structure, D, K) > private_model_numbers;
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
  const work_list work{launch.order, launch.bounds, launch.next};
  const std::int64_t begin = work.bounds[0], end = work.bounds[1];
  std::int64_t own_count = 0;
  for (;;) {
    const std::int64_t position = begin + take(context, work, 1, own_count);
    if (position >= end) break;
    const std::int64_t number = work.fit(position);
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
