// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Edges that belong to one family: limits of the parameter space, ends of a support, turns of a circle, trials.
#include <algorithm>
#include <numbers>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

void expect_boundary(const family_info& family, const std::vector<double>& x, const fit_options& options,
                     const char* name, double limit, double log_likelihood) {
  const auto r = fit_sample(family, x, {}, options);
  EXPECT_EQ(r.status[0], fit_status::boundary) << to_string(r.status[0]);
  EXPECT_EQ(r.parameter(name, 0), limit);
  EXPECT_DOUBLE_EQ(r.log_likelihood[0], log_likelihood);
  EXPECT_TRUE(std::isnan(r.std_error(find_parameter(family, name), 0)));
}

TEST(discrete_fit, ends_at_the_limit_where_all_outcomes_are_equal) {
  const std::vector<double> zeros(7, 0.0), ones(7, 1.0), twelves(7, 12.0);
  expect_boundary(find_family("poisson"), zeros, {}, "rate", 0, 0);
  expect_boundary(find_family("geometric"), zeros, {}, "prob", 1, 0);
  expect_boundary(find_family("bernoulli"), zeros, {}, "prob", 0, 0);
  expect_boundary(find_family("bernoulli"), ones, {}, "prob", 1, 0);
  expect_boundary(find_family("binomial"), zeros, {.fixed = {{"trials", 12}}}, "prob", 0, 0);
  expect_boundary(find_family("binomial"), twelves, {.fixed = {{"trials", 12}}}, "prob", 1, 0);
}

TEST(discrete_fit, holds_a_fixed_parameter_where_all_outcomes_are_equal) {
  const std::vector<double> zeros(7, 0.0);
  const auto r = fit_sample(find_family("poisson"), zeros, {}, {.fixed = {{"rate", 0.5}}});
  EXPECT_EQ(r.status[0], fit_status::converged);
  EXPECT_DOUBLE_EQ(r.log_likelihood[0], -3.5);
  const auto b = fit_sample(find_family("binomial"), zeros, {}, {.fixed = {{"trials", 2}, {"prob", 0.5}}});
  EXPECT_EQ(b.status[0], fit_status::converged);
  EXPECT_DOUBLE_EQ(b.log_likelihood[0], -14 * std::numbers::ln2);
  const auto all =
      fit_sample(find_family("binomial"), std::vector<double>(7, 2.0), {}, {.fixed = {{"trials", 2}, {"prob", 0.5}}});
  EXPECT_EQ(all.status[0], fit_status::converged);
  EXPECT_EQ(all.parameter("prob", 0), 0.5);
  EXPECT_DOUBLE_EQ(all.log_likelihood[0], -14 * std::numbers::ln2);
}

TEST(binomial_fit, refuses_more_successes_than_trials) {
  const auto& family = find_family("binomial");
  const std::vector<double> x{3, 5, 13, 2};
  EXPECT_EQ(fit_sample(family, x, {}, {.fixed = {{"trials", 12}}}).status[0], fit_status::out_of_support);
  EXPECT_EQ(fit_sample(family, x, {}, {.fixed = {{"trials", 13}}}).status[0], fit_status::converged);
  EXPECT_EQ(log_likelihood_at(family, {12, 0.5}, x), -infinity);
  EXPECT_EQ(log_likelihood_at(family, {12, 0.5}, std::vector<double>{13, 1}), -infinity);
  EXPECT_THROW(fit_sample(family, x), error);
}

TEST(discrete_density, stays_exact_at_large_counts) {
  // At the mean, log P = −½ log(2πr) − 1/(12r) + ... and −½ log(πN/2) − 1/(4N) + ...: Stirling's series.
  const double r = 1e12, n = 2e12;
  const double poisson = log_likelihood_at(find_family("poisson"), {r}, std::vector<double>{r});
  EXPECT_TRUE(relative_error(poisson, -0.5 * std::log(2 * std::numbers::pi * r)) <= 1e-13) << poisson;
  const double binomial = log_likelihood_at(find_family("binomial"), {n, 0.5}, std::vector<double>{n / 2});
  EXPECT_TRUE(relative_error(binomial, -0.5 * std::log(std::numbers::pi * n / 2)) <= 1e-13) << binomial;
}

