// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every row is used, missing or left out, in mixtures of points and of values alike.
#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct counted {
  std::int64_t used = 0, missing = 0, left_out = 0;
  bool infinite = false;
};

/// A sample with rows of every kind, and what becomes of them: a NaN makes a row missing, a weight of 0 leaves out one
/// that is not, whatever it holds.
counted spoil(std::vector<double>& values, std::vector<double>& weights, int D, std::mt19937_64& random,
              bool infinite_rows) {
  counted wanted;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double* const row = values.data() + i * static_cast<std::size_t>(D);
    const auto kind = random() % 12;
    double& x = row[random() % static_cast<unsigned>(D)];
    if (kind == 0 || kind == 1) x = nan;
    if (kind == 1 || kind == 2 || kind == 3) weights[i] = 0;
    if (kind == 3) x = kind % 2 ? infinity : -infinity;
    if (kind == 4) weights[i] = nan;
    if (kind == 5) x = nan, weights[i] = nan;
    if (kind == 6 && infinite_rows) x = infinity, wanted.infinite = true;
    const bool missing = kind == 0 || kind == 1 || kind == 4 || kind == 5;
    const bool left_out = kind == 2 || kind == 3;
    wanted.missing += missing;
    wanted.left_out += left_out;
    wanted.used += !missing && !left_out;
  }
  return wanted;
}

template <class Results>
void expect_counts(const Results& r, std::int64_t fit, const counted& wanted) {
  const auto at = static_cast<std::size_t>(fit);
  EXPECT_EQ(r.observations[at], wanted.used);
  EXPECT_EQ(r.missing[at], wanted.missing);
  EXPECT_EQ(r.left_out[at], wanted.left_out);
  EXPECT_EQ(r.status[at] == fit_status::nonfinite, wanted.infinite) << to_string(r.status[at]);
}

TEST(mixture_rows, are_all_accounted_for) {
  std::mt19937_64 random(31);
  for (int run = 0; run < 40; ++run) {
    const int D = run % 4 < 2 ? 1 : 2 + run % 3;
    std::vector<double> values, weights;
    std::vector<std::int64_t> offsets{0};
    std::vector<counted> wanted;
    for (int fit = 0; fit < 4; ++fit) {
      const int n = fit == 2 ? 0 : 20 + static_cast<int>(random() % 400);
      std::vector<double> own = draw_points(n, D, 2, 0, random()), w(static_cast<std::size_t>(n), 1.5);
      wanted.push_back(spoil(own, w, D, random, run % 5 == 0));
      values.insert(values.end(), own.begin(), own.end());
      weights.insert(weights.end(), w.begin(), w.end());
      offsets.push_back(static_cast<std::int64_t>(weights.size()));
    }
    mixture_options options;
    options.restarts = 2;
    options.max_iterations = 5;
    options.covariance = structures[run % 4];
    const mixture_results r =
        fit_mixture(executor::cpu(2), ragged_points<double>(values, D, offsets).weighted(weights), options);
    for (std::int64_t fit = 0; fit < 4; ++fit) expect_counts(r, fit, wanted[static_cast<std::size_t>(fit)]);
    if (D > 1) continue;
    family_mixture_options of_families;
    of_families.restarts = 2;
    of_families.max_iterations = 5;
    const family_mixture_results f = fit_mixture(executor::cpu(2), find_family("normal"),
                                                 ragged<double>(values, offsets).weighted(weights), of_families);
    for (std::int64_t fit = 0; fit < 4; ++fit) expect_counts(f, fit, wanted[static_cast<std::size_t>(fit)]);
  }
}

TEST(mixture_rows, an_infinite_value_of_weight_0_is_left_out) {
  std::vector<double> values = draw_points(100, 1, 2, 0, 32), weights(100, 1.0);
  values[17] = infinity;
  weights[17] = 0;
  const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 1).weighted(weights));
  const family_mixture_results f =
      fit_mixture(executor::cpu(1), find_family("normal"), dense<double>(values, 1).weighted(weights));
  EXPECT_EQ(r.status[0], fit_status::converged);
  EXPECT_EQ(f.status[0], fit_status::converged);
  EXPECT_EQ(r.left_out[0], 1);
  EXPECT_EQ(f.left_out[0], 1);
}

// A cell of swapm.csv is no number: the other 59 rows are fitted, in all three coordinates.
TEST(mixture_rows, of_three_coordinates_with_a_gap_are_fitted_in_three) {
  const std::vector<double> values = read_numbers("swapm.csv");
  const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 3));
  EXPECT_EQ(r.status[0], fit_status::converged);
  EXPECT_EQ(r.dimensions, 3);
  EXPECT_EQ(r.observations[0], 59);
  EXPECT_EQ(r.missing[0], 1);
}

