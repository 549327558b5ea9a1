// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What holds of every mixture of products: bits, orders, weights, scores, statuses and refusals.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "product_tests.hpp"

namespace manyfit::tests {
namespace {

family_mixture_results fit_rows(const char* family, const std::vector<double>& rows, int D,
                                const family_mixture_options& options = {}) {
  return fit_mixture(executor::cpu(1), find_family(family), rows_of(rows, D), options);
}

TEST(mixtures_of_products, of_one_column_are_the_mixtures_of_its_values) {
  for (const char* name : {"bernoulli", "poisson", "gamma", "normal"}) {
    std::vector<double> x = draw_mixture(find_family(name), 500, 3), w;
    x[7] = nan;
    for (std::size_t i = 0; i < x.size(); ++i) w.push_back(static_cast<double>(i % 4));
    const auto a = fit_mixture(executor::cpu(1), find_family(name), one(x).weighted(w));
    const auto b = fit_mixture(executor::cpu(1), find_family(name), rows_of(x, 1).weighted(w));
    expect_same_bits(a, 0, b, 0);
    EXPECT_EQ(b.columns, 1);
    const auto scores = score_mixture(executor::cpu(1), one(x), a),
               same = score_mixture(executor::cpu(1), rows_of(x, 1), b);
    EXPECT_EQ(std::memcmp(scores.log_density.data(), same.log_density.data(), 8 * x.size()), 0) << name;
  }
}

TEST(mixtures_of_products, of_one_component_are_the_fits_of_each_column) {
  for (const char* name : {"bernoulli", "poisson", "gamma", "normal", "negative_binomial"}) {
    constexpr int D = 3;
    const std::vector<double> rows = draw_products(find_family(name), D, 800, 4, 7);
    family_mixture_options options;
    options.components = 1;
    const auto r = fit_rows(name, rows, D, options);
    ASSERT_EQ(r.status[0], fit_status::converged) << name;
    double sum = 0;
    for (int d = 0; d < D; ++d) {
      std::vector<double> x;
      for (std::size_t i = static_cast<std::size_t>(d); i < rows.size(); i += D) x.push_back(rows[i]);
      const fit_results own = fit(executor::cpu(1), find_family(name), one(x));
      sum += own.log_likelihood[0];
      for (int p = 0; p < r.parameter_stride; ++p)
        EXPECT_TRUE(std::abs(r.parameter(0, 0, d, p) - own.parameter(p, 0)) <= 1e-7 * std::abs(own.parameter(p, 0)))
            << name << ": " << r.parameter(0, 0, d, p) << " and " << own.parameter(p, 0);
    }
    EXPECT_TRUE(std::abs(r.log_likelihood[0] - sum) <= 1e-10 * std::abs(sum)) << name;
  }
}

TEST(mixtures_of_products, count_a_weight_as_so_many_rows) {
  constexpr int D = 4;
  for (const char* name : {"bernoulli", "gamma"}) {
    const family_info& family = find_family(name);
    const std::vector<double> rows = draw_products(family, D, 300, 5, 13);
    std::vector<double> w, repeated;
    for (std::size_t i = 0; i < 300; ++i) {
      w.push_back(static_cast<double>(1 + i % 3));
      for (std::size_t copy = 0; copy < 1 + i % 3; ++copy)
        repeated.insert(repeated.end(), rows.begin() + static_cast<std::ptrdiff_t>(i * D),
                        rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * D));
    }
    const family_mixture_results start = example_products(family, D);
    const auto a = fit_mixture(executor::cpu(1), family, rows_of(rows, D).weighted(w), from(start, 15));
    const auto b = fit_mixture(executor::cpu(1), family, rows_of(repeated, D), from(start, 15));
    for (std::size_t t = 0; t < 16; ++t)
      EXPECT_TRUE(std::abs(a.log_likelihood_trace[0][t] - b.log_likelihood_trace[0][t]) <=
                  1e-10 * std::abs(b.log_likelihood_trace[0][t]))
          << name;
    EXPECT_EQ(a.observations[0], 300);
    EXPECT_EQ(b.observations[0], 600);
  }
}

TEST(mixtures_of_products, do_not_depend_on_the_order_of_rows_and_columns) {
  constexpr int D = 5, n = 700;
  for (const char* name : {"bernoulli", "normal"}) {
    const family_info& family = find_family(name);
    const std::vector<double> rows = draw_products(family, D, n, 6, 17);
    std::vector<double> turned;
    for (std::size_t i = n; i-- > 0;)
      for (std::size_t d = D; d-- > 0;) turned.push_back(rows[i * D + d]);
    const family_mixture_results start = example_products(family, D);
    family_mixture_results other = start;
    const auto P = static_cast<std::size_t>(family.parameter_count);
    for (std::size_t k = 0; k < 2; ++k)
      for (std::size_t d = 0; d < D; ++d)
        for (std::size_t p = 0; p < P; ++p)
          other.parameters[(k * D + d) * P + p] = start.parameters[(k * D + D - 1 - d) * P + p];
    const auto a = fit_mixture(executor::cpu(1), family, rows_of(rows, D), from(start, 20));
    const auto b = fit_mixture(executor::cpu(1), family, rows_of(turned, D), from(other, 20));
    EXPECT_TRUE(std::abs(a.log_likelihood[0] - b.log_likelihood[0]) <= 1e-11 * std::abs(b.log_likelihood[0])) << name;
    for (int k = 0; k < 2; ++k)
      for (int d = 0; d < D; ++d)
        EXPECT_TRUE(std::abs(a.parameter(0, k, d, 0) - b.parameter(0, k, D - 1 - d, 0)) <= 1e-9) << name;
  }
}

TEST(mixtures_of_products, keep_their_bits_alone_permuted_and_at_any_thread_count) {
  constexpr int D = 6;
  for (const char* name : {"bernoulli", "poisson", "weibull"}) {
    const family_info& family = find_family(name);
    std::vector<std::vector<double>> samples;
    std::vector<double> values, reversed;
    std::vector<std::int64_t> offsets{0}, back{0};
    for (const std::int64_t n : {40, 900, 7, 2100}) {
      samples.push_back(draw_products(family, D, n, static_cast<std::uint64_t>(n), 19));
      values.insert(values.end(), samples.back().begin(), samples.back().end());
      offsets.push_back(offsets.back() + n);
    }
    for (std::size_t i = samples.size(); i-- > 0;) {
      reversed.insert(reversed.end(), samples[i].begin(), samples[i].end());
      back.push_back(static_cast<std::int64_t>(reversed.size()) / D);
    }
    family_mixture_options options;
    options.components = {1, 3};
    options.restarts = 2;
    options.max_iterations = 30;
    const auto all = fit_mixture(executor::cpu(1), family, ragged_points<double>(values, D, offsets), options);
    const auto threads = fit_mixture(executor::cpu(3), family, ragged_points<double>(values, D, offsets), options);
    const auto turned = fit_mixture(executor::cpu(2), family, ragged_points<double>(reversed, D, back), options);
    for (std::int64_t fit = 0; fit < 4; ++fit) {
      expect_same_bits(threads, fit, all, fit);
      expect_same_bits(turned, 3 - fit, all, fit);
      const auto alone =
          fit_mixture(executor::cpu(2), family, rows_of(samples[static_cast<std::size_t>(fit)], D), options);
      expect_same_bits(alone, 0, all, fit);
    }
  }
}

/// The attempts of a fit of this many cells go one after another, each on all threads.
TEST(mixtures_of_products, of_large_samples_keep_their_bits_at_any_thread_count) {
  constexpr int D = 9;
  for (const char* name : {"bernoulli", "exponential"}) {
    const std::vector<double> rows = draw_products(find_family(name), D, 17001, 13, 23);
    family_mixture_options options;
    options.components = 3;
    options.restarts = 2;
    options.max_iterations = 6;
    const auto a = fit_mixture(executor::cpu(1), find_family(name), rows_of(rows, D), options);
    const auto b = fit_mixture(executor::cpu(3), find_family(name), rows_of(rows, D), options);
    ASSERT_TRUE(has_parameters(a.status[0]));
    expect_same_bits(a, 0, b, 0);
    std::vector<double> both(rows);  // two fits: each on one thread
    both.insert(both.end(), rows.begin(), rows.end());
    expect_same_bits(fit_mixture(executor::cpu(2), find_family(name), dense_points<double>(both, D, 2), options), 1, a,
                     0);
  }
}

TEST(mixtures_of_products, log_likelihood_never_falls_and_scores_add_up_to_it) {
  const char* wanted = std::getenv("MANYFIT_RANDOM_RUNS");
  const int runs = wanted ? std::atoi(wanted) : 66;
  const std::vector<const family_info*> families = all_families();
  std::mt19937_64 random(21);
  int with_parameters = 0;
  for (int run = 0; run < runs; ++run) {
    const family_info& family = *families[static_cast<std::size_t>(run) % families.size()];
    const int D = 2 + static_cast<int>(random() % 4);
    const auto n = static_cast<std::int64_t>(8 + random() % (run % 7 ? 120 : 1300));
    const std::vector<double> rows = draw_products(family, D, n, random(), run % 3 ? 5 + random() % 20 : 0);
    std::vector<double> w;
    for (std::int64_t i = 0; i < n; ++i) w.push_back(static_cast<double>(random() % 5) / 2);
    family_mixture_options options = options_for(family);
    if (family.ends == moving_support::jumps) options.fixed = {{"min", -10}, {"max", 20}};
    options.components = 1 + static_cast<int>(random() % 3);
    options.restarts = 1 + static_cast<int>(random() % 2);
    options.max_iterations = 40;
    options.tolerance = run % 2 ? 1e-10 : 0;
    options.seed = random();
    options.trace = true;
    const auto r = fit_mixture(executor::cpu(1), family, rows_of(rows, D).weighted(w), options);
    ASSERT_EQ(has_parameters(r.status[0]), std::isfinite(r.log_likelihood[0])) << family.name;
    if (!has_parameters(r.status[0])) continue;
    ++with_parameters;
    const std::vector<double>& trace = r.log_likelihood_trace[0];
    for (std::size_t t = 1; t < trace.size(); ++t)
      ASSERT_TRUE(trace[t] >= trace[t - 1] - 1e-10 * (1 + std::abs(trace[t - 1])))
          << family.name << ", run " << run << ", iteration " << t << ": " << trace[t] - trace[t - 1];
    double sum = 0;
    const mixture_scores s = score_mixture(executor::cpu(1), rows_of(rows, D), r);
    for (std::size_t i = 0; i < w.size(); ++i)
      if (w[i] > 0 && !std::isnan(s.log_density[i])) sum += w[i] * s.log_density[i];
    EXPECT_TRUE(std::abs(sum - r.log_likelihood[0]) <= 1e-9 * (1 + std::abs(sum))) << family.name;
  }
  EXPECT_GT(2 * with_parameters, runs);
}

TEST(mixtures_of_products, score_rows_with_missing_cells_by_those_that_are_there) {
  family_mixture_results model = empty_family_mixtures(1, 2, {{&find_family("bernoulli")}}, 2);
  model.weights = {3, 1};  // as 0.75 and 0.25
  model.parameters = {0.1, 0.2, 0.7, 0.9};
  const std::vector<double> rows{1, 1, 1, nan, nan, nan, 0, infinity, 2, 1, nan, 0};
  const mixture_scores s = score_mixture(executor::cpu(2), rows_of(rows, 2), model, {true, true});
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-14; };
  const double both = 0.75 * 0.1 * 0.2 + 0.25 * 0.7 * 0.9, first = 0.75 * 0.1 + 0.25 * 0.7;
  EXPECT_TRUE(near(s.log_density[0], std::log(both)));
  EXPECT_TRUE(near(s.responsibilities[0], 0.75 * 0.1 * 0.2 / both));
  EXPECT_EQ(s.labels[0], 1);
  EXPECT_TRUE(near(s.log_density[1], std::log(first)));
  EXPECT_TRUE(near(s.responsibilities[3], 0.25 * 0.7 / first));
  EXPECT_TRUE(std::isnan(s.log_density[2]) && std::isnan(s.responsibilities[4]) && s.labels[2] == -1);
  for (const std::size_t i : {3u, 4u}) EXPECT_TRUE(s.log_density[i] == -infinity && s.labels[i] == -1) << i;
  EXPECT_TRUE(near(s.log_density[5], std::log(0.75 * 0.8 + 0.25 * 0.1)));
}

