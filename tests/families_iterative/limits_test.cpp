// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Where the maximum lies at the edge of the parameter space, where there is none, and what holding parameters does.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "manyfit/manyfit.hpp"

namespace manyfit {
namespace {

const double infinity = std::numeric_limits<double>::infinity();

fit_results fit_of(const char* family, const std::vector<double>& values, const fit_options& options = {}) {
  return fit(executor::cpu(1), find_family(family), dense<double>(values, 1), options);
}
std::vector<double> drawn(const char* family, const std::vector<double>& parameters, int n, std::uint64_t seed = 1) {
  return simulate(executor::cpu(1), find_family(family), {parameters.data(), 0, 1}, 1, n, {.seed = seed});
}
double log_likelihood_at(const char* family, const std::vector<double>& values, const std::vector<double>& parameters) {
  return log_likelihood(executor::cpu(1), find_family(family), dense<double>(values, 1), {parameters.data(), 0, 1})[0];
}

TEST(student_t_fit, of_tails_no_heavier_than_normal_is_the_normal_fit) {
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(std::sin(i) + 0.01 * i);
  const auto t = fit_of("student_t", values), normal = fit_of("normal", values);
  ASSERT_EQ(t.status[0], fit_status::boundary);
  EXPECT_EQ(t.parameter("df", 0), infinity);
  EXPECT_NEAR(t.parameter("location", 0), normal.parameter("mean", 0), 1e-14);
  EXPECT_NEAR(t.parameter("scale", 0), normal.parameter("sd", 0), 1e-14);
  EXPECT_NEAR(t.log_likelihood[0], normal.log_likelihood[0], 1e-11);
  EXPECT_TRUE(std::isnan(t.std_error(0, 0)));
}

TEST(student_t_fit, at_the_boundary_beats_every_finite_df) {
  int at_boundary = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto values = drawn("normal", {3, 2}, 12 + static_cast<int>(seed) * 5, seed);
    const auto whole = fit_of("student_t", values);
    at_boundary += whole.status[0] == fit_status::boundary;
    for (const double df : {0.7, 2.0, 5.0, 20.0, 200.0, 1e4}) {
      const auto with_fixed = fit_of("student_t", values, {.fixed = {{"df", df}}});
      ASSERT_EQ(with_fixed.status[0], fit_status::converged) << seed << " df " << df;
      ASSERT_EQ(with_fixed.parameter("df", 0), df);
      ASSERT_TRUE(with_fixed.log_likelihood[0] <= whole.log_likelihood[0] + 1e-9) << seed << " df " << df;
    }
  }
  EXPECT_GE(at_boundary, 10);
}

TEST(student_t_fit, at_the_boundary_with_a_scale_or_a_location_fixed_is_the_normal_fit_with_it_fixed) {
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(std::sin(i) + 0.01 * i);
  const fit_options both[] = {
      {.fixed = {{"scale", 1.5}}}, {.fixed = {{"location", 0.5}}}, {.fixed = {{"location", 0.5}, {"scale", 1.5}}}};
  for (const fit_options& with_fixed : both) {
    const auto t = fit_of("student_t", values, with_fixed);
    fit_options same;
    for (const auto& [name, value] : with_fixed.fixed) same.fixed[name == "scale" ? "sd" : "mean"] = value;
    const auto normal = fit_of("normal", values, same);
    ASSERT_EQ(t.status[0], fit_status::boundary);
    EXPECT_NEAR(t.parameter("location", 0), normal.parameter("mean", 0), 1e-14);
    EXPECT_NEAR(t.parameter("scale", 0), normal.parameter("sd", 0), 1e-14);
    EXPECT_NEAR(t.log_likelihood[0], normal.log_likelihood[0], 1e-11);
  }
}

TEST(student_t_fit, of_few_points_is_rarely_beaten_by_one_of_its_own_with_df_fixed) {
  int beaten = 0, fits = 0;  // from df = 1 on a fit with df fixed has one maximum (Kent & Tyler); below, few
  for (const int n : {4, 5, 6, 7, 8, 9})
    for (const double df : {0.5, 1.0, 2.0, 5.0, 30.0})
      for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const auto values = drawn("student_t", {df, 0, 1}, n, 1000 + seed);
        const auto whole = fit_of("student_t", values);
        if (!usable(whole.status[0])) continue;
        ++fits;
        double best = -infinity;
        for (const double with_fixed : {0.45, 0.55, 0.65, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0, 6.0, 10.0, 20.0, 60.0}) {
          const auto r = fit_of("student_t", values, {.fixed = {{"df", with_fixed}}});
          if (r.status[0] == fit_status::converged) best = std::max(best, r.log_likelihood[0]);
        }
        beaten += !(best <= whole.log_likelihood[0] + 1e-7);
      }
  EXPECT_GE(fits, 1700);
  EXPECT_LE(beaten, 50);  // measured: 46, and 65 without the second of the two starts that are tried again
}

TEST(student_t_fit, runs_into_ties_as_unbounded) {
  const std::vector<double> values = {1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 0.3, 2.9, -4.0, 8.0};
  EXPECT_EQ(fit_of("student_t", values).status[0], fit_status::unbounded_likelihood);
  EXPECT_EQ(fit_of("cauchy", values).status[0], fit_status::unbounded_likelihood);
}

