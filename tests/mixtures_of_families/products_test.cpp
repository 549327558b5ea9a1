// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of products against EM written out cell by cell, in long double, and against other people's latent classes.
#include <functional>

#include "product_tests.hpp"

namespace manyfit::tests {
namespace {

using real = long double;

/// A family as a textbook has it: its log-density, and its weighted fit to the cells that are there.
struct textbook_family {
  const char* name;
  std::function<real(const std::vector<real>&, real)> log_density;
  std::function<std::vector<real>(const std::vector<std::pair<real, real>>& values_with_weights)> fit;
};

real mean_of(const std::vector<std::pair<real, real>>& data) {
  real sum = 0, weight = 0;
  for (const auto& [x, w] : data) {
    sum += w * x;
    weight += w;
  }
  return sum / weight;
}
std::vector<real> only_mean(const std::vector<std::pair<real, real>>& data) {
  return {mean_of(data)};
}

const textbook_family families[] = {
    {"bernoulli", [](const std::vector<real>& p, real x) { return x > 0 ? std::log(p[0]) : std::log(1 - p[0]); },
     only_mean},
    {"poisson", [](const std::vector<real>& p, real x) { return x * std::log(p[0]) - p[0] - std::lgamma(x + 1); },
     only_mean},
    {"exponential", [](const std::vector<real>& p, real x) { return std::log(p[0]) - p[0] * x; },
     [](const std::vector<std::pair<real, real>>& data) { return std::vector<real>{1 / mean_of(data)}; }},
    {"normal",
     [](const std::vector<real>& p, real x) {
       const real z = (x - p[0]) / p[1];
       return -0.5L * z * z - std::log(p[1]) - 0.918938533204672741780329736406L;
     },
     [](const std::vector<std::pair<real, real>>& data) {
       const real mean = mean_of(data);
       std::vector<std::pair<real, real>> squares;
       for (const auto& [x, w] : data) squares.push_back({(x - mean) * (x - mean), w});
       return std::vector<real>{mean, std::sqrt(mean_of(squares))};
     }}};

struct textbook {
  std::vector<real> weights, trace;
  std::vector<std::vector<std::vector<real>>> theta;  ///< [K][D]: parameters

