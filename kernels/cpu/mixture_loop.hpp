// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The threaded loops over many mixtures: EM attempts (every fit × restart × number of components is a task), and
// scores. Tasks on large fits come first, one after another, each on all threads; the others are distributed, one
// thread each. Which of the two depends on the fit's own size only, and no bit on either.
#pragma once

#include <atomic>

#include "kernels/cpu/mixture_group.hpp"
#include "kernels/gaussian_mixture/score.hpp"
#include "kernels/random/philox_cpu.hpp"

MF_NAMESPACE_BEGIN

/// Memory that a thread's tasks share.
struct mixture_memory {
  aligned_array<double> model, start;
};

/// Whether one fit is run by all threads together.
inline bool runs_alone(std::int64_t rows) {
  return rows / partition_points >= 2;
}

/// One attempt from beginning to end.
template <class T>
void run_mixture_task(const row_fetcher<T>& rows, const mixture_settings& settings, mixture_task& task,
                      mixture_memory& memory, int threads) {
  mixture_model m;
  m.D = rows.dimensions();
  m.K = task.components;
  m.structure = settings.structure;
  m.collapse = sizeof(T) == 4 ? 1e-6 : 1e-10;
  m.bind(memory.model.resize(mixture_model::memory(m.structure, m.D, m.K)));
  mixture_group<T> group(rows, threads);
  fit_one_mixture<mixture_group<T>, philox_stream>(group, m, settings, task,
                                                   memory.start.resize(start_memory(rows.size(), m.K, m.D)));
}

/// Runs every task. `completed` counts those done, `latest` is the log-likelihood of the last.
template <class T>
void run_mixture_tasks(const points_view<T>& points, const mixture_settings& settings, mixture_task* tasks,
                       std::int64_t count, int threads, std::atomic<std::int64_t>* completed,
                       std::atomic<double>* latest) {
  const auto run = [&](mixture_task& task, mixture_memory& memory, int inside) {
    run_mixture_task(row_fetcher<T>(rows_of(points, task.fit), points.reader), settings, task, memory, inside);
    if (latest && task.log_likelihood == task.log_likelihood)
      latest->store(task.log_likelihood, std::memory_order_relaxed);
    if (completed) completed->fetch_add(1, std::memory_order_relaxed);
  };
  mixture_memory large;
  for (std::int64_t i = 0; i < count; ++i)
    if (runs_alone(points.rows(tasks[i].fit))) run(tasks[i], large, threads);
  parallel_for(
      threads, count, 1, [](int) { return mixture_memory(); },
      [&](mixture_memory& memory, std::int64_t i) {
        if (!runs_alone(points.rows(tasks[i].fit))) run(tasks[i], memory, 1);
      });
}

/// Scores the rows of one fit. log_density [rows]; responsibilities [rows × width] and labels [rows], or null. False,
/// and nothing written, where the parameters are no mixture.
template <class T>
bool score_rows(const rows_view<T>& rows, covariance_structure structure, int K, const mixture_parameters& parameters,
                int threads, double* log_density, double* responsibilities, int width, std::int32_t* labels) {
  const int D = rows.dimensions;
  structure = score_structure(structure);
  mixture_model m;
  m.D = D;
  m.K = K;
  m.structure = structure;
  aligned_array<double> memory;
  m.bind(memory.resize(mixture_model::memory(structure, D, K)));
  if (!prepare_scores(m, parameters, sizeof(T) == 4 ? -1e37 : -1e300)) return false;
  mixture_group<T> group(row_fetcher<T>(rows, nullptr), threads);
  group.set_map(m);
  const double shift = m.log_volume();
  group.visit_tiles(m, [&](std::int64_t first, int count, const T* table, int stride, const T* value) {
    for (int p = 0; p < count; ++p) {
      const std::int64_t row = first + p;
      const bool missing = !all_finite(rows.values + row * D, D);
      log_density[row] = missing ? constants::nan : static_cast<double>(value[p]) + shift;
      int likeliest = 0;
      for (int k = 0; k < K; ++k) {
        const T responsibility = table[k * stride + p];
        if (responsibilities)
          responsibilities[row * width + k] = missing ? constants::nan : static_cast<double>(responsibility);
        if (responsibility > table[likeliest * stride + p]) likeliest = k;
      }
      if (labels) labels[row] = missing ? -1 : likeliest;
    }
  });
  return true;
}

MF_NAMESPACE_END