TEST(cauchy_fit, of_three_and_four_points_is_the_closed_form) {
  // Ferguson, JASA 73 (1978) 211-213: for a < b < c and for four points a < b < c < d.
  const double a = -1, b = 0.5, c = 4;
  const auto three = fit_of("cauchy", {a, b, c});
  const double ab = b - a, bc = c - b, ca = a - c, denominator = ab * ab + bc * bc + ca * ca;
  ASSERT_EQ(three.status[0], fit_status::converged);
  EXPECT_NEAR(three.parameter("location", 0), (a * bc * bc + b * ca * ca + c * ab * ab) / denominator, 1e-9);
  EXPECT_NEAR(three.parameter("scale", 0), std::sqrt(3.0) * std::abs(ab * bc * ca) / denominator, 1e-9);
  const double d = 9;
  const auto four = fit_of("cauchy", {a, b, c, d});
  ASSERT_EQ(four.status[0], fit_status::converged);
  EXPECT_NEAR(four.parameter("location", 0), (b * d - a * c) / (b + d - a - c), 1e-9);
  EXPECT_NEAR(four.parameter("scale", 0), std::sqrt((b - a) * (c - b) * (d - c) * (d - a)) / (b + d - a - c), 1e-9);
}

TEST(cauchy_fit, with_the_scale_fixed_takes_the_highest_of_many_modes) {
  const std::vector<double> values = {0, 0.1, 0.2, 50, 100, 150, 200.0};
  const auto r = fit_of("cauchy", values, {.fixed = {{"scale", 0.5}}});
  ASSERT_EQ(r.status[0], fit_status::converged);
  for (double at = -1; at < 201; at += 0.05)
    ASSERT_TRUE(log_likelihood_at("cauchy", values, {at, 0.5}) <= r.log_likelihood[0] + 1e-9) << at;
}

TEST(heavy_tailed_fits, with_the_scale_fixed_find_the_one_cluster_among_many_narrow_modes) {
  std::vector<double> values = {101.301, 101.303, 101.305};
  for (int i = 0; i < 40; ++i) values.push_back(5 * i + 0.37 * (i % 3));
  const auto cauchy = fit_of("cauchy", values, {.fixed = {{"scale", 0.01}}});
  const auto t = fit_of("student_t", values, {.fixed = {{"df", 2}, {"scale", 0.01}}});
  ASSERT_EQ(cauchy.status[0], fit_status::converged);
  ASSERT_EQ(t.status[0], fit_status::converged);
  EXPECT_NEAR(cauchy.parameter("location", 0), 101.303, 1e-3);
  EXPECT_NEAR(t.parameter("location", 0), 101.303, 1e-3);
}

TEST(negative_binomial_fit, of_counts_no_wider_than_poisson_is_the_poisson_fit) {
  const std::vector<double> values = {3, 4, 4, 5, 3, 2, 4, 5, 6, 4};
  const auto r = fit_of("negative_binomial", values), poisson = fit_of("poisson", values);
  ASSERT_EQ(r.status[0], fit_status::boundary);
  EXPECT_EQ(r.parameter("size", 0), infinity);
  EXPECT_EQ(r.parameter("mean", 0), poisson.parameter("rate", 0));
  EXPECT_NEAR(r.log_likelihood[0], poisson.log_likelihood[0], 1e-12);
}

TEST(negative_binomial_fit, of_zeros_and_ones_about_a_mean_that_is_fixed_is_the_poisson_with_it) {
  const std::vector<double> values = {0, 1, 0, 1, 1, 0};
  const auto r = fit_of("negative_binomial", values, {.fixed = {{"mean", 0.6}}});
  EXPECT_EQ(r.status[0], fit_status::boundary);
  EXPECT_EQ(r.parameter("size", 0), infinity);
  EXPECT_NEAR(r.log_likelihood[0], log_likelihood_at("poisson", values, {0.6}), 1e-13);
}

TEST(negative_binomial_fit, of_large_counts_maximises_about_a_mean_that_is_fixed) {
  const auto values = drawn("negative_binomial", {8, 5000}, 100);
  for (const double mean : {3000.0, 9000.0}) {
    const auto r = fit_of("negative_binomial", values, {.fixed = {{"mean", mean}}});
    ASSERT_EQ(r.status[0], fit_status::converged);
    const double size = r.parameter("size", 0);
    EXPECT_NEAR(r.log_likelihood[0], log_likelihood_at("negative_binomial", values, {size, mean}), 1e-9);
    for (const double factor : {0.9, 0.999, 1.001, 1.1})
      EXPECT_LT(log_likelihood_at("negative_binomial", values, {factor * size, mean}), r.log_likelihood[0]) << factor;
  }
}

TEST(negative_binomial_fit, of_zeros_alone_is_certain) {
  const auto r = fit_of("negative_binomial", {0, 0, 0, 0});
  EXPECT_EQ(r.status[0], fit_status::boundary);
  EXPECT_EQ(r.parameter("mean", 0), 0);
  EXPECT_EQ(r.log_likelihood[0], 0);
}

