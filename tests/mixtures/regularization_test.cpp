// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What is added to covariances, and when: nothing, unless every attempt of a number of components collapses.
#include <algorithm>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

mixture_results fit_golden(const char* file, int D, component_range components) {
  const std::vector<double> values = read_numbers(file);
  mixture_options options;
  options.components = components;
  return fit_mixture(executor::cpu(2), points<double>(values, D), options);
}

double sd(const mixture_results& r, int k, int d) {
  return std::sqrt(r.covariance_of(0, k)[static_cast<std::size_t>(d * r.dimensions + d)]);
}

void expect_nothing_added(const mixture_results& r) {
  ASSERT_EQ(r.status[0], fit_status::converged);
  for (const double added : r.regularization) EXPECT_EQ(added, 0);
}

double population_variance(const std::vector<double>& values, int D, int d) {
  const std::size_t n = values.size() / static_cast<std::size_t>(D);
  double mean = 0, sum = 0;
  const auto at = [&](std::size_t i) { return values[i * static_cast<std::size_t>(D) + static_cast<std::size_t>(d)]; };
  for (std::size_t i = 0; i < n; ++i) mean += at(i) / static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) sum += (at(i) - mean) * (at(i) - mean);
  return sum / static_cast<double>(n);
}

// Incomes of 1e4 beside scores of 0.05. Source: scikit-learn 1.9.1 on standardised columns, 20 starts, the Jacobian
// added back.
TEST(mixture_regularization, of_coordinates_in_different_units_is_none) {
  const mixture_results two = fit_golden("income_score.csv", 2, 2), range = fit_golden("income_score.csv", 2, {1, 4});
  expect_nothing_added(two);
  EXPECT_TRUE(std::abs(two.log_likelihood[0] - -3116.6099479) <= 1e-6) << two.log_likelihood[0];
  EXPECT_TRUE(std::abs(two.weight(0, 0) - 125.0 / 300) <= 1e-5);
  EXPECT_TRUE(std::abs(sd(two, 0, 1) - 0.0528) <= 5e-5 && std::abs(sd(two, 1, 1) - 0.0457) <= 5e-5);
  EXPECT_EQ(range.components[0], 2);
  EXPECT_EQ(range.bic(0), two.bic(0));
}

// Two clusters 3,000 sds apart. Source: closed form, since they do not overlap.
TEST(mixture_regularization, of_clusters_far_apart_is_none) {
  const mixture_results r = fit_golden("far_clusters.csv", 1, 2);
  expect_nothing_added(r);
  EXPECT_TRUE(std::abs(sd(r, 0, 0) - 0.851557) <= 1e-6 && std::abs(sd(r, 1, 0) - 0.992060) <= 1e-6);
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - -405.551131) <= 1e-6) << r.log_likelihood[0];
}

// Float sums keep no digit of such variances: the answer is what double gives on the same rounded values, wherever the
// rows are.
TEST(mixture_regularization, of_clusters_far_apart_is_none_in_single_precision) {
  for (const double distance : {300.0, 3000.0, 30000.0})
    for (const covariance_structure structure : structures) {
      std::vector<double> rows = draw_points(200, 2, 1, 0, 5), far = draw_points(200, 2, 1, 0, 6);
      for (double& x : far) x += distance;
      rows.insert(rows.end(), far.begin(), far.end());
      const std::vector<float> narrow(rows.begin(), rows.end());
      const std::vector<double> rounded(narrow.begin(), narrow.end());
      mixture_options options;
      options.covariance = structure;
      const mixture_results a = fit_mixture(executor::cpu(1), points<float>(narrow, 2), options),
                            b = fit_mixture(executor::cpu(1), points<double>(rounded, 2), options);
      expect_nothing_added(a);
      EXPECT_TRUE(std::abs(a.log_likelihood[0] - b.log_likelihood[0]) <= 1e-4 * std::abs(b.log_likelihood[0]))
          << distance << ": " << a.log_likelihood[0] << " and " << b.log_likelihood[0];
    }
}

