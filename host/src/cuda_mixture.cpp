// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Gaussian mixtures on CUDA, the host's side: points are brought to the device in chunks of whole fits, all EM attempts
// on them go in one launch per tier, and only answers come back. A fit that the device cannot hold is read in place
// from pinned host memory in every pass: slow, with the same bits.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>

#include "cuda_backend.hpp"
#include "cuda_points.hpp"
#include "kernels/cuda/functions.hpp"

namespace manyfit::cuda {

namespace {

/// Bytes that workspaces in device memory may take for the groups of a tier; fewer groups run at once beyond.
constexpr std::int64_t workspace_bytes = std::int64_t{40} << 20;

/// Tasks' numbers, in one block on the host and one on the device: of each its parameters, ridge [D], variances [D] and
/// trace.
struct task_numbers {
  std::vector<std::int64_t> first;
  std::int64_t total = 0;
  task_numbers(const mixture_task* tasks, std::int64_t count, std::int64_t D, std::int64_t trace) {
    for (std::int64_t i = 0; i < count; ++i) {
      first.push_back(total);
      total += tasks[i].components * (1 + D + D * D) + 2 * D + (tasks[i].trace ? trace : 0);
    }
  }
};

/// One tier's launch: workspaces, in shared memory as far as it goes, and what a grid needs.
template <class T>
class tier_launch {
 public:
  tier_launch(mixture_tier tier, const mixture_needs& needs, mixture_launch<T>& launch, cudaStream_t stream)
      : tier_(tier) {
    const cuda_mixture_functions<T>& f = mixture_functions_of<T>();
    std::int64_t bytes_at_most = 0, shared = 0;
    check(f.shared_bytes_of(tier, bytes_at_most), "ask for shared memory");
    if (is_resident(tier)) launch.resident_bytes = bytes_at_most;
    if (const char* const wanted = std::getenv("MANYFIT_TENSOR_PASSES")) launch.tensor_passes = wanted[0] != '0';
    // In the order in which a kernel lays them out. What the blocks of a grid share is in device memory.
    const bool grid = is_grid(tier), own_model = !grid || !needs.shares_model;
    const auto place = [&](lane_workspace& where, std::int64_t bytes, bool may_be_shared) {
      where.bytes = bytes;
      if (may_be_shared && shared + bytes <= bytes_at_most) {
        shared += bytes;
        return std::int64_t{0};
      }
      return bytes;
    };
    const std::int64_t sums = place(launch.sums, needs.sums, true), tile = place(launch.tile, needs.tile, true),
                       model = place(launch.model, needs.model, own_model),
                       factors = place(launch.factors, needs.factors, own_model),
                       start = place(launch.start, needs.start, false);
    int blocks = 0;
    check(f.blocks(tier, shared, blocks), "ask how many blocks run at once");
    const int per_block = tier == mixture_warp ? mixture_tiers[tier].block_threads / 32 : 1;
    const std::int64_t each = sums + tile + (grid && needs.shares_model ? 0 : model + factors + start);
    if (!grid && each > 0)
      blocks = static_cast<int>(std::clamp<std::int64_t>(workspace_bytes / (each * per_block), 1, blocks));
    const std::int64_t groups = std::int64_t{blocks} * per_block;
    const auto reserve = [&](lane_workspace& where, std::int64_t bytes, std::int64_t copies) {
      if (bytes == 0 && where.bytes > 0) return;  // in shared memory
      pools_.emplace_back(static_cast<std::size_t>(std::max<std::int64_t>(16, bytes * copies)));
      where.pool = pools_.back().template as<char>();
    };
    const std::int64_t models = grid && needs.shares_model ? 1 : groups;
    reserve(launch.sums, sums, groups);
    reserve(launch.tile, tile, groups);
    reserve(launch.model, model, models);
    reserve(launch.factors, factors, models);
    reserve(launch.start, start, models);
    if (grid) {
      const std::int64_t limit = partial_numbers / blocks;
      launch.partial_each = std::min(needs.statistics, limit) + 1;
      pools_.emplace_back(static_cast<std::size_t>((needs.shares_model ? 1 : 2) * blocks * launch.partial_each) * 8);
      launch.partial = pools_.back().template as<double>();
      if (needs.statistics > limit) {
        pools_.emplace_back(static_cast<std::size_t>(needs.grid_tile) * sizeof(T));
        launch.grid_tile = pools_.back().template as<T>();
      }
      pools_.emplace_back(grid_slot_count() * sizeof(double) + 256);
      launch.grid_slots = pools_.back().template as<double>();
      launch.grid_arrived = pools_.back().template as<unsigned long long>(grid_slot_count() * sizeof(double));
      check(cudaMemsetAsync(launch.grid_arrived, 0, sizeof(unsigned long long), stream), "clear a counter");
    }
    check(f.run(tier, launch, blocks, shared, stream), "launch the mixtures");
  }

