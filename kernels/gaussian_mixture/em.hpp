// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Expectation-maximisation for one Gaussian mixture, over a group, one pass over the points after another. Sources:
// Dempster, Laird & Rubin, JRSS B 39 (1977) 1–38; SQUAREM: Varadhan & Roland, Scandinavian Journal of Statistics 35
// (2008) 335–353, scheme S3.
//
// A Group reads and sums the points. All of its lanes get the same results.
// clang-format off
//   double accumulate(m)               E step and the M step's sums in one pass: fills m.statistics, returns the
//                                      log-likelihood; the N × K responsibilities are never stored
//   void for_each(int count, f)        f(0) ... f(count − 1), distributed over the lanes; ends with a barrier
//   bool distributes_singly(numbers)   whether for_each gives a lane one of so many numbers at a time
//   void prepare_components(m)         model.hpp's preparation of the E step, for every component
//   void maximise_components(m)        model.hpp's M step, for every component
//   bool all_good(m)                   whether no component has collapsed
//   bool renews(m)                     whether the group has a fused M step and preparation, renew(), for this model
//   bool renew(m)                      that step; keeps the state before; false when a component has collapsed
//   void leader(f)                     f() on one lane, then a barrier
//   void restrict_to(first, count)     the passes that follow read these rows only; count < 0: all rows
//   std::int64_t rows()                number of rows of the fit
//   bool uniform(bool)                 a value that is the same on all lanes, marked as such for the compiler, so that
//                                      branches on it are warp-uniform
// clang-format on
//
// climb() alternates passes, accumulate(), with steps between them, advance() or advance_stepwise(). Its state is a
// Attempt:
// clang-format off
//   group, m, settings, end            the group, the model, the caller's settings, the outcome so far
//   place, minibatches                 em_place, stepwise_place
//   bool restart()                     re-initialises collapsed components (good 0); false when none may be any more
//   void record(int t, double)         stores the log-likelihood of iteration t; t = 0: of the start
// clang-format on
// An Attempt is in memory, and its members are loaded where they are used: registers that hold them during a pass are
// lost to the pass.
#pragma once

#include "kernels/gaussian_mixture/model.hpp"

MF_NAMESPACE_BEGIN

/// Prepares the E step from the state θ. False when a component has collapsed.
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

/// f(0) ... f(numbers − 1), distributed one by one or in segments of 64.
template <class Group, class F>
MF_FN void for_numbers(Group& group, std::int64_t numbers, F f) {
  constexpr int length = 64;
  if (Group::distributes_singly(numbers)) {
    group.for_each(static_cast<int>(numbers), [&](int i) { f(std::int64_t{i}); });
    return;
  }
  group.for_each(static_cast<int>((numbers + length - 1) / length), [&](int segment) {
    for (std::int64_t i = std::int64_t{segment} * length; i < numbers && i < (segment + std::int64_t{1}) * length; ++i)
      f(i);
  });
}

template <class Group>
MF_FN_CALL void copy_state(Group& group, const mixture_model& m, const double* from, double* to) {
  for_numbers(group, m.state_numbers(), [&](std::int64_t i) { to[i] = from[i]; });
}

