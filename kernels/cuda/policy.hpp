// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Which lanes run a fit on a GPU, as data: chosen by the fit's own size and nothing else, so that its bits depend on
// nothing else. Where a sample is resident (shared memory) or read again from L2 changes its speed, never its bits.
#pragma once

#include <cstdint>

namespace manyfit {

/// One tier: fits of at most `largest` values (missing ones included) are run by `lanes` threads each.
struct tier {
  const char* name;
  std::int64_t largest;
  int lanes;            ///< 0: as many blocks of block_threads as the device holds at once
  int resident_values;  ///< room per fit in shared memory, in values; more are read again in every pass
};

/// Small blocks: a kernel that needs 160 registers still gets 12 warps on a multiprocessor, in blocks of 256 it would
/// get 8.
inline constexpr int block_threads = 128;
inline constexpr int warps_per_block = block_threads / 32;

/// Blocks per multiprocessor that kernels are compiled for: leaves each thread the 255 registers that there are at
/// most. With nothing asked ptxas stops at 64 or 80 registers for some families and spills; with 128 it spills for
/// those of three parameters.
inline constexpr int resident_blocks_wanted = 2;

inline constexpr tier tiers[] = {
    {"warp", 1024, 32, 1024},
    {"block", 131072, block_threads, 16384},
    {"grid", INT64_MAX, 0, 0},
};
enum tier_index { warp_tier, block_tier, grid_tier, tier_count };

/// The tier of a fit of `size` values.
constexpr tier_index tier_of(std::int64_t size) {
  return size <= tiers[warp_tier].largest ? warp_tier : size <= tiers[block_tier].largest ? block_tier : grid_tier;
}

/// Blocks per multiprocessor of a grid-wide fit: enough to keep its loads in flight.
inline constexpr int grid_blocks_per_multiprocessor = 2;

}  // namespace manyfit