TEST(mixture_regularization, floats_in_company_are_looked_at_in_double_each_by_itself) {
  std::vector<float> values;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::vector<float>> samples;
  for (int fit = 0; fit < 7; ++fit) {
    std::vector<double> rows = draw_points(60 + 10 * fit, 1, 2, 0, static_cast<std::uint64_t>(fit));
    for (std::size_t i = 0; fit % 2 == 1 && i < rows.size(); i += 2) rows[i] += 5000;
    samples.emplace_back(rows.begin(), rows.end());
    values.insert(values.end(), samples.back().begin(), samples.back().end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  mixture_options options;
  options.components = {1, 3};
  const mixture_results all = fit_mixture(executor::cpu(2), ragged_points<float>(values, 1, offsets), options);
  for (std::int64_t fit = 0; fit < 7; ++fit)
    EXPECT_TRUE(same_fit(
        fit_mixture(executor::cpu(1), points<float>(samples[static_cast<std::size_t>(fit)], 1), options), 0, all, fit))
        << fit;
  EXPECT_GE(all.components[1], 2);
}

// 100 values of a normal and one outlier, on which a component collapses from every start.
TEST(mixture_regularization, a_size_has_the_same_fit_alone_and_in_a_range) {
  const mixture_results alone = fit_golden("outl.csv", 1, 2), range = fit_golden("outl.csv", 1, {1, 4});
  EXPECT_EQ(alone.status[0], fit_status::regularized);
  const double variance = population_variance(read_numbers("outl.csv"), 1, 0);
  EXPECT_TRUE(std::abs(alone.regularization[0] - 1e-6 * variance) <= 1e-12 * variance);
  EXPECT_TRUE(std::abs(alone.bic(0) - 336.41853) <= 1e-4) << alone.bic(0);
  EXPECT_EQ(range.components[0], 2);
  EXPECT_EQ(range.status[0], fit_status::regularized);
  EXPECT_EQ(range.bic(0), alone.bic(0));
  EXPECT_EQ(range.criteria_regularized, (std::vector<std::uint8_t>{0, 1, 1, 1}));
}

TEST(mixture_regularization, every_criterion_of_a_range_is_that_of_the_size_alone) {
  int regularized = 0, plain = 0;
  for (int run = 0; run < 60; ++run) {
    const int D = 1 + run % 3, n = 6 + 7 * (run % 5);
    std::vector<double> values = draw_points(n, D, 1 + run % 2, 0, static_cast<std::uint64_t>(run));
    if (run % 4 == 1)
      for (double& x : values) x = std::round(2 * x) / 2;
    if (run % 4 == 2) values[0] = 1e4;
    mixture_options options;
    options.covariance = structures[run % 4];
    options.restarts = 4;
    options.components = {1, 4};
    if (run % 5 == 0) options.regularization = 1e-7;
    const mixture_results range = fit_mixture(executor::cpu(1), points<double>(values, D), options);
    double lowest_plain = INFINITY;
    for (int K = 1; K <= 4; ++K) {
      options.components = K;
      const mixture_results alone = fit_mixture(executor::cpu(1), points<double>(values, D), options);
      const auto at = static_cast<std::size_t>(K - 1);
      const double criterion = has_parameters(alone.status[0]) ? alone.bic(0) : nan;
      EXPECT_TRUE(std::isnan(criterion) ? std::isnan(range.criteria[at]) : range.criteria[at] == criterion)
          << "run " << run << ", K " << K << ": " << range.criteria[at] << " and " << criterion;
      if (options.regularization < 0) {
        EXPECT_EQ(range.criteria_regularized[at] != 0, alone.status[0] == fit_status::regularized);
      }
      if (alone.status[0] == fit_status::converged && range.criteria_regularized[at] == 0)
        lowest_plain = std::min(lowest_plain, criterion);
      if (range.components[0] == K) {
        EXPECT_TRUE(same_fit(range, 0, alone, 0)) << "run " << run;
      }
    }
    if (!has_parameters(range.status[0])) continue;
    EXPECT_TRUE(range.bic(0) <= lowest_plain) << "run " << run;
    for (const std::uint8_t each : range.criteria_regularized) (each ? regularized : plain) += 1;
  }
  EXPECT_GT(regularized, 15);
  EXPECT_GT(plain, 60);
}

// Ten values, of which up to six components can each take a few: a range must not end at its largest number for that.
TEST(mixture_regularization, no_size_is_taken_for_components_on_single_rows) {
  for (int run = 0; run < 20; ++run) {
    const std::vector<double> values = draw_points(10, 1, 1, 0, static_cast<std::uint64_t>(100 + run));
    mixture_options options;
    options.components = {1, 6};
    const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 1), options);
    ASSERT_EQ(r.status[0], fit_status::converged) << "run " << run;
    EXPECT_LE(r.components[0], 3) << "run " << run;
  }
}