TEST(mixture_tolerance, ends_a_climb_at_the_first_gain_per_row_that_is_no_more) {
  const std::vector<double> values = draw_points(400, 2, 3, 0, 18, 1.5);
  const mixture_results start = start_at_rows(values, 2, 3, covariance_structure::full);
  for (const double tolerance : {1e-4, 1e-6, 1e-8}) {
    mixture_options options = exactly(5000, start);
    options.tolerance = tolerance;
    const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 2), options);
    ASSERT_EQ(r.status[0], fit_status::converged);
    const std::vector<double>& trace = r.log_likelihood_trace[0];
    ASSERT_GT(trace.size(), 10u);
    for (std::size_t t = 1; t < trace.size(); ++t) {
      const double gain = (trace[t] - trace[t - 1]) / 400;
      EXPECT_TRUE(t + 1 < trace.size() ? gain > tolerance - 1e-14 : gain <= tolerance + 1e-14) << t << ": " << gain;
    }
  }
}

TEST(mixture_criteria, of_a_range_are_those_of_each_size_alone) {
  const std::vector<double> values = draw_points(120, 2, 3, 0, 17);
  for (const covariance_structure structure : structures)
    for (const information_criterion by : {information_criterion::aic, information_criterion::bic}) {
      mixture_options options;
      options.covariance = structure;
      options.select = by;
      options.components = {1, 3};
      const mixture_results range = fit_mixture(executor::cpu(1), points<double>(values, 2), options);
      ASSERT_EQ(range.criteria.size(), 3u);
      for (int K = 1; K <= 3; ++K) {
        options.components = K;
        const mixture_results alone = fit_mixture(executor::cpu(1), points<double>(values, 2), options);
        ASSERT_EQ(alone.status[0], fit_status::converged);
        EXPECT_EQ(range.criteria[static_cast<std::size_t>(K - 1)],
                  by == information_criterion::aic ? alone.aic(0) : alone.bic(0));
      }
    }
}

TEST(mixture_rows, bic_counts_them_whatever_their_weights) {
  const std::vector<double> values = draw_points(150, 1, 2, 0, 33), tripled(150, 3.0);
  const mixture_results one = fit_mixture(executor::cpu(1), points<double>(values, 1)),
                        three = fit_mixture(executor::cpu(1), points<double>(values, 1).weighted(tripled));
  EXPECT_TRUE(std::abs(three.log_likelihood[0] - 3 * one.log_likelihood[0]) <= 1e-6 * std::abs(one.log_likelihood[0]));
  EXPECT_EQ(three.bic(0), 5 * std::log(150.0) - 2 * three.log_likelihood[0]);
}

// Capacity for its own components alone: 2,000 mixtures of one component beside one of 300.
TEST(mixture_rows, mixtures_of_different_sizes_have_their_own_capacity) {
  std::vector<std::int32_t> sizes(2000, 1);
  sizes[7] = 300;
  mixture_results r = empty_mixtures(sizes, 3, covariance_structure::full);
  EXPECT_EQ(r.weights.size(), 2299u);
  EXPECT_EQ(r.covariances.size(), 2299u * 9);
  EXPECT_EQ(r.max_components, 300);
  for (std::int64_t fit = 0; fit < r.count; ++fit)
    for (int k = 0; k < r.components[static_cast<std::size_t>(fit)]; ++k) {
      const auto at = static_cast<std::size_t>(r.first_component(fit) + k);
      r.weights[at] = 1.0 / r.components[static_cast<std::size_t>(fit)];
      for (std::size_t d = 0; d < 3; ++d) {
        r.means[at * 3 + d] = static_cast<double>(fit + k);
        for (std::size_t e = 0; e < 3; ++e) r.covariances[at * 9 + d * 3 + e] = d == e ? 1 : 0;
      }
    }
  std::vector<double> rows;
  std::vector<std::int64_t> offsets{0};
  for (int fit = 0; fit < 2000; ++fit) {
    rows.insert(rows.end(), 3, fit);
    offsets.push_back(fit + 1);
  }
  const auto data = ragged_points<double>(rows, 3, offsets);
  const mixture_scores s = score_mixture(executor::cpu(2), data, r, {.labels = true});
  for (std::size_t fit = 0; fit < 2000; ++fit) {
    EXPECT_EQ(s.labels[fit], 0);
    if (fit == 7) continue;
    EXPECT_TRUE(std::abs(s.log_density[fit] + 1.5 * std::log(2 * std::acos(-1.0))) <= 1e-12) << fit;
  }
  EXPECT_THROW(empty_mixtures(std::vector<std::int32_t>{2, 0}, 3, covariance_structure::full), error);
}

}  // namespace
}  // namespace manyfit::tests