TEST(heavy_tails, have_a_maximum_at_a_tie_whose_scale_is_fixed) {
  // With the scale fixed, however small, the density has a bound: at the tie its log is that of 0, and of the others
  // −(df + 1)/2 log(1 + z²/df).
  const std::vector<double> x{2, 2, 2, 2, 2, 0, 1, 7};
  for (const double scale : {1e-3, 1e-9, 1e-12}) {
    const auto cauchy = fit_sample(find_family("cauchy"), x, {}, {.fixed = {{"scale", scale}}});
    const auto t = fit_sample(find_family("student_t"), x, {}, {.fixed = {{"df", 1}, {"scale", scale}}});
    double expected = -8 * std::log(std::numbers::pi * scale);
    for (const double each : x) expected -= std::log1p(std::pow((each - 2) / scale, 2));
    for (const auto* r : {&cauchy, &t}) {
      EXPECT_EQ(r->status[0], fit_status::converged) << to_string(r->status[0]) << " at " << scale;
      EXPECT_TRUE(std::abs(r->parameter("location", 0) - 2) <= 1e-3 * scale);
      EXPECT_TRUE(std::abs(r->log_likelihood[0] - expected) <= 1e-6 * (1 + std::abs(expected)))
          << r->log_likelihood[0] << " " << expected;
    }
  }
}

TEST(gev_fit, of_shape_minus_one_keeps_its_end_above_the_sample_with_a_location_fixed) {
  // log f = −log σ − 1 − (location − x)/σ up to the end, location + σ: the mean of location − x, or where that end is
  // too low the least σ that reaches the largest value.
  const std::vector<double> x{1, 2, 4, 7, 7.5};  // mean 4.3
  for (const auto& [location, scale] : {std::pair{20.0, 15.7}, {5.0, 2.5}, {3.0, 4.5}}) {
    const auto r = fit_sample(find_family("gev"), x, {}, {.fixed = {{"location", location}, {"shape", -1}}});
    EXPECT_EQ(r.status[0], fit_status::boundary) << to_string(r.status[0]);
    EXPECT_TRUE(relative_error(r.parameter("scale", 0), scale) <= 1e-12) << r.parameter("scale", 0);
    const double ll = -5 * (std::log(scale) + 1 + (location - 4.3) / scale);
    EXPECT_TRUE(relative_error(r.log_likelihood[0], ll) <= 1e-12) << r.log_likelihood[0] << " " << ll;
    EXPECT_TRUE(std::isfinite(log_likelihood_at(find_family("gev"), parameters_of_first(r), x)));
  }
}

TEST(gev_fit, of_a_shape_alone_has_no_bound_where_its_end_meets_the_largest_value_below_minus_one) {
  // The end, −1/ξ, comes down to the largest value at ξ = −2, where the density there is infinite.
  for (const auto& x : {std::vector<double>{0.1, 0.3, 0.5}, {0.2, 0.4, 0.45, 0.5}}) {
    const auto r = fit_sample(find_family("gev"), x, {}, {.fixed = {{"location", 0}, {"scale", 1}}});
    EXPECT_EQ(r.status[0], fit_status::unbounded_likelihood) << to_string(r.status[0]);
    EXPECT_TRUE(log_likelihood_at(find_family("gev"), {0, 1, -2 + 1e-12}, x) >
                log_likelihood_at(find_family("gev"), {0, 1, -1.9}, x) + 5);
  }
}

TEST(uniform_fit, honours_an_end_that_is_fixed) {
  const auto& family = find_family("uniform");
  const std::vector<double> x{1, 3, 2};
  const auto r = fit_sample(family, x, {}, {.fixed = {{"min", 0}}});
  EXPECT_EQ(r.status[0], fit_status::converged);
  EXPECT_EQ(r.parameter("min", 0), 0);
  EXPECT_EQ(r.parameter("max", 0), 3);
  EXPECT_DOUBLE_EQ(r.log_likelihood[0], -3 * std::log(3));
  EXPECT_EQ(fit_sample(family, x, {}, {.fixed = {{"min", 1.5}}}).status[0], fit_status::out_of_support);
  EXPECT_EQ(fit_sample(family, x, {}, {.fixed = {{"max", 2.5}}}).status[0], fit_status::out_of_support);
  const auto both = fit_sample(family, x, {}, {.fixed = {{"min", 0}, {"max", 4}}});
  EXPECT_EQ(both.status[0], fit_status::converged);
  EXPECT_DOUBLE_EQ(both.log_likelihood[0], -3 * std::log(4));
  EXPECT_EQ(fit_sample(family, x, {}, {.fixed = {{"min", 0}, {"max", 2}}}).status[0], fit_status::out_of_support);
  EXPECT_EQ(fit_sample(family, std::vector<double>(3, 2.0), {}, {.fixed = {{"min", 0}}}).status[0],
            fit_status::converged);
  EXPECT_EQ(log_likelihood_at(family, {0, 2}, std::vector<double>{3, 1}), -infinity);
}

