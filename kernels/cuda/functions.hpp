// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// CUDA's functions for one family, as plain launchers: shapes in, stream last. Every pointer is device memory unless it
// says otherwise; nothing is allocated. They return cudaError_t as an int, so that callers need no CUDA header.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/policy.hpp"
#include "kernels/views.hpp"

namespace manyfit {

/// Which fits of a batch fall to which tier, and in what order they are taken.
struct launch_plan {
  const std::int32_t* order = nullptr;               ///< [count], largest first; null: as they stand
  const std::int64_t* bounds = nullptr;              ///< [2 × tier_count]: begin and end of each tier's positions
  std::int64_t* next = nullptr;                      ///< [tier_count], zeroed before each launch
  bool used[tier_count] = {true, true, true, true};  ///< host knows: a tier without fits need not be launched
  std::int64_t largest = 0;      ///< values of the largest fit of the batch, for its tier's shared memory; 0: unknown
  double* grid_slots = nullptr;  ///< [grid_slot_count of the device]
  unsigned long long* grid_arrived = nullptr;  ///< [1], zeroed before each launch
};

struct cuda_functions {
  int (*fit_f64)(const batch_view<double>&, const fit_settings&, const fit_results_view&, const launch_plan&,
                 void* stream);
  int (*fit_f32)(const batch_view<float>&, const fit_settings&, const fit_results_view&, const launch_plan&,
                 void* stream);
  int (*log_likelihood_f64)(const batch_view<double>&, const parameters_view&, double* out, const launch_plan&,
                            void* stream);
  int (*log_likelihood_f32)(const batch_view<float>&, const parameters_view&, double* out, const launch_plan&,
                            void* stream);
  /// out: [values]; constants: workspace [count].
  int (*log_density_f64)(const batch_view<double>&, std::int64_t values, const parameters_view&, double* out,
                         double* constants, void* stream);
  int (*log_density_f32)(const batch_view<float>&, std::int64_t values, const parameters_view&, double* out,
                         double* constants, void* stream);
  /// out: [count × size]; streams: [count] or null.
  int (*simulate)(const parameters_view&, std::int64_t count, std::int64_t size, std::uint64_t seed,
                  const std::uint64_t* streams, double* out, void* stream);
};

/// Doubles that launch_plan::grid_slots needs on the current device.
std::size_t grid_slot_count();

/// Whether the current device can run this build's kernels.
bool plan_is_launchable();

/// Device memory in bytes that plan_batch needs for `count` ragged fits.
std::size_t plan_workspace_bytes(std::int64_t count);

/// Makes the plan of a batch on the device: sorts ragged fits by size, finds the tiers' bounds. `workspace`: device
/// memory, plan_workspace_bytes(count). Returns cudaError_t.
int plan_batch(const std::int64_t* offsets, std::int64_t size, std::int64_t count, void* workspace, launch_plan& plan,
               void* stream);

}  // namespace manyfit
