// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Expectation-maximisation for ONE Gaussian mixture, over a group. A Group knows how points are read and summed:
//   double accumulate(const mixture_model&)  the E step and the sums of the M step in one pass over the points: fills
//                                            model.statistics, returns the log-likelihood; N × K responsibilities are
//                                            never in memory
//   void for_each(int count, f)              f(0) ... f(count − 1), shared out; ends when all are done
//   bool shares_out_singly(numbers)          whether every lane takes one of so many numbers at a time
//   void prepare_components(m), maximise_components(m)  model.hpp's steps for every component
//   bool all_good(m)                         whether all components are sound
//   bool renews(m), renew(m)                 whether the group has a way of its own from statistics to what the next
//   pass
//                                            reads, which keeps the state before; that way: false when a component has
//                                            collapsed
//   void leader(f)                           f() once; ends when it is done
//   void restrict_to(first, count)           passes go over these rows only, until told otherwise; count < 0: over all
//   std::int64_t rows()                      how many rows the fit has
//   bool agree(bool)                         what every lane has found alike, said so that the compiler knows: lanes
//                                            then take a branch together, and nothing waits for those that took another
// and every lane of it gets the same answers. A climb is one pass after the other, climb(), and what is made of each,
// advance() or advance_stepwise(). What it works on and where it is stands in a Run:
//   group, m, settings, end                  the group, the model, the caller's settings, and where it has come to
//   place, batches                           em_place, stepwise_place
//   bool restart()                           sets collapsed components (good 0) anew, or refuses
//   void record(int t, double)               gets the start's log-likelihood as t = 0 and then every iteration's
// A Run is in memory, and its parts are read where they are needed: what is held in registers while a pass is called
// the pass does not have. Sources: Dempster, Laird & Rubin, JRSS B 39 (1977) 1–38; SQUAREM:
// Varadhan & Roland, Scandinavian Journal of Statistics 35 (2008) 335–353, scheme S3.
#pragma once

#include "kernels/gaussian_mixture/model.hpp"

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
  group.prepare_components(m);
  return group.all_good(m);
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
  group.maximise_components(m);
  if (m.structure == covariance_structure::tied) pool_covariance(group, m);
}

/// f(0) ... f(numbers − 1), shared out one by one or in runs of 64.
template <class Group, class F>
MF_FN void for_numbers(Group& group, std::int64_t numbers, F f) {
  constexpr int run = 64;
  if (Group::shares_out_singly(numbers)) {
    group.for_each(static_cast<int>(numbers), [&](int i) { f(std::int64_t{i}); });
    return;
  }
  group.for_each(static_cast<int>((numbers + run - 1) / run), [&](int piece) {
    for (std::int64_t i = std::int64_t{piece} * run; i < numbers && i < (piece + std::int64_t{1}) * run; ++i) f(i);
  });
}

template <class Group>
MF_FN_CALL void copy_state(Group& group, const mixture_model& m, const double* from, double* to) {
  for_numbers(group, m.state_numbers(), [&](std::int64_t i) { to[i] = from[i]; });
}