TEST(von_mises_fit, is_at_the_boundary_without_a_direction) {
  const auto& family = find_family("von_mises");
  const std::vector<double> cross{0.3, 0.3 + std::numbers::pi / 2, 0.3 + std::numbers::pi, 0.3 - std::numbers::pi / 2};
  expect_boundary(family, cross, {}, "concentration", 0, -4 * std::log(2 * std::numbers::pi));
  EXPECT_TRUE(std::isnan(fit_sample(family, cross).parameter("mean", 0)));
  // Away from a mean that is fixed, no concentration above 0 helps.
  expect_boundary(family, {3.0, -3.0, 2.5}, {.fixed = {{"mean", 0.25}}}, "concentration", 0,
                  -3 * std::log(2 * std::numbers::pi));
  EXPECT_EQ(fit_sample(family, std::vector<double>{3, -3}, {}, {.fixed = {{"mean", 0.25}}}).parameter("mean", 0), 0.25);
}

TEST(von_mises_fit, keeps_its_concentration_as_samples_narrow) {
  // Two angles ±a about the mean: 1 − I₁(κ)/I₀(κ) = 1 − cos a, and that is 1/(2κ) + 1/(8κ²) + 1/(8κ³) + 25/(128κ⁴) +
  // ...
  for (const double a : {0.05, 1e-2, 2e-3, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7}) {
    const auto r = fit_sample(find_family("von_mises"), std::vector<double>{a, -a});
    ASSERT_EQ(r.status[0], fit_status::converged) << a;
    const double target = 2 * std::pow(std::sin(0.5 * a), 2);
    double w = 2 * target;  // 1/κ
    for (int i = 0; i < 60; ++i) w = 2 * (target - w * w * (0.125 + w * (0.125 + w * 25 / 128)));
    EXPECT_TRUE(relative_error(r.parameter("concentration", 0), 1 / w) <= std::max(1e-9, std::pow(a, 6))) << a;
  }
}

TEST(von_mises_fit, does_not_tell_whole_turns_apart) {
  const auto& family = find_family("von_mises");
  const auto near = draw(family, {3.0, 2.0}, 40);
  auto turned = near;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] += 2 * std::numbers::pi * (static_cast<double>(i % 9) - 4);
  const auto a = fit_sample(family, near), b = fit_sample(family, turned);
  ASSERT_EQ(b.status[0], fit_status::converged);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(relative_error(b.parameter(i, 0), a.parameter(i, 0)) <= 1e-13);
  EXPECT_TRUE(relative_error(b.log_likelihood[0], a.log_likelihood[0]) <= 1e-13);
  EXPECT_TRUE(b.parameter(0, 0) > -std::numbers::pi && b.parameter(0, 0) <= std::numbers::pi);
  const std::vector<double> equal{1, 1 + 2 * std::numbers::pi, 1 - 4 * std::numbers::pi};
  EXPECT_EQ(fit_sample(family, equal).status[0], fit_status::constant_sample);
  const std::vector<double> ends{std::numbers::pi, -std::numbers::pi};
  EXPECT_EQ(fit_sample(family, ends).status[0], fit_status::constant_sample);
}

