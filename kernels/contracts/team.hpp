// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Who works on one fit. A team W has lanes, in warps, in blocks; it knows neither rows nor models.
//   w.lane(), w.lanes()               this lane's number, and how many the whole team has
//   W::width                          how many of them exchange values by shuffles: 32, or fewer where several teams
//                                     share a warp
//   w.warp(), w.warps()               of the block
//   W::spans_blocks                   whether there may be several blocks; if not, samples have less than 2³¹ values
//   w.block(), w.blocks()             of the team
//   w.shuffle_xor(value, mask)        the value of the lane whose number differs by the mask, among `width` lanes
//   w.broadcast(value, lane)          that lane's value, among `width` lanes
//   w.uniform(b)                      b, which is the same on `width` lanes; a vote, so that a branch is warp-uniform
//   w.all(b)                          whether b is true on all of `width` lanes
//   w.block_slots(), w.grid_slots()   memory for one exchange of a block's warps and of the team's blocks: each call
//                                     gives the buffer that the call before did not
//   w.warp_barrier(), w.block_barrier(), w.grid_barrier()     order what lanes wrote to memory before against what they
//                                     read after
#pragma once

#include <concepts>
#include <cstdint>

#include "kernels/core.hpp"

MF_NAMESPACE_BEGIN

template <class W>
concept team = requires(W w, double value, std::int64_t number, bool b) {
  { w.lane() } -> std::same_as<int>;
  { w.lanes() } -> std::same_as<int>;
  { W::width } -> std::convertible_to<int>;
  { W::spans_blocks } -> std::convertible_to<bool>;
  { w.warp() } -> std::same_as<int>;
  { w.warps() } -> std::same_as<int>;
  { w.block() } -> std::same_as<int>;
  { w.blocks() } -> std::same_as<int>;
  { w.shuffle_xor(value, 1) } -> std::same_as<double>;
  { w.broadcast(number, 0) } -> std::same_as<std::int64_t>;
  { w.uniform(b) } -> std::same_as<bool>;
  { w.all(b) } -> std::same_as<bool>;
  { w.block_slots() } -> std::same_as<double*>;
  { w.grid_slots() } -> std::same_as<double*>;
  w.warp_barrier();
  w.block_barrier();
  w.grid_barrier();
};

MF_NAMESPACE_END
