// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The contract of a team (kernels/contracts/team.hpp), for threads as lanes at every reach. CUDA's lanes pass the same
// checks on the simulated device and on GPUs.
#include <numeric>

#include "kernels/contracts/team.hpp"
#include "on_groups.hpp"

namespace manyfit {
namespace {

template <reach Reach, int Blocks, int Warps>
struct lanes_as_team {
  /// body(team member) on every lane; what each returns.
  template <class Body>
  static std::vector<double> run(Body body) {
    lane_team lanes(Blocks, Warps, true);
    std::vector<double> found(static_cast<std::size_t>(Blocks * Warps * 32));
    run_lanes<Reach>(lanes, [&](auto& context, int thread) {
      static_assert(team<std::decay_t<decltype(context)>>);
      found[static_cast<std::size_t>(thread)] = body(context);
    });
    return found;
  }
};

template <class Team>
struct teams : testing::Test {};
using all_teams = testing::Types<lanes_as_team<reach::part, 1, 2>, lanes_as_team<reach::warp, 1, 2>,
                                 lanes_as_team<reach::block, 2, 3>, lanes_as_team<reach::grid, 3, 2>>;
TYPED_TEST_SUITE(teams, all_teams);

TYPED_TEST(teams, number_their_lanes_from_0) {
  const auto wrong = TypeParam::run([](auto& lane) {
    const bool within = lane.lane() >= 0 && lane.lane() < lane.lanes() && lane.warp() < lane.warps() &&
                        lane.block() < lane.blocks() && lane.lanes() == lane.width * lane.warps() * lane.blocks();
    const auto sum = all_reduce<add_values>(lane, vec<double, 1>{static_cast<double>(lane.lane())})[0];
    return within && 2 * sum == static_cast<double>(lane.lanes()) * (lane.lanes() - 1) ? 0.0 : 1.0;
  });
  EXPECT_EQ(std::accumulate(wrong.begin(), wrong.end(), 0.0), 0);
}

TYPED_TEST(teams, shuffle_and_broadcast_within_their_width) {
  const auto wrong = TypeParam::run([](auto& lane) {
    const int own = lane.lane() % lane.width;
    int mistakes = 0;
    for (int mask = 1; mask < lane.width; mask *= 2)
      mistakes += lane.shuffle_xor(static_cast<double>(own), mask) != (own ^ mask);
    for (int from = 0; from < lane.width; from += 3) mistakes += lane.broadcast(100 + own, from) != 100 + from;
    for (const bool vote : {true, false}) mistakes += lane.uniform(vote) != vote;
    return static_cast<double>(mistakes);
  });
  EXPECT_EQ(std::accumulate(wrong.begin(), wrong.end(), 0.0), 0);
}

TYPED_TEST(teams, agree_on_every_reduction_to_the_last_bit) {
  const auto wrong = TypeParam::run([](auto& lane) {
    int mistakes = 0;
    for (int round = 1; round < 9; ++round) {
      const double own = 1.0 / (round + lane.lane());
      const double sum = all_reduce<add_values>(lane, vec<double, 1>{own})[0];
      // What all have is the least and the greatest that anyone has.
      const auto ends = all_reduce<least_value>(lane, vec<double, 2>{sum, -sum});
      mistakes += ends[0] != sum || -ends[1] != sum || !(sum > own);
    }
    return static_cast<double>(mistakes);
  });
  EXPECT_EQ(std::accumulate(wrong.begin(), wrong.end(), 0.0), 0);
}

}  // namespace
}  // namespace manyfit