TEST(mixture_regularization, is_a_fraction_of_each_coordinates_own_variance) {
  std::vector<double> plane;  // three coordinates of very different width on a plane
  for (int i = 0; i < 80; ++i) {
    const double a = std::sin(1.7 * i), b = std::cos(2.3 * i);
    plane.insert(plane.end(), {1e4 * a, 1e-3 * b, 5 * (a + b)});
  }
  for (const covariance_structure structure : {covariance_structure::full, covariance_structure::tied}) {
    mixture_options options;
    options.components = 1;
    options.covariance = structure;
    const mixture_results r = fit_mixture(executor::cpu(1), points<double>(plane, 3), options);
    ASSERT_EQ(r.status[0], fit_status::regularized);
    for (int d = 0; d < 3; ++d) {
      const double variance = population_variance(plane, 3, d);
      EXPECT_TRUE(std::abs(r.regularization[static_cast<std::size_t>(d)] / (1e-6 * variance) - 1) <= 1e-9) << d;
      EXPECT_TRUE(std::abs(sd(r, 0, d) / std::sqrt(variance * (1 + 1e-6)) - 1) <= 1e-9) << d;
      EXPECT_EQ(r.constant[static_cast<std::size_t>(d)], 0);
    }
  }
}

TEST(mixture_regularization, of_a_constant_coordinate_is_of_the_others_variances) {
  std::vector<double> values = draw_points(200, 3, 2, 0, 7);
  for (std::size_t i = 1; i < values.size(); i += 3) values[i] = 1e7;
  for (const covariance_structure structure :
       {covariance_structure::full, covariance_structure::diagonal, covariance_structure::tied}) {
    mixture_options options;
    options.covariance = structure;
    const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 3), options);
    ASSERT_EQ(r.status[0], fit_status::regularized);
    const double first = population_variance(values, 3, 0), last = population_variance(values, 3, 2);
    EXPECT_TRUE(std::abs(r.regularization[0] / (1e-6 * first) - 1) <= 1e-9);
    EXPECT_TRUE(std::abs(r.regularization[1] / (0.5e-6 * (first + last)) - 1) <= 1e-9);
    EXPECT_EQ(r.constant, (std::vector<std::uint8_t>{0, 1, 0}));
    EXPECT_TRUE(std::abs(r.mean(0, 0)[1] - 1e7) <= 1e-6);
  }
}

TEST(mixture_regularization, of_spherical_covariances_is_one_number) {
  std::vector<double> values = draw_points(100, 2, 1, 0, 8);
  for (std::size_t i = 0; i < values.size(); i += 2) values[i] *= 3;
  for (int i = 0; i < 40; ++i) values.insert(values.end(), {100, 100});  // a component upon them has no width
  mixture_options options;
  options.covariance = covariance_structure::spherical;
  const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 2), options);
  ASSERT_EQ(r.status[0], fit_status::regularized);
  const double mean = 0.5 * (population_variance(values, 2, 0) + population_variance(values, 2, 1));
  for (const double added : r.regularization) EXPECT_TRUE(std::abs(added / (1e-6 * mean) - 1) <= 1e-9);
}

