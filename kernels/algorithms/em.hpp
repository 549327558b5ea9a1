// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Expectation-maximisation for ONE Gaussian mixture, over a group. A Group knows how points are read and summed:
//   double accumulate(const mixture_model&)  the E step and the sums of the M step in one pass over the points: fills
//                                            model.statistics, returns the log-likelihood; N × K responsibilities are
//                                            never in memory
//   void for_each(int count, f)              f(0) ... f(count − 1), shared out; ends when all are done
//   void leader(f)                           f() once; ends when it is done
//   void restrict_to(first, count)           passes go over these rows only, until told otherwise; count < 0: over all
//   std::int64_t rows()                      how many rows the fit has
// and every lane of it gets the same answers. Sources: Dempster, Laird & Rubin, JRSS B 39 (1977) 1–38; SQUAREM:
// Varadhan & Roland, Scandinavian Journal of Statistics 35 (2008) 335–353, scheme S3.
#pragma once

#include "kernels/models/gaussian_mixture.hpp"

MF_NAMESPACE_BEGIN

/// θ to what the E step reads. False when a component has collapsed.
template <class Group>
MF_FN_CALL bool prepare(Group& group, const mixture_model& m) {
  if (m.structure == covariance_structure::tied) {
    group.leader([&] {
      const double* const covariance = m.covariance(0);
      bool sound = is_finite(whitening_factor(covariance, m.D, m.collapse, m.transform));
      for (int d = 0; d < m.D; ++d) sound = sound && !has_collapsed(m, covariance[packed(d, d)], 0);
      m.good[m.K] = sound;
    });
    if (!(m.good[m.K] > 0)) return false;
  }
  group.for_each(m.K, [&](int k) { prepare_component(m, k); });
  for (int k = 0; k < m.K; ++k)
    if (!(m.good[k] > 0)) return false;
  return true;
}

/// The covariance of a tied mixture, from statistics and means.
template <class Group>
MF_FN_LARGE void pool_covariance(Group& group, const mixture_model& m) {
  group.for_each(packed_size(m.D), [&](int element) {
    int i = 0;
    while (packed_size(i + 1) <= element) ++i;
    m.covariance(0)[element] = tied_covariance(m, i, element - packed_size(i));
  });
}

/// Statistics to θ.
template <class Group>
MF_FN_CALL void maximise(Group& group, const mixture_model& m) {
  group.for_each(m.K, [&](int k) { maximise_component(m, k); });
  if (m.structure == covariance_structure::tied) pool_covariance(group, m);
}

template <class Group>
MF_FN void copy_state(Group& group, const mixture_model& m, const double* from, double* to) {
  constexpr int run = 64;
  const std::int64_t numbers = m.state_numbers();
  group.for_each(static_cast<int>((numbers + run - 1) / run), [&](int piece) {
    for (std::int64_t i = std::int64_t{piece} * run; i < numbers && i < (piece + std::int64_t{1}) * run; ++i)
      to[i] = from[i];
  });
}

MF_FN void normalise_weights(const mixture_model& m) {
  double sum = 0;
  for (int k = 0; k < m.K; ++k) sum += m.weights()[k];
  for (int k = 0; k < m.K; ++k) m.weights()[k] /= sum;
}

/// How EM ended; the parameters are the model's state.
struct em_outcome {
  fit_status status = fit_status::not_run;
  int iterations = 0;
  double log_likelihood = constants::nan;
};