/// M step; where the group has a fused one, the preparation of the next E step too. Keeps the old θ in `before`. False
/// when a component has collapsed or the E step is not prepared yet.
template <class Group>
MF_FN bool renew(Group& group, const mixture_model& m) {
  if (group.uniform(group.renews(m))) return group.renew(m);
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

/// How the state that a pass evaluates came about.
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
    m.average[0] = -sqrt(step / bend);  // stepwise EM's array: no lane writes to it here
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

/// Prepares the model, re-initialising collapsed components as often as the attempt allows; false when one stays
/// collapsed.
template <class Attempt>
MF_FN_CALL bool prepare_sound(Attempt& attempt) {
  attempt.place.started_anew = false;
  while (attempt.group.uniform(!prepare(attempt.group, attempt.m))) {
    if (!attempt.group.uniform(attempt.restart())) return false;
    attempt.place.started_anew = true;
  }
  return true;
}

/// From the statistics of the last pass to the next state.
template <class Attempt>
MF_FN_CALL void propose(Attempt& attempt) {
  em_place& at = attempt.place;
  const bool accelerate = attempt.settings.accelerate;
  if (attempt.group.uniform(accelerate && at.steps == 2)) {
    at.steps = 0;
    const double alpha = extrapolation_length(attempt.group, attempt.m);
    if (attempt.group.uniform(alpha < -1 && is_finite(alpha))) {
      extrapolate(attempt.group, attempt.m, alpha);
      at.state = em_state::extrapolated;
      at.sound = prepare(attempt.group, attempt.m);
      return;
    }
  }
  at.state = em_state::maximised;
  if (attempt.group.uniform(accelerate && at.steps == 0))
    copy_state(attempt.group, attempt.m, attempt.m.state, attempt.m.origin);
  at.started_anew = false;
  at.sound = renew(attempt.group, attempt.m);
  if (attempt.group.uniform(!at.sound)) at.sound = prepare_sound(attempt);
}

/// What comes after a pass: nothing, another one over the same state, or the next state.
enum class em_verdict { ended, again, onwards };

/// Keeps the state that the last pass went over, or takes it back. An extrapolation is kept where it is a mixture and
/// at least as likely as the state before it.
template <class Attempt>
MF_FN em_verdict judge(Attempt& attempt) {
  em_place& at = attempt.place;
  em_outcome& end = attempt.end;
  const double tolerance = attempt.settings.tolerance;
  const em_state state = at.state;
  if (state == em_state::restored) return em_verdict::onwards;
  if (attempt.group.uniform(state == em_state::extrapolated && !(at.sound && at.reached >= end.log_likelihood))) {
    copy_state(attempt.group, attempt.m, attempt.m.before, attempt.m.state);
    prepare(attempt.group, attempt.m);
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
    const double gain = (at.reached - end.log_likelihood) / attempt.m.total_weight;
    if (attempt.group.uniform(tolerance > 0 && gain < 0 && !at.started_anew)) {
      copy_state(attempt.group, attempt.m, attempt.m.before, attempt.m.state);
      end.status = fit_status::converged;
      return em_verdict::ended;
    }
    at.steps = at.started_anew ? 0 : at.steps + 1;
    converged = !at.started_anew && tolerance > 0 && gain <= tolerance;
  }
  if (state != em_state::extrapolated) end.status = converged ? fit_status::converged : fit_status::max_iterations;
  end.log_likelihood = at.reached;
  if (state != em_state::start) ++end.iterations;
  attempt.record(end.iterations, at.reached);
  if (end.iterations >= attempt.settings.max_iterations || converged) return em_verdict::ended;
  return em_verdict::onwards;
}

/// The step of EM after a pass; false when the climb has ended. With a tolerance an iteration that lowers the
/// log-likelihood (possible with a ridge, and by rounding at the end) is undone and ends the climb. With tolerance 0
/// the climb ends after max_iterations: whether the last gain is exactly 0 would depend on a single rounding.
/// Accelerated: every second iteration is followed by an extrapolation, which counts as an iteration where it is kept.
template <class Attempt>
MF_FN_CALL bool advance(Attempt& attempt) {
  const em_verdict verdict = judge(attempt);
  if (attempt.group.uniform(verdict == em_verdict::onwards)) propose(attempt);
  return verdict != em_verdict::ended;
}

/// The step from one minibatch to the next: near the golden section of their number and coprime to it, so that a sweep
/// visits every minibatch once and neighbours are not visited in succession.
MF_FN std::int64_t minibatch_step(std::int64_t minibatches) {
  std::int64_t step = static_cast<std::int64_t>(0.618 * static_cast<double>(minibatches));
  for (step = step < 1 ? 1 : step;; ++step) {
    std::int64_t a = minibatches, b = step;
    while (b != 0) {
      const std::int64_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1) return step;
  }
}

/// Sets `all` up as a model of one full component whose responsibility for every row is 1.
template <class Group>
MF_FN_CALL void set_up_moments_pass(Group& group, const mixture_model& m, mixture_model& all) {
  all.D = m.D;
  all.K = 1;
  all.bind(m.moments_model);
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

/// Σ w y yᵀ over the rows that passes read, into m.moments, by a pass of a model with one full component. A tied
/// covariance needs them.
template <class Attempt>
MF_FN_CALL void sum_second_moments(Attempt& attempt) {
  mixture_model all;
  set_up_moments_pass(attempt.group, attempt.m, all);
  attempt.group.accumulate(all);
  keep_moments(attempt.group, attempt.m, all.statistics + 1 + all.D);
}

/// Where stepwise EM is. Its first and last pass read all rows, those between a minibatch each.
struct stepwise_place {
  enum { first, minibatches, last } stage = first;
  std::int64_t count = 0, step = 0;         ///< of minibatches, and from one to the next
  std::int64_t minibatch = 0, visited = 0;  ///< at hand, and done in this sweep
  double t = 0;                             ///< minibatches averaged so far
  double sweep = 0, before = 0;             ///< log-likelihood of this sweep so far, and of the one before
  bool converged = false;
};

/// Averages the statistics of a minibatch into the running ones and sets the parameters; false when a component has
/// collapsed.
template <class Attempt>
MF_FN_CALL bool average_minibatch(Attempt& attempt) {
  constexpr double exponent = 0.7;
  const mixture_model& m = attempt.m;
  double weight = 0;
  for (int k = 0; k < m.K; ++k) weight += m.statistics_of(k)[0];
  if (!(weight > 0)) return true;  // a minibatch without a row that counts
  const double step_size = exp(-exponent * log(attempt.minibatches.t + 2)), scale = m.total_weight / weight;
  attempt.minibatches.t += 1;
  const std::int64_t numbers = std::int64_t{m.K} * m.features_each();
  for_numbers(attempt.group, numbers,
              [&](std::int64_t i) { m.average[i] += step_size * (scale * m.statistics[i] - m.average[i]); });
  for_numbers(attempt.group, numbers,
              [&](std::int64_t i) { m.statistics[i] = m.average[i]; });  // all have seen the weight
  if (m.structure == covariance_structure::tied) {
    attempt.group.for_each(packed_size(m.D), [&](int i) {
      m.second_moments[i] += step_size * (scale * m.moments[i] - m.second_moments[i]);
    });
  }
  maximise(attempt.group, m);
  return prepare(attempt.group, m);
}

/// The rows that the next pass goes over.
template <class Attempt>
MF_FN_CALL void choose_rows(Attempt& attempt) {
  stepwise_place& at = attempt.minibatches;
  if (at.stage == stepwise_place::last) return attempt.group.restrict_to(0, -1);
  at.minibatch = (at.minibatch + at.step) % at.count;
  const std::int64_t size = attempt.settings.minibatch_rows, begin = at.minibatch * size,
                     left = attempt.group.rows() - begin;
  attempt.group.restrict_to(begin, left < size ? left : size);
}

/// The step of stepwise EM after a pass; false when the climb has ended. The statistics of a minibatch, scaled to all
/// rows, are averaged into running statistics with weight (t + 2)^−0.7, from which the parameters are set. The second
/// moments of a tied covariance are averaged in the same way: with those of all rows, the means of one minibatch could
/// give a matrix that is not positive definite. An iteration is a sweep over all rows. The log-likelihood recorded is
/// the sum over its minibatches, each at the parameters it was read with; the last one is that of all rows at the final
/// parameters. A sweep that gains no more than the tolerance ends the climb. Source: Cappé & Moulines, JRSS B 71 (2009)
/// 593–613; the exponent is the middle of the range that Liang & Klein (NAACL 2009) recommend.
template <class Attempt>
MF_FN_CALL bool advance_stepwise(Attempt& attempt) {
  em_outcome& end = attempt.end;
  stepwise_place& at = attempt.minibatches;
  const mixture_model& m = attempt.m;
  const double reached = attempt.place.reached;
  const int most = attempt.settings.max_iterations;
  if (at.stage == stepwise_place::last) {
    end.log_likelihood = reached;
    end.status = !is_finite(reached) ? fit_status::collapsed_component
                 : at.converged      ? fit_status::converged
                                     : fit_status::max_iterations;
    if (is_finite(reached) && end.iterations > 0) attempt.record(end.iterations, reached);
    return false;
  }
  if (at.stage == stepwise_place::first) {
    end.log_likelihood = at.before = reached;
    end.status = fit_status::collapsed_component;  // until the end
    attempt.record(0, reached);
    for_numbers(attempt.group, std::int64_t{m.K} * m.features_each(),
                [&](std::int64_t i) { m.average[i] = m.statistics[i]; });
    at.stage = most > 0 ? stepwise_place::minibatches : stepwise_place::last;
  } else {
    at.sweep += reached;
    if (!average_minibatch(attempt)) return false;
    if (++at.visited == at.count) {
      attempt.record(++end.iterations, at.sweep);
      const double tolerance = attempt.settings.tolerance;
      at.converged = tolerance > 0 && (at.sweep - at.before) / m.total_weight <= tolerance;
      at.before = at.sweep;
      at.visited = 0;
      at.sweep = 0;
      if (at.converged || end.iterations >= most) at.stage = stepwise_place::last;
    }
  }
  choose_rows(attempt);
  return true;
}

/// Prepares the first E step; false when a component of the start stays collapsed, or the attempt ended before.
template <class Attempt>
MF_FN_CALL bool begin_climb(Attempt& attempt) {
  if (attempt.end.status != fit_status::not_run) return false;
  const std::int64_t size = attempt.settings.minibatch_rows, rows = attempt.group.rows();
  if (attempt.group.uniform(size > 0 && size < rows)) {
    attempt.minibatches.count = (rows + size - 1) / size;
    attempt.minibatches.step = minibatch_step(attempt.minibatches.count);
    attempt.place.sound = prepare(attempt.group, attempt.m);
  } else {
    attempt.place.sound = prepare_sound(attempt);
  }
  attempt.end.status = fit_status::collapsed_component;
  return attempt.place.sound;
}

/// Climbs from the model's state: by EM, or stepwise where the settings ask for minibatches smaller than all rows.
template <class Attempt>
MF_FN void climb(Attempt& attempt) {
  bool climbing = begin_climb(attempt);
  while (attempt.group.uniform(climbing)) {
    if (attempt.group.uniform(attempt.place.sound)) attempt.place.reached = attempt.group.accumulate(attempt.m);
    if (attempt.group.uniform(attempt.minibatches.stage == stepwise_place::minibatches &&
                              attempt.m.structure == covariance_structure::tied))
      sum_second_moments(attempt);
    climbing = attempt.group.uniform(attempt.minibatches.count > 0) ? advance_stepwise(attempt) : advance(attempt);
  }
}

MF_NAMESPACE_END
