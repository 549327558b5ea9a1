// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Problems for the body of CUDA's mixture kernels, and how it is run with threads as lanes.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "kernels/cuda/mixture_work.hpp"
#include "kernels/groups/lane_context.hpp"
#include "kernels/random/philox_cpu.hpp"

namespace manyfit {

struct parameters {
  std::vector<double> weights, means, covariances;
  parameters(int K, int D) : weights(K), means(K * D), covariances(K * D * D) {}
  mixture_parameters view() { return {weights.data(), means.data(), covariances.data()}; }
};

struct problem {
  covariance_structure structure = covariance_structure::full;
  int D = 1, K = 2;
  std::int64_t rows = 0;
  std::vector<double> values, weights;
  parameters start;
  problem(covariance_structure s, int dimensions, int components, std::int64_t n, bool weighted, bool holes,
          std::uint64_t seed)
      : structure(s), D(dimensions), K(components), rows(n), start(components, dimensions) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    std::vector<double> centres(K * D);
    for (double& c : centres) c = 3 * normal(random) + 50;
    for (std::int64_t i = 0; i < n; ++i) {
      const int k = static_cast<int>(uniform(random) * K);
      for (int d = 0; d < D; ++d) values.push_back(centres[k * D + d] + (1 + 0.3 * d) * normal(random));
      if (weighted) weights.push_back(i % 7 == 3 ? 0 : 0.25 + uniform(random));
      if (holes && i % 11 == 5) values[i * D + i % D] = constants::nan;
    }
    for (int k = 0; k < K; ++k) {
      start.weights[k] = (1.0 + k % 3) / K;
      for (int d = 0; d < D; ++d) {
        start.means[k * D + d] = centres[k * D + d] + 0.4 * normal(random);
        for (int e = 0; e < D; ++e) start.covariances[(k * D + d) * D + e] = d == e ? 2.5 : 0.2;
      }
    }
  }
  double weight(std::int64_t i) const {
    double w = weights.empty() ? 1 : weights[i];
    for (int d = 0; d < D; ++d) w = std::isnan(values[i * D + d]) ? 0 : w;
    return w;
  }
};

struct answer {
  mixture_task task;
  std::vector<double> trace, variances;
  parameters found;
  answer(int K, int D, int iterations) : trace(iterations + 1, -1), variances(D, -1), found(K, D) {}
};

/// Runs the problems' EM on lanes, all in one launch.
struct lane_run {
  int blocks = 1, warps = 1;
  bool in_shared = false;
  std::int64_t partial_limit = -1;
  mixture_settings settings = {};
  std::int64_t resident_bytes = 0;  ///< bytes that a pass on chip may take; 0: none is on chip
  std::vector<double> ridge = {};   ///< [D] or empty
};

template <reach Reach, class T>
std::vector<answer> run_on_lanes(const std::vector<problem>& problems, const lane_run& how, int iterations) {
  const int D = problems[0].D;
  std::vector<T> values, weights;
  std::vector<std::int64_t> offsets{0};
  std::vector<answer> answers;
  std::vector<mixture_task> tasks;
  mixture_settings settings = how.settings;
  settings.structure = problems[0].structure;
  settings.max_iterations = iterations;
  const bool given = settings.start == mixture_start::given;
  const int groups = Reach == reach::warp ? how.blocks * how.warps : how.blocks;
  const int lanes = Reach == reach::warp ? 32 : 32 * how.warps;
  mixture_needs most;
  std::int64_t grid_tile = 0, numbers = 0;
  answers.reserve(problems.size());
  for (const problem& p : problems) {
    values.insert(values.end(), p.values.begin(), p.values.end());
    weights.insert(weights.end(), p.weights.begin(), p.weights.end());
    offsets.push_back(offsets.back() + p.rows);
    answers.emplace_back(p.K, D, iterations);
    if (given) answers.back().found = p.start;
    mixture_task task;
    task.fit = static_cast<std::int64_t>(tasks.size());
    task.components = p.K;
    task.parameters = answers.back().found.view();
    task.trace = answers.back().trace.data();
    task.variances = answers.back().variances.data();
    task.ridge = how.ridge.empty() ? nullptr : how.ridge.data();
    tasks.push_back(task);
    const mixture_needs n = needs_of<T>(p.structure, D, p.K, p.rows, lanes, false, how.resident_bytes);
    most.model = std::max(most.model, n.model);
    most.sums = std::max(most.sums, n.sums);
    most.factors = std::max(most.factors, n.factors);
    most.tile = std::max(most.tile, n.tile);
    most.start = std::max(most.start, n.start);
    grid_tile = std::max(grid_tile, (D + 2 + p.K) * grid_tile_points_for(D, p.K, sizeof(T)));
    numbers = std::max(numbers, n.statistics + 1);
  }
  std::vector<std::unique_ptr<double[]>> buffers;
  const auto memory = [&](std::int64_t bytes) {
    buffers.push_back(std::make_unique<double[]>(static_cast<std::size_t>(bytes / 8 + 1)));
    return reinterpret_cast<char*>(buffers.back().get());
  };
  mixture_launch<T> launch;
  launch.points = {values.data(),
                   weights.empty() ? nullptr : weights.data(),
                   offsets.data(),
                   0,
                   static_cast<std::int64_t>(problems.size()),
                   D};
  launch.settings = settings;
  launch.tasks = tasks.data();
  const std::int64_t bounds[2] = {0, static_cast<std::int64_t>(tasks.size())};
  std::int64_t next = 0;
  launch.bounds = bounds;
  launch.next = &next;
  std::vector<char*> shared(groups, nullptr);
  const auto workspace = [&](std::int64_t bytes, bool anywhere) {
    return lane_workspace{how.in_shared && anywhere ? nullptr : memory(bytes * groups), bytes};
  };
  launch.sums = workspace(most.sums, true);
  launch.tile = workspace(most.tile, true);
  launch.model = workspace(most.model, Reach != reach::grid);
  launch.factors = workspace(most.factors, Reach != reach::grid);
  launch.start = workspace(most.start, false);
  if (how.in_shared)
    for (char*& s : shared) s = memory(most.sums + most.tile + most.model + most.factors);
  launch.partial_each = numbers;
  launch.partial = reinterpret_cast<double*>(memory(2 * how.blocks * numbers * 8));
  launch.grid_tile = reinterpret_cast<T*>(memory(grid_tile * static_cast<std::int64_t>(sizeof(T))));
  launch.partial_limit = how.partial_limit;
  launch.resident_bytes = how.resident_bytes;
  lane_team team(how.blocks, how.warps);
  run_lanes<Reach>(team, [&](auto& context, int thread) {
    const int group = Reach == reach::grid ? context.block() : thread / context.lanes();
    mixture_work<philox_stream>(context, group, shared[group], launch);
  });
  for (std::size_t i = 0; i < tasks.size(); ++i) answers[i].task = tasks[i];
  return answers;
}

inline lane_run from_start(int blocks, int warps) {
  lane_run how{blocks, warps};
  how.settings.start = mixture_start::given;
  how.settings.tolerance = 0;
  return how;
}

inline constexpr covariance_structure structures[] = {covariance_structure::full, covariance_structure::diagonal,
                                                      covariance_structure::tied, covariance_structure::spherical};

}  // namespace manyfit