TEST(negative_binomial_fit, keeps_its_digits_at_counts_of_a_hundred_million) {
  const auto values = drawn("negative_binomial", {8, 1e8}, 200);
  const auto r = fit_of("negative_binomial", values);
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_NEAR(r.parameter("size", 0), 8, 4 * r.std_error(0, 0));
  const auto gamma = fit_of("gamma", values);  // the limit of counts so large
  EXPECT_NEAR(r.log_likelihood[0], gamma.log_likelihood[0], 1e-4);
}

TEST(gev_fit, at_shape_0_is_the_gumbel_fit) {
  const auto values = drawn("gumbel", {3, 2}, 100);
  const auto gumbel = fit_of("gumbel", values);
  for (const double shape : {0.0, 1e-13, -1e-13}) {
    const auto r = fit_of("gev", values, {.fixed = {{"shape", shape}}});
    ASSERT_EQ(r.status[0], fit_status::converged);
    EXPECT_NEAR(r.parameter("location", 0), gumbel.parameter("location", 0), 1e-8);
    EXPECT_NEAR(r.parameter("scale", 0), gumbel.parameter("scale", 0), 1e-8);
    EXPECT_NEAR(r.log_likelihood[0], gumbel.log_likelihood[0], 1e-9);
    EXPECT_NEAR(r.std_error(1, 0), gumbel.std_error(1, 0), 1e-8);
  }
}

TEST(generalized_pareto_fit, at_shape_0_is_the_exponential_fit) {
  const auto values = drawn("exponential", {0.25}, 100);
  const auto exponential = fit_of("exponential", values);
  for (const double shape : {0.0, 1e-13, -1e-13}) {
    const auto r = fit_of("generalized_pareto", values, {.fixed = {{"shape", shape}}});
    ASSERT_EQ(r.status[0], fit_status::converged);
    EXPECT_NEAR(r.parameter("scale", 0) * exponential.parameter("rate", 0), 1, 1e-10);
    EXPECT_NEAR(r.log_likelihood[0], exponential.log_likelihood[0], 1e-9);
  }
}

TEST(generalized_pareto_fit, of_a_steep_upper_end_is_unbounded) {
  std::vector<double> values;  // density rising to its end point: shape −2
  for (int i = 1; i < 60; ++i) values.push_back(1 - std::pow(i / 60.0, 2));
  EXPECT_EQ(fit_of("generalized_pareto", values).status[0], fit_status::unbounded_likelihood);
  EXPECT_EQ(fit_of("gev", values).status[0], fit_status::unbounded_likelihood);
  EXPECT_EQ(fit_of("generalized_pareto", {0, 0, 0, 0}).status[0], fit_status::constant_sample);
}

TEST(extreme_value_fits, refuse_fixed_values_that_exclude_a_point) {
  const auto r = fit_of("generalized_pareto", {1, 2, 3, 4}, {.fixed = {{"shape", -0.5}, {"scale", 1.0}}});
  EXPECT_EQ(r.status[0], fit_status::out_of_support);
}

class with_fixed : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(families, with_fixed,
                         testing::Values("student_t", "cauchy", "laplace", "logistic", "gumbel", "gev",
                                         "generalized_pareto", "negative_binomial"));

TEST_P(with_fixed, parameters_stay_and_the_others_maximise_given_them) {
  const auto& family = find_family(GetParam());
  std::vector<double> example;
  for (int i = 0; i < family.parameter_count; ++i) example.push_back(family.parameters[i].example);
  const auto values = drawn(GetParam(), example, 150);
  const auto whole = fit_of(GetParam(), values);
  ASSERT_EQ(whole.status[0], fit_status::converged);
  for (unsigned mask = 1; mask < 1u << family.parameter_count; ++mask) {
    fit_options options;
    for (int i = 0; i < family.parameter_count; ++i)
      if (mask >> i & 1u) options.fixed[family.parameters[i].name] = 1.1 * example[i];
    const auto r = fit_of(GetParam(), values, options);
    ASSERT_EQ(r.status[0], fit_status::converged) << mask;
    ASSERT_TRUE(r.log_likelihood[0] <= whole.log_likelihood[0] + 1e-9) << mask;
    std::vector<double> at;
    for (int i = 0; i < family.parameter_count; ++i) at.push_back(r.parameter(i, 0));
    ASSERT_NEAR(r.log_likelihood[0], log_likelihood_at(GetParam(), values, at), 1e-9);
    for (int i = 0; i < family.parameter_count; ++i) {
      if (mask >> i & 1u) {
        ASSERT_EQ(at[i], 1.1 * example[i]);
        ASSERT_TRUE(std::isnan(r.std_error(i, 0)));
        continue;
      }
      ASSERT_TRUE(r.std_error(i, 0) > 0) << mask;
      for (const double step : {-1e-3, 1e-3}) {
        auto near = at;
        near[i] += step * r.std_error(i, 0);
        ASSERT_TRUE(log_likelihood_at(GetParam(), values, near) <= r.log_likelihood[0] + 1e-10) << mask << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace manyfit
