// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// CUDA's functions for Gaussian mixtures, as plain launchers: every pointer is device memory unless it says otherwise,
// nothing is allocated, errors are cudaError_t as an int. And which lanes run which fit, as data.
#pragma once

#include <cstdint>

#include "kernels/gaussian_mixture/views.hpp"

namespace manyfit {

/// Who runs an attempt: a warp, a block or the grid; by the attempt's own size only. A resident block or grid has one
/// block per multiprocessor with all of its shared memory and registers.
enum mixture_tier {
  mixture_warp,
  mixture_block,
  mixture_grid,
  mixture_resident_block,
  mixture_resident_grid,
  mixture_tier_count
};
constexpr bool is_grid(mixture_tier tier) {
  return tier == mixture_grid || tier == mixture_resident_grid;
}
constexpr bool is_resident(mixture_tier tier) {
  return tier >= mixture_resident_block;
}
struct mixture_tier_policy {
  const char* name;
  int block_threads;     ///< lanes of a block
  int blocks_wanted[2];  ///< per multiprocessor, float and double: what the kernel's registers are limited for
  std::int64_t largest;  ///< at most: rows (warp), rows × components × features (block)
};
/// Rows × components × features that a block runs at most, and doubles that the statistics of all blocks of a grid may
/// take together (64 MiB; beyond, passes go in grid tiles). On the simulated device both regimes begin much sooner, or
/// their tests would take minutes there; what they do is the same.
#if defined(MF_REGIMES_BEGIN_EARLY)
inline constexpr std::int64_t largest_of_mixture_block = std::int64_t{1} << 20, partial_numbers = std::int64_t{1} << 17;
#else
inline constexpr std::int64_t largest_of_mixture_block = std::int64_t{1} << 25, partial_numbers = std::int64_t{1} << 23;
#endif
inline constexpr mixture_tier_policy mixture_tiers[] = {
    {"warp", 128, {4, 2}, 8192},
    {"block", 256, {2, 1}, largest_of_mixture_block},
    {"grid", 256, {2, 1}, INT64_MAX},
    {"resident block", 256, {1, 1}, largest_of_mixture_block},
    {"resident grid", 256, {1, 1}, INT64_MAX},
};
/// Doubles of a model up to which the blocks of a grid each keep their own copy.
inline constexpr std::int64_t private_model_numbers = 1024;

/// One kind of memory of which every group needs a workspace: in shared memory one after the other, or in device
/// memory.
struct lane_workspace {
  char* pool = nullptr;    ///< device memory, [groups × bytes]; null: shared memory
  std::int64_t bytes = 0;  ///< of one group, a multiple of 16
};

/// What an attempt needs.
struct mixture_needs {
  std::int64_t sums = 0, tile = 0, model = 0, factors = 0, start = 0;  ///< bytes of each workspace
  std::int64_t statistics = 0;                                         ///< grid: doubles per block, less one
  std::int64_t grid_tile = 0;                                          ///< grid: numbers of a grid tile of points
  bool shares_model = false;                                           ///< grid: one model for all blocks
};

/// One launch of one tier.
template <class T>
struct mixture_launch {
  points_view<T> points;
  mixture_settings settings;
  mixture_task* tasks = nullptr;         ///< outcomes are written back; its parameters and trace are device memory
  const std::int32_t* order = nullptr;   ///< task numbers, largest first
  const std::int64_t* bounds = nullptr;  ///< [2]: begin and end in `order`
  std::int64_t* next = nullptr;          ///< [1], 0
  lane_workspace sums, tile, model, factors, start;
  double* partial = nullptr;  ///< grid: [2 × blocks × partial_each]: statistics of a block and its log-likelihood
  std::int64_t partial_each = 0;
  T* grid_tile = nullptr;           ///< grid: [grid_tile]
  std::int64_t partial_limit = -1;  ///< for tests: another limit than the device's; -1: none
  std::int64_t resident_bytes = 0;  ///< bytes that resident passes are planned for; 0: another tier
  /// Resident passes by tensor cores where they are possible: off, since their log-likelihoods are off by 2e-7 of
  /// themselves, a hundred times what other passes are. MANYFIT_TENSOR_PASSES=1 turns them on for measurements.
  bool tensor_passes = false;
  double* grid_slots = nullptr;                ///< grid: as launch_plan's
  unsigned long long* grid_arrived = nullptr;  ///< grid: [1], 0
};

/// What scoring reads of every fit, made on the host: [fits × numbers] of T, see mixture_kernels.cuh.
template <class T>
struct mixture_score_launch {
  points_view<T> points;
  std::int64_t rows = 0;       ///< in all, counted from the first fit's first
  const T* factors = nullptr;  ///< [fits or 1 × numbers]
  std::int64_t numbers = 0;    ///< per fit: K (0 for no mixture), then score_numbers(D, K)
  bool one_for_all = false;
  const double* shift = nullptr;       ///< [fits or 1]: added to log-densities
  double* log_density = nullptr;       ///< [rows]
  double* responsibilities = nullptr;  ///< [rows × width] or null
  std::int32_t* labels = nullptr;      ///< [rows] or null
  int width = 0;
};

template <class T>
struct cuda_mixture_functions {
  /// `resident_bytes`: shared_bytes_of() of a resident tier.
  mixture_tier (*tier_of)(covariance_structure, int D, int K, std::int64_t rows, std::int64_t resident_bytes);
  /// `resident_bytes`: as above for an attempt of a resident tier, 0 for another.
  mixture_needs (*needs)(covariance_structure, int D, int K, std::int64_t rows, int lanes, bool given,
                         std::int64_t resident_bytes);
  /// Bytes of shared memory that one group of a tier can have on the current device.
  int (*shared_bytes_of)(mixture_tier, std::int64_t& bytes);
  /// How many blocks of a tier the current device holds at once, with this much shared memory for each group. The
  /// grid's are the same whatever it asks for.
  int (*blocks)(mixture_tier, std::int64_t shared_bytes, int& blocks);
  int (*run)(mixture_tier, const mixture_launch<T>&, int blocks, std::int64_t shared_bytes, void* stream);
  int (*score)(const mixture_score_launch<T>&, void* stream);
};

extern const cuda_mixture_functions<float> cuda_mixture_float;
extern const cuda_mixture_functions<double> cuda_mixture_double;

}  // namespace manyfit
