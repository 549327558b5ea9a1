// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of families by EM, against the formulas of families whose M step has one.
#include <fstream>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

std::vector<double> waiting_times() {
  std::ifstream file(std::string(MF_GOLDEN_DIR) + "/faithful.csv");
  std::string line;
  std::getline(file, line);
  std::vector<double> values;
  while (std::getline(file, line)) values.push_back(std::stod(line.substr(line.find(',') + 1)));
  return values;
}

batch<double> one(const std::vector<double>& values) {
  return dense<double>(values, 1);
}

TEST(family_mixture, of_normals_reaches_what_mclust_reaches) {
  const std::vector<double> values = waiting_times();
  family_mixture_options options;
  options.tolerance = 1e-12;
  const family_mixture_results r = fit_mixture(executor::cpu(2), find_family("normal"), one(values), options);
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - -1034.00174983) <= 1e-6) << r.log_likelihood[0];
  EXPECT_TRUE(std::abs(r.weight(0, 0) - 0.360886) <= 1e-5);
  EXPECT_TRUE(std::abs(r.parameter(0, 0, 0) - 54.61486) <= 1e-3);
  EXPECT_TRUE(std::abs(r.parameter(0, 1, 0) - 80.09107) <= 1e-3);
  EXPECT_TRUE(std::abs(r.parameter(0, 0, 1) - 5.87122) <= 1e-3);
  EXPECT_TRUE(std::abs(r.parameter(0, 1, 1) - 5.86773) <= 1e-3);
  EXPECT_EQ(r.free_parameters(0), 5);
}

/// EM for Poisson components, an iteration at a time.
struct poisson_em {
  std::vector<double> weights, rates, trace;
  void run(const std::vector<double>& x, int iterations) {
    const std::size_t K = weights.size();
    for (int t = 0;; ++t) {
      std::vector<double> n(K, 0), sum(K, 0);
      double value = 0;
      for (const double each : x) {
        std::vector<double> r(K);
        double total = 0;
        for (std::size_t k = 0; k < K; ++k)
          total += r[k] = weights[k] * std::exp(each * std::log(rates[k]) - rates[k] - std::lgamma(each + 1));
        value += std::log(total);
        for (std::size_t k = 0; k < K; ++k) {
          n[k] += r[k] / total;
          sum[k] += each * r[k] / total;
        }
      }
      trace.push_back(value);
      if (t == iterations) return;
      for (std::size_t k = 0; k < K; ++k) {
        weights[k] = n[k] / static_cast<double>(x.size());
        rates[k] = sum[k] / n[k];
      }
    }
  }
};

TEST(family_mixture, of_poissons_follows_the_textbook_from_a_start) {
  std::mt19937_64 random(5);
  std::vector<double> values;
  for (int i = 0; i < 400; ++i)
    values.push_back(static_cast<double>(std::poisson_distribution<int>(i % 3 ? 3 : 11)(random)));
  poisson_em wanted{{0.5, 0.5}, {2, 9}, {}};
  wanted.run(values, 8);
  family_mixture_results start = empty_family_mixtures(1, 2, {{&find_family("poisson")}});
  start.weights = {0.5, 0.5};
  start.parameters = {2, 9};
  family_mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.max_iterations = 8;
  options.trace = true;
  const family_mixture_results r = fit_mixture(executor::cpu(1), find_family("poisson"), one(values), options);
  ASSERT_EQ(r.log_likelihood_trace[0].size(), 9u);
  for (std::size_t t = 0; t < 9; ++t)
    EXPECT_TRUE(std::abs(r.log_likelihood_trace[0][t] - wanted.trace[t]) <= 1e-10 * std::abs(wanted.trace[t])) << t;
  for (int k = 0; k < 2; ++k) {
    EXPECT_TRUE(std::abs(r.weight(0, k) - wanted.weights[static_cast<std::size_t>(k)]) <= 1e-9);
    EXPECT_TRUE(std::abs(r.parameter(0, k, 0) - wanted.rates[static_cast<std::size_t>(k)]) <= 1e-9);
  }
}

