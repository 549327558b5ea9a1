// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every kind of group, for suites that run on all of them: run<Rows>(rows, body) loads the rows and gives
// body(group, summary), a vector<double>, which must be the same bits on every lane.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/groups/lane_context.hpp"
#include "kernels/groups/lanes_group.hpp"
#include "kernels/groups/serial_group.hpp"

namespace manyfit {

template <class T, int Columns = 0>
using row_source = sample<T, Columns>;

struct on_serial_group {
  template <class Rows, class T, class Body>
  static std::vector<double> run(const row_source<T, Rows::columns>& rows, Body body) {
    const auto scratch = std::make_unique<scratch_for<Rows>>();
    serial_group<Rows> points(*scratch);
    const sample_summary summary = points.load(rows);
    return body(points, summary);
  }
};

/// Threads as lanes. `Resident`: rows that a group keeps, beside the least.
template <reach Reach, int Blocks, int Warps, int Resident>
struct on_lanes {
  template <class Rows, class T, class Body>
  static std::vector<double> run(const row_source<T, Rows::columns>& rows, Body body) {
    constexpr int each = Reach == reach::part ? lane_team::part_lanes : Reach == reach::warp ? 32 : 32 * Warps;
    const std::int64_t capacity =
        std::max<std::int64_t>(Resident, lanes_group<Rows, T, lane_context<true>>::least_capacity(each));
    lane_team team(Blocks, Warps);
    std::vector<std::vector<T>> buffers(Blocks * Warps * 32 / each, std::vector<T>(static_cast<std::size_t>(capacity)));
    std::vector<std::vector<double>> found(static_cast<std::size_t>(Blocks * Warps * 32));
    run_lanes<Reach>(team, [&](auto& context, int thread) {
      lanes_group<Rows, T, std::decay_t<decltype(context)>> points(
          context, buffers[static_cast<std::size_t>(thread / each)].data(), capacity);
      const sample_summary summary = points.load(rows);
      found[static_cast<std::size_t>(thread)] = body(points, summary);
    });
    for (const auto& lane : found) {
      EXPECT_EQ(lane.size(), found[0].size());
      EXPECT_EQ(std::memcmp(lane.data(), found[0].data(), lane.size() * sizeof(double)), 0) << "lanes disagree";
    }
    return found[0];
  }
};

using all_groups = testing::Types<on_serial_group, on_lanes<reach::part, 1, 1, 0>, on_lanes<reach::warp, 1, 2, 512>,
                                  on_lanes<reach::block, 1, 2, 0>, on_lanes<reach::grid, 2, 1, 100>>;

}  // namespace manyfit