TEST(normal_fit, has_a_spread_about_a_mean_that_is_fixed) {
  for (const std::string name : {"normal", "lognormal"}) {
    const auto& family = find_family(name);
    const std::vector<double> equal(4, 1.0);
    const double center = name == "normal" ? 1 : 0;
    const auto away = fit_sample(family, equal, {}, {.fixed = {{family.parameters[0].name, center - 2}}});
    EXPECT_EQ(away.status[0], fit_status::converged);
    EXPECT_DOUBLE_EQ(away.parameter(1, 0), 2);
    const auto there = fit_sample(family, equal, {}, {.fixed = {{family.parameters[0].name, center}}});
    EXPECT_EQ(there.status[0], fit_status::constant_sample);
    const auto spread = fit_sample(family, equal, {}, {.fixed = {{family.parameters[1].name, 2}}});
    EXPECT_EQ(spread.status[0], fit_status::converged);
    EXPECT_DOUBLE_EQ(spread.parameter(0, 0), center);
  }
}

TEST(narrow_samples, keep_their_shapes_to_the_precision_of_the_data) {
  // Two values m(1 ± h): the moments and, to order h², the maximum are known in closed form.
  const double h = 0x1p-20;
  const std::vector<double> x{3 * (1 - h), 3 * (1 + h)};
  const auto gamma = fit_sample(find_family("gamma"), x);
  EXPECT_TRUE(relative_error(gamma.parameter("shape", 0), 1 / (h * h)) <= 1e-4) << gamma.parameter("shape", 0) * h * h;
  const auto inverse_gaussian = fit_sample(find_family("inverse_gaussian"), x);
  EXPECT_TRUE(relative_error(inverse_gaussian.parameter("shape", 0), 3 / (h * h)) <= 1e-10);
  const std::vector<double> y{0.25 * (1 - h), 0.25 * (1 + h)};
  const auto beta = fit_sample(find_family("beta"), y);
  EXPECT_TRUE(relative_error(beta.parameter("alpha", 0), 0.75 / (h * h)) <= 1e-6) << beta.parameter("alpha", 0) * h * h;
  EXPECT_TRUE(relative_error(beta.parameter("beta", 0), 3 * beta.parameter("alpha", 0)) <= 1e-10);
}

TEST(narrow_samples, have_errors_where_their_parameters_are_nearly_told_by_each_other) {
  // Shape and rate are correlated by all but 1/(4a): the information on log a of n values is n/2, however near to
  // singular that is in shape and rate.
  for (const double h : {0x1p-5, 0x1p-7, 0x1p-9, 0x1p-11, 0x1p-13}) {  // shapes from 1e3 to 7e7
    const auto gamma = fit_sample(find_family("gamma"), std::vector<double>{3 * (1 - h), 3 * (1 + h)});
    ASSERT_EQ(gamma.status[0], fit_status::converged) << h;
    EXPECT_TRUE(relative_error(gamma.std_error(0, 0) / gamma.parameter(0, 0), 1) <= 2 * h) << h;
    EXPECT_TRUE(relative_error(gamma.std_error(1, 0) / gamma.parameter(1, 0), 1) <= 2 * h) << h;
    const auto beta = fit_sample(find_family("beta"), std::vector<double>{0.25 * (1 - h), 0.25 * (1 + h)});
    ASSERT_EQ(beta.status[0], fit_status::converged) << h;
    EXPECT_TRUE(relative_error(beta.std_error(0, 0) / beta.parameter(0, 0), 1) <= 2 * h) << h;
  }
}

TEST(beta_fit, converges_from_tiny_to_huge_shapes) {
  const auto& family = find_family("beta");
  for (const auto& p :
       {std::vector<double>{0.02, 40}, {0.05, 0.4}, {0.3, 1e5}, {1e4, 0.2}, {1e9, 3e8}, {1, 1}, {700, 0.9}}) {
    const auto x = draw(family, p, 300, 4);
    const auto r = fit_sample(family, x);
    SCOPED_TRACE(testing::PrintToString(p));
    if (*std::max_element(x.begin(), x.end()) == 1) {  // a draw rounded to 1, where the density has no value
      EXPECT_EQ(r.status[0], fit_status::out_of_support);
      continue;
    }
    ASSERT_EQ(r.status[0], fit_status::converged) << to_string(r.status[0]);
    EXPECT_TRUE(r.iterations[0] <= 12) << r.iterations[0];
    for (int i = 0; i < 2; ++i)
      EXPECT_TRUE(std::abs(r.parameter(i, 0) - p[i]) <= 6 * r.std_error(i, 0)) << r.parameter(i, 0);
  }
}

}  // namespace
}  // namespace manyfit::tests
