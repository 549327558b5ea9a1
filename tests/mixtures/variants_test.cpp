// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Accelerated EM climbs to the same place and never falls; stepwise EM comes near it.
#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

mixture_results fit_from_rows(const std::vector<double>& values, int D, int K, covariance_structure structure,
                              const mixture_options& wanted, int threads = 1) {
  const mixture_results start = start_at_rows(values, D, K, structure);
  mixture_options options = wanted;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.covariance = structure;
  options.trace = true;
  return fit_mixture(executor::cpu(threads), points<double>(values, D), options);
}

TEST(mixture_squarem, reaches_what_em_reaches_in_fewer_iterations) {
  for (const covariance_structure structure : structures) {
    const std::vector<double> values = draw_points(3000, 3, 4, 0, 61, 0.9);
    mixture_options options;
    options.tolerance = 1e-11;
    options.max_iterations = 20000;
    const mixture_results plain = fit_from_rows(values, 3, 4, structure, options);
    options.accelerate = true;
    const mixture_results fast = fit_from_rows(values, 3, 4, structure, options);
    ASSERT_EQ(plain.status[0], fit_status::converged);
    ASSERT_EQ(fast.status[0], fit_status::converged);
    EXPECT_TRUE(fast.log_likelihood[0] >= plain.log_likelihood[0] - 1e-6 * std::abs(plain.log_likelihood[0]));
    EXPECT_LT(fast.iterations[0], plain.iterations[0]);
    const std::vector<double>& trace = fast.log_likelihood_trace[0];
    ASSERT_EQ(trace.size(), static_cast<std::size_t>(fast.iterations[0]) + 1);
    for (std::size_t t = 1; t < trace.size(); ++t) EXPECT_TRUE(trace[t] >= trace[t - 1]) << "iteration " << t;
    EXPECT_TRUE(same_fit(fast, 0, fit_from_rows(values, 3, 4, structure, options, 2), 0));
  }
}

TEST(mixture_squarem, gives_a_log_likelihood_that_belongs_to_its_parameters) {
  const std::vector<double> values = draw_points(800, 2, 3, 5, 62, 1);
  mixture_options options;
  options.accelerate = true;
  for (const int iterations : {1, 2, 3, 4, 7}) {
    options.max_iterations = iterations;
    const mixture_results r = fit_from_rows(values, 2, 3, covariance_structure::full, options);
    double sum = 0;
    for (const double each : score_mixture(executor::cpu(1), points<double>(values, 2), r).log_density) sum += each;
    EXPECT_TRUE(std::abs(sum - r.log_likelihood[0]) <= 1e-9 * std::abs(sum)) << iterations;
  }
}

TEST(mixture_stepwise, comes_near_em_and_repeats) {
  const std::vector<double> values = draw_points(60000, 2, 4, 0, 63, 3);
  mixture_options options;
  options.tolerance = 1e-9;
  const mixture_results exact = fit_from_rows(values, 2, 4, covariance_structure::full, options);
  options.batch_rows = 1000;
  options.tolerance = 1e-6;
  const mixture_results steps = fit_from_rows(values, 2, 4, covariance_structure::full, options);
  EXPECT_EQ(steps.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(steps.log_likelihood[0] - exact.log_likelihood[0]) <= 1e-3 * std::abs(exact.log_likelihood[0]))
      << steps.log_likelihood[0] << " and " << exact.log_likelihood[0];
  EXPECT_TRUE(same_fit(steps, 0, fit_from_rows(values, 2, 4, covariance_structure::full, options, 2), 0));
  double sum = 0;  // exact at the end, whatever the trace says
  for (const double each : score_mixture(executor::cpu(1), points<double>(values, 2), steps).log_density) sum += each;
  EXPECT_TRUE(std::abs(sum - steps.log_likelihood[0]) <= 1e-9 * std::abs(sum));
  options.batch_rows = 60000;  // one batch: plain EM
  options.tolerance = 1e-9;
  EXPECT_TRUE(same_fit(exact, 0, fit_from_rows(values, 2, 4, covariance_structure::full, options), 0));
}

// Narrow clusters far apart, batches of few rows: what a batch says of the clusters' sizes would outweigh a tied
// covariance many times over.
TEST(mixture_stepwise, a_tied_covariance_stays_one) {
  for (const int D : {1, 2, 5}) {
    const int K = 3;
    const std::vector<double> values = draw_points(6000, D, K, 0, static_cast<std::uint64_t>(64 + D), 100);
    mixture_options options;
    options.covariance = covariance_structure::tied;
    options.components = K;
    options.tolerance = 1e-9;
    const mixture_results exact = fit_mixture(executor::cpu(1), points<double>(values, D), options);
    for (const std::int64_t batch : {50, 500}) {
      options.batch_rows = batch;
      options.max_iterations = 20;
      options.tolerance = 0;
      const mixture_results steps = fit_mixture(executor::cpu(1), points<double>(values, D), options);
      ASSERT_EQ(steps.status[0], fit_status::max_iterations) << "D " << D << ", batches of " << batch;
      for (int i = 0; i < D; ++i) {
        const auto at = static_cast<std::size_t>(i * D + i);
        const double ratio = steps.covariance_of(0, 0)[at] / exact.covariance_of(0, 0)[at];
        EXPECT_TRUE(ratio > 0.8 && ratio < 1.25) << "D " << D << ", batches of " << batch << ": " << ratio;
      }
      EXPECT_TRUE(std::abs(steps.log_likelihood[0] - exact.log_likelihood[0]) <=
                  2e-2 * std::abs(exact.log_likelihood[0]))
          << steps.log_likelihood[0] << " and " << exact.log_likelihood[0];
    }
  }
}

}  // namespace
}  // namespace manyfit::tests