/// SQUAREM's step S3 from θ0 (origin) and θ1 (before) and θ2 (state), which the model's statistics belong to, with
/// log-likelihood `known`: θ0 − 2αr + α²v with r = θ1 − θ0, v = (θ2 − θ1) − r and α = −|r| / |v|. Kept where it is a
/// mixture and at least as likely: true, and `known` is its log-likelihood. Else the model is at θ2 as before.
template <class Group>
MF_FN_CALL bool extrapolate(Group& group, mixture_model& m, double& known) {
  const std::int64_t numbers = m.state_numbers();
  group.leader([&] {
    double step = 0, bend = 0;
    for (std::int64_t i = 0; i < numbers; ++i) {
      const double r = m.before[i] - m.origin[i];
      step += square(r);
      bend += square(m.state[i] - m.before[i] - r);
    }
    m.average[0] = -sqrt(step / bend);  // stepwise EM's; prepare(), which a faster lane may be at, does not write it
  });
  const double alpha = m.average[0];
  if (!(alpha < -1) || !is_finite(alpha)) {
    prepare(group, m);
    return false;
  }
  constexpr int run = 64;
  group.for_each(static_cast<int>((numbers + run - 1) / run), [&](int piece) {
    for (std::int64_t i = std::int64_t{piece} * run; i < numbers && i < (piece + std::int64_t{1}) * run; ++i) {
      const double r = m.before[i] - m.origin[i], v = m.state[i] - m.before[i] - r;
      m.before[i] = m.state[i];
      m.state[i] = m.origin[i] - 2 * alpha * r + square(alpha) * v;
    }
  });
  const bool sound = prepare(group, m);
  const double reached = sound ? group.accumulate(m) : -constants::infinity;
  if (reached >= known) {
    known = reached;
    return true;
  }
  copy_state(group, m, m.before, m.state);
  prepare(group, m);
  if (sound) group.accumulate(m);  // the statistics were the extrapolation's
  return false;
}

/// Climbs from the model's state. `restart(m)` is asked to set collapsed components (good 0) anew, and may refuse;
/// `record(t, log_likelihood)` gets the start's log-likelihood as t = 0 and then every iteration's. With a tolerance an
/// iteration that would lower the log-likelihood (possible with regularisation, and by rounding at the end) is taken
/// back and ends the climb. Accelerated: after every second iteration comes an extrapolation, which counts as an
/// iteration where it is kept.
template <class Group, class Restart, class Record>
MF_FN_CALL em_outcome run_em(Group& group, mixture_model& m, const mixture_settings& settings, Restart restart,
                             Record record) {
  em_outcome end;
  while (!prepare(group, m))
    if (!restart(m)) {
      end.status = fit_status::collapsed_component;
      return end;
    }
  end.log_likelihood = group.accumulate(m);
  record(0, end.log_likelihood);
  end.status = fit_status::max_iterations;
  int steps = 0;  // since the last extrapolation
  while (end.iterations < settings.max_iterations) {
    if (settings.accelerate && steps == 2) {
      steps = 0;
      if (extrapolate(group, m, end.log_likelihood)) {
        record(++end.iterations, end.log_likelihood);
        continue;
      }
    }
    if (settings.accelerate && steps == 0) copy_state(group, m, m.state, m.origin);
    copy_state(group, m, m.state, m.before);
    maximise(group, m);
    bool started_anew = false;
    while (!prepare(group, m)) {
      if (!restart(m)) {
        end.status = fit_status::collapsed_component;
        return end;
      }
      started_anew = true;
    }
    const double reached = group.accumulate(m);
    const double gain = (reached - end.log_likelihood) / m.total_weight;
    if (!is_finite(reached)) {
      end.status = fit_status::collapsed_component;
      return end;
    }
    if (settings.tolerance > 0 && gain < 0 && !started_anew) {
      copy_state(group, m, m.before, m.state);
      end.status = fit_status::converged;
      return end;
    }
    end.log_likelihood = reached;
    record(++end.iterations, reached);
    steps = started_anew ? 0 : steps + 1;
    if (!started_anew && (settings.tolerance > 0 ? gain <= settings.tolerance : gain == 0)) {
      end.status = fit_status::converged;
      if (settings.tolerance > 0) return end;
    } else {
      end.status = fit_status::max_iterations;
    }
  }
  return end;
}

/// The step between batches in the order in which they are visited: near the golden section of their number and prime
/// to it, so that every batch is seen once in a sweep and neighbours are not seen one after the other.
MF_FN std::int64_t batch_step(std::int64_t batches) {
  std::int64_t step = static_cast<std::int64_t>(0.618 * static_cast<double>(batches));
  for (step = step < 1 ? 1 : step;; ++step) {
    std::int64_t a = batches, b = step;
    while (b != 0) {
      const std::int64_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1) return step;
  }
}

