// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of families in hard cases: how they end, and which calls are refused.
#include "family_mixture_tests.hpp"

namespace manyfit::tests {
namespace {

family_mixture_results fit_one(const char* family, const std::vector<double>& x, family_mixture_options options = {}) {
  return fit_mixture(executor::cpu(1), find_family(family), one(x), options);
}

std::vector<double> normals(int n, double mean, double sd, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> draw(mean, sd);
  std::vector<double> x;
  for (int i = 0; i < n; ++i) x.push_back(draw(random));
  return x;
}

TEST(mixture_of_families_status, of_samples_that_cannot_be_fitted) {
  EXPECT_EQ(fit_one("gamma", {}).status[0], fit_status::too_few);
  EXPECT_EQ(fit_one("gamma", {1}).status[0], fit_status::too_few);
  EXPECT_EQ(fit_one("gamma", {nan, nan, nan}).status[0], fit_status::too_few);
  EXPECT_EQ(fit_one("normal", std::vector<double>(30, 4.5)).status[0], fit_status::constant_sample);
  EXPECT_EQ(fit_one("gamma", {1, 2, 3, 4, -1, 6, 7}).status[0], fit_status::out_of_support);
  EXPECT_EQ(fit_one("poisson", {1, 2, 3, 4, 0.5, 6, 7}).status[0], fit_status::out_of_support);
  EXPECT_EQ(fit_one("normal", {1, 2, 3, 4, INFINITY, 6, 7}).status[0], fit_status::nonfinite);
}

/// One rule for every model: what a row of each kind counts as, in a fit and in mixtures of both kinds.
TEST(mixture_of_families_status, counts_rows_as_fits_and_gaussian_mixtures_do) {
  struct kind {
    double x, w;
    int missing, left_out;
    fit_status status;
  };
  const kind kinds[] = {{INFINITY, 0, 0, 1, fit_status::converged},   {-INFINITY, 0, 0, 1, fit_status::converged},
                        {2, 0, 0, 1, fit_status::converged},          {nan, 0, 1, 0, fit_status::converged},
                        {nan, 1, 1, 0, fit_status::converged},        {2, nan, 1, 0, fit_status::converged},
                        {INFINITY, nan, 1, 0, fit_status::converged}, {INFINITY, 1, 0, 0, fit_status::nonfinite},
                        {2, INFINITY, 0, 0, fit_status::nonfinite},   {2, -1, 0, 0, fit_status::nonfinite},
                        {-INFINITY, -1, 0, 0, fit_status::nonfinite}};
  std::vector<double> values = normals(60, 0, 1, 8);
  const std::vector<double> others = normals(60, 9, 1, 9);
  values.insert(values.end(), others.begin(), others.end());
  const std::int64_t all = 121;
  for (const kind& each : kinds)
    for (const std::size_t at : {std::size_t{0}, std::size_t{37}, std::size_t{120}}) {
      std::vector<double> x = values, w(values.size(), 1.5);
      x.insert(x.begin() + static_cast<std::ptrdiff_t>(at), each.x);
      w.insert(w.begin() + static_cast<std::ptrdiff_t>(at), each.w);
      const auto data = one(x).weighted(w);
      const auto check = [&](const auto& r, const char* what) {
        const auto said = [&] {
          return std::string(what) + " of " + std::to_string(each.x) + ", " + std::to_string(each.w);
        };
        EXPECT_EQ(r.status[0], each.status) << said();
        EXPECT_EQ(r.missing[0], each.missing) << said();
        EXPECT_EQ(r.left_out[0], each.left_out) << said();
        EXPECT_EQ(r.observations[0], all - each.missing - each.left_out) << said();
      };
      check(fit(executor::cpu(1), find_family("normal"), data), "fit");
      check(fit_mixture(executor::cpu(1), find_family("normal"), data, {.restarts = 1}), "mixture of normals");
      mixture_options options;
      options.restarts = 1;
      check(fit_mixture(executor::cpu(1), points(std::span<const double>(x), 1).weighted(w), options), "gaussian");
    }
}

TEST(mixture_of_families_status, a_value_that_only_another_component_takes_is_no_fault) {
  std::vector<double> x = normals(300, -3, 1, 1);
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) x.push_back(std::gamma_distribution<double>(5, 2)(random));
  const std::vector<mixture_component> parts{{&find_family("gamma")}, {&find_family("normal")}};
  const auto r = fit_mixture(executor::cpu(1), parts, one(x));
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(r.weight(0, 0) - 0.4) <= 0.05) << r.weight(0, 0);
  const std::vector<mixture_component> positive{{&find_family("gamma")}, {&find_family("weibull")}};
  EXPECT_EQ(fit_mixture(executor::cpu(1), positive, one(x)).status[0], fit_status::out_of_support);
}

