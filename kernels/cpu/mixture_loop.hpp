// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The threaded loops over many mixtures: EM runs (fits × restarts × numbers of components are all tasks of their own),
// and scores. Tasks on large fits come first, one after the other with all threads inside; the others are shared out,
// a thread each. Which of both depends on the fit's own size, and the bits on neither.
#pragma once

#include <atomic>

#include "kernels/cpu/mixture_group.hpp"
#include "kernels/random/philox_cpu.hpp"

MF_NAMESPACE_BEGIN

template <class T>
rows_view<T> rows_of(const points_view<T>& points, std::int64_t fit) {
  const std::int64_t first = points.first_row(fit);
  return {points.values + first * points.dimensions, points.weights ? points.weights + first : nullptr,
          points.rows(fit), points.dimensions};
}

/// Caller's parameters to the model's state: y = (x − centre) · scale. A structure takes what it can hold of the
/// covariances: diagonals, their mean, the average over components.
inline void import_parameters(const mixture_model& m, const row_map& map, const mixture_parameters& from) {
  const int D = m.D;
  const auto covariance = [&](int k, int i, int j) {
    return from.covariances[(std::int64_t{k} * D + i) * D + j] * map.scale[i] * map.scale[j];
  };
  double total = 0;
  for (int k = 0; k < m.K; ++k) total += from.weights[k];
  for (int k = 0; k < m.K; ++k) {
    m.weights()[k] = from.weights[k] / total;
    double trace = 0;
    for (int i = 0; i < D; ++i) {
      m.mean(k)[i] = (from.means[std::int64_t{k} * D + i] - map.centre[i]) * map.scale[i];
      trace += covariance(k, i, i);
      for (int j = 0; j <= i; ++j) {
        if (m.structure == covariance_structure::full) m.covariance(k)[packed(i, j)] = covariance(k, i, j);
        if (m.structure == covariance_structure::tied)
          m.covariance(0)[packed(i, j)] =
              (k == 0 ? 0.0 : m.covariance(0)[packed(i, j)]) + m.weights()[k] * covariance(k, i, j);
      }
      if (m.structure == covariance_structure::diagonal) m.covariance(k)[i] = covariance(k, i, i);
    }
    if (m.structure == covariance_structure::spherical) m.covariance(k)[0] = trace / D;
  }
}

/// The model's state in the caller's coordinates.
inline void export_parameters(const mixture_model& m, const row_map& map, const mixture_parameters& to) {
  const int D = m.D;
  for (int k = 0; k < m.K; ++k) {
    to.weights[k] = m.weights()[k];
    for (int i = 0; i < D; ++i) {
      to.means[std::int64_t{k} * D + i] = map.centre[i] + m.mean(k)[i] / map.scale[i];
      for (int j = 0; j < D; ++j) {
        double value = 0;
        if (m.structure == covariance_structure::full || m.structure == covariance_structure::tied)
          value = m.covariance(k)[packed(i, j)];
        else if (i == j)
          value = m.covariance(k)[m.structure == covariance_structure::diagonal ? i : 0];
        to.covariances[(std::int64_t{k} * D + i) * D + j] = value / (map.scale[i] * map.scale[j]);
      }
    }
  }
}

/// Memory that a thread's tasks share.
struct mixture_memory {
  aligned_array<double> model, start;
};

/// Whether one fit is run by all threads together.
inline bool runs_alone(std::int64_t rows) {
  return rows / share_points >= 2;
}

/// One EM run from beginning to end.
template <class T>
void run_mixture_task(const rows_view<T>& rows, const mixture_settings& settings, mixture_task& task,
                      mixture_memory& memory, int threads) {
  const int D = rows.dimensions, K = task.components;
  task.status = fit_status::not_run;
  mixture_group<T> group(rows, threads);
  std::vector<double> variance(static_cast<std::size_t>(D), 0.0);
  const row_counts counts = group.measure(settings.structure == covariance_structure::spherical, variance.data());
  task.observations = counts.observations;
  task.missing = counts.missing;
  double mean_variance = 0, most_variance = 0;
  for (const double v : variance) {
    mean_variance += v / D;
    most_variance = std::max(most_variance, v);
  }
  if (counts.nonfinite > 0)
    task.status = fit_status::nonfinite;
  else if (counts.observations < std::max(2, K) || !(counts.weight > 0))
    task.status = fit_status::too_few;
  else if (!(most_variance > 0))
    task.status = fit_status::constant_sample;
  if (task.status != fit_status::not_run) return;

  mixture_model m;
  m.D = D;
  m.K = K;
  m.structure = settings.structure;
  m.collapse = sizeof(T) == 4 ? 1e-6 : 1e-10;
  m.total_weight = counts.weight;
  m.bind(memory.model.resize(mixture_model::memory(settings.structure, D, K)));
  const double regularization = settings.regularization < 0 ? 1e-6 * mean_variance : settings.regularization;
  for (int d = 0; d < D; ++d) m.ridge[d] = regularization * square(group.map().scale[d]);
  if (m.structure == covariance_structure::tied) {
    // The second moments of all points are what one full component with every point would have to be told.
    mixture_model all;
    all.D = D;
    all.K = 1;
    aligned_array<double> all_memory;
    all.bind(all_memory.resize(mixture_model::memory(covariance_structure::full, D, 1)));
    all.triangular = false;
    all.constant[0] = 0;
    for (int d = 0; d < D; ++d) all.factor[d] = all.offset[d] = 0;
    group.accumulate(all);
    std::copy(all.statistics + 1 + D, all.statistics + 1 + D + packed_size(D), m.second_moments);
  }
  philox_stream random(settings.seed, task.stream, static_cast<std::uint32_t>(K));
  if (settings.start == mixture_start::given)
    import_parameters(m, group.map(), task.parameters);
  else
    start_mixture(group, m, settings.start, random, memory.start.resize(start_memory(rows.size, K, D)));
  const double shift = counts.weight * group.map().log_volume();
  int restarts_left = settings.restart_collapsed ? 10 * K : 0;
  const em_outcome end = run_em(
      group, m, settings,
      [&](const mixture_model& model) {
        if (restarts_left-- <= 0 || model.structure == covariance_structure::tied) return false;
        restart_collapsed(group, model, random);
        return true;
      },
      [&](int t, double log_likelihood) {
        if (task.trace) task.trace[t] = log_likelihood + shift;
      });
  task.status = end.status;
  task.iterations = end.iterations;
  if (end.status != fit_status::converged && end.status != fit_status::max_iterations) return;
  task.log_likelihood = end.log_likelihood + shift;
  export_parameters(m, group.map(), task.parameters);
}