TEST(mixtures_of_products, draws_repeat_and_follow_the_model) {
  const family_mixture_results model = example_products(find_family("bernoulli"), 3);
  const std::vector<double> drawn = simulate_mixture(executor::cpu(1), model, 20000, 5);
  ASSERT_EQ(drawn.size(), 60000u);
  EXPECT_EQ(drawn, simulate_mixture(executor::cpu(2), model, 20000, 5));
  for (std::size_t pattern = 0; pattern < 8; ++pattern) {
    double found = 0, expected = 0;
    for (std::size_t i = 0; i < drawn.size(); i += 3) {
      bool same = true;
      for (std::size_t d = 0; d < 3; ++d) same = same && drawn[i + d] == static_cast<double>(pattern >> d & 1);
      found += same / 20000.0;
    }
    for (int k = 0; k < 2; ++k) {
      double each = model.weight(0, k);
      for (int d = 0; d < 3; ++d) {
        const double p = model.parameter(0, k, d, 0);
        each *= pattern >> d & 1 ? p : 1 - p;
      }
      expected += each;
    }
    EXPECT_TRUE(std::abs(found - expected) <= 5 * std::sqrt(expected / 20000)) << pattern << ": " << found;
  }
}

TEST(mixtures_of_products, count_rows_and_tell_what_is_wrong_with_them) {
  const auto with = [](std::vector<double> rows, const char* family = "bernoulli") {
    family_mixture_options options;
    options.restarts = 2;
    return fit_rows(family, rows, 2, options);
  };
  std::vector<double> good;
  for (int i = 0; i < 60; ++i) good.insert(good.end(), {double(i % 2), double(i % 4 < 2)});
  const auto more = [&](std::vector<double> rows) {
    rows.insert(rows.end(), good.begin(), good.end());
    return rows;
  };
  const auto missing = with(more({nan, nan, 1, nan, nan, 0}));
  EXPECT_EQ(missing.status[0], fit_status::converged);
  EXPECT_EQ(missing.missing[0], 1);
  EXPECT_EQ(missing.observations[0], 62);
  const auto outside = with(more({0.5, 1, 2, -1, 1, nan}));
  EXPECT_EQ(outside.status[0], fit_status::out_of_support);
  EXPECT_EQ(outside.outside[0], 3);
  EXPECT_EQ(missing.outside[0], 0);
  EXPECT_EQ(with(more({infinity, 1})).status[0], fit_status::nonfinite);
  EXPECT_EQ(with({}).status[0], fit_status::too_few);
  EXPECT_EQ(with({1, nan, 0, nan, 1, nan}).status[0], fit_status::too_few);  // no answer to the second
  EXPECT_EQ(with({nan, nan, nan, nan}).status[0], fit_status::too_few);
  std::vector<double> constant(good);
  for (std::size_t i = 0; i < constant.size(); i += 2) constant[i] = 3;
  EXPECT_EQ(with(constant, "normal").status[0], fit_status::constant_sample);
  std::vector<double> zero_weights(60, 1.0);
  zero_weights[3] = 0;
  zero_weights[4] = nan;
  const auto weighted =
      fit_mixture(executor::cpu(1), find_family("bernoulli"), rows_of(good, 2).weighted(zero_weights));
  EXPECT_EQ(weighted.left_out[0], 1);
  EXPECT_EQ(weighted.missing[0], 1);
  EXPECT_EQ(weighted.observations[0], 58);
}

