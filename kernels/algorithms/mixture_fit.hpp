// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// ONE Gaussian mixture from data to answer, over a group: measure, start, climb, and give the parameters back in the
// caller's coordinates. A Group is as em.hpp and mixture_start.hpp say, and also gives
//   row_counts measure(const mixture_model&, bool alike)  counts the rows and sets centre, scale (alike in all
//                                                         coordinates, or each by its own deviation) and variance
//   bool leads()                                          true on one lane: the one that writes answers
//   void for_answers(int count, f)                        as for_each, but where for_each repeats work on several
//                                                         copies of a model, this does it once
#pragma once

#include "kernels/algorithms/mixture_start.hpp"
#include "kernels/models/point_rows.hpp"

MF_NAMESPACE_BEGIN

/// Caller's parameters to the model's state: y = (x − centre) · scale. A structure takes what it can hold of the
/// covariances: diagonals, their mean, the average over components.
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

/// Runs one task. `m`: D, K, structure and collapse set, bound; `memory`: start_memory(...) doubles, unless the start
/// is given. Every lane has its own copy of `task` and ends with the same outcome in it; what its pointers point to is
/// written once.
template <class Group, class Random>
MF_FN_CALL void fit_one_mixture(Group& group, mixture_model& m, const mixture_settings& settings, mixture_task& task,
                                double* memory) {
  const int D = m.D;
  const row_counts counts = group.measure(m, settings.structure == covariance_structure::spherical);
  task.observations = counts.observations;
  task.missing = counts.missing;
  task.status = fit_status::not_run;
  double mean_variance = 0, most_variance = 0;
  for (int d = 0; d < D; ++d) {
    mean_variance += m.variance[d] / D;
    most_variance = maximum(most_variance, m.variance[d]);
  }
  if (counts.nonfinite > 0)
    task.status = fit_status::nonfinite;
  else if (counts.observations < 2 || counts.observations < m.K || !(counts.weight > 0))
    task.status = fit_status::too_few;
  else if (!(most_variance > 0))
    task.status = fit_status::constant_sample;
  if (task.status != fit_status::not_run) return;

  m.total_weight = counts.weight;
  const double regularization = settings.regularization < 0 ? 1e-6 * mean_variance : settings.regularization;
  group.leader([&] {
    for (int d = 0; d < D; ++d) m.ridge[d] = regularization * square(m.scale[d]);
  });
  if (m.structure == covariance_structure::tied) {
    const double* const moments = sum_second_moments(group, m);
    group.for_each(packed_size(D), [&](int i) { m.second_moments[i] = moments[i]; });
  }
  Random random(settings.seed, task.stream, static_cast<std::uint32_t>(m.K));
  if (settings.start == mixture_start::given)
    group.leader([&] { import_parameters(m, task.parameters); });
  else
    start_mixture(group, m, settings.start, random, memory);
  const double shift = counts.weight * m.log_volume();
  int restarts_left = settings.restart_collapsed ? 10 * m.K : 0;
  const auto restart = [&](const mixture_model& model) {
    if (restarts_left-- <= 0 || model.structure == covariance_structure::tied) return false;
    restart_collapsed(group, model, random);
    return true;
  };
  const auto record = [&](int t, double log_likelihood) {
    if (task.trace && group.leads()) task.trace[t] = log_likelihood + shift;
  };
  const em_outcome end = settings.batch_rows > 0 && settings.batch_rows < group.rows()
                             ? run_stepwise_em(group, m, settings, record)
                             : run_em(group, m, settings, restart, record);
  task.status = end.status;
  task.iterations = end.iterations;
  if (end.status != fit_status::converged && end.status != fit_status::max_iterations) return;
  task.log_likelihood = end.log_likelihood + shift;
  export_parameters(group, m, task.parameters);
  if (!(regularization > 0)) return;
  const bool tied = m.structure == covariance_structure::tied,
             whole = tied || m.structure == covariance_structure::full;
  const int diagonal = m.structure == covariance_structure::spherical ? 1 : D;
  group.for_each(tied ? 1 : m.K, [&](int k) {
    for (int d = 0; d < diagonal; ++d) m.covariance(k)[whole ? packed(d, d) : d] -= m.ridge[d];
  });
  task.held = !prepare(group, m);
}

MF_NAMESPACE_END
