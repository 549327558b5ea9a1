// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The plan of a launch of an operation (kernels/operations.hpp) on CUDA. Every pointer is device memory unless it says
// otherwise; nothing is allocated. Functions return cudaError_t as an int, so that callers need no CUDA header.
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

/// What a pass for climbs from outside reads and writes, of every fit of a batch; device memory.
struct pass_view {
  const double* points = nullptr;   ///< [fits × P]: where the likelihood is wanted, in the sample's frame; NaN: it is
                                    ///< not. Null: nowhere, samples are only read, into `loaded`
  double* answers = nullptr;        ///< [fits × (1 + P + P (P + 1) / 2)]: value, gradient, Hessian of the mean
  loaded_sample* loaded = nullptr;  ///< [fits]
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
