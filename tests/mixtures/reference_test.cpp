// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every iteration against a textbook's EM, and what must hold for any sample.
#include <cstdlib>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

void expect_near(double found, long double wanted, double tolerance, const char* what) {
  EXPECT_TRUE(std::abs(found - static_cast<double>(wanted)) <= tolerance * (1 + std::abs(static_cast<double>(wanted))))
      << what << ": " << found << " instead of " << static_cast<double>(wanted);
}

void expect_textbook(const std::vector<double>& values, const std::vector<double>& weights, int D, int K,
                     covariance_structure structure, double offset) {
  const std::string where = "D " + std::to_string(D) + ", K " + std::to_string(K) + ", structure " +
                            std::to_string(static_cast<int>(structure)) + ", offset " + std::to_string(offset);
  SCOPED_TRACE(where);
  const int iterations = 12;
  const mixture_results start = start_at_rows(values, D, K, structure);
  textbook wanted(start, structure);
  wanted.run(values, weights, iterations);
  point_batch<double> data = points<double>(values, D);
  if (!weights.empty()) data = data.weighted(weights);
  const mixture_results found = fit_mixture(executor::cpu(1), data, exactly(iterations, start));
  const std::vector<double>& trace = found.log_likelihood_trace[0];
  ASSERT_EQ(trace.size(), wanted.trace.size());
  for (std::size_t t = 0; t < trace.size(); ++t)
    EXPECT_TRUE(std::abs(trace[t] - static_cast<double>(wanted.trace[t])) <=
                1e-9 * std::abs(static_cast<double>(wanted.trace[t])))
        << "iteration " << t << ": " << trace[t] << " instead of " << static_cast<double>(wanted.trace[t]);
  for (int k = 0; k < K; ++k)
    expect_near(found.weight(0, k), wanted.weights[static_cast<std::size_t>(k)], 1e-6, "weight");
  for (int i = 0; i < K * D; ++i)
    expect_near(found.means[static_cast<std::size_t>(i)], wanted.means[static_cast<std::size_t>(i)], 1e-6, "mean");
  for (int i = 0; i < K * D * D; ++i)
    expect_near(found.covariances[static_cast<std::size_t>(i)], wanted.covariances[static_cast<std::size_t>(i)], 1e-6,
                "covariance");
}

TEST(mixture_reference, follows_the_textbook_for_every_structure_and_size) {
  for (const covariance_structure structure : structures)
    for (int D = 1; D <= 8; ++D)
      for (const int K : {1, 2, 5}) {
        if (K == 1 && D > 3) continue;
        expect_textbook(draw_points(400, D, K, 0, static_cast<std::uint64_t>(10 * D + K)), {}, D, K, structure, 0);
      }
}

TEST(mixture_reference, follows_the_textbook_far_from_zero) {
  for (const covariance_structure structure : structures)
    for (const int D : {1, 2, 3, 8})
      expect_textbook(draw_points(300, D, 3, 1e5, static_cast<std::uint64_t>(70 + D)), {}, D, 3, structure, 1e5);
}

TEST(mixture_reference, follows_the_textbook_with_weights_and_missing_rows) {
  for (const covariance_structure structure : structures)
    for (const int D : {1, 2, 5}) {
      std::vector<double> values = draw_points(500, D, 3, 20, static_cast<std::uint64_t>(90 + D)), weights;
      for (std::size_t i = 0; i < 500; ++i) weights.push_back(i % 9 == 4 ? 0 : 0.3 + static_cast<double>(i % 5));
      for (std::size_t i = 17; i < 500; i += 31)
        values[i * static_cast<std::size_t>(D) + i % static_cast<std::size_t>(D)] = nan;
      expect_textbook(values, weights, D, 3, structure, 20);
    }
}

TEST(mixture_reference, follows_the_textbook_through_partitions_of_a_large_fit) {
  const std::vector<double> values = draw_points(100000, 2, 3, 5, 123);
  expect_textbook(values, {}, 2, 3, covariance_structure::full, 5);
}

TEST(mixture_reference, follows_the_textbook_with_components_that_are_far) {
  // Enough of them for lists of those that are near: once so far apart that most are left out, once in each other's
  // way.
  for (const double apart : {60.0, 1.0}) {
    const auto structure = apart > 1 ? covariance_structure::full : covariance_structure::diagonal;
    expect_textbook(draw_points(130 * 30, 2, 130, 5, 124, apart), {}, 2, 130, structure, 5);
  }
}

