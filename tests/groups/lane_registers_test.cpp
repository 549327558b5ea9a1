// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Passes in registers: sums of all lanes folded at once, points read in every way that leads to the same bits, points
// that are too far from every component to be added up by their densities alone, and the step from sums to factors.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "lane_mixtures.hpp"

namespace manyfit {
namespace {

template <int N>
void expect_every_number_folded() {
  std::vector<double> sums(N, 0.0);
  std::vector<int> owners(N, 0), numbers(32, -2);
  std::vector<double> found(32, 0.0);
  lane_team team(1, 1);
  run_lanes<reach::warp>(team, [&](auto& context, int) {
    float mine[N];
    for (int i = 0; i < N; ++i) mine[i] = static_cast<float>((i + 1) * 1000 + context.lane() * context.lane());
    found[context.lane()] = fold_over_warp(context, mine);
    numbers[context.lane()] = folded_number<N>(context.lane());
  });
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < N; ++i) sums[i] += (i + 1) * 1000 + lane * lane;
  for (int lane = 0; lane < 32; ++lane) {
    const int number = numbers[lane];
    ASSERT_TRUE(number >= -1 && number < N) << N << " numbers, lane " << lane;
    if (number < 0) continue;
    ++owners[number];
    EXPECT_EQ(found[lane], sums[number]) << "number " << number << " of " << N;
  }
  for (int i = 0; i < N; ++i) EXPECT_EQ(owners[i], 1) << "number " << i << " of " << N;
  if constexpr (N > 1) expect_every_number_folded<N - 1>();
}

TEST(lane_registers, every_number_is_folded_onto_one_lane) {
  expect_every_number_folded<register_sum_capacity>();
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

/// The fit alone, where its points are aligned to 16 bytes, and behind others that shift it by 4, 8 and 12.
template <reach Reach, class T>
void expect_bits_wherever_points_lie(int D, int K, std::int64_t rows) {
  const problem fit(covariance_structure::full, D, K, rows, false, false, 11 + D + K);
  const lane_run how = from_start(Reach == reach::grid ? 2 : 1, 2);
  const answer alone = run_on_lanes<Reach, T>({fit}, how, 3)[0];
  ASSERT_EQ(alone.task.status, fit_status::max_iterations);
  for (int shift = 1; shift < 4; ++shift) {
    const problem other(covariance_structure::full, D, K, 40 + shift, false, false, 5);
    const answer behind = run_on_lanes<Reach, T>({other, fit}, how, 3)[1];
    EXPECT_TRUE(same_bits(alone.trace, behind.trace)) << "D = " << D << ", K = " << K << ", shift " << shift;
    EXPECT_TRUE(same_bits(alone.found.means, behind.found.means)) << "D = " << D << ", K = " << K;
    EXPECT_TRUE(same_bits(alone.found.covariances, behind.found.covariances)) << "D = " << D << ", K = " << K;
  }
}

TEST(lane_registers, bits_do_not_depend_on_where_points_lie) {
  for (const auto& [D, K] : {std::pair{1, 2}, {1, 4}, {1, 7}, {2, 3}, {3, 2}}) {
    expect_bits_wherever_points_lie<reach::block, float>(D, K, 333);
    expect_bits_wherever_points_lie<reach::warp, float>(D, K, 10 * 1024 / D + 1);  // more than a warp keeps
  }
  expect_bits_wherever_points_lie<reach::grid, float>(1, 4, 1001);
  expect_bits_wherever_points_lie<reach::block, double>(1, 3, 301);
}

/// Log-likelihood and statistics of a one-dimensional mixture, as a textbook has them.
struct plain_sums {
  double log_likelihood = 0;
  std::vector<double> weight, mean;
};
plain_sums textbook_pass(const problem& p) {
  plain_sums s;
  s.weight.assign(p.K, 0.0);
  s.mean.assign(p.K, 0.0);
  double total = 0;
  for (const double w : p.start.weights) total += w;
  for (const double x : p.values) {
    std::vector<double> density(p.K);
    double most = -1e300, sum = 0;
    for (int k = 0; k < p.K; ++k) {
      const double variance = p.start.covariances[k], z = x - p.start.means[k];
      density[k] = std::log(p.start.weights[k] / total) - 0.5 * (std::log(2 * M_PI * variance) + z * z / variance);
      most = std::max(most, density[k]);
    }
    for (double& d : density) sum += d = std::exp(d - most);
    s.log_likelihood += most + std::log(sum);
    for (int k = 0; k < p.K; ++k) {
      s.weight[k] += density[k] / sum;
      s.mean[k] += density[k] / sum * x;
    }
  }
  for (int k = 0; k < p.K; ++k) s.mean[k] /= s.weight[k];
  return s;
}

/// A start so far off that densities underflow by themselves, for some points or for all.
TEST(lane_registers, points_far_from_every_component_count_in_full) {
  for (const double apart : {0.0, 3.0, 30.0, 300.0, 5000.0})
    for (const int K : {2, 4, 7}) {
      problem p(covariance_structure::full, 1, K, 260, false, false, 77);
      for (std::size_t i = 0; i < p.values.size(); i += 9) p.values[i] += apart;
      for (int k = 0; k < K; ++k) p.start.covariances[k] = 0.01;
      const plain_sums wanted = textbook_pass(p);
      const answer warp = run_on_lanes<reach::warp, float>({p}, from_start(1, 1), 1)[0],
                   block = run_on_lanes<reach::block, double>({p}, from_start(1, 2), 1)[0];
      EXPECT_TRUE(std::abs(block.trace[0] - wanted.log_likelihood) <= 1e-9 * std::abs(wanted.log_likelihood))
          << block.trace[0] << " and " << wanted.log_likelihood;
      const bool sound = apart < 10;  // beyond, such a component has collapsed in float
      EXPECT_TRUE(!sound || std::abs(warp.trace[0] - wanted.log_likelihood) <= 1e-4 * std::abs(wanted.log_likelihood))
          << warp.trace[0] << " and " << wanted.log_likelihood;
      for (int k = 0; k < K; ++k) {
        if (!(wanted.weight[k] > 1)) continue;
        EXPECT_TRUE(std::abs(block.found.means[k] - wanted.mean[k]) <= 1e-7 * std::abs(wanted.mean[k])) << k;
      }
    }
}

/// A component whose points are all alike collapses in the step from sums to factors, and the attempt says so.
TEST(lane_registers, the_step_sees_a_component_collapse) {
  for (const int D : {1, 2, 3}) {
    problem p(covariance_structure::full, D, 2, 200, false, false, 3);
    for (std::int64_t i = 0; i < p.rows; ++i)
      for (int d = 0; d < D; ++d)
        if (i % 2) p.values[i * D + d] = 500;
    for (int d = 0; d < D; ++d) p.start.means[D + d] = 500;
    const answer found = run_on_lanes<reach::warp, double>({p}, from_start(1, 1), 20)[0];
    EXPECT_EQ(found.task.status, fit_status::collapsed_component) << D;
  }
}

}  // namespace
}  // namespace manyfit
