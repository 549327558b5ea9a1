// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The body of CUDA's mixture kernels, run with threads as lanes, against EM as a textbook writes it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "lane_mixtures.hpp"

namespace manyfit {
namespace {

/// log N(x; mean, covariance) by elimination.
double log_normal(const double* x, const double* mean, const double* covariance, int D) {
  std::vector<double> A(covariance, covariance + D * D), z(D);
  double value = -0.5 * D * std::log(2 * M_PI);
  for (int d = 0; d < D; ++d) z[d] = x[d] - mean[d];
  for (int i = 0; i < D; ++i) {  // LDLᵀ, row by row
    value -= 0.5 * (std::log(A[i * D + i]) + z[i] * z[i] / A[i * D + i]);
    for (int j = i + 1; j < D; ++j) {
      const double factor = A[j * D + i] / A[i * D + i];
      for (int l = i; l < D; ++l) A[j * D + l] -= factor * A[i * D + l];
      z[j] -= factor * z[i];
    }
  }
  return value;
}

/// EM as a textbook has it: log-likelihoods of the start and after each iteration, and the last parameters.
answer textbook_em(const problem& p, int iterations) {
  answer a(p.K, p.D, iterations);
  a.found = p.start;
  const int D = p.D, K = p.K;
  double sum = 0;
  for (double w : a.found.weights) sum += w;
  for (double& w : a.found.weights) w /= sum;
  const auto shape = [&](std::vector<double>& S) {  // what the structure can hold of the covariances
    std::vector<double> pooled(D * D, 0.0);
    for (int k = 0; k < K; ++k)
      for (int i = 0; i < D * D; ++i) pooled[i] += a.found.weights[k] * S[k * D * D + i];
    for (int k = 0; k < K; ++k) {
      double trace = 0;
      for (int d = 0; d < D; ++d) trace += S[(k * D + d) * D + d] / D;
      for (int i = 0; i < D; ++i)
        for (int j = 0; j < D; ++j) {
          double& s = S[(k * D + i) * D + j];
          if (p.structure == covariance_structure::tied) s = pooled[i * D + j];
          if (p.structure == covariance_structure::diagonal && i != j) s = 0;
          if (p.structure == covariance_structure::spherical) s = i == j ? trace : 0;
        }
    }
  };
  shape(a.found.covariances);
  for (int t = 0; t <= iterations; ++t) {
    parameters next(K, D);
    std::vector<double> r(p.rows * K);
    double value = 0, total = 0;
    for (std::int64_t i = 0; i < p.rows; ++i) {
      const double w = p.weight(i);
      if (!(w > 0)) continue;
      double most = -1e300, density = 0;
      for (int k = 0; k < K; ++k) {
        r[i * K + k] = std::log(a.found.weights[k]) +
                       log_normal(&p.values[i * D], &a.found.means[k * D], &a.found.covariances[k * D * D], D);
        most = std::max(most, r[i * K + k]);
      }
      for (int k = 0; k < K; ++k) density += r[i * K + k] = std::exp(r[i * K + k] - most);
      for (int k = 0; k < K; ++k) r[i * K + k] *= w / density;
      value += w * (most + std::log(density));
      total += w;
    }
    a.trace[t] = value;
    if (t == iterations) break;
    for (int k = 0; k < K; ++k) {
      double n = 0;
      for (std::int64_t i = 0; i < p.rows; ++i) {
        if (!(p.weight(i) > 0)) continue;
        n += r[i * K + k];
        for (int d = 0; d < D; ++d) next.means[k * D + d] += r[i * K + k] * p.values[i * D + d];
      }
      for (int d = 0; d < D; ++d) next.means[k * D + d] /= n;
      for (std::int64_t i = 0; i < p.rows; ++i)
        for (int d = 0; d < D && p.weight(i) > 0; ++d)
          for (int e = 0; e < D; ++e)
            next.covariances[(k * D + d) * D + e] += r[i * K + k] / n * (p.values[i * D + d] - next.means[k * D + d]) *
                                                     (p.values[i * D + e] - next.means[k * D + e]);
      next.weights[k] = n / total;
    }
    a.found = next;
    shape(a.found.covariances);
  }
  return a;
}

void expect_near(double a, double b, double tolerance, const char* what) {
  EXPECT_TRUE(std::abs(a - b) <= tolerance * (1 + std::abs(b))) << what << ": " << a << " instead of " << b;
}

void expect_agreement(const problem& p, const answer& found, const answer& wanted, double tolerance) {
  ASSERT_EQ(found.task.status, fit_status::max_iterations);
  for (std::size_t t = 0; t < wanted.trace.size(); ++t)
    expect_near(found.trace[t], wanted.trace[t], tolerance, "log-likelihood");
  for (int k = 0; k < p.K; ++k) expect_near(found.found.weights[k], wanted.found.weights[k], 1e3 * tolerance, "weight");
  for (int i = 0; i < p.K * p.D; ++i) expect_near(found.found.means[i], wanted.found.means[i], 1e3 * tolerance, "mean");
  for (int i = 0; i < p.K * p.D * p.D; ++i)
    expect_near(found.found.covariances[i], wanted.found.covariances[i], 1e4 * tolerance, "covariance");
}

TEST(lane_mixture, follows_textbook_em_on_warps) {
  for (const covariance_structure structure : structures)
    for (const auto& [D, K] : {std::pair{1, 1}, {1, 3}, {1, 5}, {2, 2}, {2, 3}, {3, 2}}) {
      const problem p(structure, D, K, 150, D == 2, K == 3, 17);
      lane_run how = from_start(1, 1);
      how.in_shared = K == 2;
      expect_agreement(p, run_on_lanes<reach::warp, double>({p}, how, 4)[0], textbook_em(p, 4), 1e-10);
    }
}

TEST(lane_mixture, follows_textbook_em_on_a_block) {
  for (const covariance_structure structure : structures)
    for (const auto& [D, K] : {std::pair{1, 2}, {1, 11}, {2, 5}, {3, 4}, {5, 3}}) {
      const problem p(structure, D, K, 300, D == 1, K == 5, 23);
      lane_run how = from_start(1, 2);
      how.in_shared = K == 5;
      expect_agreement(p, run_on_lanes<reach::block, double>({p}, how, 3)[0], textbook_em(p, 3), 1e-10);
    }
}

TEST(lane_mixture, follows_textbook_em_on_a_grid) {
  for (const covariance_structure structure : structures)
    for (const auto& [D, K] : {std::pair{1, 4}, {2, 3}, {3, 6}, {6, 9}}) {
      const problem p(structure, D, K, 500, D == 2, K == 6, 29);
      expect_agreement(p, run_on_lanes<reach::grid, double>({p}, from_start(3, 2), 3)[0], textbook_em(p, 3), 1e-10);
    }
}

TEST(lane_mixture, follows_textbook_em_in_grid_tiles) {
  for (const covariance_structure structure : structures)
    for (const auto& [D, K] : {std::pair{3, 6}, {6, 9}}) {
      const problem p(structure, D, K, 500, D == 3, K == 9, 31);
      lane_run how = from_start(2, 2);
      how.partial_limit = 0;
      expect_agreement(p, run_on_lanes<reach::grid, double>({p}, how, 3)[0], textbook_em(p, 3), 1e-10);
    }
}

/// The least coordinates with which a structure has resident passes.
int resident_dimensions(covariance_structure structure) {
  int D = 1;
  while (features(structure, D) <= resident_least_features) ++D;
  return D;
}

TEST(lane_mixture, follows_textbook_em_on_chip) {
  for (const covariance_structure structure : structures)
    for (const int points : {64, 128}) {
      const problem p(structure, resident_dimensions(structure), 26, 700, points == 64, points == 128, 33);
      lane_run how = from_start(2, 2);
      how.resident_bytes = 8 * lay_out_resident<double>(structure, p.D, p.K, points, 64).numbers;
      const answer wanted = textbook_em(p, 2);
      ASSERT_EQ(plan_resident<double>(structure, p.D, p.K, 64, how.resident_bytes).points, points);
      expect_agreement(p, run_on_lanes<reach::block, double>({p}, how, 2)[0], wanted, 1e-10);
      expect_agreement(p, run_on_lanes<reach::grid, double>({p}, how, 2)[0], wanted, 1e-10);
    }
}

TEST(lane_mixture, starts_on_chip_as_in_tiles) {
  for (const covariance_structure structure : structures) {
    const problem p(structure, resident_dimensions(structure), 26, 900, false, true, 47);
    lane_run how{2, 1};
    const answer tiles = run_on_lanes<reach::grid, double>({p}, how, 3)[0];
    how.resident_bytes = 1 << 20;
    const answer chip = run_on_lanes<reach::grid, double>({p}, how, 3)[0];
    ASSERT_EQ(chip.task.status, tiles.task.status);
    ASSERT_EQ(chip.task.iterations, tiles.task.iterations);
    expect_near(chip.task.log_likelihood, tiles.task.log_likelihood, 1e-9, "log-likelihood");
  }
}

TEST(lane_mixture, follows_textbook_em_in_float) {
  for (const covariance_structure structure : structures) {
    const problem small(structure, 2, 3, 300, false, true, 37), large(structure, 5, 6, 300, false, false, 41);
    expect_agreement(small, run_on_lanes<reach::warp, float>({small}, from_start(1, 1), 2)[0], textbook_em(small, 2),
                     1e-6);
    expect_agreement(large, run_on_lanes<reach::block, float>({large}, from_start(1, 1), 2)[0], textbook_em(large, 2),
                     1e-6);
  }
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST(lane_mixture, keeps_its_bits_in_company) {
  std::vector<problem> all;
  for (int i = 0; i < 5; ++i)
    all.emplace_back(covariance_structure::full, 2, 2 + i % 3, 120 + 10 * i, false, i == 2, 100 + i);
  for (double& x : all[3].values) x = 4;               // constant
  for (double& x : all[1].values) x = constants::nan;  // nothing there
  lane_run how{2, 2};
  how.settings.restart_collapsed = true;
  const std::vector<answer> together = run_on_lanes<reach::warp, double>(all, how, 8);
  EXPECT_EQ(together[3].task.status, fit_status::constant_sample);
  EXPECT_EQ(together[1].task.status, fit_status::too_few);
  for (const std::size_t i : {0u, 2u, 4u}) {
    const answer alone = run_on_lanes<reach::warp, double>({all[i]}, how, 8)[0];
    EXPECT_TRUE(together[i].task.status == fit_status::converged ||
                together[i].task.status == fit_status::max_iterations);
    EXPECT_TRUE(same_bits(alone.found.means, together[i].found.means));
    EXPECT_TRUE(same_bits(alone.found.covariances, together[i].found.covariances));
    EXPECT_TRUE(same_bits(alone.trace, together[i].trace));
  }
}

TEST(lane_mixture, finds_its_own_start_on_every_reach) {
  for (const mixture_start start : {mixture_start::kmeans_plus_plus, mixture_start::random}) {
    const problem p(covariance_structure::full, 2, 3, 240, false, false, 55);
    lane_run how{2, 1};
    how.settings.start = start;
    how.settings.tolerance = 1e-9;
    const answer warp = run_on_lanes<reach::warp, double>({p}, how, 300)[0];
    const answer block = run_on_lanes<reach::block, double>({p}, how, 300)[0];
    const answer grid = run_on_lanes<reach::grid, double>({p}, how, 300)[0];
    ASSERT_EQ(warp.task.status, fit_status::converged);
    expect_near(block.task.log_likelihood, warp.task.log_likelihood, 1e-9, "log-likelihood");
    expect_near(grid.task.log_likelihood, warp.task.log_likelihood, 1e-9, "log-likelihood");
  }
}

TEST(lane_mixture, accelerated_and_stepwise_runs_end_alike_on_every_reach) {
  const problem p(covariance_structure::full, 2, 3, 260, false, false, 71);
  for (const bool stepwise : {false, true}) {
    lane_run how = from_start(2, 1);
    how.settings.accelerate = !stepwise;
    how.settings.minibatch_rows = stepwise ? 50 : 0;
    const answer warp = run_on_lanes<reach::warp, double>({p}, how, 6)[0];
    const answer block = run_on_lanes<reach::block, double>({p}, how, 6)[0];
    how.partial_limit = 0;
    const answer grid = run_on_lanes<reach::grid, double>({p}, how, 6)[0];
    ASSERT_EQ(warp.task.iterations, 6);
    EXPECT_GT(warp.task.log_likelihood, warp.trace[0]);
    expect_near(block.task.log_likelihood, warp.task.log_likelihood, 1e-9, "log-likelihood");
    expect_near(grid.task.log_likelihood, warp.task.log_likelihood, 1e-9, "log-likelihood");
  }
}

}  // namespace
}  // namespace manyfit
