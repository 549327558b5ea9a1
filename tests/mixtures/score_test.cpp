// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Densities, responsibilities, labels and draws of fitted mixtures.
#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

double log_normal(double x, double mean, double variance) {
  return -0.5 * (std::log(2 * M_PI * variance) + (x - mean) * (x - mean) / variance);
}

mixture_results two_in_one_dimension() {
  mixture_results m = empty_mixtures(1, 3, 1, covariance_structure::full);
  m.components[0] = 2;
  m.weights = {0.3, 0.7, nan};
  m.means = {-1, 4, nan};
  m.covariances = {0.25, 9, nan};
  return m;
}

TEST(mixture_score, is_the_formula) {
  const mixture_results m = two_in_one_dimension();
  const std::vector<double> x{-40, -1.2, 0.4, 4, nan, 1e3};
  const mixture_scores s = score_mixture(executor::cpu(1), points<double>(x, 1), m, {true, true});
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i])) {
      EXPECT_TRUE(std::isnan(s.log_density[i]));
      EXPECT_EQ(s.labels[i], -1);
      for (std::size_t k = 0; k < 3; ++k) EXPECT_TRUE(std::isnan(s.responsibilities[3 * i + k]));
      continue;
    }
    const double a = std::log(0.3) + log_normal(x[i], -1, 0.25), b = std::log(0.7) + log_normal(x[i], 4, 9);
    const double most = std::max(a, b), wanted = most + std::log(std::exp(a - most) + std::exp(b - most));
    EXPECT_TRUE(std::abs(s.log_density[i] - wanted) <= 1e-12 * (1 + std::abs(wanted))) << x[i];
    EXPECT_TRUE(std::abs(s.responsibilities[3 * i] - std::exp(a - wanted)) <= 1e-12);
    EXPECT_TRUE(std::abs(s.responsibilities[3 * i] + s.responsibilities[3 * i + 1] - 1) <= 1e-14);
    EXPECT_TRUE(std::isnan(s.responsibilities[3 * i + 2]));
    EXPECT_EQ(s.labels[i], a > b ? 0 : 1);
  }
}

TEST(mixture_score, sums_to_the_log_likelihood_for_every_structure) {
  const std::vector<double> values = draw_points(700, 3, 3, 1e4, 21);
  const std::vector<float> narrow(values.begin(), values.end());
  for (const covariance_structure structure : structures) {
    mixture_options options;
    options.components = 3;
    options.covariance = structure;
    const mixture_results m = fit_mixture(executor::cpu(1), points<double>(values, 3), options);
    const mixture_scores s = score_mixture(executor::cpu(2), points<double>(values, 3), m);
    double sum = 0;
    for (const double each : s.log_density) sum += each;
    EXPECT_TRUE(std::abs(sum - m.log_likelihood[0]) <= 1e-9 * std::abs(sum));
    EXPECT_TRUE(s.responsibilities.empty());
    EXPECT_TRUE(s.labels.empty());
    const mixture_scores f = score_mixture(executor::cpu(1), points<float>(narrow, 3), m);
    // Float data near 10⁴ are rounded to 0.001: so are densities.
    for (std::size_t i = 0; i < 700; i += 50) EXPECT_TRUE(std::abs(f.log_density[i] - s.log_density[i]) <= 0.05);
  }
}

TEST(mixture_score, takes_each_sample_under_its_own_fit) {
  const std::vector<double> values = draw_points(300, 2, 2, 0, 4);
  const std::vector<std::int64_t> offsets{0, 100, 100, 300};
  mixture_options options;
  const auto batch = ragged_points<double>(values, 2, offsets);
  const mixture_results m = fit_mixture(executor::cpu(2), batch, options);
  const mixture_scores s = score_mixture(executor::cpu(2), batch, m, {true, true});
  const std::vector<double> last(values.begin() + 200, values.end());
  mixture_results third = empty_mixtures(1, 2, 2, m.covariance);
  std::copy_n(m.weights.begin() + 4, 2, third.weights.begin());
  std::copy_n(m.means.begin() + 8, 4, third.means.begin());
  std::copy_n(m.covariances.begin() + 16, 8, third.covariances.begin());
  const mixture_scores own = score_mixture(executor::cpu(1), points<double>(last, 2), third, {true, true});
  EXPECT_TRUE(same_bits(own.log_density, std::span(s.log_density).subspan(100)));
  EXPECT_TRUE(same_bits(own.responsibilities, std::span(s.responsibilities).subspan(200)));
}

TEST(mixture_score, has_nothing_to_say_without_parameters) {
  const std::vector<double> values{1, 2, 3, 4};
  const mixture_scores s = score_mixture(executor::cpu(1), points<double>(values, 2),
                                         empty_mixtures(1, 2, 2, covariance_structure::full), {true, true});
  for (const double each : s.log_density) EXPECT_TRUE(std::isnan(each));
  for (const double each : s.responsibilities) EXPECT_TRUE(std::isnan(each));
  EXPECT_EQ(s.labels, (std::vector<std::int32_t>{-1, -1}));
  EXPECT_THROW(
      score_mixture(executor::cpu(1), points<double>(values, 1), empty_mixtures(1, 2, 2, covariance_structure::full)),
      error);
}

TEST(mixture_simulate, has_the_mixtures_moments_and_repeats) {
  mixture_results m = empty_mixtures(1, 2, 2, covariance_structure::full);
  m.weights = {0.25, 0.75};
  m.means = {-3, 1, 5, 2};
  m.covariances = {1, 0.5, 0.5, 2, 4, -1, -1, 1};
  const std::int64_t n = 200000;
  const std::vector<double> draws = simulate_mixture(executor::cpu(2), m, n, 9);
  ASSERT_EQ(draws.size(), 2 * static_cast<std::size_t>(n));
  double mean[2] = {0, 0}, product = 0;
  for (std::int64_t i = 0; i < n; ++i)
    for (int d = 0; d < 2; ++d) mean[d] += draws[static_cast<std::size_t>(2 * i + d)] / static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i)
    product += (draws[static_cast<std::size_t>(2 * i)] - mean[0]) *
               (draws[static_cast<std::size_t>(2 * i + 1)] - mean[1]) / static_cast<double>(n);
  // Mean (3, 1.75); covariance 0.25·0.5 − 0.75·1 + 0.1875·8·1 = 0.875.
  EXPECT_TRUE(std::abs(mean[0] - 3) <= 0.05) << mean[0];
  EXPECT_TRUE(std::abs(mean[1] - 1.75) <= 0.02) << mean[1];
  EXPECT_TRUE(std::abs(product - 0.875) <= 0.06) << product;
  EXPECT_TRUE(same_bits(draws, simulate_mixture(executor::cpu(1), m, n, 9)));
  EXPECT_FALSE(same_bits(draws, simulate_mixture(executor::cpu(1), m, n, 10)));
  const std::uint64_t stream = 7;
  EXPECT_FALSE(same_bits(draws, simulate_mixture(executor::cpu(1), m, n, 9, std::span(&stream, 1))));
}

}  // namespace
}  // namespace manyfit::tests
