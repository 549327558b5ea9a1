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
  int lanes;            ///< for data in float; 0: as many blocks of block_threads as the device holds at once
  int lanes_in_double;  ///< for data in double
  constexpr int lanes_for(int bytes) const { return bytes == 8 ? lanes_in_double : lanes; }
};

/// Small blocks: a kernel that needs 160 registers still gets 12 warps on a multiprocessor, in blocks of 256 it would
/// get 8.
inline constexpr int block_threads = 128;
inline constexpr int warps_per_block = block_threads / 32;

/// Blocks per multiprocessor that a family's kernels are compiled for. Three, as many as the shared memory of an H100's
/// multiprocessor has capacity for by resident_bytes_per_warp, leave each thread 168 registers. Newton's steps over
/// doubles without sufficient statistics, and a grid's 64-bit indices, need more, or registers would be spilled.
constexpr int resident_blocks_wanted(bool lanes, bool climbs_over_doubles) {
  return lanes && !climbs_over_doubles ? 3 : 2;
}

/// Shared memory for the samples of one warp: so much of them is read once and stays for all iterations. What does not
/// fit is read again in every pass.
inline constexpr int resident_bytes_per_warp = 16384;

/// Small fits share a warp: what is done once per fit and iteration (a step of Newton, the last part of every sum) then
/// costs a warp's instructions for several fits together.
// clang-format off
inline constexpr tier tiers[] = {
    {"part",  1024,      8,             16},
    {"warp",  4096,      32,            32},
    {"block", 131072,    block_threads, block_threads},
    {"grid",  INT64_MAX, 0,             0},
};
// clang-format on
enum tier_index { part_tier, warp_tier, block_tier, grid_tier, tier_count };

/// Capacity for values of `bytes` bytes that a group of `lanes` neighbours is given: for 32 a lane or more, and where
/// `largest`, the size of the largest sample, is known for no more than that needs.
constexpr std::int64_t buffer_values(int lanes, int bytes, std::int64_t largest) {
  const std::int64_t a_slot = std::int64_t{4} * lanes, slots = resident_bytes_per_warp / 32 / 4 / bytes,
                     wanted = largest > 0 ? (largest + a_slot - 1) / a_slot : slots;
  return a_slot * (wanted < 8 ? 8 : wanted < slots ? wanted : slots);
}

/// The tier of a fit of `size` values.
constexpr tier_index tier_of(std::int64_t size) {
  int t = 0;
  while (size > tiers[t].largest) ++t;
  return static_cast<tier_index>(t);
}

/// Blocks per multiprocessor of a grid-wide fit: enough to keep its loads in flight.
inline constexpr int grid_blocks_per_multiprocessor = 2;

}  // namespace manyfit