/// Runs every task. `completed` counts those done, `latest` is the log-likelihood of the last.
template <class T>
void run_mixture_tasks(const points_view<T>& points, const mixture_settings& settings, mixture_task* tasks,
                       std::int64_t count, int threads, std::atomic<std::int64_t>* completed,
                       std::atomic<double>* latest) {
  const auto run = [&](mixture_task& task, mixture_memory& memory, int inside) {
    run_mixture_task(rows_of(points, task.fit), settings, task, memory, inside);
    if (latest && task.log_likelihood == task.log_likelihood)
      latest->store(task.log_likelihood, std::memory_order_relaxed);
    if (completed) completed->fetch_add(1, std::memory_order_relaxed);
  };
  mixture_memory large;
  for (std::int64_t i = 0; i < count; ++i)
    if (runs_alone(points.rows(tasks[i].fit))) run(tasks[i], large, threads);
#pragma omp parallel num_threads(threads)
  {
    mixture_memory memory;
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t i = 0; i < count; ++i)
      if (!runs_alone(points.rows(tasks[i].fit))) run(tasks[i], memory, 1);
  }
}

/// Scores the rows of one fit. log_density [rows]; responsibilities [rows × width] and labels [rows], or null. False,
/// and nothing written, where the parameters are no mixture.
template <class T>
bool score_rows(const rows_view<T>& rows, covariance_structure structure, int K, const mixture_parameters& parameters,
                int threads, double* log_density, double* responsibilities, int width, std::int32_t* labels) {
  const int D = rows.dimensions;
  row_map map(D);
  double total = 0;
  for (int k = 0; k < K; ++k) total += parameters.weights[k];
  for (int d = 0; d < D; ++d) {
    double mean = 0, variance = 0;
    for (int k = 0; k < K; ++k) mean += parameters.weights[k] / total * parameters.means[std::int64_t{k} * D + d];
    for (int k = 0; k < K; ++k)
      variance += parameters.weights[k] / total *
                  (parameters.covariances[(std::int64_t{k} * D + d) * D + d] +
                   square(parameters.means[std::int64_t{k} * D + d] - mean));
    if (!(variance > 0) || !std::isfinite(variance) || !std::isfinite(mean)) return false;
    map.centre[d] = mean;
    map.scale[d] = std::exp2(-std::round(0.5 * std::log2(variance)));
  }
  if (structure == covariance_structure::spherical || structure == covariance_structure::tied)
    structure = structure == covariance_structure::tied ? covariance_structure::full : covariance_structure::diagonal;
  mixture_model m;
  m.D = D;
  m.K = K;
  m.structure = structure;
  m.collapse = 0;
  aligned_array<double> memory;
  m.bind(memory.resize(mixture_model::memory(structure, D, K)));
  import_parameters(m, map, parameters);
  mixture_group<T> group(rows, threads);
  group.set_map(map);
  // A component of weight 0 is part of no point; its factors must be sound all the same.
  for (int k = 0; k < K; ++k) {
    const double weight = m.weights()[k];
    if (weight == 0) m.weights()[k] = 1;
    prepare_component(m, k);
    m.weights()[k] = weight;
    if (!(m.good[k] > 0)) return false;
    if (weight == 0) m.constant[k] = sizeof(T) == 4 ? -1e37 : -1e300;
  }
  const double shift = map.log_volume();
  group.visit_blocks(m, [&](std::int64_t first, int count, const T* table, int stride, const T* value) {
    for (int p = 0; p < count; ++p) {
      const std::int64_t row = first + p;
      bool missing = false;
      for (int d = 0; d < D; ++d) missing = missing || !std::isfinite(rows.values[row * D + d]);
      log_density[row] = missing ? constants::nan : static_cast<double>(value[p]) + shift;
      int likeliest = 0;
      for (int k = 0; k < K; ++k) {
        const T share = table[k * stride + p];
        if (responsibilities) responsibilities[row * width + k] = missing ? constants::nan : static_cast<double>(share);
        if (share > table[likeliest * stride + p]) likeliest = k;
      }
      if (labels) labels[row] = missing ? -1 : likeliest;
    }
  });
  return true;
}

MF_NAMESPACE_END