/// Classes that answer every question always alike: their probabilities are just inside 0 and 1, and nothing of the
/// likelihood is lost to that.
TEST(mixtures_of_products, of_classes_that_always_answer_alike_have_parameters) {
  std::vector<double> rows;
  for (int i = 0; i < 300; ++i)
    for (int d = 0; d < 6; ++d) rows.push_back(i % 3 ? d % 2 : 1 - d % 2);
  family_mixture_options options;
  options.tolerance = 1e-14;
  const auto r = fit_rows("bernoulli", rows, 6, options);
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - (200 * std::log(2.0 / 3) + 100 * std::log(1.0 / 3))) <= 1e-8);
  EXPECT_TRUE(std::abs(r.weight(0, 0) - 2.0 / 3) <= 1e-12);
  for (int d = 0; d < 6; ++d) {
    const double p = r.parameter(0, 0, d, 0), q = d % 2 ? 1 - p : p;
    EXPECT_TRUE(q > 0 && q <= 1.0001e-12) << p;
  }
}

TEST(mixtures_of_products, wrong_calls_are_refused) {
  const std::vector<double> rows(40, 1.0);
  const family_info& family = find_family("bernoulli");
  const auto expect_failure = [&](const family_mixture_options& options, const char* text) {
    try {
      fit_mixture(executor::cpu(1), family, rows_of(rows, 2), options);
      ADD_FAILURE() << text;
    } catch (const error& e) {
      EXPECT_EQ(e.why(), error::kind::argument);
      EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
    }
  };
  family_mixture_results start = example_products(family, 3);
  expect_failure(from(start, 1), "columns");
  start = empty_family_mixtures(1, 2, {{&family}}, 2);
  start.parameters.resize(2);
  expect_failure(from(start, 1), "parameters");
  EXPECT_THROW(empty_family_mixtures(1, 2, {{&family}}, 0), error);
  EXPECT_THROW(empty_family_mixtures(1, 2, {{&family}, {&family}}, 2), error);
  EXPECT_THROW(score_mixture(executor::cpu(1), rows_of(rows, 4), example_products(family, 3)), error);
  EXPECT_THROW(score_mixture(executor::cpu(1), one(rows), example_products(family, 2)), error);
  EXPECT_THROW(fit_mixture(executor::cpu(1), find_family("binomial"), rows_of(rows, 2)),
               error);  // trials must be fixed
  EXPECT_THROW(fit_mixture(executor::cpu(1), find_family("uniform"), rows_of(rows, 2)), error);
}

}  // namespace
}  // namespace manyfit::tests
