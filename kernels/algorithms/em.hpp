// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Expectation-maximisation for ONE Gaussian mixture, over a group. A Group knows how points are read and summed:
//   double accumulate(const mixture_model&)  the E step and the sums of the M step in one pass over the points: fills
//                                            model.statistics, returns the log-likelihood; N × K responsibilities are
//                                            never in memory
//   void for_each(int count, f)              f(0) ... f(count − 1), shared out; ends when all are done
//   void leader(f)                           f() once; ends when it is done
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

/// Climbs from the model's state. `restart(m)` is asked to set collapsed components (good 0) anew, and may refuse;
/// `record(t, log_likelihood)` gets the start's log-likelihood as t = 0 and then every iteration's. With a tolerance an
/// iteration that would lower the log-likelihood (possible with regularisation, and by rounding at the end) is taken
/// back and ends the climb.
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
  while (end.iterations < settings.max_iterations) {
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
    if (!started_anew && (settings.tolerance > 0 ? gain <= settings.tolerance : gain == 0)) {
      end.status = fit_status::converged;
      if (settings.tolerance > 0) return end;
    } else {
      end.status = fit_status::max_iterations;
    }
  }
  return end;
}

MF_NAMESPACE_END
