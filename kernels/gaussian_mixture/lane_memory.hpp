// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The memory that the lanes of a mixture work in, and how much of it a mixture needs.
#pragma once

#include "kernels/gaussian_mixture/tensor.hpp"
#include "kernels/gaussian_mixture/tiles.hpp"

MF_NAMESPACE_BEGIN

/// The memory that lanes work in. A block's own memory may be shared or device memory.
template <class T>
struct mixture_lane_memory {
  T* factors = nullptr;       ///< own, or one for the grid when it shares the model: [lane_factor_numbers]
  T* tile = nullptr;          ///< own: [mixture_tile::numbers]; unused by registers
  double* sums = nullptr;     ///< own: [register_sum_numbers]; registers only
  double* start = nullptr;    ///< as factors: [start_memory]
  double* partial = nullptr;  ///< grid: [2 × blocks × numbers] private, [blocks × numbers] shared model
  std::int64_t partial_each = 0;
  std::int64_t partial_limit = 0;  ///< statistics of one block, beyond which passes go in chunks
  T* chunk = nullptr;              ///< grid: [(D + 2 + K) × chunk_points]; null where no pass goes in chunks
  std::int64_t chunk_points = 0;
  bool shares_model = false;
  resident_layout resident;  ///< of the tile's memory, which is then shared memory; points = 0: no resident passes
  tensor_layout tensor;      ///< of the same memory; points = 0: no tensor passes
};

MF_FN constexpr std::int64_t lane_factor_numbers(int D, std::int64_t K) {
  return 3 * D + 8 * (1 + 3 + 6) + K * (1 + D + packed_size(D)) + packed_size(D);
}
MF_FN constexpr std::int64_t register_sum_numbers(int lanes) {
  return (lanes + lanes / 32 + 1) * std::int64_t{most_register_sums | 1};
}
/// Points per chunk, a multiple of every tile's: responsibilities and coordinates of about 32 MB.
MF_FN constexpr std::int64_t chunk_points_for(int D, std::int64_t K, int bytes) {
  const std::int64_t most = (std::int64_t{1} << 25) / ((D + 2 + K) * bytes) / 128 * 128;
  return most < 128 ? 128 : most > 65536 ? 65536 : most;
}

MF_NAMESPACE_END
