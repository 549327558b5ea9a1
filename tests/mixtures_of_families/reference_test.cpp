// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of families against EM written out value by value, in long double, with M steps of its own.
#include <algorithm>
#include <boost/math/special_functions/digamma.hpp>
#include <fstream>
#include <functional>
#include <tuple>

#include "family_mixture_tests.hpp"

namespace manyfit::tests {
namespace {

using real = long double;
using parameters = std::vector<real>;
using values = std::vector<double>;

/// The root of a falling function of a positive number.
real root_of_falling(const std::function<real(real)>& f) {
  real low = 1e-2L, high = 1e3L;
  for (int i = 0; i < 60; ++i) {
    const real middle = 0.5L * (low + high);
    (f(middle) > 0 ? low : high) = middle;
  }
  return 0.5L * (low + high);
}

/// A family as a textbook has it.
struct plain_family {
  const char* name;
  std::function<real(const parameters&, real)> log_density;
  std::function<parameters(const values&, const std::vector<real>&)> fit;  ///< weighted
};

real weighted_mean(const values& x, const std::vector<real>& w, const std::function<real(real)>& f) {
  real sum = 0, weight = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!(w[i] > 0)) continue;
    sum += w[i] * f(x[i]);
    weight += w[i];
  }
  return sum / weight;
}

const plain_family normals{
    "normal",
    [](const parameters& p, real x) {
      const real z = (x - p[0]) / p[1];
      return -0.5L * z * z - std::log(p[1]) - 0.918938533204672741780329736406L;
    },
    [](const values& x, const std::vector<real>& w) {
      const real mean = weighted_mean(x, w, [](real v) { return v; });
      return parameters{mean, std::sqrt(weighted_mean(x, w, [&](real v) { return (v - mean) * (v - mean); }))};
    }};

const plain_family gammas{"gamma",
                          [](const parameters& p, real x) {
                            return p[0] * std::log(p[1]) - std::lgamma(p[0]) + (p[0] - 1) * std::log(x) - p[1] * x;
                          },
                          [](const values& x, const std::vector<real>& w) {
                            const real mean = weighted_mean(x, w, [](real v) { return v; });
                            const real gap = std::log(mean) - weighted_mean(x, w, [](real v) { return std::log(v); });
                            const real shape =
                                root_of_falling([&](real a) { return std::log(a) - boost::math::digamma(a) - gap; });
                            return parameters{shape, shape / mean};
                          }};

const plain_family weibulls{
    "weibull",
    [](const parameters& p, real x) {
      const real u = p[0] * std::log(x / p[1]);
      return std::log(p[0] / x) + u - std::exp(u);
    },
    [](const values& x, const std::vector<real>& w) {
      const real mean_log = weighted_mean(x, w, [](real v) { return std::log(v); });
      values logs;
      for (const double each : x) logs.push_back(std::log(each));
      const auto power = [&](real k) { return weighted_mean(logs, w, [&](real v) { return std::exp(k * v); }); };
      const real shape = root_of_falling([&](real k) {
        return 1 / k + mean_log - weighted_mean(logs, w, [&](real v) { return std::exp(k * v) * v; }) / power(k);
      });
      return parameters{shape, std::exp(std::log(power(shape)) / shape)};
    }};

const plain_family poissons{"poisson",
                            [](const parameters& p, real x) { return x * std::log(p[0]) - p[0] - std::lgamma(x + 1); },
                            [](const values& x, const std::vector<real>& w) {
                              return parameters{weighted_mean(x, w, [](real v) { return v; })};
                            }};

/// All probability at 0.
const plain_family zeros{"", [](const parameters&, real x) { return x == 0 ? 0 : -INFINITY; },
                         [](const values&, const std::vector<real>&) { return parameters{0}; }};

struct textbook {
  std::vector<plain_family> families;
  std::vector<real> weights;
  std::vector<parameters> theta;
  std::vector<real> trace;

  void run(const values& x, const std::vector<double>& w, int iterations) {
    const std::size_t K = families.size(), n = x.size();
    real all = 0;
    for (const double each : w) all += each;
    for (int t = 0;; ++t) {
      std::vector<std::vector<real>> responsibility(K, std::vector<real>(n));
      real value = 0;
      for (std::size_t i = 0; i < n; ++i) {
        real sum = 0;
        for (std::size_t k = 0; k < K; ++k)
          sum += responsibility[k][i] = weights[k] * std::exp(families[k].log_density(theta[k], x[i]));
        value += w[i] * std::log(sum);
        for (std::size_t k = 0; k < K; ++k) responsibility[k][i] *= w[i] / sum;
      }
      trace.push_back(value);
      if (t == iterations) return;
      for (std::size_t k = 0; k < K; ++k) {
        weights[k] = 0;
        for (const real each : responsibility[k]) weights[k] += each / all;
        theta[k] = families[k].fit(x, responsibility[k]);
      }
    }
  }
};

