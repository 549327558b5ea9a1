// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Resident passes by tensor cores (tensor_pass.hpp): which mixtures have them, and where their parts lie. Log-densities
// are expanded, L(y) = C + Σ_d (B_d Y_d - A_d Y_d²) with Y = 4 y, so that a pass is two products of matrices:
// components by features by points, and components by points by features, features being Y and Y². Factors are two
// limbs of 16 bits (groups/limb_products.hpp).
//
// What that costs in accuracy. C is found from the A and B that the limbs hold, so that these are an exact Gaussian
// again, whose mean and deviation are 2⁻²² of the model's off. Y² and the products left out are a few 2⁻²³ of a term,
// of any sign, so that L is off by about 2⁻²² (Σ (mean/deviation)²)^½ (largest |mean/deviation|); the sums are cut off
// at most 6 times each below and above 0 (C is added halfway), where they are half of Σ (mean/deviation)² at most. With
// the limits below L is off by 3e-4 at most and 3e-5 on average, as lane_tensor_test measures; where a model is
// beyond them, resident_pass runs.
#pragma once

#include "kernels/gaussian_mixture/resident.hpp"
#include "kernels/groups/limb_products.hpp"

MF_NAMESPACE_BEGIN

/// Mixtures that have tensor passes, on GPUs that has_limb_products.
struct tensor_rule {
  covariance_structure structure;
  int least_components, most_components, least_dimensions, most_dimensions;
};
MF_FN constexpr bool has_tensor_rule(covariance_structure structure, int D, int K) {
  constexpr tensor_rule rules[] = {{covariance_structure::diagonal, resident_least_components, 256, 8, 32}};
  for (const tensor_rule& rule : rules)
    if (structure == rule.structure && K >= rule.least_components && K <= rule.most_components &&
        D >= rule.least_dimensions && D <= rule.most_dimensions)
      return true;
  return false;
}

inline constexpr float tensor_scale = 4;      ///< Y = 4 y
inline constexpr float tensor_largest = 252;  ///< |Y| beyond which a point is taken by itself: Y² < 65504
inline constexpr double tensor_far = 2048;    ///< most Σ (mean/deviation)² of a component
inline constexpr double tensor_least = 0x1p-10, tensor_most = 2048;  ///< A: deviations from 1/213 to 6.8
inline constexpr int tensor_points = 64;                             ///< of a warp's part of a tile, with 32 components
inline constexpr int tensor_tiles_summed = 8;   ///< before sums in registers are added to those in shared memory
inline constexpr int tensor_tiles_parked = 64;  ///< before those are added to sums in double
/// Responsibilities are kept in limbs 2¹⁴-fold, or with weights 2⁴-fold in units of the mean weight, from 2⁻²⁰ to 2¹¹
/// of which they may be: points of other weights are taken by themselves.
inline constexpr float tensor_normaliser_scale = 16384, tensor_weight_scale = 16, tensor_least_weight = 0x1p-20f,
                       tensor_most_weight = 2048;

/// Offsets in floats, all multiples of 4: known to the compiler but for the last, so that no register holds them.
inline constexpr int tensor_warps = 8;  ///< of a block, at most
struct tensor_layout {
  static constexpr int tile = tensor_warps * tensor_points;           ///< points × groups of warps, at most
  static constexpr int own = 0;                                       ///< [warps × 2 × tensor_points]: largest
                                                                      ///< log-density, normaliser; or doubles [K]
  static constexpr int most = own + 2 * tile;                         ///< [groups × points]: largest log-density
  static constexpr int sum = most + tile;                             ///< [groups × points]: of densities over it
  static constexpr int weight = sum + tile;                           ///< [points]
  static constexpr int missing = weight + tile;                       ///< int [points]: points that do not count
  static constexpr int outside = missing + tile;                      ///< int [points]: that are taken by themselves
  static constexpr int constant = outside + tile;                     ///< [32 groups]
  static constexpr int parked_weight = constant + 32 * tensor_warps;  ///< [warps × 32 × 4]: Σ r of a lane's components
  static constexpr int map = parked_weight + 128 * tensor_warps;      ///< [3 × D]: centre, rest, scale
  static constexpr int flags = map + 3 * 32;  ///< int [4]: whether the model is beyond a limit, a point is
  static constexpr int parked = flags + 4;    ///< [warps × 4 steps × 32 × 4]: lanes' sums
  /// Words [2 groups × steps × 2 limbs × 32 lanes × 4]: A of the E step.
  static MF_FN constexpr int factors(int steps) { return parked + tensor_warps * 4 * steps * 128; }

  int points = 0;  ///< of a tile; 0: no tensor pass
  int components = 0;
  std::int64_t place = 0;     ///< bytes into the block's shared memory
  int groups = 0, parts = 0;  ///< of warps: 32 components each, tensor_points points of a tile each
  int steps = 0;              ///< products of 16 features: every 8 coordinates Y, then their Y²
  std::int64_t features = 0;  ///< halves [2 limbs × 16 steps × stride]
  std::int64_t raw = 0;       ///< [points × D] as they come
  std::int64_t exchange = 0;  ///< words [warps × limb_exchange_words]
  std::int64_t numbers = 0;   ///< in all

  MF_FN int stride() const { return points + 8; }  ///< rows of 16 bytes, an odd number of them
};

/// The layout of a mixture's tensor passes on a block of `lanes` lanes with `bytes` bytes; points = 0 where there are
/// none.
MF_FN_LARGE tensor_layout plan_tensor(covariance_structure structure, int D, int K, int lanes, std::int64_t bytes) {
  tensor_layout at;
  const int warps = lanes / 32;
  int groups = 1;
  while (32 * groups < K) groups *= 2;
  if (!has_tensor_rule(structure, D, K) || groups > warps || warps > tensor_warps || (warps & (warps - 1)) != 0)
    return {};
  at.components = K;
  at.groups = groups;
  at.parts = warps / groups;
  at.points = tensor_points * at.parts;
  at.steps = D <= 16 ? 2 : 4;
  at.features = tensor_layout::factors(at.steps) + std::int64_t{2} * groups * at.steps * 2 * 32 * 4;
  at.raw = at.features + std::int64_t{16} * at.steps * at.stride();
  at.exchange = at.raw + round_up(std::int64_t{at.points} * D, 4);
  at.numbers = at.exchange + std::int64_t{warps} * limb_exchange_words;
  if (at.numbers * 4 > bytes) return {};
  return at;
}

MF_NAMESPACE_END
