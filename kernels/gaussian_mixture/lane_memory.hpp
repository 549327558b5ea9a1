// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The workspace of a mixture's lanes, and its size.
#pragma once

#include "kernels/gaussian_mixture/tensor.hpp"
#include "kernels/gaussian_mixture/tiles.hpp"

MF_NAMESPACE_BEGIN

/// The lanes' workspace. A block's own part may be shared or device memory.
template <class T>
struct mixture_lane_memory {
  T* factors = nullptr;       ///< own, or one for the grid when it shares the model: [lane_factor_numbers]
  T* tile = nullptr;          ///< own: [mixture_tile::numbers]; registers: a warp's points, [staged_bytes_of]
  double* sums = nullptr;     ///< own: [register_sum_numbers]; registers only
  double* start = nullptr;    ///< as factors: [start_memory]
  double* partial = nullptr;  ///< grid: [2 × blocks × numbers] private, [blocks × numbers] shared model
  std::int64_t partial_each = 0;
  std::int64_t partial_limit = 0;  ///< statistics of one block, beyond which passes go in grid tiles
  T* grid_tile = nullptr;          ///< grid: [(D + 2 + K) × grid_tile_points]; null where no pass goes in grid tiles
  std::int64_t grid_tile_points = 0;
  bool shares_model = false;
  resident_layout resident;  ///< of the tile's memory, which is then shared memory; points = 0: no resident passes
  tensor_layout tensor;      ///< of the same memory; points = 0: no tensor passes
};

MF_FN constexpr std::int64_t lane_factor_numbers(int D, std::int64_t K) {
  return 3 * D + 8 * (1 + 3 + 6) + K * (1 + D + packed_size(D)) + packed_size(D);
}
/// A workspace for each warp's sums, and one for the block's.
MF_FN constexpr std::int64_t register_sum_numbers(int lanes) {
  return std::int64_t{lanes} + register_sum_capacity;
}
/// Bytes of points that a warp keeps in its shared memory over all passes at most: with them and the sums of four warps
/// a block has no more than the 48 KB that every device gives it.
inline constexpr std::int64_t most_staged_bytes = 9216;
/// Bytes of the points of a fit that a warp keeps, 0 when it keeps none.
template <class T>
MF_FN constexpr std::int64_t staged_bytes_of(int D, int K, std::int64_t rows) {
  const std::int64_t bytes = rows * D * static_cast<std::int64_t>(sizeof(T));
  return register_components(D, K) > 0 && bytes <= most_staged_bytes ? bytes : 0;
}
/// Points per grid tile, a multiple of every tile's: responsibilities and coordinates of about 32 MB.
MF_FN constexpr std::int64_t grid_tile_points_for(int D, std::int64_t K, int bytes) {
  const std::int64_t most = (std::int64_t{1} << 25) / ((D + 2 + K) * bytes) / 128 * 128;
  return most < 128 ? 128 : most > 65536 ? 65536 : most;
}

MF_NAMESPACE_END