/// Statistics to θ and, where the group has a way of its own, to what the E step reads; θ as it was to the state
/// before. False when a component has collapsed or the model is not prepared.
template <class Group>
MF_FN bool renew(Group& group, const mixture_model& m) {
  if (group.agree(group.renews(m))) return group.renew(m);
  copy_state(group, m, m.state, m.before);
  maximise(group, m);
  return false;
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

/// What the state that a pass goes over is.
enum class em_state : std::int32_t { start, maximised, extrapolated, restored };

/// Where a climb is.
struct em_place {
  em_state state = em_state::start;
  int rounds = 0;             ///< of k-means still to come, before the climb
  int steps = 0;              ///< iterations since the last extrapolation
  bool sound = false;         ///< no component has collapsed
  bool started_anew = false;  ///< a component was
  double reached = 0;         ///< log-likelihood of the last pass
};

/// SQUAREM's α = −|r| / |v| with r = θ1 − θ0 and v = (θ2 − θ1) − r, where θ0 is the origin, θ1 the state before and θ2
/// the state.
template <class Group>
MF_FN_CALL double extrapolation_length(Group& group, const mixture_model& m) {
  group.leader([&] {
    const std::int64_t numbers = m.state_numbers();
    double step = 0, bend = 0;
    for (std::int64_t i = 0; i < numbers; ++i) {
      const double r = m.before[i] - m.origin[i];
      step += square(r);
      bend += square(m.state[i] - m.before[i] - r);
    }
    m.average[0] = -sqrt(step / bend);  // stepwise EM's; nothing writes it that a faster lane may be at
  });
  return m.average[0];
}

/// SQUAREM's step S3 to θ0 − 2αr + α²v; the state before is then θ2.
template <class Group>
MF_FN_CALL void extrapolate(Group& group, const mixture_model& m, double alpha) {
  for_numbers(group, m.state_numbers(), [&](std::int64_t i) {
    const double r = m.before[i] - m.origin[i], v = m.state[i] - m.before[i] - r;
    m.before[i] = m.state[i];
    m.state[i] = m.origin[i] - 2 * alpha * r + square(alpha) * v;
  });
}

/// Prepares the model, with collapsed components set anew as often as the run allows; false when one stays.
template <class Run>
MF_FN_CALL bool prepare_sound(Run& run) {
  run.place.started_anew = false;
  while (run.group.agree(!prepare(run.group, run.m))) {
    if (!run.group.agree(run.restart())) return false;
    run.place.started_anew = true;
  }
  return true;
}

/// From the statistics of the last pass to the next state.
template <class Run>
MF_FN_CALL void propose(Run& run) {
  em_place& at = run.place;
  const bool accelerate = run.settings.accelerate;
  if (run.group.agree(accelerate && at.steps == 2)) {
    at.steps = 0;
    const double alpha = extrapolation_length(run.group, run.m);
    if (run.group.agree(alpha < -1 && is_finite(alpha))) {
      extrapolate(run.group, run.m, alpha);
      at.state = em_state::extrapolated;
      at.sound = prepare(run.group, run.m);
      return;
    }
  }
  at.state = em_state::maximised;
  if (run.group.agree(accelerate && at.steps == 0)) copy_state(run.group, run.m, run.m.state, run.m.origin);
  at.started_anew = false;
  at.sound = renew(run.group, run.m);
  if (run.group.agree(!at.sound)) at.sound = prepare_sound(run);
}

/// What comes after a pass: nothing, another one over the same state, or the next state.
enum class em_verdict { ended, again, onwards };

/// Keeps the state that the last pass went over, or takes it back. An extrapolation is kept where it is a mixture and
/// at least as likely as the state before it.
template <class Run>
MF_FN em_verdict judge(Run& run) {
  em_place& at = run.place;
  em_outcome& end = run.end;
  const double tolerance = run.settings.tolerance;
  const em_state state = at.state;
  if (state == em_state::restored) return em_verdict::onwards;
  if (run.group.agree(state == em_state::extrapolated && !(at.sound && at.reached >= end.log_likelihood))) {
    copy_state(run.group, run.m, run.m.before, run.m.state);
    prepare(run.group, run.m);
    at.state = em_state::restored;
    if (at.sound) return em_verdict::again;  // the statistics are the extrapolation's
    at.sound = true;
    return em_verdict::onwards;
  }
  if (!at.sound || !is_finite(at.reached)) {
    end.status = fit_status::collapsed_component;
    return em_verdict::ended;
  }
  bool converged = false;
  if (state == em_state::maximised) {
    const double gain = (at.reached - end.log_likelihood) / run.m.total_weight;
    if (run.group.agree(tolerance > 0 && gain < 0 && !at.started_anew)) {
      copy_state(run.group, run.m, run.m.before, run.m.state);
      end.status = fit_status::converged;
      return em_verdict::ended;
    }
    at.steps = at.started_anew ? 0 : at.steps + 1;
    converged = !at.started_anew && tolerance > 0 && gain <= tolerance;
  }
  if (state != em_state::extrapolated) end.status = converged ? fit_status::converged : fit_status::max_iterations;
  end.log_likelihood = at.reached;
  if (state != em_state::start) ++end.iterations;
  run.record(end.iterations, at.reached);
  if (end.iterations >= run.settings.max_iterations || converged) return em_verdict::ended;
  return em_verdict::onwards;
}

/// What EM makes of a pass; false when the climb has ended. With a tolerance an iteration that would lower the
/// log-likelihood (possible with a ridge, and by rounding at the end) is taken back and ends the climb. Without one
/// the climb ends at the cap, as max_iterations: whether the last gain is 0 would be up to one rounding.
/// Accelerated: after every second iteration comes an extrapolation, which counts as an iteration where it is kept.
template <class Run>
MF_FN_CALL bool advance(Run& run) {
  const em_verdict verdict = judge(run);
  if (run.group.agree(verdict == em_verdict::onwards)) propose(run);
  return verdict != em_verdict::ended;
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

/// Makes `all` a model of one full component whose responsibility for every row is 1.
template <class Group>
MF_FN_CALL void aim_at_moments(Group& group, const mixture_model& m, mixture_model& all) {
  all.D = m.D;
  all.K = 1;
  all.bind(m.aside);
  all.triangular = false;
  group.leader([&] {
    all.constant[0] = 0;
    for (int d = 0; d < all.D; ++d) all.factor[d] = all.offset[d] = 0;
  });
}

template <class Group>
MF_FN_CALL void keep_moments(Group& group, const mixture_model& m, const double* from) {
  group.for_each(packed_size(m.D), [&](int i) { m.moments[i] = from[i]; });
}

/// Σ w y yᵀ over the rows that passes go over, to m.moments: what one full component with every row would be told. A
/// tied covariance needs them.
template <class Run>
MF_FN_CALL void sum_second_moments(Run& run) {
  mixture_model all;
  aim_at_moments(run.group, run.m, all);
  run.group.accumulate(all);
  keep_moments(run.group, run.m, all.statistics + 1 + all.D);
}

/// Where stepwise EM is. All rows are gone over first and last, and batches of them between.
struct stepwise_place {
  enum { first, batches, last } stage = first;
  std::int64_t count = 0, step = 0;     ///< of batches, and from one to the next
  std::int64_t batch = 0, visited = 0;  ///< at hand, and done in this sweep
  double t = 0;                         ///< batches averaged so far
  double sweep = 0, before = 0;         ///< log-likelihood of this sweep so far, and of the one before
  bool converged = false;
};

/// Averages the statistics of a batch into the running ones and sets the parameters; false when a component has
/// collapsed.
template <class Run>
MF_FN_CALL bool average_batch(Run& run) {
  constexpr double exponent = 0.7;
  const mixture_model& m = run.m;
  double weight = 0;
  for (int k = 0; k < m.K; ++k) weight += m.statistics_of(k)[0];
  if (!(weight > 0)) return true;  // a batch without a row that counts
  const double share = exp(-exponent * log(run.batches.t + 2)), scale = m.total_weight / weight;
  run.batches.t += 1;
  const std::int64_t numbers = std::int64_t{m.K} * m.features_each();
  for_numbers(run.group, numbers,
              [&](std::int64_t i) { m.average[i] += share * (scale * m.statistics[i] - m.average[i]); });
  for_numbers(run.group, numbers, [&](std::int64_t i) { m.statistics[i] = m.average[i]; });  // all have seen the weight
  if (m.structure == covariance_structure::tied) {
    run.group.for_each(packed_size(m.D),
                       [&](int i) { m.second_moments[i] += share * (scale * m.moments[i] - m.second_moments[i]); });
  }
  maximise(run.group, m);
  return prepare(run.group, m);
}

/// The rows that the next pass goes over.
template <class Run>
MF_FN_CALL void choose_rows(Run& run) {
  stepwise_place& at = run.batches;
  if (at.stage == stepwise_place::last) return run.group.restrict_to(0, -1);
  at.batch = (at.batch + at.step) % at.count;
  const std::int64_t size = run.settings.batch_rows, begin = at.batch * size, left = run.group.rows() - begin;
  run.group.restrict_to(begin, left < size ? left : size);
}

/// What stepwise EM makes of a pass; false when the climb has ended. After every batch of rows its statistics, scaled
/// to all rows, are averaged into the running ones with weight (t + 2)^−0.7, and the parameters set from those. A tied
/// covariance's second moments are averaged likewise: beside those of all rows, the means of a batch can leave a matrix
/// that is none. An iteration is a sweep over all rows; the log-likelihood recorded is the sum of its batches', each at
/// the parameters of its time, and at the end that of all rows at the last parameters. A sweep that gains no more than
/// the tolerance ends it. Source: Cappé & Moulines, JRSS B 71 (2009) 593–613; the exponent is the middle of what Liang
/// & Klein (NAACL 2009) found to work.
template <class Run>
MF_FN_CALL bool advance_stepwise(Run& run) {
  em_outcome& end = run.end;
  stepwise_place& at = run.batches;
  const mixture_model& m = run.m;
  const double reached = run.place.reached;
  const int most = run.settings.max_iterations;
  if (at.stage == stepwise_place::last) {
    end.log_likelihood = reached;
    end.status = !is_finite(reached) ? fit_status::collapsed_component
                 : at.converged      ? fit_status::converged
                                     : fit_status::max_iterations;
    if (is_finite(reached) && end.iterations > 0) run.record(end.iterations, reached);
    return false;
  }
  if (at.stage == stepwise_place::first) {
    end.log_likelihood = at.before = reached;
    end.status = fit_status::collapsed_component;  // until the end
    run.record(0, reached);
    for_numbers(run.group, std::int64_t{m.K} * m.features_each(),
                [&](std::int64_t i) { m.average[i] = m.statistics[i]; });
    at.stage = most > 0 ? stepwise_place::batches : stepwise_place::last;
  } else {
    at.sweep += reached;
    if (!average_batch(run)) return false;
    if (++at.visited == at.count) {
      run.record(++end.iterations, at.sweep);
      const double tolerance = run.settings.tolerance;
      at.converged = tolerance > 0 && (at.sweep - at.before) / m.total_weight <= tolerance;
      at.before = at.sweep;
      at.visited = 0;
      at.sweep = 0;
      if (at.converged || end.iterations >= most) at.stage = stepwise_place::last;
    }
  }
  choose_rows(run);
  return true;
}

/// Makes the first state ready; false when it is no mixture and cannot be made one, or the run has ended before.
template <class Run>
MF_FN_CALL bool begin_climb(Run& run) {
  if (run.end.status != fit_status::not_run) return false;
  const std::int64_t size = run.settings.batch_rows, rows = run.group.rows();
  if (run.group.agree(size > 0 && size < rows)) {
    run.batches.count = (rows + size - 1) / size;
    run.batches.step = batch_step(run.batches.count);
    run.place.sound = prepare(run.group, run.m);
  } else {
    run.place.sound = prepare_sound(run);
  }
  run.end.status = fit_status::collapsed_component;
  return run.place.sound;
}

/// Climbs from the model's state: by EM, or stepwise where the settings ask for batches smaller than all rows.
template <class Run>
MF_FN void climb(Run& run) {
  bool climbing = begin_climb(run);
  while (run.group.agree(climbing)) {
    if (run.group.agree(run.place.sound)) run.place.reached = run.group.accumulate(run.m);
    if (run.group.agree(run.batches.stage == stepwise_place::batches && run.m.structure == covariance_structure::tied))
      sum_second_moments(run);
    climbing = run.group.agree(run.batches.count > 0) ? advance_stepwise(run) : advance(run);
  }
}

MF_NAMESPACE_END
