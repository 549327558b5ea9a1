// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// EM for ONE mixture of families, over the families' own tables of functions: the E step asks for
// log-densities, the M step for weighted fits. Source: Dempster, Laird & Rubin, JRSS B 39 (1977) 1–38.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/registry.hpp"
#include "manyfit/family_mixture.hpp"

namespace manyfit {

/// A component as EM sees it.
struct em_part {
  const family_info* family = nullptr;  ///< null: a point mass
  const cpu_functions* functions = nullptr;
  fit_settings settings = {};
  double at = 0;
};

/// Whether the component's support has an end that depends on a parameter that is not held.
inline bool has_free_ends(const em_part& part, moving_support kind) {
  if (!part.family || part.family->ends != kind) return false;
  const std::uint32_t all = (1u << part.family->parameter_count) - 1;
  return (part.settings.fixed & all) != all;
}
/// ... that EM moves.
inline bool moves_ends(const em_part& part) {
  return has_free_ends(part, moving_support::falls_to_zero);
}

/// One fit's values that count.
struct em_sample {
  std::vector<double> x, w;  ///< [observations], then zeros to a multiple of 8: whole packs
  double weight = 0;
  std::int64_t observations = 0, missing = 0, left_out = 0, nonfinite = 0;
};
template <class T>
em_sample sample_for_em(const batch_view<T>& batch, std::int64_t fit);

/// Values from which on the runs of one fit go one after another, each on all threads, instead of side by side.
inline constexpr std::int64_t large_sample = 1 << 17;

/// One run, from a start to its outcome.
struct em_run {
  std::vector<double> weights;     ///< [K]
  std::vector<double> parameters;  ///< [K × room]
  std::vector<double> means;       ///< [K]
  std::vector<double> trace;
  double log_likelihood;
  std::int32_t iterations = 0;
  fit_status status = fit_status::not_run;
};

struct em_request {
  std::vector<em_part> parts;  ///< [K]
  int room = 1;                ///< parameters per component
  mixture_start start = mixture_start::kmeans_plus_plus;
  std::uint64_t seed = 0, stream = 0;
  int max_iterations = 1000;
  double tolerance = 1e-8;
  bool restart_collapsed = false;
  int threads = 1;  ///< inside the run; no bit of it depends on them
};

/// `run.weights` and `run.parameters` are the start where it is given.
void run_family_em(const em_sample& sample, const em_request& request, em_run& run);

/// log f_k(x_i) of a component with `parameters` into out [n].
void component_log_density(const em_part& part, const double* parameters, std::span<const double> x, double* out);

}  // namespace manyfit