// An outlier 1e6 sds away among 40,000 rows stands 200 of the whole sample's sds from its mean: there 1e-6 of the
// variance is below what double can tell from nothing.
TEST(mixture_regularization, is_raised_until_it_holds) {
  std::vector<double> values = draw_points(40000, 1, 1, 0, 9);
  values.push_back(1e6);
  mixture_options options;
  options.restarts = 2;
  const mixture_results r = fit_mixture(executor::cpu(2), points<double>(values, 1), options);
  ASSERT_EQ(r.status[0], fit_status::regularized);
  const double fraction = r.regularization[0] / population_variance(values, 1, 0);
  EXPECT_TRUE(std::abs(fraction / 1e-5 - 1) <= 1e-9) << fraction;
}

TEST(mixture_regularization, climbs_again_from_the_start_that_was_given) {
  const std::vector<double> values = read_numbers("outl.csv");
  mixture_results start = empty_mixtures(1, 2, 1, covariance_structure::full);
  start.weights = {0.9, 0.1};
  start.means = {0, 1000};
  start.covariances = {1, 1};
  mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.trace = true;
  const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 1), options),
                        free = fit_golden("outl.csv", 1, 2);
  ASSERT_EQ(r.status[0], fit_status::regularized);
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - free.log_likelihood[0]) <= 1e-6 * std::abs(free.log_likelihood[0]));
  const std::vector<double>& trace = r.log_likelihood_trace[0];
  ASSERT_EQ(trace.size(), static_cast<std::size_t>(r.iterations[0]) + 1);
  for (std::size_t t = 1; t < trace.size(); ++t) EXPECT_TRUE(trace[t] >= trace[t - 1]) << t;
  EXPECT_EQ(trace.back(), r.log_likelihood[0]);
}

TEST(mixture_regularization, that_the_caller_asks_for_is_added_as_it_is) {
  const std::vector<double> values = draw_points(300, 2, 1, 0, 10);
  mixture_options options;
  options.components = 1;
  options.regularization = 0.75;
  const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 2), options);
  ASSERT_EQ(r.status[0], fit_status::converged);
  for (int d = 0; d < 2; ++d)
    EXPECT_TRUE(std::abs(r.covariance_of(0, 0)[static_cast<std::size_t>(3 * d)] -
                         (population_variance(values, 2, d) + 0.75)) <= 1e-9);
  EXPECT_EQ(r.regularization, (std::vector<double>{0.75, 0.75}));
}

// The likelihood of a sound mixture knows no units: fits of rescaled columns differ by the Jacobian alone.
TEST(mixture_regularization, leaves_fits_the_same_in_other_units) {
  const std::vector<double> values = draw_points(400, 3, 3, 0, 11);
  for (const covariance_structure structure :
       {covariance_structure::full, covariance_structure::diagonal, covariance_structure::tied})
    for (const int exponent : {-40, -7, 13, 45}) {
      std::vector<double> scaled = values;  // by powers of two, so that nothing is rounded
      for (std::size_t i = 0; i < scaled.size(); i += 3) scaled[i] = std::ldexp(scaled[i], exponent);
      mixture_options options;
      options.components = 3;
      options.covariance = structure;
      const mixture_results a = fit_mixture(executor::cpu(1), points<double>(values, 3), options),
                            b = fit_mixture(executor::cpu(1), points<double>(scaled, 3), options);
      expect_nothing_added(b);
      const double jacobian = 400 * exponent * std::log(2.0);
      EXPECT_TRUE(std::abs(a.log_likelihood[0] - jacobian - b.log_likelihood[0]) <=
                  1e-9 * (std::abs(a.log_likelihood[0]) + std::abs(jacobian)))
          << exponent;
    }
}

}  // namespace
}  // namespace manyfit::tests
