// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The lanes that CUDA runs against the library's CPU code, from data to answer, where rows are missing or of weight 0.
#include <algorithm>
#include <cstring>

#include "lane_mixtures.hpp"
#include "manyfit/manyfit.hpp"

namespace manyfit {
namespace {

/// What the library's CPU code makes of a problem with the lanes' settings.
mixture_results on_the_cpu(const problem& p, const lane_run& how, int iterations) {
  mixture_options options;
  options.components = p.K;
  options.covariance = p.structure;
  options.start = how.settings.start;
  options.restarts = 1;
  options.seed = how.settings.seed;
  options.max_iterations = iterations;
  options.tolerance = how.settings.tolerance;
  options.accelerate = how.settings.accelerate;
  options.restart_collapsed = how.settings.restart_collapsed;
  options.minibatch_rows = how.settings.minibatch_rows;
  options.regularization = 0;
  mixture_results start = empty_mixtures(1, p.K, p.D, p.structure);
  start.weights = p.start.weights;
  start.means = p.start.means;
  start.covariances = p.start.covariances;
  if (options.start == mixture_start::given) options.start_values = &start;
  options.trace = true;
  point_batch<double> data = points<double>(p.values, p.D);
  if (!p.weights.empty()) data = data.weighted(p.weights);
  return fit_mixture(executor::cpu(1), data, options);
}

/// Each component of the lanes against the nearest of the CPU's, whose order is by their means.
void expect_the_same(const problem& p, const answer& lanes, const mixture_results& cpu, double tolerance) {
  ASSERT_EQ(lanes.task.status, cpu.status[0]);
  EXPECT_EQ(lanes.task.observations, cpu.observations[0]);
  EXPECT_EQ(lanes.task.missing, cpu.missing[0]);
  if (cpu.status[0] == fit_status::collapsed_component) return;
  ASSERT_EQ(lanes.task.iterations, cpu.iterations[0]);
  for (std::size_t t = 0; t < cpu.log_likelihood_trace[0].size(); ++t)
    EXPECT_TRUE(std::abs(lanes.trace[t] - cpu.log_likelihood_trace[0][t]) <=
                tolerance * (1 + std::abs(cpu.log_likelihood_trace[0][t])))
        << "entry " << t << ": " << lanes.trace[t] << " and " << cpu.log_likelihood_trace[0][t];
  for (int k = 0; k < p.K; ++k) {
    double nearest = INFINITY;
    for (int other = 0; other < p.K; ++other) {
      double most = std::abs(lanes.found.weights[static_cast<std::size_t>(k)] - cpu.weight(0, other));
      for (int d = 0; d < p.D; ++d) {
        const double mean = cpu.mean(0, other)[static_cast<std::size_t>(d)];
        most = std::max(
            most, std::abs(lanes.found.means[static_cast<std::size_t>(k * p.D + d)] - mean) / (1 + std::abs(mean)));
      }
      nearest = std::min(nearest, most);
    }
    EXPECT_TRUE(nearest <= 1e3 * tolerance) << "component " << k;
  }
}

/// `grid`: on that too, whose lanes wait for each other most.
template <class Check>
void for_all_reaches(const problem& p, lane_run how, int iterations, bool grid, Check check) {
  check(run_on_lanes<reach::warp, double>({p}, how, iterations)[0]);
  check(run_on_lanes<reach::block, double>({p}, how, iterations)[0]);
  if (!grid) return;
  check(run_on_lanes<reach::grid, double>({p}, how, iterations)[0]);
  how.partial_limit = 0;
  check(run_on_lanes<reach::grid, double>({p}, how, iterations)[0]);  // in grid tiles
}

TEST(lanes_against_cpu, start_and_climb_alike_where_rows_are_missing) {
  for (const covariance_structure structure : structures)
    for (const mixture_start start : {mixture_start::kmeans_plus_plus, mixture_start::random})
      for (const bool weighted : {false, true}) {
        const problem p(structure, 2, 3, 260, weighted, true, 81);
        lane_run how{2, 1};
        how.settings.start = start;
        how.settings.tolerance = 0;
        const mixture_results cpu = on_the_cpu(p, how, 4);
        const bool grid = weighted && structure == covariance_structure::tied;
        for_all_reaches(p, how, 4, grid, [&](const answer& lanes) { expect_the_same(p, lanes, cpu, 1e-9); });
      }
}

TEST(lanes_against_cpu, follow_every_way_to_climb_where_rows_are_missing) {
  for (const covariance_structure structure : structures)
    for (const int way : {0, 1, 2}) {
      const problem p(structure, 3, 4, 300, way == 1, true, 83);
      lane_run how = from_start(2, 1);
      how.settings.accelerate = way == 1;
      how.settings.minibatch_rows = way == 2 ? 64 : 0;
      const mixture_results cpu = on_the_cpu(p, how, 4);
      expect_the_same(p, run_on_lanes<reach::block, double>({p}, how, 4)[0], cpu, 1e-9);
    }
}

TEST(lanes_against_cpu, count_rows_of_every_kind_alike) {
  for (const int D : {1, 3}) {
    problem p(covariance_structure::full, D, 2, 200, true, true, 85);
    p.weights[8] = constants::nan;
    p.weights[10] = 0;
    p.values[10 * static_cast<std::size_t>(D)] = constants::infinity;  // left out
    lane_run how{1, 2};
    how.settings.start = mixture_start::kmeans_plus_plus;
    how.settings.tolerance = 0;
    for_all_reaches(p, how, 3, D == 3,
                    [&](const answer& lanes) { expect_the_same(p, lanes, on_the_cpu(p, how, 3), 1e-9); });
    p.weights[10] = 1;
    for_all_reaches(p, how, 3, D == 1, [&](const answer& lanes) {
      EXPECT_EQ(lanes.task.status, fit_status::nonfinite);
      EXPECT_EQ(on_the_cpu(p, how, 3).status[0], fit_status::nonfinite);
    });
  }
}

TEST(lanes_against_cpu, a_ridge_is_added_and_variances_are_told) {
  const problem p(covariance_structure::full, 2, 2, 150, true, true, 87);
  const std::vector<double> ridge{0.5, 0.5};
  const mixture_results cpu = [&] {
    mixture_options options;
    options.components = 2;
    options.start = mixture_start::kmeans_plus_plus;
    options.restarts = 1;
    options.regularization = 0.5;
    options.tolerance = 0;
    options.max_iterations = 5;
    options.trace = true;
    return fit_mixture(executor::cpu(1), points<double>(p.values, 2).weighted(p.weights), options);
  }();
  lane_run how{1, 2};
  how.settings.start = mixture_start::kmeans_plus_plus;
  how.settings.tolerance = 0;
  how.ridge = ridge;
  double weight = 0, mean[2] = {0, 0}, variance[2] = {0, 0};
  for (std::int64_t i = 0; i < p.rows; ++i) weight += p.weight(i);
  for (int d = 0; d < 2; ++d) {
    for (std::int64_t i = 0; i < p.rows; ++i)
      if (p.weight(i) > 0) mean[d] += p.weight(i) / weight * p.values[static_cast<std::size_t>(2 * i + d)];
    for (std::int64_t i = 0; i < p.rows; ++i)
      if (p.weight(i) > 0)
        variance[d] += p.weight(i) / weight * std::pow(p.values[static_cast<std::size_t>(2 * i + d)] - mean[d], 2);
  }
  for_all_reaches(p, how, 5, true, [&](const answer& lanes) {
    expect_the_same(p, lanes, cpu, 1e-9);
    for (std::size_t d = 0; d < 2; ++d)
      EXPECT_TRUE(std::abs(lanes.variances[d] / variance[d] - 1) <= 1e-12) << lanes.variances[d];
  });
}

}  // namespace
}  // namespace manyfit
