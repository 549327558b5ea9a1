// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures' resident passes, run with threads as lanes, against plain loops: every structure, every size of tile, sizes
// that fill no fragment of a lane, missing rows and weights.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/gaussian_mixture/component.hpp"
#include "kernels/gaussian_mixture/resident_pass.hpp"
#include "kernels/groups/lane_context.hpp"
#include "resident_case.hpp"

namespace manyfit {
namespace {

/// Runs the pass on one block after the other of `blocks`, as one grid would, and adds up in order.
template <class T>
void expect_pass(pass_case<T>& c, int points, int warps, int blocks, double tolerance) {
  const int lanes = 32 * warps, numbers = c.m.K * c.m.features_each();
  const resident_layout layout = lay_out_resident<T>(c.m.structure, c.m.D, c.m.K, points, lanes);
  std::vector<double> partial(static_cast<std::size_t>(blocks * numbers), 0.0), values(blocks * lanes);
  std::vector<std::vector<double>> own(blocks, std::vector<double>(layout.numbers * sizeof(T) / 8 + 2, constants::nan));
  lane_team team(blocks, warps);
  run_lanes<reach::grid>(team, [&](auto& context, int thread) {
    const int block = context.block();
    values[thread] = resident_pass_of(context, c.rows(), c.m, layout, reinterpret_cast<T*>(own[block].data()),
                                      partial.data() + block * numbers);
  });
  double value = 0;
  for (double v : values) value += v;
  EXPECT_TRUE(std::abs(value - c.value) <= tolerance * (1 + std::abs(c.value))) << value << " for " << c.value;
  for (int i = 0; i < numbers; ++i) {
    double sum = 0;
    for (int b = 0; b < blocks; ++b) sum += partial[b * numbers + i];
    const double wanted = c.sums[static_cast<std::size_t>(i)];
    ASSERT_TRUE(std::abs(sum - wanted) <= 1e2 * tolerance * (1 + std::abs(wanted)))
        << "statistic " << i << ": " << sum << " for " << wanted << "; D " << c.m.D << " K " << c.m.K << " structure "
        << static_cast<int>(c.m.structure) << " points " << points;
  }
}

constexpr covariance_structure structures[] = {covariance_structure::full, covariance_structure::diagonal,
                                               covariance_structure::tied, covariance_structure::spherical};

TEST(lane_resident, pass_agrees_with_plain_loops) {
  std::uint64_t seed = 1;
  for (const covariance_structure structure : structures)
    for (const auto& [D, K] :
         {std::pair{1, 1}, {1, 70}, {2, 9}, {3, 33}, {4, 8}, {5, 64}, {7, 3}, {8, 100}, {13, 31}, {16, 65}, {33, 26}}) {
      const int points = 64 << seed % 3, warps = 1 + static_cast<int>(seed % 3);
      pass_case<double> c(structure, D, K, 330, seed % 2 == 0, seed);
      expect_pass(c, points, warps, 2, 1e-11);
      ++seed;
    }
}

TEST(lane_resident, pass_agrees_with_plain_loops_in_float) {
  for (const covariance_structure structure : structures) {
    pass_case<float> c(structure, 9, 40, 1500, true, 7);
    expect_pass(c, 128, 2, 1, 2e-6);
  }
}

TEST(lane_resident, pass_parks_sums_for_as_long_as_it_may) {
  pass_case<double> c(covariance_structure::diagonal, 2, 9, 6000, false, 3);
  expect_pass(c, 64, 1, 1, 1e-11);  // 94 tiles, parked sums are taken up every 8
}

TEST(lane_resident, warp_prepares_a_full_component_as_one_lane_does) {
  for (const int D : {1, 4, 17, 40}) {
    pass_case<double> alone(covariance_structure::full, D, 2, 8, false, 5), together = alone;
    together.m.bind(together.memory.data());
    std::mt19937_64 random(9);
    std::normal_distribution<double> normal;
    for (int k = 0; k < 2; ++k) {
      alone.m.weights()[k] = 0.5;
      for (int d = 0; d < D; ++d) alone.m.mean(k)[d] = normal(random);
      for (int i = 0; i < D; ++i)
        for (int j = 0; j <= i; ++j) alone.m.covariance(k)[packed(i, j)] = i == j ? 2.0 * k * D : normal(random);
    }
    for (std::int64_t i = 0; i < alone.m.state_numbers(); ++i) together.m.state[i] = alone.m.state[i];
    std::vector<double> own(static_cast<std::size_t>(packed_size(D)));
    lane_team team(1, 1);
    for (int k = 0; k < 2; ++k) {  // the first is no covariance
      prepare_component(alone.m, k);
      run_lanes<reach::warp>(team, [&](auto& context, int) { prepare_by_warp(context, together.m, k, own.data()); });
      ASSERT_EQ(alone.m.good[k], k == 1);
      ASSERT_EQ(together.m.good[k], alone.m.good[k]);
    }
    const int each = packed_size(D);
    for (int i = each; i < 2 * each; ++i) EXPECT_EQ(together.m.factor[i], alone.m.factor[i]) << "of " << D;
    for (int d = D; d < 2 * D; ++d) EXPECT_EQ(together.m.offset[d], alone.m.offset[d]);
    EXPECT_EQ(together.m.constant[1], alone.m.constant[1]);
  }
}

}  // namespace
}  // namespace manyfit