/// Σ w y yᵀ over the rows that passes go over, [packed_size(D)] in the model's memory: what one full component with
/// every row would be told. A tied covariance needs them.
template <class Group>
MF_FN_CALL const double* sum_second_moments(Group& group, const mixture_model& m) {
  mixture_model all;
  all.D = m.D;
  all.K = 1;
  all.bind(m.aside);
  all.triangular = false;
  group.leader([&] {
    all.constant[0] = 0;
    for (int d = 0; d < m.D; ++d) all.factor[d] = all.offset[d] = 0;
  });
  group.accumulate(all);
  return all.statistics + 1 + m.D;
}

/// Stepwise EM: after every batch of rows its statistics, scaled to all rows, are averaged into the running ones with
/// weight (t + 2)^−0.7, and the parameters set from those. A tied covariance's second moments are averaged likewise:
/// beside those of all rows, the means of a batch can leave a matrix that is none. An iteration is a sweep over all
/// rows; `record` gets the sum of its batches' log-likelihoods, each at the parameters of its time, and ends with that
/// of all rows at the last parameters. A sweep that gains no more than the tolerance ends it. Source: Cappé & Moulines,
/// JRSS B 71 (2009) 593–613; the exponent is the middle of what Liang & Klein (NAACL 2009) found to work.
template <class Group, class Record>
MF_FN_CALL em_outcome run_stepwise_em(Group& group, mixture_model& m, const mixture_settings& settings, Record record) {
  constexpr double exponent = 0.7;
  em_outcome end;
  const std::int64_t rows = group.rows(), size = settings.batch_rows, batches = (rows + size - 1) / size,
                     step = batch_step(batches), numbers = std::int64_t{m.K} * m.features_each();
  constexpr int run = 64;
  const auto for_numbers = [&](auto f) {
    group.for_each(static_cast<int>((numbers + run - 1) / run), [&](int piece) {
      for (std::int64_t i = std::int64_t{piece} * run; i < numbers && i < (piece + std::int64_t{1}) * run; ++i) f(i);
    });
  };
  end.status = fit_status::collapsed_component;
  if (!prepare(group, m)) return end;
  end.log_likelihood = group.accumulate(m);
  record(0, end.log_likelihood);
  for_numbers([&](std::int64_t i) { m.average[i] = m.statistics[i]; });
  double last = end.log_likelihood, t = 0;
  std::int64_t batch = 0;
  bool converged = false;
  while (end.iterations < settings.max_iterations && !converged) {
    double sweep = 0;
    for (std::int64_t visited = 0; visited < batches; ++visited) {
      batch = (batch + step) % batches;
      const std::int64_t first = batch * size;
      group.restrict_to(first, rows - first < size ? rows - first : size);
      sweep += group.accumulate(m);
      double weight = 0;
      for (int k = 0; k < m.K; ++k) weight += m.statistics_of(k)[0];
      if (!(weight > 0)) continue;  // a batch without a row that counts
      const double share = exp(-exponent * log(t + 2)), scale = m.total_weight / weight;
      t += 1;
      for_numbers([&](std::int64_t i) { m.average[i] += share * (scale * m.statistics[i] - m.average[i]); });
      if (m.structure == covariance_structure::tied) {
        const double* const moments = sum_second_moments(group, m);
        group.for_each(packed_size(m.D),
                       [&](int i) { m.second_moments[i] += share * (scale * moments[i] - m.second_moments[i]); });
      }
      for_numbers([&](std::int64_t i) { m.statistics[i] = m.average[i]; });
      maximise(group, m);
      if (!prepare(group, m)) return end;
    }
    group.restrict_to(0, -1);
    record(++end.iterations, sweep);
    converged = settings.tolerance > 0 && (sweep - last) / m.total_weight <= settings.tolerance;
    last = sweep;
  }
  end.log_likelihood = group.accumulate(m);
  if (!is_finite(end.log_likelihood)) return end;
  if (end.iterations > 0) record(end.iterations, end.log_likelihood);
  end.status = converged ? fit_status::converged : fit_status::max_iterations;
  return end;
}

MF_NAMESPACE_END