 private:
  mixture_tier tier_;
  std::vector<device_buffer> pools_;
};

/// The needs of the most demanding of several attempts. Those that share a model need a workspace for it once, others a
/// copy each.
void widen(mixture_needs& most, const mixture_needs& n) {
  most.sums = std::max(most.sums, n.sums);
  most.tile = std::max(most.tile, n.tile);
  most.model = std::max(most.model, n.model);
  most.factors = std::max(most.factors, n.factors);
  most.start = std::max(most.start, n.start);
  most.statistics = std::max(most.statistics, n.statistics);
  most.grid_tile = std::max(most.grid_tile, n.grid_tile);
}

template <class T>
void run_some(const executor& where, const point_batch<T>& data, const mixture_settings& settings, mixture_task* tasks,
              std::int64_t count, std::int64_t most_bytes) {
  const auto stream = static_cast<cudaStream_t>(where.stream());
  const std::int64_t D = data.dimensions(), begin = tasks[0].fit, end = tasks[count - 1].fit + 1;
  const points_on_device<T> points(data, begin, end, most_bytes, stream);

  // Tasks as the device sees them, their numbers beside them.
  const std::int64_t trace = settings.max_iterations + std::int64_t{1};
  const task_numbers numbers(tasks, count, D, trace);
  const device_buffer device_numbers(static_cast<std::size_t>(numbers.total) * 8);
  std::vector<double> host_numbers(static_cast<std::size_t>(numbers.total), std::nan(""));
  std::vector<mixture_task> seen(tasks, tasks + count);
  const auto numbers_of = [&](const mixture_task& task) {
    return static_cast<std::size_t>(task.components * (1 + D + D * D));
  };
  for (std::int64_t i = 0; i < count; ++i) {
    mixture_task& task = seen[static_cast<std::size_t>(i)];
    // A task's parameters are contiguous on the host too: weights, means, covariances.
    double* const here = host_numbers.data() + numbers.first[i];
    std::memcpy(here, tasks[i].parameters.weights, numbers_of(task) * 8);
    if (task.ridge) std::memcpy(here + numbers_of(task), task.ridge, static_cast<std::size_t>(D) * 8);
    double* const at = device_numbers.as<double>() + numbers.first[i];
    const std::int64_t K = task.components;
    task.fit -= begin;
    task.parameters = {at, at + K, at + K + K * D};
    if (task.ridge) task.ridge = at + numbers_of(task);
    if (task.variances) task.variances = at + numbers_of(task) + D;
    if (task.trace) task.trace = at + numbers_of(task) + 2 * D;
  }
  const device_buffer device_tasks(seen.size() * sizeof(mixture_task));
  check(cudaMemcpyAsync(device_numbers.as<char>(), host_numbers.data(), host_numbers.size() * 8, cudaMemcpyHostToDevice,
                        stream),
        "copy starts to the device");
  check(cudaMemcpyAsync(device_tasks.as<char>(), seen.data(), seen.size() * sizeof(mixture_task),
                        cudaMemcpyHostToDevice, stream),
        "copy tasks to the device");

  // Tiers, each largest first; attempts of a tier that share a model between blocks or not are two launches.
  const cuda_mixture_functions<T>& f = mixture_functions_of<T>();
  constexpr int kinds = 2 * mixture_tier_count;
  std::int64_t resident_bytes = 0;
  check(f.shared_bytes_of(mixture_resident_block, resident_bytes), "ask for shared memory");
  std::vector<std::int32_t> order[kinds];
  mixture_needs needs[kinds];
  const auto cost = [&](std::int32_t i) { return data.view.rows(tasks[i].fit) * tasks[i].components; };
  for (std::int64_t i = 0; i < count; ++i) {
    const int K = tasks[i].components;
    const std::int64_t rows = data.view.rows(tasks[i].fit);
    const mixture_tier tier = f.tier_of(settings.structure, static_cast<int>(D), K, rows, resident_bytes);
    const int lanes = tier == mixture_warp ? 32 : mixture_tiers[tier].block_threads;
    const mixture_needs n = f.needs(settings.structure, static_cast<int>(D), K, rows, lanes,
                                    settings.start == mixture_start::given, is_resident(tier) ? resident_bytes : 0);
    const bool shares_model = is_grid(tier) && n.shares_model;
    const int kind = tier + (shares_model ? mixture_tier_count : 0);
    widen(needs[kind], n);
    needs[kind].shares_model = shares_model;
    order[kind].push_back(static_cast<std::int32_t>(i));
  }
  std::vector<std::int32_t> all_order;
  std::vector<std::int64_t> bounds(2 * kinds, 0);
  for (int kind = 0; kind < kinds; ++kind) {
    std::stable_sort(order[kind].begin(), order[kind].end(),
                     [&](std::int32_t a, std::int32_t b) { return cost(a) > cost(b); });
    bounds[2 * kind] = static_cast<std::int64_t>(all_order.size());
    all_order.insert(all_order.end(), order[kind].begin(), order[kind].end());
    bounds[2 * kind + 1] = static_cast<std::int64_t>(all_order.size());
  }
  const device_buffer device_order(all_order.size() * 4), device_bounds(bounds.size() * 8), next(kinds * 8);
  check(
      cudaMemcpyAsync(device_order.as<char>(), all_order.data(), all_order.size() * 4, cudaMemcpyHostToDevice, stream),
      "copy the order to the device");
  check(cudaMemcpyAsync(device_bounds.as<char>(), bounds.data(), bounds.size() * 8, cudaMemcpyHostToDevice, stream),
        "copy bounds to the device");
  check(cudaMemsetAsync(next.as<char>(), 0, kinds * 8, stream), "clear counters");
  std::vector<std::unique_ptr<tier_launch<T>>> launches;
  for (int kind = kinds - 1; kind >= 0; --kind) {
    if (order[kind].empty()) continue;
    mixture_launch<T> launch;
    launch.points = points.view();
    launch.settings = settings;
    launch.tasks = device_tasks.as<mixture_task>();
    launch.order = device_order.as<std::int32_t>();
    launch.bounds = device_bounds.as<std::int64_t>() + 2 * kind;
    launch.next = next.as<std::int64_t>() + kind;
    const auto tier = static_cast<mixture_tier>(kind % mixture_tier_count);
    launches.push_back(std::make_unique<tier_launch<T>>(tier, needs[kind], launch, stream));
  }
  check(cudaMemcpyAsync(host_numbers.data(), device_numbers.as<char>(), host_numbers.size() * 8, cudaMemcpyDeviceToHost,
                        stream),
        "copy answers to the host");
  check(cudaMemcpyAsync(seen.data(), device_tasks.as<char>(), seen.size() * sizeof(mixture_task),
                        cudaMemcpyDeviceToHost, stream),
        "copy outcomes to the host");
  check(cudaStreamSynchronize(stream), "fit the mixtures");
  for (std::int64_t i = 0; i < count; ++i) {
    const mixture_task& done = seen[static_cast<std::size_t>(i)];
    mixture_task& task = tasks[i];
    task.log_likelihood = done.log_likelihood;
    task.iterations = done.iterations;
    task.status = done.status;
    task.kept_by_regularization = done.kept_by_regularization;
    task.observations = done.observations;
    task.missing = done.missing;
    const double* const from = host_numbers.data() + numbers.first[i];
    std::memcpy(task.parameters.weights, from, numbers_of(task) * 8);
    if (task.variances) std::memcpy(task.variances, from + numbers_of(task) + D, static_cast<std::size_t>(D) * 8);
    if (task.trace) std::memcpy(task.trace, from + numbers_of(task) + 2 * D, static_cast<std::size_t>(trace) * 8);
  }
}

}  // namespace

template <class T>
void run_mixtures(const executor& where, const point_batch<T>& data, const mixture_settings& settings,
                  mixture_task* tasks, std::int64_t count, std::atomic<std::int64_t>* completed,
                  std::atomic<double>* latest) {
  const device_scope scope(where.device());
  // Half of the memory for points, the rest for what the kernels work in.
  const std::int64_t most_bytes = allowance(where) / 2;
  const std::int64_t per_row = (data.dimensions() + (data.view.weights ? 1 : 0)) * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t begin = 0; begin < count;) {
    std::int64_t end = begin, bytes = 0;
    while (end < count) {
      std::int64_t next = end;
      while (next < count && tasks[next].fit == tasks[end].fit) ++next;
      bytes += data.view.rows(tasks[end].fit) * per_row;
      if (end > begin && data.memory == memory_space::host && bytes > most_bytes) break;
      end = next;
    }
    run_some(where, data, settings, tasks + begin, end - begin, most_bytes);
    for (std::int64_t i = begin; i < end && latest; ++i)
      if (tasks[i].log_likelihood == tasks[i].log_likelihood) latest->store(tasks[i].log_likelihood);
    if (completed) completed->fetch_add(end - begin, std::memory_order_relaxed);
    begin = end;
  }
}

void copy_to_host(const executor& where, const float* from, std::int64_t count, float* to) {
  const device_scope scope(where.device());
  const auto stream = static_cast<cudaStream_t>(where.stream());
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(count) * sizeof(float), cudaMemcpyDeviceToHost, stream),
        "copy points to the host");
  check(cudaStreamSynchronize(stream), "copy points to the host");
}

template void run_mixtures(const executor&, const point_batch<double>&, const mixture_settings&, mixture_task*,
                           std::int64_t, std::atomic<std::int64_t>*, std::atomic<double>*);
template void run_mixtures(const executor&, const point_batch<float>&, const mixture_settings&, mixture_task*,
                           std::int64_t, std::atomic<std::int64_t>*, std::atomic<double>*);

}  // namespace manyfit::cuda
