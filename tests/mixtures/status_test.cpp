// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Hard cases end with a status, wrong calls with an error that says what was given.
#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

mixture_results fit_rows(const std::vector<double>& values, int D, int K, double regularization = 0,
                         covariance_structure structure = covariance_structure::full, bool restart = false) {
  mixture_options options;
  options.components = K;
  options.regularization = regularization;
  options.covariance = structure;
  options.restart_collapsed = restart;
  options.max_iterations = 500;
  return fit_mixture(executor::cpu(1), points<double>(values, D), options);
}

void expect_no_parameters(const mixture_results& r) {
  for (const double x : r.weights) EXPECT_TRUE(std::isnan(x));
  for (const double x : r.means) EXPECT_TRUE(std::isnan(x));
  EXPECT_TRUE(std::isnan(r.log_likelihood[0]));
  EXPECT_TRUE(std::isnan(r.bic(0)));
}

TEST(mixture_status, too_few_rows) {
  for (const std::vector<double>& values : {std::vector<double>{}, {1, 2}, {1, 2, 3, 4}}) {
    const mixture_results r = fit_rows(values, 2, 3);
    EXPECT_EQ(r.status[0], fit_status::too_few);
    EXPECT_EQ(r.observations[0], static_cast<std::int64_t>(values.size() / 2));
    expect_no_parameters(r);
  }
}

TEST(mixture_status, rows_that_do_not_count) {
  std::vector<double> values = draw_points(60, 2, 2, 0, 1);
  values[7] = nan;
  values[20] = nan;
  values[21] = nan;
  const mixture_results some = fit_rows(values, 2, 2, -1);
  EXPECT_EQ(some.status[0], fit_status::converged);
  EXPECT_EQ(some.observations[0], 58);
  EXPECT_EQ(some.missing[0], 2);
  EXPECT_EQ(some.left_out[0], 0);
  std::fill(values.begin(), values.end(), nan);
  EXPECT_EQ(fit_rows(values, 2, 2).status[0], fit_status::too_few);
  const std::vector<double> good = draw_points(60, 2, 2, 0, 1), none(60, 0.0);
  mixture_options options;
  EXPECT_EQ(fit_mixture(executor::cpu(1), points<double>(good, 2).weighted(none), options).status[0],
            fit_status::too_few);
  std::vector<double> negative(60, 1.0);
  negative[5] = -1;
  EXPECT_EQ(fit_mixture(executor::cpu(1), points<double>(good, 2).weighted(negative), options).status[0],
            fit_status::nonfinite);
}

TEST(mixture_status, a_weight_of_two_is_a_row_twice) {
  const std::vector<double> values = draw_points(200, 2, 2, 3, 8);
  std::vector<double> twice = values, weights(200, 1.0);
  twice.insert(twice.end(), values.begin(), values.begin() + 100);
  std::fill(weights.begin(), weights.begin() + 50, 2.0);
  const mixture_results start = start_at_rows(values, 2, 2, covariance_structure::full);
  mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.max_iterations = 5;
  options.regularization = 0;
  const mixture_results a = fit_mixture(executor::cpu(1), points<double>(values, 2).weighted(weights), options);
  const std::vector<double> doubled(twice.begin(), twice.begin() + 500);
  const mixture_results b = fit_mixture(executor::cpu(1), points<double>(doubled, 2), options);
  EXPECT_TRUE(std::abs(a.log_likelihood[0] - b.log_likelihood[0]) <= 1e-9 * std::abs(b.log_likelihood[0]));
}

TEST(mixture_status, constant_and_singular_samples) {
  EXPECT_EQ(fit_rows(std::vector<double>(40, 3.5), 2, 2).status[0], fit_status::constant_sample);
  std::vector<double> line;
  for (int i = 0; i < 50; ++i) {
    line.push_back(i);
    line.push_back(2.0 * i + 1);
  }
  const mixture_results collinear = fit_rows(line, 2, 2);
  EXPECT_EQ(collinear.status[0], fit_status::collapsed_component);
  expect_no_parameters(collinear);
  EXPECT_EQ(fit_rows(line, 2, 2, -1).status[0], fit_status::regularized);
  EXPECT_EQ(fit_rows(line, 2, 2, 0, covariance_structure::diagonal).status[0], fit_status::converged);
}

