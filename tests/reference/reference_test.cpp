// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The benchmarks' plain reference and manyfit answer alike: neither's time means anything otherwise.
#include "reference/reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "manyfit/manyfit.hpp"

namespace {

using manyfit::executor;

std::vector<double> draws(const manyfit::family_info& family, std::int64_t n, std::uint64_t seed) {
  std::vector<double> p;
  for (int i = 0; i < family.parameter_count; ++i) p.push_back(family.parameters[i].example);
  return manyfit::simulate(executor::cpu(1), family, {p.data(), 0, 1}, 1, n, {.seed = seed});
}

void expect_same_fit(const std::string& name, reference::fitted (*fit)(std::span<const double>)) {
  const manyfit::family_info& family = manyfit::find_family(name);
  for (const std::int64_t n : {200, 1000}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const std::vector<double> x = draws(family, n, seed);
      const auto ours = manyfit::fit(executor::cpu(1), family, manyfit::dense(std::span<const double>(x), 1));
      const reference::fitted plain = fit(x);
      ASSERT_EQ(ours.status[0], manyfit::fit_status::converged) << name << " " << n << " " << seed;
      const double l = ours.log_likelihood[0];
      EXPECT_TRUE(std::abs(plain.log_likelihood - l) <= 1e-9 * (1 + std::abs(l))) << name << " " << n << " " << seed;
      for (int p = 0; p < family.parameter_count; ++p) {
        const double a = plain.parameters[static_cast<std::size_t>(p)], b = ours.parameter(p, 0);
        EXPECT_TRUE(std::abs(a - b) <= 1e-5 * std::abs(b)) << name << " " << n << " " << seed << " " << p << ": " << a;
      }
    }
  }
}

TEST(reference, fits_families_as_manyfit_does) {
  expect_same_fit("normal", reference::fit_normal);
  expect_same_fit("gamma", reference::fit_gamma);
  expect_same_fit("beta", reference::fit_beta);
  expect_same_fit("weibull", reference::fit_weibull);
  expect_same_fit("student_t", reference::fit_student_t);
  expect_same_fit("negative_binomial", reference::fit_negative_binomial);
}

void expect_same_mixture(manyfit::covariance_structure structure, int D, int K) {
  const bool full = structure == manyfit::covariance_structure::full;
  manyfit::mixture_results start = manyfit::empty_mixtures(1, K, D, structure);
  start.components[0] = K;
  reference::mixture plain{D, K, {}, {}, {}};
  for (int k = 0; k < K; ++k) {
    start.weights[static_cast<std::size_t>(k)] = 1.0 / K;
    for (int d = 0; d < D; ++d) {
      start.means[static_cast<std::size_t>(k * D + d)] = 4 * std::sin(7.0 * (k * D + d) + 1);
      for (int e = 0; e < D; ++e)
        start.covariances[static_cast<std::size_t>((k * D + d) * D + e)] = d == e ? 1 + 0.1 * d : 0.2;
      if (!full)
        for (int e = 0; e < D; ++e)
          if (e != d) start.covariances[static_cast<std::size_t>((k * D + d) * D + e)] = 0;
    }
  }
  plain.weights = start.weights;
  plain.means = start.means;
  for (int i = 0; i < K * D; ++i)
    for (int e = 0; e < D; ++e)
      if (full || e == i % D) plain.covariances.push_back(start.covariances[static_cast<std::size_t>(i * D + e)]);
  const std::vector<double> x = manyfit::simulate_mixture(executor::cpu(1), start, 2000, 5);
  for (double& m : start.means) m += 0.25;
  for (double& m : plain.means) m += 0.25;

  manyfit::mixture_options options;
  options.covariance = structure;
  options.start = manyfit::mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.regularization = 0;
  options.max_iterations = 10;
  options.trace = true;
  const auto ours = manyfit::fit_mixture(executor::cpu(1), manyfit::dense_points<double>(x, D, 1), options);
  const auto kind = full ? reference::covariance::full : reference::covariance::diagonal;
  const auto theirs = reference::fit_mixture(x, kind, plain, 10);
  ASSERT_EQ(theirs.log_likelihood.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_TRUE(std::abs(theirs.log_likelihood[i] - ours.log_likelihood_trace[0][i]) <=
                1e-10 * std::abs(ours.log_likelihood_trace[0][i]))
        << i;
  for (std::size_t i = 0; i < plain.means.size(); ++i)
    EXPECT_TRUE(std::abs(theirs.model.means[i] - ours.means[i]) <= 1e-8) << i;

  const std::vector<double> found = reference::responsibilities(x, kind, plain);
  const auto scores = manyfit::score_mixture(executor::cpu(1), manyfit::dense_points<double>(x, D, 1), start,
                                             {.responsibilities = true});
  ASSERT_EQ(found.size(), scores.responsibilities.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_TRUE(std::abs(found[i] - scores.responsibilities[i]) <= 1e-11) << i;
}

TEST(reference, mixtures_take_the_same_path_as_manyfits) {
  expect_same_mixture(manyfit::covariance_structure::full, 1, 3);
  expect_same_mixture(manyfit::covariance_structure::full, 3, 4);
  expect_same_mixture(manyfit::covariance_structure::diagonal, 5, 3);
}

TEST(reference, primitives_answer_as_manyfits_do) {
  const manyfit::family_info& family = manyfit::find_family("gamma");
  std::vector<double> x(20000), plain(x.size());
  reference::simulate_gamma(1, 2.5, 0.5, x);
  double sum = 0;
  for (const double v : x) sum += v;
  EXPECT_NEAR(sum / static_cast<double>(x.size()), 5.0, 0.1);  // sd of the mean: 0.022
  const double p[] = {2.5, 0.5};
  const auto data = manyfit::dense(std::span<const double>(x), 1);
  const auto ours = manyfit::log_density(executor::cpu(1), family, data, {p, 0, 1});
  reference::gamma_log_density(x, p[0], p[1], plain);
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_TRUE(std::abs(plain[i] - ours[i]) <= 1e-12 * (1 + std::abs(ours[i])));
  const double total = manyfit::log_likelihood(executor::cpu(1), family, data, {p, 0, 1})[0];
  EXPECT_TRUE(std::abs(reference::gamma_log_likelihood(x, p[0], p[1]) - total) <= 1e-11 * std::abs(total));
}

}  // namespace
