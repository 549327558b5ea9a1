// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The families that are built in, by name: what they are, and one table of functions per back end. The tables' entries
// come from generated translation units, one per family and instruction set (instantiate/); families.def is the list.
#pragma once

#include <atomic>
#include <cstdint>

#include "kernels/contracts/parameter.hpp"
#include "kernels/views.hpp"

namespace manyfit {

/// The CPU's functions for one family at one instruction set. All pointers are host memory.
struct cpu_functions {
  void (*fit_f64)(const batch_view<double>&, const fit_settings&, const fit_results_view&, int threads,
                  std::atomic<std::int64_t>* completed);
  void (*fit_f32)(const batch_view<float>&, const fit_settings&, const fit_results_view&, int threads,
                  std::atomic<std::int64_t>* completed);
  void (*log_density_f64)(const batch_view<double>&, const parameters_view&, double* out, int threads);
  void (*log_density_f32)(const batch_view<float>&, const parameters_view&, double* out, int threads);
  void (*log_likelihood_f64)(const batch_view<double>&, const parameters_view&, double* out, int threads);
  void (*log_likelihood_f32)(const batch_view<float>&, const parameters_view&, double* out, int threads);
};

/// Draws are made by one build for every instruction set, so that they repeat everywhere.
using cpu_simulate = void (*)(const parameters_view&, std::int64_t count, std::int64_t size, std::uint64_t seed,
                              const std::uint64_t* streams, double* out, int threads);

/// The instruction sets a CPU build has, best last.
enum class instruction_set { baseline, avx2, avx512 };
inline constexpr int instruction_set_count = 3;

/// What a family is, and what it can do, without its types.
struct family_info {
  const char* name;
  const parameter* parameters;
  int parameter_count;
  const char* support;
  bool discrete;
  moving_support ends;                              ///< of the support, where they depend on parameters
  bool closed_form;                                 ///< fitted from sufficient statistics: two passes over the data
  const cpu_functions* cpu[instruction_set_count];  ///< null where this build lacks the instruction set
  cpu_simulate simulate;
  const struct cuda_functions* cuda;  ///< null in a build without CUDA
};

/// All registered families, in the order of families.def.
const family_info* registered_families(int& count);

/// The best instruction set that this build has and this processor runs.
instruction_set best_instruction_set();

}  // namespace manyfit
