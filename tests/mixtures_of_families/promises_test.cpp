// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What holds of every mixture of families: the likelihood never falls, bits do not depend on company, scores add up.
#include <algorithm>
#include <cstdlib>

#include "family_mixture_tests.hpp"

namespace manyfit::tests {
namespace {

TEST(mixtures_of_families, log_likelihood_never_falls) {
  const char* wanted = std::getenv("MANYFIT_RANDOM_RUNS");
  const int runs = wanted ? std::atoi(wanted) : 150;
  const std::vector<const family_info*> families = all_families();
  std::mt19937_64 random(11);
  int with_parameters = 0;
  for (int run = 0; run < runs; ++run) {
    const family_info& family = *families[static_cast<std::size_t>(run) % families.size()];
    const auto n = static_cast<std::int64_t>(5 + random() % (run % 7 ? 200 : 1500));
    const std::vector<double> x = draw_mixture(family, n, random());
    std::vector<double> w;
    for (std::size_t i = 0; i < x.size(); ++i) w.push_back(static_cast<double>(random() % 5) / 2);
    family_mixture_options options = options_for(family);
    options.components = 1 + static_cast<int>(random() % 4);
    options.restarts = 1 + static_cast<int>(random() % 3);
    options.max_iterations = 60;
    options.tolerance = run % 2 ? 1e-10 : 0;
    options.seed = random();
    options.trace = true;
    const family_mixture_results r = fit_mixture(executor::cpu(1), family, one(x).weighted(w), options);
    ASSERT_NE(r.status[0], fit_status::not_run) << family.name;
    ASSERT_EQ(has_parameters(r.status[0]), std::isfinite(r.log_likelihood[0])) << family.name;
    if (!has_parameters(r.status[0])) continue;
    ++with_parameters;
    const std::vector<double>& trace = r.log_likelihood_trace[0];
    ASSERT_EQ(trace.size(), static_cast<std::size_t>(r.iterations[0]) + 1);
    for (std::size_t t = 1; t < trace.size(); ++t)
      ASSERT_TRUE(trace[t] >= trace[t - 1] - 1e-10 * (1 + std::abs(trace[t - 1])))
          << family.name << ", run " << run << ", iteration " << t << ": " << trace[t] - trace[t - 1];
    double sum = 0, weights = 0;
    for (int k = 0; k < r.components[0]; ++k) weights += r.weight(0, k);
    EXPECT_TRUE(std::abs(weights - 1) <= 1e-12) << family.name;
    const mixture_scores s = score_mixture(executor::cpu(1), one(x), r);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (w[i] > 0) sum += w[i] * s.log_density[i];
    EXPECT_TRUE(std::abs(sum - r.log_likelihood[0]) <= 1e-9 * (1 + std::abs(sum))) << family.name;
  }
  EXPECT_GT(2 * with_parameters, runs);
}

TEST(mixtures_of_families, keep_their_bits_alone_permuted_and_at_any_thread_count) {
  for (const char* name : {"gamma", "poisson", "student_t"}) {
    const family_info& family = find_family(name);
    std::vector<double> values, reversed;
    std::vector<std::int64_t> offsets{0}, back{0};
    std::vector<std::vector<double>> samples;
    for (const std::int64_t n : {40, 900, 7, 2100, 300}) {
      samples.push_back(draw_mixture(family, n, static_cast<std::uint64_t>(n)));
      values.insert(values.end(), samples.back().begin(), samples.back().end());
      offsets.push_back(static_cast<std::int64_t>(values.size()));
    }
    for (std::size_t i = samples.size(); i-- > 0;) {
      reversed.insert(reversed.end(), samples[i].begin(), samples[i].end());
      back.push_back(static_cast<std::int64_t>(reversed.size()));
    }
    family_mixture_options options;
    options.components = {1, 3};
    options.restarts = 3;
    options.max_iterations = 60;
    const auto all = fit_mixture(executor::cpu(1), family, ragged<double>(values, offsets), options);
    const auto threads = fit_mixture(executor::cpu(2), family, ragged<double>(values, offsets), options);
    const auto turned = fit_mixture(executor::cpu(2), family, ragged<double>(reversed, back), options);
    for (std::int64_t fit = 0; fit < 5; ++fit) {
      const auto alone = fit_mixture(executor::cpu(2), family, one(samples[static_cast<std::size_t>(fit)]), options);
      const auto same = [&](const family_mixture_results& r, std::int64_t at) {
        const auto a = static_cast<std::size_t>(at), b = static_cast<std::size_t>(fit);
        EXPECT_EQ(r.status[a], all.status[b]);
        ASSERT_EQ(r.components[a], all.components[b]);
        EXPECT_EQ(r.iterations[a], all.iterations[b]);
        if (!has_parameters(all.status[b])) return;
        EXPECT_EQ(r.log_likelihood[a], all.log_likelihood[b]);
        for (int k = 0; k < all.components[b]; ++k) {
          EXPECT_EQ(r.weight(at, k), all.weight(fit, k));
          for (int p = 0; p < family.parameter_count; ++p) EXPECT_EQ(r.parameter(at, k, p), all.parameter(fit, k, p));
        }
      };
      same(alone, 0);
      same(threads, fit);
      same(turned, 4 - fit);
    }
  }
}

TEST(mixtures_of_families, of_large_samples_keep_their_bits_at_any_thread_count) {
  const std::vector<double> x = draw_mixture(find_family("gamma"), 140001, 13);
  family_mixture_options options;
  options.restarts = 2;
  options.max_iterations = 5;
  const auto a = fit_mixture(executor::cpu(1), find_family("gamma"), one(x), options);
  const auto b = fit_mixture(executor::cpu(3), find_family("gamma"), one(x), options);
  ASSERT_TRUE(has_parameters(a.status[0]));
  EXPECT_EQ(a.log_likelihood[0], b.log_likelihood[0]);
  EXPECT_EQ(a.parameters, b.parameters);
  std::vector<double> both(x);  // two fits: each on one thread
  both.insert(both.end(), x.begin(), x.end());
  const auto c = fit_mixture(executor::cpu(2), find_family("gamma"), dense<double>(both, 2), options);
  EXPECT_EQ(c.log_likelihood[0], a.log_likelihood[0]);
  EXPECT_EQ(c.log_likelihood[1], a.log_likelihood[0]);
}

TEST(mixtures_of_families, of_floats_are_those_of_the_same_values_in_double) {
  const std::vector<double> drawn = draw_mixture(find_family("gamma"), 500, 8);
  const std::vector<float> x(drawn.begin(), drawn.end());
  const std::vector<double> wide(x.begin(), x.end());
  const auto a = fit_mixture(executor::cpu(1), find_family("gamma"), dense<float>(x, 1));
  const auto b = fit_mixture(executor::cpu(1), find_family("gamma"), one(wide));
  ASSERT_EQ(a.status[0], fit_status::converged);
  EXPECT_EQ(a.log_likelihood[0], b.log_likelihood[0]);
}

TEST(mixtures_of_families, leave_missing_values_and_weights_of_zero_out) {
  std::vector<double> x = draw_mixture(find_family("weibull"), 400, 9), w(400, 2.0), kept, kept_weights;
  for (std::size_t i = 0; i < x.size(); i += 7) (i % 2 ? x : w)[i] = i % 4 == 2 ? 0.0 : nan;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] == x[i] && w[i] > 0) {
      kept.push_back(x[i]);
      kept_weights.push_back(w[i]);
    }
  const auto a = fit_mixture(executor::cpu(1), find_family("weibull"), one(x).weighted(w));
  const auto b = fit_mixture(executor::cpu(1), find_family("weibull"), one(kept).weighted(kept_weights));
  ASSERT_TRUE(has_parameters(a.status[0]));
  EXPECT_EQ(a.log_likelihood[0], b.log_likelihood[0]);
  EXPECT_EQ(a.observations[0], static_cast<std::int64_t>(kept.size()));
  EXPECT_GT(a.missing[0], 0);
}