TEST(mixture_of_families_status, a_component_on_ties_has_collapsed) {
  for (const double tie : {0.0, 5.0, 1e5}) {
    std::vector<double> x = normals(100, tie, 1, 3);
    x.insert(x.end(), 40, tie);
    family_mixture_options options;
    options.restarts = 1;
    options.max_iterations = 5000;
    EXPECT_EQ(fit_one("normal", x, options).status[0], fit_status::collapsed_component) << tie;
  }
}

TEST(mixture_of_families_status, a_collapsed_attempt_starts_anew_where_it_may) {
  std::vector<double> x = normals(100, 0, 1, 4), far = normals(100, 30, 1, 5);
  x.insert(x.end(), far.begin(), far.end());
  x.insert(x.end(), 40, 30.0);
  int collapsed[2] = {0, 0};
  for (const bool anew : {false, true})
    for (int seed = 0; seed < 20; ++seed) {
      family_mixture_options options;
      options.components = 3;
      options.restarts = 1;
      options.start = mixture_start::random;
      options.seed = static_cast<std::uint64_t>(seed);
      options.restart_collapsed = anew;
      const auto r = fit_one("normal", x, options);
      ASSERT_TRUE(r.status[0] == fit_status::collapsed_component || has_parameters(r.status[0]));
      ASSERT_EQ(has_parameters(r.status[0]), std::isfinite(r.log_likelihood[0]));
      collapsed[anew] += r.status[0] == fit_status::collapsed_component;
    }
  EXPECT_GT(collapsed[false], 0) << collapsed[true];
  EXPECT_LT(collapsed[true], collapsed[false]) << "with new starts";
}

TEST(mixture_of_families_status, small_values_beside_large_ones_are_no_collapse) {
  std::mt19937_64 random(5);
  std::vector<double> x;
  for (int i = 0; i < 600; ++i) x.push_back(std::exponential_distribution<double>(i % 2 ? 1e4 : 1e-5)(random));
  for (const char* family : {"exponential", "gamma", "lognormal"}) {
    const auto r = fit_one(family, x);
    ASSERT_EQ(r.status[0], fit_status::converged) << family;
    EXPECT_TRUE(std::abs(r.weight(0, 0) - 0.5) <= 0.03) << family << ": " << r.weight(0, 0);
  }
}

TEST(mixture_of_families_status, parameters_at_an_edge_stay_just_inside) {
  std::vector<double> x = normals(600, 0, 1, 6), far = normals(400, 30, 2, 7);
  for (double& each : x) each = std::fmod(each, 2.0);  // lighter tails than any t has
  for (double& each : far) each = 30 + std::fmod(each, 3.0);
  x.insert(x.end(), far.begin(), far.end());
  const auto t = fit_one("student_t", x);
  ASSERT_EQ(t.status[0], fit_status::converged);
  EXPECT_TRUE(t.parameter(0, 0, 0) >= 100 && t.parameter(0, 0, 0) <= 1e8) << t.parameter(0, 0, 0);
  std::vector<double> counts;
  std::mt19937_64 random(8);
  for (int i = 0; i < 800; ++i)  // less spread than Poisson counts
    counts.push_back(static_cast<double>(std::binomial_distribution<int>(i % 2 ? 10 : 60, 0.8)(random)));
  const auto negative = fit_one("negative_binomial", counts);
  ASSERT_TRUE(has_parameters(negative.status[0])) << to_string(negative.status[0]);
  EXPECT_TRUE(std::abs(negative.parameter(0, 0, 1) - 8) <= 0.3) << negative.parameter(0, 0, 1);
  EXPECT_TRUE(std::abs(negative.parameter(0, 1, 1) - 48) <= 0.6) << negative.parameter(0, 1, 1);
  std::vector<double> zeros(50, 0.0);
  for (int i = 0; i < 50; ++i) zeros.push_back(40 + i % 7);
  const auto poisson = fit_one("poisson", zeros);
  ASSERT_TRUE(has_parameters(poisson.status[0])) << to_string(poisson.status[0]);
  EXPECT_TRUE(poisson.parameter(0, 0, 0) <= 1e-6);
  EXPECT_TRUE(std::abs(poisson.weight(0, 0) - 0.5) <= 1e-6);
}