/// Every entry of the trace and the final parameters of `iterations` iterations from a start.
void follow(const std::vector<plain_family>& families, std::vector<parameters> theta, const values& x,
            const std::vector<double>& w, int iterations) {
  const std::size_t K = families.size();
  std::vector<mixture_component> parts;
  for (const plain_family& each : families)
    parts.push_back(*each.name ? mixture_component{&find_family(each.name)} : point_mass(0));
  family_mixture_results start = empty_family_mixtures(1, static_cast<int>(K), parts);
  textbook wanted{families, std::vector<real>(K, 1.0L / static_cast<real>(K)), theta, {}};
  for (std::size_t k = 0; k < K; ++k) {
    start.weights[k] = 1.0 / static_cast<double>(K);
    for (std::size_t p = 0; p < theta[k].size() && *families[k].name; ++p)
      start.parameters[k * static_cast<std::size_t>(start.parameter_stride) + p] = static_cast<double>(theta[k][p]);
  }
  wanted.run(x, w, iterations);
  family_mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.max_iterations = iterations;
  options.trace = true;
  const batch<double> data = one(x).weighted(w);
  const family_mixture_results r = fit_mixture(executor::cpu(1), parts, data, options);
  ASSERT_EQ(r.log_likelihood_trace[0].size(), wanted.trace.size());
  for (std::size_t t = 0; t < wanted.trace.size(); ++t)
    EXPECT_TRUE(std::abs(r.log_likelihood_trace[0][t] - wanted.trace[t]) <= 1e-9L * std::abs(wanted.trace[t]))
        << families[1].name << ", iteration " << t << ": " << r.log_likelihood_trace[0][t];
  for (std::size_t k = 0; k < K; ++k) {
    const int number = static_cast<int>(k);
    EXPECT_TRUE(std::abs(r.weight(0, number) - wanted.weights[k]) <= 1e-7L) << families[1].name;
    for (std::size_t p = 0; p < theta[k].size() && *families[k].name; ++p)
      EXPECT_TRUE(std::abs(r.parameter(0, number, static_cast<int>(p)) - wanted.theta[k][p]) <=
                  1e-6L * std::abs(wanted.theta[k][p]))
          << families[1].name << ", parameter " << p;
  }
}

std::vector<double> weights_of(std::size_t n, bool equal) {
  std::vector<double> w(n, 1.0);
  for (std::size_t i = 0; i < n && !equal; ++i) w[i] = 0.25 + 0.5 * static_cast<double>(i % 4);
  return w;
}

TEST(mixtures_of_families, follow_the_textbook_from_a_start) {
  for (const bool equal : {true, false}) {
    for (const std::int64_t n : {50, 1100}) {  // less and more than a block of the E step
      const auto size = static_cast<std::size_t>(n);
      const std::vector<double> w = weights_of(size, equal);
      follow({normals, normals}, {{0, 1}, {6, 4}}, draw_mixture(find_family("normal"), n, 1), w, 12);
      follow({gammas, gammas}, {{1, 1}, {5, 0.5}}, draw_mixture(find_family("gamma"), n, 2), w, 12);
      follow({weibulls, weibulls}, {{1, 1}, {3, 6}}, draw_mixture(find_family("weibull"), n, 3), w, 4);
      follow({poissons, poissons}, {{1}, {9}}, draw_mixture(find_family("poisson"), n, 4), w, 12);
      follow({zeros, poissons}, {{0}, {4}}, draw_mixture(find_family("poisson"), n, 5), w, 12);
      follow({gammas, weibulls, gammas}, {{1, 1}, {3, 6}, {20, 2}}, draw_mixture(find_family("gamma"), n, 6), w, 3);
    }
  }
}

TEST(mixtures_of_families, of_normals_reach_mclust_on_old_faithful) {
  std::ifstream file(std::string(MF_GOLDEN_DIR) + "/faithful.csv");
  std::string line;
  std::getline(file, line);
  std::vector<double> eruptions;
  while (std::getline(file, line)) eruptions.push_back(std::stod(line));
  ASSERT_EQ(eruptions.size(), 272u);
  family_mixture_options options;
  options.tolerance = 1e-12;
  const family_mixture_results r = fit_mixture(executor::cpu(2), find_family("normal"), one(eruptions), options);
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - -276.360040) <= 1e-5) << r.log_likelihood[0];
}

}  // namespace
}  // namespace manyfit::tests
