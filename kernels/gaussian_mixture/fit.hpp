// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// One Gaussian mixture from data to result, over a group: measure, start, climb, convert the parameters to the caller's
// coordinates. A Group is as em.hpp and start.hpp say, and also gives
// clang-format off
//   void measure(m, bool alike, row_counts&)   counts the rows and sets centre, scale (alike: one for all coordinates;
//                                              else each by its own deviation) and variance
//   bool leads()                               true on one lane: the one that writes results
//   void for_answers(int count, f)             as for_each, but once even where several copies of a model exist
// clang-format on
#pragma once

#include "kernels/gaussian_mixture/point_rows.hpp"
#include "kernels/gaussian_mixture/start.hpp"

MF_NAMESPACE_BEGIN

/// Converts the caller's parameters to the model's state: y = (x − centre) · scale. The covariances are projected onto
/// the structure: diagonal, mean of the diagonal, or weighted average over components.
MF_FN_CALL void import_parameters(const mixture_model& m, const mixture_parameters& from) {
  const int D = m.D;
  const auto covariance = [&](int k, int i, int j) {
    return from.covariances[(std::int64_t{k} * D + i) * D + j] * m.scale[i] * m.scale[j];
  };
  double total = 0;
  for (int k = 0; k < m.K; ++k) total += from.weights[k];
  for (int k = 0; k < m.K; ++k) {
    m.weights()[k] = from.weights[k] / total;
    double trace = 0;
    for (int i = 0; i < D; ++i) {
      m.mean(k)[i] = (from.means[std::int64_t{k} * D + i] - m.centre[i]) * m.scale[i];
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
template <class Group>
MF_FN_CALL void export_parameters(Group& group, const mixture_model& m, const mixture_parameters& to) {
  const int D = m.D;
  group.for_answers(m.K, [&](int k) {
    to.weights[k] = m.weights()[k];
    for (int i = 0; i < D; ++i) {
      to.means[std::int64_t{k} * D + i] = m.centre[i] + m.mean(k)[i] / m.scale[i];
      for (int j = 0; j < D; ++j) {
        double value = 0;
        if (m.structure == covariance_structure::full || m.structure == covariance_structure::tied)
          value = m.covariance(k)[packed(i, j)];
        else if (i == j)
          value = m.covariance(k)[m.structure == covariance_structure::diagonal ? i : 0];
        to.covariances[(std::int64_t{k} * D + i) * D + j] = value / (m.scale[i] * m.scale[j]);
      }
    }
  });
}

/// The scale of a coordinate of this variance: the power of two nearest to one over its deviation.
MF_FN double scale_for(double variance) {
  return variance > 0 ? exp2(-floor(0.5 + 0.5 * log2(variance))) : 1.0;
}

/// The state of one task: em.hpp's Attempt.
template <class Group, class Random>
struct gaussian_attempt {
  Group& group;
  mixture_model& m;
  const mixture_settings& settings;
  mixture_task& task;
  double* memory;  ///< for a start
  Random random;
  em_outcome end{};
  em_place place{};
  stepwise_place minibatches{};
  row_counts counts{};
  double shift = 0;  ///< from the model's log-likelihood to the caller's
  int restarts_left = settings.restart_collapsed ? 10 * m.K : 0;

  MF_FN_CALL bool restart() {
    if (restarts_left-- <= 0 || m.structure == covariance_structure::tied) return false;
    restart_collapsed(group, m, random);
    return true;
  }
  MF_FN void record(int t, double log_likelihood) {
    if (task.trace && group.leads()) task.trace[t] = log_likelihood + shift;
  }
};

/// Counts the rows, sets their scale and what is constant over the iterations. Where nothing can be fitted it sets the
/// status, and the functions that follow return at once.
template <class Attempt>
MF_FN_CALL void measure_rows(Attempt& attempt) {
  attempt.group.measure(attempt.m, attempt.settings.structure == covariance_structure::spherical, attempt.counts);
  const mixture_model& m = attempt.m;
  double most_variance = 0;
  for (int d = 0; d < m.D; ++d) most_variance = maximum(most_variance, m.variance[d]);
  if (attempt.counts.nonfinite > 0)
    attempt.end.status = fit_status::nonfinite;
  else if (attempt.counts.observations < 2 || attempt.counts.observations < m.K || !(attempt.counts.weight > 0))
    attempt.end.status = fit_status::too_few;
  else if (!(most_variance > 0))
    attempt.end.status = fit_status::constant_sample;
  if (attempt.end.status != fit_status::not_run) return;
  attempt.m.total_weight = attempt.counts.weight;
  attempt.shift = attempt.counts.weight * m.log_volume();
  attempt.group.leader([&] {
    for (int d = 0; d < m.D; ++d) m.ridge[d] = attempt.task.ridge ? attempt.task.ridge[d] * square(m.scale[d]) : 0.0;
  });
  if (attempt.task.variances) attempt.group.for_answers(m.D, [&](int d) { attempt.task.variances[d] = m.variance[d]; });
}

/// The second moments that a tied covariance begins with.
template <class Attempt>
MF_FN_CALL void set_second_moments(Attempt& attempt) {
  attempt.group.for_each(packed_size(attempt.m.D), [&](int i) { attempt.m.second_moments[i] = attempt.m.moments[i]; });
}

/// Sets the model's state to the start that the settings ask for, up to the first pass of k-means.
template <class Attempt>
MF_FN_CALL void begin_start(Attempt& attempt) {
  if (attempt.end.status != fit_status::not_run) return;
  if (attempt.settings.start == mixture_start::given)
    attempt.group.leader([&] { import_parameters(attempt.m, attempt.task.parameters); });
  else
    choose_start(attempt);
}

/// Writes the result, and whether a component would have collapsed without the ridge.
template <class Attempt>
MF_FN_CALL void conclude(Attempt& attempt) {
  const mixture_model& m = attempt.m;
  const bool ended = attempt.end.status == fit_status::converged || attempt.end.status == fit_status::max_iterations;
  bool kept_by_regularization = false;
  if (ended) export_parameters(attempt.group, m, attempt.task.parameters);
  if (ended && attempt.task.ridge) {
    const bool tied = m.structure == covariance_structure::tied,
               whole = tied || m.structure == covariance_structure::full;
    const int diagonal = m.structure == covariance_structure::spherical ? 1 : m.D;
    attempt.group.for_each(tied ? 1 : m.K, [&](int k) {
      for (int d = 0; d < diagonal; ++d) m.covariance(k)[whole ? packed(d, d) : d] -= m.ridge[d];
    });
    kept_by_regularization = !prepare(attempt.group, m);
  }
  if (!attempt.group.leads()) return;
  mixture_task& task = attempt.task;
  task.observations = attempt.counts.observations;
  task.missing = attempt.counts.missing;
  task.status = attempt.end.status;
  task.iterations = attempt.end.iterations;
  if (ended) task.log_likelihood = attempt.end.log_likelihood + attempt.shift;
  task.kept_by_regularization = kept_by_regularization;
}

/// Runs one task. `m`: D, K, structure and collapse set, bound; `memory`: start_memory(...) doubles, unless the start
/// is given. One lane writes the outcome into the task.
template <class Group, class Random>
MF_FN_LARGE void fit_one_mixture(Group& group, mixture_model& m, const mixture_settings& settings, mixture_task& task,
                                 double* memory) {
  gaussian_attempt<Group, Random> attempt{
      group, m, settings, task, memory, Random(settings.seed, task.stream, static_cast<std::uint32_t>(m.K))};
  measure_rows(attempt);
  if (group.uniform(attempt.end.status == fit_status::not_run && m.structure == covariance_structure::tied)) {
    sum_second_moments(attempt);
    set_second_moments(attempt);
  }
  begin_start(attempt);
  while (group.uniform(attempt.place.rounds > 0)) kmeans_round(attempt);
  climb(attempt);
  conclude(attempt);
}

MF_NAMESPACE_END