  void run(const textbook_family& family, const std::vector<double>& rows, const std::vector<double>& w, int D,
           int iterations) {
    const std::size_t K = weights.size(), n = w.size(), columns = static_cast<std::size_t>(D);
    for (int t = 0;; ++t) {
      std::vector<std::vector<real>> responsibility(K, std::vector<real>(n));
      real value = 0, all = 0;
      for (std::size_t i = 0; i < n; ++i) {
        bool some = false;
        real sum = 0;
        for (std::size_t k = 0; k < K; ++k) {
          real log_density = 0;
          for (std::size_t d = 0; d < columns; ++d) {
            const double x = rows[i * columns + d];
            if (std::isnan(x)) continue;
            some = true;
            log_density += family.log_density(theta[k][d], x);
          }
          sum += responsibility[k][i] = weights[k] * std::exp(log_density);
        }
        for (std::size_t k = 0; k < K; ++k) responsibility[k][i] *= some ? w[i] / sum : 0;
        if (!some) continue;
        value += w[i] * std::log(sum);
        all += w[i];
      }
      trace.push_back(value);
      if (t == iterations) return;
      for (std::size_t k = 0; k < K; ++k) {
        weights[k] = 0;
        for (const real each : responsibility[k]) weights[k] += each / all;
        for (std::size_t d = 0; d < columns; ++d) {
          std::vector<std::pair<real, real>> data;
          for (std::size_t i = 0; i < n; ++i)
            if (!std::isnan(rows[i * columns + d])) data.push_back({rows[i * columns + d], responsibility[k][i]});
          theta[k][d] = family.fit(data);
        }
      }
    }
  }
};

/// Every entry of the trace and the last parameters, from the example's parameters with equal weights.
void follow(const textbook_family& family, const std::vector<double>& rows, const std::vector<double>& w, int D) {
  constexpr int iterations = 12;
  family_mixture_results start = example_products(find_family(family.name), D);
  start.weights = {0.5, 0.5};
  textbook wanted{{0.5L, 0.5L}, {}, {}};
  for (int k = 0; k < 2; ++k) {
    wanted.theta.emplace_back();
    for (int d = 0; d < D; ++d) {
      wanted.theta.back().emplace_back();
      for (int p = 0; p < start.parameter_stride; ++p)
        wanted.theta.back().back().push_back(start.parameter(0, k, d, p));
    }
  }
  wanted.run(family, rows, w, D, iterations);
  const auto r =
      fit_mixture(executor::cpu(1), find_family(family.name), rows_of(rows, D).weighted(w), from(start, iterations));
  ASSERT_EQ(r.log_likelihood_trace[0].size(), wanted.trace.size()) << family.name << to_string(r.status[0]);
  for (std::size_t t = 0; t < wanted.trace.size(); ++t)
    EXPECT_TRUE(std::abs(r.log_likelihood_trace[0][t] - wanted.trace[t]) <= 1e-11L * std::abs(wanted.trace[t]))
        << family.name << ", iteration " << t << ": " << r.log_likelihood_trace[0][t] - wanted.trace[t];
  for (int k = 0; k < 2; ++k) {
    EXPECT_TRUE(std::abs(r.weight(0, k) - wanted.weights[k]) <= 1e-10L) << family.name;
    for (int d = 0; d < D; ++d)
      for (int p = 0; p < r.parameter_stride; ++p)
        EXPECT_TRUE(std::abs(r.parameter(0, k, d, p) - wanted.theta[k][d][p]) <= 1e-9L * (1 + wanted.theta[k][d][p]))
            << family.name << ", column " << d;
  }
}

TEST(mixtures_of_products, take_the_steps_of_em_written_out) {
  for (const textbook_family& family : families)
    for (const int D : {2, 3, 7})
      for (const std::int64_t n : {37, 600, 2500}) {  // one tile, and several partitions
        const std::vector<double> rows = draw_products(find_family(family.name), D, n, static_cast<std::uint64_t>(n));
        follow(family, rows, std::vector<double>(static_cast<std::size_t>(n), 1.0), D);
      }
}

TEST(mixtures_of_products, take_them_with_weights_and_missing_cells) {
  for (const textbook_family& family : families)
    for (const std::size_t gap : {2u, 3u, 11u}) {
      constexpr int D = 5, n = 400;
      std::vector<double> rows = draw_products(find_family(family.name), D, n, gap, gap), w;
      for (int i = 0; i < n; ++i) w.push_back(0.25 * (1 + i % 7));
      for (int d = 0; d < D; ++d) rows[static_cast<std::size_t>(17 * D + d)] = nan;  // a row without any
      follow(family, rows, w, D);
    }
}

/// Columns of more values than a byte counts go cell by cell, beside others that do not.
TEST(mixtures_of_products, take_them_where_some_columns_have_many_values) {
  constexpr int D = 4, n = 900;
  std::vector<double> rows = draw_products(find_family("poisson"), D, n, 3, 9);
  for (int i = 0; i < n; ++i)
    for (const int d : {1, 2}) rows[static_cast<std::size_t>(i * D + d)] += (i * 7 + d) % 500;
  follow(families[1], rows, std::vector<double>(n, 1.0), D);
}

/// 216 answers to four questions, by how often each pattern occurs (Stouffer & Toby, American Journal of Sociology 56
/// (1951) 395–406; Goodman, Biometrika 61 (1974) 215–231). The values are those of R's poLCA (Linzer & Lewis) for its
/// data `values`, as its manual and examples print them.
TEST(mixtures_of_products, of_bernoulli_are_the_latent_classes_of_polca) {
  const std::vector<double> counts{42, 23, 6, 25, 6, 24, 7, 38, 1, 4, 1, 6, 2, 9, 2, 20};
  std::vector<double> answers;
  for (int i = 0; i < 16; ++i)
    for (const int bit : {8, 4, 2, 1}) answers.push_back((i & bit) != 0);
  const auto data = rows_of(answers, 4).weighted(counts);
  family_mixture_options options;
  options.tolerance = 1e-12;
  options.max_iterations = 20000;
  options.components = {1, 3};
  const auto chosen = fit_mixture(executor::cpu(2), find_family("bernoulli"), data, options);
  EXPECT_EQ(chosen.components[0], 2);
  for (const auto& [K, log_likelihood] : {std::pair{1, -543.6498}, {2, -504.4677}, {3, -503.3011}}) {
    options.components = K;
    const auto r = fit_mixture(executor::cpu(1), find_family("bernoulli"), data, options);
    ASSERT_EQ(r.status[0], fit_status::converged) << K;
    EXPECT_TRUE(std::abs(r.log_likelihood[0] - log_likelihood) <= 6e-5) << K << ": " << r.log_likelihood[0];
    EXPECT_EQ(r.free_parameters(0), 5 * K - 1);
    if (K != 2) continue;
    EXPECT_TRUE(std::abs(r.aic(0) - 1026.935) <= 6e-4);
    const double true_weights[] = {0.2792, 0.7208},
                 second[2][4] = {{0.993, 0.9398, 0.9265, 0.7691}, {0.714, 0.3296, 0.3540, 0.1324}};
    for (int k = 0; k < 2; ++k) {  // ours are in ascending order of the first answer's mean, of 1 for the second
      const int own = r.weight(0, 0) < 0.5 ? k : 1 - k;
      EXPECT_TRUE(std::abs(r.weight(0, own) - true_weights[k]) <= 1e-4) << r.weight(0, own);
      for (int d = 0; d < 4; ++d)
        EXPECT_TRUE(std::abs(1 - r.parameter(0, own, d, 0) - second[k][d]) <= 6e-4) << k << ", " << d;
    }
  }
  // BIC counts rows: as many of weight 1.
  std::vector<double> rows;
  for (std::size_t i = 0; i < 16; ++i)
    for (int c = 0; c < counts[i]; ++c) rows.insert(rows.end(), &answers[4 * i], &answers[4 * i] + 4);
  options.components = 2;
  const auto r = fit_mixture(executor::cpu(1), find_family("bernoulli"), rows_of(rows, 4), options);
  EXPECT_EQ(r.observations[0], 216);
  EXPECT_TRUE(std::abs(r.bic(0) - 1057.313) <= 6e-4) << r.bic(0);
}

}  // namespace
}  // namespace manyfit::tests