TEST(mixture_of_families_status, wrong_calls_are_refused) {
  const std::vector<double> x = normals(50, 3, 1, 9);
  const auto expect_wrong = [&](const char* family, const family_mixture_options& options) {
    EXPECT_THROW(fit_one(family, x, options), error) << family;
  };
  family_mixture_options options;
  options.components = 0;
  expect_wrong("normal", options);
  options = {};
  options.restarts = 0;
  expect_wrong("normal", options);
  options = {};
  options.tolerance = nan;
  expect_wrong("normal", options);
  options = {};
  options.start = mixture_start::given;
  expect_wrong("normal", options);  // no start given
  family_mixture_results start = empty_family_mixtures(1, 2, {{&find_family("poisson")}});
  options.start_values = &start;
  expect_wrong("normal", options);  // of another family, with fewer parameters
  start = empty_family_mixtures(1, 2, {{&find_family("normal")}});
  start.components[0] = 3;
  expect_wrong("normal", options);  // more components than it has capacity for
  start.components[0] = 0;
  expect_wrong("normal", options);
  expect_wrong("binomial", {});  // trials must be fixed
}

TEST(mixture_of_families_status, a_start_that_is_no_mixture_ends_with_a_status) {
  const std::vector<double> x = normals(50, 3, 1, 10);
  family_mixture_results start = empty_family_mixtures(1, 2, {{&find_family("normal")}});
  family_mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  for (const double sd : {nan, -1.0, 0.0, 1e-300}) {
    start.weights = {0.5, 0.5};
    start.parameters = {0, sd, 3, sd};
    const auto r = fit_one("normal", x, options);
    EXPECT_FALSE(has_parameters(r.status[0])) << sd;
    EXPECT_TRUE(std::isnan(r.log_likelihood[0])) << sd;
  }
  start.weights = {-1, 2};
  start.parameters = {0, 1, 3, 1};
  EXPECT_FALSE(has_parameters(fit_one("normal", x, options).status[0]));
}

TEST(mixture_of_families_status, scores_are_of_weights_and_of_parameters_that_a_family_can_have) {
  family_mixture_results model = empty_family_mixtures(2, 2, {{&find_family("exponential")}});
  model.weights = {3, 1, 0.5, 0.5};  // as 0.75 and 0.25
  model.parameters = {1, 2, 0, 2};   // a rate of 0 is none
  const std::vector<double> x{1, 2, 1, 2};
  const mixture_scores s = score_mixture(executor::cpu(1), dense<double>(x, 2), model, {true, true});
  EXPECT_TRUE(std::abs(s.log_density[0] - std::log(0.75 * std::exp(-1) + 0.25 * 2 * std::exp(-2))) <= 1e-14);
  EXPECT_TRUE(std::abs(s.responsibilities[0] - 0.75 * std::exp(-1) / std::exp(s.log_density[0])) <= 1e-14);
  EXPECT_EQ(s.labels[0], 0);
  for (const std::size_t i : {2u, 3u}) {
    EXPECT_TRUE(std::isnan(s.log_density[i]) && std::isnan(s.responsibilities[2 * i]));
    EXPECT_EQ(s.labels[i], -1);
  }
}

}  // namespace
}  // namespace manyfit::tests