TEST(mixture_status, a_component_on_one_point_collapses_or_starts_anew) {
  std::vector<double> values = draw_points(100, 1, 1, 0, 5);
  for (int i = 0; i < 20; ++i) values.push_back(50);
  const mixture_results r = fit_rows(values, 1, 2);
  EXPECT_EQ(r.status[0], fit_status::collapsed_component);
  expect_no_parameters(r);
  const mixture_results regularised = fit_rows(values, 1, 2, -1);
  EXPECT_EQ(regularised.status[0], fit_status::regularized);
  EXPECT_TRUE(std::abs(regularised.weight(0, 1) - 1.0 / 6) <= 1e-6);
  std::vector<double> spread = draw_points(300, 1, 2, 0, 6);
  mixture_results start = start_at_rows(spread, 1, 2, covariance_structure::full);
  start.means[1] = 1e6;  // far from every row: its responsibilities are all 0
  mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  EXPECT_EQ(fit_mixture(executor::cpu(1), points<double>(spread, 1), options).status[0],
            fit_status::collapsed_component);
  options.restart_collapsed = true;
  const mixture_results anew = fit_mixture(executor::cpu(1), points<double>(spread, 1), options);
  EXPECT_EQ(anew.status[0], fit_status::converged);
  EXPECT_TRUE(std::isfinite(anew.log_likelihood[0]));
}

std::string message_of(const mixture_options& options, int D = 2) {
  const std::vector<double> values(12, 1.0);
  try {
    fit_mixture(executor::cpu(1), points<double>(values, D), options);
  } catch (const error& e) {
    EXPECT_EQ(e.why(), error::kind::argument);
    return e.what();
  }
  return "";
}

TEST(mixture_calls, that_are_wrong_say_what_was_given) {
  const auto with = [](auto change) {
    mixture_options options;
    change(options);
    return message_of(options);
  };
  EXPECT_NE(with([](auto& o) { o.components = 0; }).find("0 to 0"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.components = {3, 2}; }).find("3 to 2"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.restarts = 0; }).find("restarts"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.tolerance = nan; }).find("tolerance"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.max_iterations = -1; }).find("-1"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.regularization = nan; }).find("regularization"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.start = mixture_start::given; }).find("start_values"), std::string::npos);
  const mixture_results start = empty_mixtures(1, 2, 3, covariance_structure::full);
  EXPECT_NE(with([&](auto& o) {
              o.start = mixture_start::given;
              o.start_values = &start;
            }).find("3 dimensions for points of 2"),
            std::string::npos);
  const std::vector<double> seven(7, 0.0);
  EXPECT_THROW(points<double>(seven, 2), error);
  EXPECT_THROW(points<double>(seven, 0), error);
  EXPECT_THROW(dense_points<double>(seven, 1, 3), error);
  const std::vector<std::int64_t> wrong{0, 9};
  EXPECT_THROW(ragged_points<double>(seven, 1, wrong), error);
}

// Ten equal rows: a component upon them collapses, or is as likely as a ridge lets it be.
TEST(mixture_status, what_only_a_ridge_keeps_from_collapsing_is_taken_last) {
  for (const covariance_structure structure : {covariance_structure::full, covariance_structure::diagonal})
    for (const double ridge : {-1.0, 1e-6}) {
      std::vector<double> values = draw_points(300, 2, 2, 0, 91, 4);
      std::fill_n(values.begin(), 20, 0.25);
      mixture_options options;
      options.covariance = structure;
      options.components = {1, 5};
      options.restarts = 40;
      options.regularization = ridge;
      const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 2), options);
      EXPECT_EQ(r.status[0], fit_status::converged);
      for (int k = 0; k < r.components[0]; ++k) EXPECT_TRUE(r.covariance_of(0, k)[0] > 0.01) << k;
      for (std::size_t i = 0; i < r.criteria.size(); ++i)
        EXPECT_TRUE(std::isnan(r.criteria[i]) || r.criteria_regularized[i] != 0 || r.criteria[i] >= r.bic(0)) << i;
    }
  const mixture_results points_alone = fit_rows({1, 2, 3, 4, 5, 9}, 2, 3, -1);  // nothing else is there to take
  EXPECT_EQ(points_alone.status[0], fit_status::regularized);
  EXPECT_TRUE(points_alone.covariance_of(0, 0)[0] <= 1e-5);
}

}  // namespace
}  // namespace manyfit::tests
