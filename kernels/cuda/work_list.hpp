// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How groups of lanes take work from a counter.
#pragma once

#include "kernels/groups/reduce.hpp"

MF_NAMESPACE_BEGIN

/// The fits of one tier of one launch: positions [begin, end) of `order`, taken through `next`, which starts at 0.
struct work_list {
  const std::int32_t* order = nullptr;   ///< fit numbers, largest first; null: position is the fit's number
  const std::int64_t* bounds = nullptr;  ///< device memory: bounds[0] = begin, bounds[1] = end
  std::int64_t* next = nullptr;          ///< how many positions have been taken
  int groups = 0;                        ///< how many groups of lanes take from the list; 0: unknown
  MF_FN std::int64_t fit(std::int64_t position) const { return order ? order[position] : position; }
};

/// How many fits a group takes at once that works best on `most`: fewer where the list would not give every group two
/// such grains.
MF_FN int grain_of(const work_list& work, int most) {
  if (work.groups == 0) return most;
  const std::int64_t grain = (work.bounds[1] - work.bounds[0]) / (2 * std::int64_t{work.groups});
  return grain < 1 ? 1 : grain < most ? static_cast<int>(grain) : most;
}

/// The next position for the whole group, from the shared counter; a grid-wide group, alone on its device, counts for
/// itself. Called by all lanes together.
template <class Context>
MF_FN std::int64_t take(Context& context, const work_list& work, std::int64_t amount, std::int64_t& own_count) {
  if (context.blocks() > 1) {
    own_count += amount;
    return own_count - amount;
  }
  vec<double, 1> taken{0};
  if (context.lane() == 0) taken[0] = static_cast<double>(context.fetch_add(work.next, amount));
  return static_cast<std::int64_t>(all_reduce<add_values>(context, taken)[0]);
}

MF_NAMESPACE_END
