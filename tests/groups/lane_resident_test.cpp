// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures' resident passes, run with threads as lanes, against plain loops: every structure, every size of tile, sizes
// that fill no share of a lane, missing rows and weights.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/gaussian_mixture/component.hpp"
#include "kernels/gaussian_mixture/resident_pass.hpp"
#include "kernels/groups/lane_context.hpp"

namespace manyfit {
namespace {

/// Rows and a model of arbitrary factors; what the pass should give, by plain loops in double.
template <class T>
struct pass_case {
  mixture_model m;
  std::vector<double> memory;
  std::vector<T> values, weights;
  std::int64_t size;
  std::vector<double> sums;
  double value = 0;

  pass_case(covariance_structure structure, int D, int K, std::int64_t rows, bool weighted, std::uint64_t seed)
      : memory(static_cast<std::size_t>(mixture_model::memory(structure, D, K))), size(rows) {
    m.D = D;
    m.K = K;
    m.structure = structure;
    m.bind(memory.data());
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    const double apart = 1 / std::sqrt(static_cast<double>(D));
    for (int d = 0; d < D; ++d) {
      m.centre[d] = 20 + d;
      m.scale[d] = d % 2 ? 0.5 : 1;
    }
    for (int k = 0; k < K; ++k) m.constant[k] = normal(random);
    for (int i = 0; i < K * D; ++i) m.offset[i] = apart * normal(random);
    for (std::int64_t i = 0; i < K * m.factor_numbers_each(); ++i) m.factor[i] = apart * normal(random);
    for (int i = 0; m.transform && i < packed_size(D); ++i) m.transform[i] = apart * normal(random);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (int d = 0; d < D; ++d) values.push_back(static_cast<T>(20 + d + 2 * normal(random)));
      if (weighted) weights.push_back(i % 9 == 4 ? T(0) : static_cast<T>(0.5 + std::abs(normal(random))));
      if (i % 17 == 3) values[static_cast<std::size_t>(i * D + i % D)] = static_cast<T>(constants::nan);
      if (i % 17 == 3 && D > 1) values[static_cast<std::size_t>(i * D + (i + 1) % D)] = T(1e37);  // must not matter
    }
    if (weighted) weights[5] = static_cast<T>(constants::nan);
    by_plain_loops();
  }
  void by_plain_loops() {
    const int D = m.D, K = m.K, each = m.features_each();
    sums.assign(static_cast<std::size_t>(K * each), 0.0);
    std::vector<double> y(D), moved(D), r(K);
    for (std::int64_t i = 0; i < size; ++i) {
      double w = weights.empty() ? 1 : weights[static_cast<std::size_t>(i)];
      for (int d = 0; d < D; ++d) {
        y[d] = (static_cast<double>(values[static_cast<std::size_t>(i * D + d)]) - m.centre[d]) * m.scale[d];
        if (std::isnan(y[d])) w = 0;
      }
      if (!(w > 0)) continue;
      moved = y;
      if (m.transform)
        for (int a = 0; a < D; ++a) {
          moved[a] = 0;
          for (int b = 0; b <= a; ++b) moved[a] += m.transform[packed(a, b)] * y[b];
        }
      double most = -1e300, total = 0;
      for (int k = 0; k < K; ++k) {
        double square = 0;
        for (int a = 0; a < D; ++a) {
          double z = -m.offset[k * D + a];
          if (m.triangular)
            for (int b = 0; b <= a; ++b) z += m.factor[k * packed_size(D) + packed(a, b)] * y[b];
          else
            z += m.factor[k * D + a] * moved[a];
          square += z * z;
        }
        r[k] = m.constant[k] - 0.5 * square;
        most = std::max(most, r[k]);
      }
      for (int k = 0; k < K; ++k) total += r[k] = std::exp(r[k] - most);
      value += w * (most + std::log(total));
      for (int k = 0; k < K; ++k)
        for (int f = 0; f < each; ++f) {
          double x = f == 0 ? 1 : f <= D ? y[f - 1] : 0;
          if (f > D && m.structure == covariance_structure::spherical)
            for (int d = 0; d < D; ++d) x += y[d] * y[d];
          if (f > D && m.structure == covariance_structure::diagonal) x = y[f - 1 - D] * y[f - 1 - D];
          if (f > D && m.structure == covariance_structure::full)
            for (int a = 0; a < D; ++a)
              for (int b = 0; b <= a; ++b)
                if (packed(a, b) == f - 1 - D) x = y[a] * y[b];
          sums[static_cast<std::size_t>(k * each + f)] += w * r[k] / total * x;
        }
    }
  }
  rows_view<T> rows() const { return {values.data(), weights.empty() ? nullptr : weights.data(), size, m.D}; }
};

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
