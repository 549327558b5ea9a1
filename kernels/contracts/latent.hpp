// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What EM climbs. A latent model M holds several attempts, each a climb of one sample from one start, and takes a step
// of many at once: on a GPU a pass serves them all. Each function does its part for the entries that want it:
//   m.start(passes)                   where wants_start(): responsibilities of a start
//   m.maximise(passes)                where wants_m_step(): parameters from responsibilities; `made` says how that went
//   m.expect(passes)                  where wants_e_step(): responsibilities from parameters, and `log_likelihood`: −∞
//                                     where a row has no density, NaN beyond repair
//   m.why_no_start(attempt, made)     the status of an attempt whose first start did not give parameters
//   m.keep(attempt), m.restore(attempt)     the parameters, before a step and where it was one too many
//   m.weight(attempt)                 Σw of its sample
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/views.hpp"

namespace manyfit {

/// What an attempt does next.
enum class em_step {
  start,        ///< its first start, an M step and an E step
  look,         ///< an E step at parameters that are given
  climb,        ///< an M step and an E step
  start_again,  ///< as start, after a collapse
  done
};

/// One attempt's part of a step.
struct em_pass {
  int attempt;
  em_step step;
  fit_status made = fit_status::converged;  ///< else there are no parameters for an E step
  double log_likelihood = std::numeric_limits<double>::quiet_NaN();

  bool wants_start() const { return step == em_step::start || step == em_step::start_again; }
  bool wants_m_step() const { return step != em_step::look && made == fit_status::converged; }
  bool wants_e_step() const { return made == fit_status::converged; }
};

template <class M>
concept latent = requires(M m, const M& unchanged, std::span<em_pass> passes, int attempt) {
  m.start(passes);
  m.maximise(passes);
  m.expect(passes);
  m.keep(attempt);
  m.restore(attempt);
  { unchanged.why_no_start(attempt, fit_status::converged) } -> std::same_as<fit_status>;
  { unchanged.weight(attempt) } -> std::same_as<double>;
};

}  // namespace manyfit