TEST(family_mixture, zero_inflation_is_two_components) {
  // With a fraction of zeros z and the mean m of all values, the estimates solve rate / (1 − exp(−rate)) = m / (1 − z).
  std::mt19937_64 random(6);
  std::vector<double> values;
  double zeros = 0, sum = 0;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(i % 10 < 4 ? 0.0 : static_cast<double>(std::poisson_distribution<int>(2.5)(random)));
    zeros += values.back() == 0;
    sum += values.back();
  }
  const std::vector<mixture_component> parts{point_mass(0), {&find_family("poisson")}};
  family_mixture_options options;
  options.tolerance = 1e-14;
  options.max_iterations = 5000;
  options.restarts = 2;
  const family_mixture_results r = fit_mixture(executor::cpu(1), parts, one(values), options);
  ASSERT_EQ(r.status[0], fit_status::converged);
  const double positive_mean = sum / (1000 - zeros);
  double rate = positive_mean;
  for (int i = 0; i < 200; ++i) rate = positive_mean * (1 - std::exp(-rate));
  const double weight = (1000 - zeros) / 1000 / (1 - std::exp(-rate));
  EXPECT_TRUE(std::abs(r.parameter(0, 1, 0) - rate) <= 1e-5) << r.parameter(0, 1, 0) << " instead of " << rate;
  EXPECT_TRUE(std::abs(r.weight(0, 1) - weight) <= 1e-5);
  EXPECT_EQ(r.free_parameters(0), 2);
  const mixture_scores s = score_mixture(executor::cpu(1), one(values), r, {true, true});
  double total = 0;
  for (const double each : s.log_density) total += each;
  EXPECT_TRUE(std::abs(total - r.log_likelihood[0]) <= 1e-9 * std::abs(total));
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_TRUE(values[i] == 0 || s.labels[i] == 1);
}

TEST(family_mixture, never_falls_and_ends_with_a_status_for_every_family) {
  std::size_t checked = 0;
  for (const family_info* family : all_families()) {
    family_mixture_options options;
    options.restarts = 2;
    options.max_iterations = 40;
    options.trace = true;
    if (std::string(family->name) == "binomial") options.fixed = {{"trials", 20}};
    if (std::string(family->name) == "uniform") options.fixed = {{"min", 0}, {"max", 5}};  // EM moves no end
    std::vector<double> values;
    std::mt19937_64 random(9);
    for (int i = 0; i < 200; ++i) {
      const double u = std::uniform_real_distribution<double>(0.02, 0.4)(random) + (i % 2 ? 0.5 : 0);
      const bool unit = std::string(family->name) == "beta", bit = std::string(family->name) == "bernoulli";
      values.push_back(bit ? std::floor(u + 0.5) : unit ? u : family->discrete ? std::floor(20 * u) : 1 + 3 * u);
    }
    const family_mixture_results r = fit_mixture(executor::cpu(1), *family, one(values), options);
    EXPECT_NE(r.status[0], fit_status::not_run) << family->name;
    const bool has = r.status[0] == fit_status::converged || r.status[0] == fit_status::max_iterations;
    EXPECT_EQ(has, std::isfinite(r.log_likelihood[0])) << family->name;
    EXPECT_EQ(has, r.weight(0, 0) >= 0) << family->name;
    if (!has) continue;
    ++checked;
    const std::vector<double>& trace = r.log_likelihood_trace[0];
    for (std::size_t t = 1; t < trace.size(); ++t)
      EXPECT_TRUE(trace[t] >= trace[t - 1] - 1e-9 * std::abs(trace[t - 1])) << family->name << ", iteration " << t;
    double sum = 0;
    for (const double each : score_mixture(executor::cpu(1), one(values), r).log_density) sum += each;
    EXPECT_TRUE(std::abs(sum - r.log_likelihood[0]) <= 1e-9 * (1 + std::abs(sum))) << family->name;
  }
  EXPECT_GE(checked, all_families().size() - 1);
}

