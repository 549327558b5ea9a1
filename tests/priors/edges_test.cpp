// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A prior may give a mode to what the likelihood alone has no maximum for, and may have none of its own: statuses say
// which it is.
#include "prior_tests.hpp"

namespace manyfit::tests {
namespace {

void expect_level(const fit_results& r, const priors& believed, const std::vector<double>& x) {
  ASSERT_EQ(r.status[0], fit_status::converged);
  const auto p = parameters_of_first(r);
  for (int i = 0; i < r.parameter_count(); ++i) {
    const double h = 0.02 * r.std_error(i, 0);
    ASSERT_TRUE(h > 0) << i;
    auto low = p, high = p;
    low[i] -= h;
    high[i] += h;
    const double slope =
        (log_posterior_at(*r.family, high, believed, x) - log_posterior_at(*r.family, low, believed, x)) / 0.04;
    EXPECT_TRUE(std::abs(slope) <= 2e-3) << slope;
  }
}

TEST(samples_without_a_maximum, have_a_mode_under_a_proper_prior) {
  const std::vector<double> alike(6, 2.5), one{1.5};
  for (const auto& x : {alike, one}) {
    const priors of_gamma{{"shape", {"gamma", {3, 0.5}}}};
    expect_level(fit_with("gamma", x, of_gamma), of_gamma, x);
    const priors of_normal{{"mean", {"normal", {0, 2}}}, {"sd", {"inverse_gaussian", {1, 2}}}};
    expect_level(fit_with("normal", x, of_normal), of_normal, x);
    const priors of_weibull{{"shape", {"gamma", {3, 1}}}, {"scale", {"gamma", {3, 1}}}};
    expect_level(fit_with("weibull", x, of_weibull), of_weibull, x);
    const priors of_t{
        {"df", {"gamma", {3, 1}}}, {"location", {"normal", {0, 1}}}, {"scale", {"inverse_gaussian", {1, 2}}}};
    expect_level(fit_with("student_t", x, of_t), of_t, x);
    const priors of_beta{{"alpha", {"gamma", {3, 1}}}, {"beta", {"gamma", {3, 1}}}};
    const std::vector<double> shares(x.size(), 0.25);
    expect_level(fit_with("beta", shares, of_beta), of_beta, shares);
  }
  // All trials end alike: the probability is no longer 1.
  const std::vector<double> ones(5, 1.0), zeros(5, 0.0);
  EXPECT_TRUE(std::abs(fit_with("bernoulli", ones, {{"prob", {"beta", {2, 2}}}}).parameter(0, 0) - 6.0 / 7) <= 1e-9);
  EXPECT_TRUE(std::abs(fit_with("poisson", zeros, {{"rate", {"gamma", {2, 1}}}}).parameter(0, 0) - 1.0 / 6) <= 1e-9);
  const priors of_counts{{"size", {"gamma", {2, 1}}}, {"mean", {"gamma", {2, 1}}}};
  expect_level(fit_with("negative_binomial", zeros, of_counts), of_counts, zeros);
  // Counts less spread than Poisson's: a prior keeps the size from infinity.
  const std::vector<double> even{3, 3, 4, 3, 4};
  const auto sized = fit_with("negative_binomial", even, of_counts);
  expect_level(sized, of_counts, even);
}

TEST(posteriors_without_bound, say_so) {
  const std::vector<double> alike(4, 2.5), one{1.5};
  EXPECT_EQ(fit_with("normal", alike, {{"mean", {"normal", {0, 1}}}}).status[0], fit_status::unbounded_likelihood);
  EXPECT_EQ(fit_with("normal", alike, {{"mean", {"uniform", {0, 5}}}}).status[0], fit_status::unbounded_likelihood);
  EXPECT_EQ(fit_with("normal", one, {{"mean", {"uniform", {0, 5}}}}).status[0], fit_status::unbounded_likelihood);
  EXPECT_EQ(fit_with("laplace", alike, {{"location", {"uniform", {0, 5}}}}).status[0],
            fit_status::unbounded_likelihood);
  // Beta(1/2, 1/2) is infinite at 1, where all successes draw the probability.
  EXPECT_EQ(fit_with("bernoulli", {1, 1, 1}, {{"prob", {"beta", {0.5, 0.5}}}}).status[0],
            fit_status::unbounded_likelihood);
  EXPECT_EQ(fit_with("poisson", {0, 0}, {{"rate", {"gamma", {0.5, 1}}}}).status[0], fit_status::unbounded_likelihood);
  for (const char* family : {"normal", "bernoulli"}) {
    const auto r = fit_with(family, {1, 1, 1}, {{find_family(family).parameters[0].name, {"uniform", {0, 1}}}});
    if (r.status[0] == fit_status::unbounded_likelihood) EXPECT_TRUE(std::isnan(r.parameter(0, 0)));
  }
}

TEST(modes_at_an_edge, are_boundary_with_the_limit) {
  // A flat prior leaves what the likelihood says.
  const auto certain = fit_with("bernoulli", {1, 1, 1}, {{"prob", {"uniform", {0, 1}}}});
  EXPECT_EQ(certain.status[0], fit_status::boundary);
  EXPECT_EQ(certain.parameter(0, 0), 1.0);
  EXPECT_TRUE(std::abs(certain.log_likelihood[0]) <= 1e-9);
  EXPECT_TRUE(std::isnan(certain.std_error(0, 0)));
  const auto none = fit_with("poisson", {0, 0}, {{"rate", {"exponential", {1}}}});
  EXPECT_EQ(none.status[0], fit_status::boundary);
  EXPECT_EQ(none.parameter(0, 0), 0.0);
  // The end of a prior's support.
  const auto x = draw(find_family("normal"), {3, 1}, 40);
  const auto up_to_two = fit_with("normal", x, {{"mean", {"uniform", {0, 2}}}});
  EXPECT_EQ(up_to_two.status[0], fit_status::boundary);
  EXPECT_EQ(up_to_two.parameter(0, 0), 2.0);
  double squares = 0;
  for (const double each : x) squares += (each - 2) * (each - 2);
  EXPECT_TRUE(relative_error(up_to_two.parameter(1, 0), std::sqrt(squares / 40)) <= 1e-8);
  EXPECT_TRUE(relative_error(up_to_two.log_posterior[0], up_to_two.log_likelihood[0] - std::log(2)) <= 1e-12);
  const auto inside = fit_with("normal", x, {{"mean", {"uniform", {0, 20}}}});
  EXPECT_EQ(inside.status[0], fit_status::converged);
  EXPECT_TRUE(relative_error(inside.parameter(0, 0), fit_with("normal", x, {}).parameter(0, 0)) <= 1e-9);
  const auto y = draw(find_family("exponential"), {0.8}, 30);
  const auto slow = fit_with("exponential", y, {{"rate", {"uniform", {0.1, 0.2}}}});
  EXPECT_EQ(slow.status[0], fit_status::boundary);
  EXPECT_TRUE(relative_error(slow.parameter(0, 0), 0.2) <= 1e-15);
  const auto corner = fit_with("laplace", x, {{"location", {"uniform", {0, 2}}}});
  EXPECT_EQ(corner.status[0], fit_status::boundary);
  EXPECT_EQ(corner.parameter(0, 0), 2.0);
}

TEST(uniform_samples, hold_their_ends_where_the_prior_does_not_draw_them_out) {
  const std::vector<double> x{0.5, 2.0, 1.25, 3.5};
  const auto with_fixed = fit_with("uniform", x, {{"min", {"normal", {0.5, 10}}}, {"max", {"normal", {4, 10}}}});
  EXPECT_EQ(with_fixed.status[0], fit_status::converged);
  EXPECT_EQ(with_fixed.parameter(0, 0), 0.5);
  EXPECT_EQ(with_fixed.parameter(1, 0), 3.5);
  EXPECT_TRUE(std::isnan(with_fixed.std_error(0, 0)));
  // A narrow prior on an end: 1/s² (m − max) = n / (max − min).
  const auto drawn = fit_with("uniform", x, {{"max", {"normal", {6, 0.25}}}});
  EXPECT_EQ(drawn.status[0], fit_status::converged);
  EXPECT_EQ(drawn.parameter(0, 0), 0.5);
  const double high = drawn.parameter(1, 0);
  EXPECT_TRUE(high > 3.5 && std::abs(16 * (6 - high) - 4 / (high - 0.5)) <= 1e-6) << high;
  EXPECT_TRUE(relative_error(drawn.std_error(1, 0), 1 / std::sqrt(16 - 4 / ((high - 0.5) * (high - 0.5)))) <= 1e-6);
}

TEST(priors_with_a_corner, hold_their_parameter_there_where_it_is_highest) {
  // Laplace(0, b) on the mean of a normal of known width: the mean drawn to 0 by σ²/(n b), and no further.
  const auto x = draw(find_family("normal"), {0.5, 2}, 25);
  double mean = 0;
  for (const double each : x) mean += each / 25;
  for (const double b : {0.05, 0.3, 1.0, 20.0}) {
    const double pull = 4 / (25 * b), expected = mean > pull ? mean - pull : mean < -pull ? mean + pull : 0;
    const auto r = fit_with("normal", x, {{"mean", {"laplace", {0, b}}}}, {.fixed = {{"sd", 2.0}}});
    ASSERT_EQ(r.status[0], fit_status::converged) << b;
    EXPECT_TRUE(std::abs(r.parameter(0, 0) - expected) <= 1e-9) << b << ": " << r.parameter(0, 0);
    if (expected == 0)
      EXPECT_TRUE(r.parameter(0, 0) == 0 && std::isnan(r.std_error(0, 0)));
    else
      EXPECT_TRUE(relative_error(r.std_error(0, 0), 0.4) <= 1e-6);
  }
  // With another parameter free, about a centre off 0; nothing nearby is higher.
  for (const double b : {0.02, 0.2, 2.0}) {
    const priors believed{{"mean", {"laplace", {1.25, b}}}, {"sd", {"gamma", {4, 2}}}};
    const auto r = fit_with("normal", x, believed);
    ASSERT_EQ(r.status[0], fit_status::converged) << b;
    const auto p = parameters_of_first(r);
    const double best = log_posterior_at(*r.family, p, believed, x);
    for (const double way : {-0.5, -0.05, -1e-3, 1e-3, 0.05, 0.5})
      for (const double wider : {-0.1, -1e-3, 0.0, 1e-3, 0.1})
        EXPECT_LE(log_posterior_at(*r.family, {p[0] + way, p[1] * std::exp(wider)}, believed, x), best + 1e-10) << b;
  }
}

TEST(bad_samples, stay_what_they_are_under_any_prior) {
  const priors believed{{"rate", {"gamma", {2, 1}}}};
  EXPECT_EQ(fit_with("exponential", {}, believed).status[0], fit_status::too_few);
  EXPECT_EQ(fit_with("exponential", {nan, nan}, believed).status[0], fit_status::too_few);
  EXPECT_EQ(fit_with("exponential", {1, 2}, believed, {}, {0, 0}).status[0], fit_status::too_few);
  EXPECT_EQ(fit_with("exponential", {1, infinity}, believed).status[0], fit_status::nonfinite);
  const auto outside = fit_with("exponential", {1, -2, 3}, believed);
  EXPECT_EQ(outside.status[0], fit_status::out_of_support);
  EXPECT_EQ(outside.outside[0], 1);
  for (const auto& r : {outside, fit_with("exponential", {}, believed)}) {
    EXPECT_TRUE(std::isnan(r.parameter(0, 0)));
    EXPECT_TRUE(std::isnan(r.log_posterior[0]));
    EXPECT_TRUE(std::isnan(r.log_likelihood[0]));
  }
  EXPECT_EQ(fit_with("uniform", {1, 5}, {{"min", {"normal", {0, 1}}}}, {.fixed = {{"max", 4.0}}}).status[0],
            fit_status::out_of_support);
}

TEST(iterations, are_never_more_than_asked_for) {
  const auto x = draw(find_family("gamma"), {2, 0.5}, 50);
  for (const int most : {0, 1, 2}) {
    const auto r = fit_with("gamma", x, {{"shape", {"gamma", {50, 1}}}}, {.max_iterations = most});
    EXPECT_LE(r.iterations[0], most);
    EXPECT_EQ(r.status[0], fit_status::max_iterations);
  }
}

}  // namespace
}  // namespace manyfit::tests