TEST(mixtures_of_families, responsibilities_of_a_value_sum_to_one_and_draws_repeat) {
  const std::vector<mixture_component> parts{point_mass(0), {&find_family("poisson")}, {&find_family("geometric")}};
  family_mixture_results model = empty_family_mixtures(2, 3, parts);
  model.weights = {0.5, 0.3, 0.2, 0.1, 0.1, 0.8};
  model.parameters = {0, 7, 0.4, 0, 3, 0.2};
  const std::vector<double> drawn = simulate_mixture(executor::cpu(1), model, 4000, 5);
  EXPECT_EQ(drawn, simulate_mixture(executor::cpu(2), model, 4000, 5));
  const auto zeros = static_cast<double>(std::count(drawn.begin(), drawn.begin() + 4000, 0.0));
  EXPECT_TRUE(std::abs(zeros / 4000 - (0.5 + 0.3 * std::exp(-7) + 0.2 * 0.4)) <= 0.03);
  std::vector<double> x(drawn);
  x[17] = nan;
  x[18] = 0.5;  // no component takes it
  const mixture_scores s = score_mixture(executor::cpu(2), dense<double>(x, 2), model, {true, true});
  EXPECT_TRUE(std::isnan(s.log_density[17]) && s.labels[17] == -1);
  EXPECT_TRUE(std::isinf(s.log_density[18]) && s.labels[18] == -1);
  for (std::size_t i = 19; i < x.size(); ++i) {
    const double* const responsibility = s.responsibilities.data() + 3 * i;
    ASSERT_TRUE(std::abs(responsibility[0] + responsibility[1] + responsibility[2] - 1) <= 1e-12);
    ASSERT_TRUE(x[i] == 0 || responsibility[0] == 0);
    ASSERT_TRUE(responsibility[s.labels[i]] >= 1.0 / 3 - 1e-12);
  }
}

}  // namespace
}  // namespace manyfit::tests