TEST(mixture_reference, a_component_that_is_far_from_all_points_counts_all_of_them) {
  // Responsibilities below exp(-100) are left out where nothing depends on them. Here all of one component's are: rows
  // lie along a line, and it starts 24 away from the middle.
  const int K = 130;
  std::vector<double> values = draw_points(1300, 2, 1, 0, 125);
  for (std::size_t i = 0; i < values.size(); i += 2) values[i] *= 0.02;
  mixture_results start = start_at_rows(values, 2, K, covariance_structure::diagonal);
  start.means[0] = 24;
  start.means[1] = 0;
  textbook wanted(start, covariance_structure::diagonal);
  wanted.run(values, {}, 3);
  const mixture_results found = fit_mixture(executor::cpu(1), points<double>(values, 2), exactly(3, start));
  ASSERT_EQ(found.status[0], fit_status::max_iterations);
  ASSERT_LT(wanted.weights[0], 1e-43L);
  EXPECT_NEAR(found.weight(0, 0) / static_cast<double>(wanted.weights[0]), 1, 1e-6);
  for (std::size_t d = 0; d < 2; ++d) expect_near(found.means[d], wanted.means[d], 1e-6, "mean");
  for (std::size_t i = 0; i < 4; ++i) expect_near(found.covariances[i], wanted.covariances[i], 1e-6, "covariance");
}

TEST(mixture_reference, float_data_agree_with_double_on_the_same_values) {
  for (const covariance_structure structure : structures)
    for (const int D : {1, 3, 6}) {
      std::vector<double> values = draw_points(2000, D, 3, 10, static_cast<std::uint64_t>(40 + D));
      const std::vector<float> narrow(values.begin(), values.end());
      values.assign(narrow.begin(), narrow.end());
      const mixture_results start = start_at_rows(values, D, 3, structure);
      const mixture_results a = fit_mixture(executor::cpu(1), points<double>(values, D), exactly(10, start)),
                            b = fit_mixture(executor::cpu(1), points<float>(narrow, D), exactly(10, start));
      expect_near(b.log_likelihood[0], a.log_likelihood[0], 5e-7, "log-likelihood");
      for (std::size_t i = 0; i < a.means.size(); ++i) expect_near(b.means[i], a.means[i], 2e-6, "mean");
      for (std::size_t i = 0; i < a.covariances.size(); ++i)
        expect_near(b.covariances[i], a.covariances[i], 1e-5, "covariance");
    }
}

TEST(mixture_property, the_log_likelihood_never_falls) {
  const char* wanted = std::getenv("MANYFIT_RANDOM_RUNS");
  const int runs = wanted ? std::atoi(wanted) : 400;
  int checked = 0;
  for (int run = 0; run < runs; ++run) {
    std::mt19937_64 random(static_cast<std::uint64_t>(run) * 7919 + 1);
    const auto pick = [&](int low, int high) {
      return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
    };
    const int D = pick(1, 5), K = pick(1, 6), n = pick(2, 300);
    const double offset = std::pow(10.0, pick(-3, 6)), scale = std::pow(10.0, pick(-4, 4));
    std::vector<double> values = draw_points(n, D, pick(1, 4), 0, random(), pick(0, 4));
    for (double& x : values) x = offset + scale * x;
    if (run % 5 == 0)  // ties
      for (double& x : values) x = offset + scale * std::round(2 * (x - offset) / scale) / 2;
    std::vector<double> weights;
    for (int i = 0; i < n && run % 3 == 0; ++i) weights.push_back(pick(0, 3));
    point_batch<double> data = points<double>(values, D);
    if (!weights.empty()) data = data.weighted(weights);
    mixture_options options;
    options.components = K;
    options.covariance = structures[run % 4];
    options.start = run % 2 ? mixture_start::random : mixture_start::kmeans_plus_plus;
    options.restarts = 1;
    options.seed = static_cast<std::uint64_t>(run);
    // Without a tolerance nothing is taken back: what is seen is EM itself. A ridge alone may lower it.
    options.tolerance = run % 7 == 0 ? 1e-8 : 0;
    options.regularization = run % 7 == 0 ? -1 : 0;
    options.max_iterations = 150;
    options.trace = true;
    const mixture_results r = fit_mixture(executor::cpu(1), data, options);
    const bool has = has_parameters(r.status[0]);
    EXPECT_EQ(has, r.weight(0, 0) >= 0) << "run " << run;
    EXPECT_TRUE(options.tolerance > 0 || !has || r.status[0] == fit_status::max_iterations) << "run " << run;
    if (!has) continue;
    ++checked;
    ASSERT_TRUE(std::isfinite(r.log_likelihood[0])) << "run " << run;
    const std::vector<double>& trace = r.log_likelihood_trace[0];
    for (std::size_t t = 1; t < trace.size(); ++t)
      ASSERT_TRUE(trace[t] >= trace[t - 1] - 1e-10 * std::abs(trace[t - 1]))
          << "run " << run << ", iteration " << t << ": " << trace[t - 1] << " to " << trace[t];
  }
  EXPECT_GT(checked, runs / 2);  // most of them have something to check
}

}  // namespace
}  // namespace manyfit::tests
