// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// EM over a latent model: when a climb ends, and when it starts again. em_climb is one climb, told after each step what
// came of it; run_em takes many in step. Source: Dempster, Laird & Rubin, JRSS B 39 (1977) 1–38.
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

/// Takes every climb to its end; climbs[a] is of the model's attempt a.
template <latent M>
void run_em(M& model, std::span<em_climb> climbs, const em_settings& settings) {
  std::vector<em_pass> passes;
  for (;;) {
    passes.clear();
    for (std::size_t a = 0; a < climbs.size(); ++a)
      if (climbs[a].step != em_step::done) passes.push_back({static_cast<int>(a), climbs[a].step});
    if (passes.empty()) return;
    for (const em_pass& pass : passes)
      if (pass.step == em_step::climb) model.keep(pass.attempt);
    model.start(passes);
    model.maximise(passes);
    model.expect(passes);
    for (const em_pass& pass : passes) {
      em_climb& climb = climbs[static_cast<std::size_t>(pass.attempt)];
      if (pass.step == em_step::start && pass.made != fit_status::converged)
        climb.fail(model.why_no_start(pass.attempt, pass.made));
      else if (climb.advance(pass.log_likelihood, model.weight(pass.attempt), settings))
        model.restore(pass.attempt);
    }
  }
}

}  // namespace manyfit
