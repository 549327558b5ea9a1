// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// EM over a latent model: when a climb ends, and when it starts again. em_climb is one climb, told after each step what
// came of it; em_steps takes many in step, from outside, and run_em to their ends. Source: Dempster, Laird & Rubin,
// JRSS B 39 (1977) 1–38.
#pragma once

#include <cmath>
#include <vector>

#include "kernels/contracts/latent.hpp"

namespace manyfit {

struct em_settings {
  int max_iterations = 1000;
  double tolerance = 1e-8;         ///< gain of the mean log-likelihood at which to stop; 0: never
  bool restart_collapsed = false;  ///< a climb that has collapsed starts again, at random
};

/// One climb, from a start to its outcome.
class em_climb {
 public:
  /// How often a climb starts again after a collapse, where it may.
  static constexpr int most_restarts = 20;

  em_step step = em_step::start;  ///< look: the start is given
  fit_status status = fit_status::not_run;
  std::int32_t iterations = 0;
  double log_likelihood = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> trace;  ///< the log-likelihood of the start and after every iteration

  void fail(fit_status why) {
    status = why;
    log_likelihood = std::numeric_limits<double>::quiet_NaN();
    step = em_step::done;
  }

  /// After a step that led to `value`, not finite where it failed, and on to the next. True where the model must go
  /// back to what it was before the step.
  bool advance(double value, double weight, const em_settings& settings) {
    const bool first = step == em_step::start || step == em_step::look, again = step == em_step::start_again;
    if (first && !std::isfinite(value)) {
      const bool outside = value == -std::numeric_limits<double>::infinity();
      fail(outside ? fit_status::out_of_support : fit_status::collapsed_component);
      return false;
    }
    if (!std::isfinite(value)) {
      if (settings.restart_collapsed && restarts_++ < most_restarts)
        step = em_step::start_again;
      else
        fail(fit_status::collapsed_component);
      return false;
    }
    const double gain = (value - log_likelihood) / weight;
    const bool may_end = !first && !again && settings.tolerance > 0;
    if (may_end && gain < 0) {  // rounding: no component's own sum has fallen
      end(fit_status::converged);
      return true;
    }
    log_likelihood = value;
    trace.push_back(value);
    iterations += !first;
    if (may_end && gain <= settings.tolerance)
      end(fit_status::converged);
    else if (iterations >= settings.max_iterations)
      end(fit_status::max_iterations);
    else
      step = em_step::climb;
    return false;
  }

 private:
  void end(fit_status how) {
    status = how;
    step = em_step::done;
  }
  int restarts_ = 0;
};

/// Climbs in step, driven from outside: while begin() has passes, pass() takes them and advance() tells the climbs what
/// came of it. Between two steps the climbs and the model are all the state there is: copies of both are a checkpoint,
/// and whoever sums over several machines does so in a model whose passes end with that sum.
class em_steps {
 public:
  em_steps(std::span<em_climb> climbs, const em_settings& settings) : climbs_(climbs), settings_(settings) {}

  /// The passes of the next step; none once every climb has ended.
  std::span<const em_pass> begin() {
    passes_.clear();
    for (std::size_t a = 0; a < climbs_.size(); ++a)
      if (climbs_[a].step != em_step::done) passes_.push_back({static_cast<int>(a), climbs_[a].step});
    return passes_;
  }
  template <latent M>
  void pass(M& model) {
    for (const em_pass& each : passes_)
      if (each.step == em_step::climb) model.keep(each.attempt);
    model.start(passes_);
    model.maximise(passes_);
    model.expect(passes_);
  }
  template <latent M>
  void advance(M& model) {
    for (const em_pass& each : passes_) {
      em_climb& climb = climbs_[static_cast<std::size_t>(each.attempt)];
      if (each.step == em_step::start && each.made != fit_status::converged)
        climb.fail(model.why_no_start(each.attempt, each.made));
      else if (climb.advance(each.log_likelihood, model.weight(each.attempt), settings_))
        model.restore(each.attempt);
    }
  }

 private:
  std::span<em_climb> climbs_;
  em_settings settings_;
  std::vector<em_pass> passes_;
};

/// Takes every climb to its end; climbs[a] is of the model's attempt a.
template <latent M>
void run_em(M& model, std::span<em_climb> climbs, const em_settings& settings) {
  em_steps steps(climbs, settings);
  while (!steps.begin().empty()) {
    steps.pass(model);
    steps.advance(model);
  }
}

}  // namespace manyfit