TEST(family_mixture, finds_again_what_it_drew) {
  for (const auto& [name, low, high] :
       {std::tuple<const char*, std::vector<double>, std::vector<double>>{"gamma", {4, 2}, {40, 4}},
        {"weibull", {2, 1}, {6, 6}},
        {"exponential", {5}, {0.1}},
        {"negative_binomial", {5, 3}, {20, 40}}}) {
    family_mixture_results truth = empty_family_mixtures(1, 2, {{&find_family(name)}});
    truth.weights = {0.35, 0.65};
    truth.parameters = low;
    truth.parameters.insert(truth.parameters.end(), high.begin(), high.end());
    const std::vector<double> values = simulate_mixture(executor::cpu(1), truth, 20000, 3);
    family_mixture_options options;
    options.restarts = 4;
    const family_mixture_results r = fit_mixture(executor::cpu(2), find_family(name), one(values), options);
    ASSERT_EQ(r.status[0], fit_status::converged) << name;
    double at_truth = 0;
    for (const double each : score_mixture(executor::cpu(1), one(values), truth).log_density) at_truth += each;
    EXPECT_TRUE(r.log_likelihood[0] >= at_truth) << name;
    EXPECT_TRUE(r.log_likelihood[0] - at_truth <= 20) << name;  // half a χ² of 5: no more than noise can give
    EXPECT_TRUE(std::abs(r.weight(0, 0) - 0.35) <= 0.03) << name << ": " << r.weight(0, 0);
    for (int k = 0; k < 2; ++k)
      for (int p = 0; p < r.parameter_stride; ++p) {
        const double wanted = truth.parameter(0, k, p);
        EXPECT_TRUE(std::abs(r.parameter(0, k, p) - wanted) <= 0.15 * wanted) << name << ": " << r.parameter(0, k, p);
      }
  }
}

TEST(family_mixture, of_families_with_different_supports) {
  std::mt19937_64 random(8);
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i)
    values.push_back(i % 4 ? std::normal_distribution<double>(-1, 1)(random)
                           : std::exponential_distribution<double>(0.1)(random));
  const std::vector<mixture_component> parts{{&find_family("normal")}, {&find_family("exponential")}};
  family_mixture_options options;
  options.restarts = 3;
  const family_mixture_results r = fit_mixture(executor::cpu(1), parts, one(values), options);
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(r.weight(0, 0) - 0.75) <= 0.03) << r.weight(0, 0);
  EXPECT_TRUE(std::abs(r.parameter(0, 0, 0) + 1) <= 0.1);
  EXPECT_TRUE(std::abs(r.parameter(0, 1, 0) - 0.1) <= 0.02);
}

TEST(family_mixture, keeps_its_bits_in_company_and_gives_each_fit_its_status) {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  std::mt19937_64 random(12);
  for (int fit = 0; fit < 6; ++fit) {
    const int n = fit == 1 ? 1 : fit == 4 ? 0 : 80;
    for (int i = 0; i < n; ++i)
      values.push_back(fit == 2             ? 3.0
                       : fit == 3 && i == 5 ? -1.0
                                            : std::gamma_distribution<double>(2 + 8 * (i % 2), 1)(random));
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  values[3] = nan;
  family_mixture_options options;
  options.components = {1, 3};
  options.restarts = 2;
  const auto data = ragged<double>(values, offsets);
  const family_mixture_results all = fit_mixture(executor::cpu(2), find_family("gamma"), data, options);
  EXPECT_EQ(all.missing[0], 1);
  EXPECT_EQ(all.status[1], fit_status::too_few);
  EXPECT_EQ(all.status[2], fit_status::constant_sample);
  EXPECT_EQ(all.status[3], fit_status::out_of_support);
  EXPECT_EQ(all.status[4], fit_status::too_few);
  for (const std::int64_t fit : {0, 5}) {
    const std::vector<double> own(values.begin() + offsets[static_cast<std::size_t>(fit)],
                                  values.begin() + offsets[static_cast<std::size_t>(fit) + 1]);
    const family_mixture_results alone = fit_mixture(executor::cpu(1), find_family("gamma"), one(own), options);
    ASSERT_EQ(alone.components[0], all.components[static_cast<std::size_t>(fit)]);
    EXPECT_EQ(alone.log_likelihood[0], all.log_likelihood[static_cast<std::size_t>(fit)]);
    for (int k = 0; k < alone.components[0]; ++k)
      for (int p = 0; p < 2; ++p) EXPECT_EQ(alone.parameter(0, k, p), all.parameter(fit, k, p));
  }
  EXPECT_THROW(fit_mixture(executor::cpu(1), find_family("binomial"), data), error);
  EXPECT_THROW(fit_mixture(executor::cpu(1), std::span<const mixture_component>{}, data), error);
}

}  // namespace
}  // namespace manyfit::tests
