// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Random words against Random123's published vectors; variates against exact distribution functions (Boost.Math) at
// fixed seeds: Kolmogorov-Smirnov for continuous ones, chi-square over cells of equal probability for counts. The
// thresholds are at p = 1e-4 for some sixty tests; a seed is fixed, so a failure is a wrong sampler and not bad luck.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions.hpp>
#include <map>
#include <set>
#include <vector>

#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cpu.hpp"
#include "kernels/random/transforms.hpp"

namespace manyfit {
namespace {

constexpr int draws = 100000;
constexpr uint64_t seed = 20260101;

template <class Draw>
std::vector<double> sample(uint64_t subsequence, Draw draw) {
  std::vector<double> values(draws);
  for (int i = 0; i < draws; ++i) {
    philox_stream random(seed, subsequence, static_cast<uint32_t>(i));
    values[i] = draw(random);
  }
  return values;
}

/// sqrt(n) times the greatest distance to the distribution function; above 2.23 with probability 1e-4.
template <class Draw, class Cdf>
void follows(const char* name, Draw draw, Cdf cdf) {
  static uint64_t subsequence = 1000;
  std::vector<double> values = sample(subsequence++, draw);
  std::sort(values.begin(), values.end());
  double distance = 0;
  for (int i = 0; i < draws; ++i) {
    const double p = cdf(values[i]);
    ASSERT_FALSE(!(p >= 0 && p <= 1)) << name << " at " << values[i];
    distance = std::max({distance, p - double(i) / draws, double(i + 1) / draws - p});
  }
  const double statistic = distance * std::sqrt(draws);
  std::printf("%-40s Kolmogorov-Smirnov %.2f\n", name, statistic);
  EXPECT_FALSE(!(statistic <= 2.23)) << name;
}

/// Pearson's statistic over about forty cells, merged so that each expects at least a fortieth of the draws.
template <class Draw, class Cdf>
void counts_follow(const char* name, Draw draw, double expected_mean, double expected_variance, Cdf cdf) {
  static uint64_t subsequence = 2000;
  const std::vector<double> values = sample(subsequence++, draw);
  std::map<double, int> tally;
  double mean = 0;
  for (const double k : values) {
    ASSERT_FALSE(!(k >= 0 && k == std::floor(k))) << name;
    ++tally[k];
    mean += k / draws;
  }
  const double z = (mean - expected_mean) / std::sqrt(expected_variance / draws);
  EXPECT_FALSE(!(std::abs(z) <= 4)) << name << ": mean " << mean;

  double statistic = 0, below = 0, observed = 0;
  int cells = 0;
  for (const auto& [k, count] : tally) {
    observed += count;
    const double upper = k == tally.rbegin()->first ? 1.0 : cdf(k);
    // A last cell of its own must not be thinner than the others either.
    if (k != tally.rbegin()->first && (upper - below < 1.0 / 40 || 1 - upper < 1.0 / 40)) continue;
    const double expected = (upper - below) * draws;
    statistic += square(observed - expected) / expected;
    below = upper, observed = 0, ++cells;
  }
  double p_value = 1;
  if (cells > 1) p_value = boost::math::cdf(complement(boost::math::chi_squared(cells - 1), statistic));
  std::printf("%-40s mean %+.2f sd, chi-square %.1f in %d cells\n", name, z, statistic, cells);
  EXPECT_FALSE(!(p_value >= 1e-4)) << name << ": " << p_value;
}

TEST(philox, gives_the_published_words_of_random123) {
  struct vector {
    vec<uint32_t, 4> counter;
    vec<uint32_t, 2> key;
    vec<uint32_t, 4> words;
  };
  constexpr uint32_t f = 0xffffffff;
  // From Random123's kat_vectors, philox4x32 10.
  const vector known[] = {{{{0, 0, 0, 0}}, {{0, 0}}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
                          {{{f, f, f, f}}, {{f, f}}, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
                          {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
                           {{0xa4093822, 0x299f31d0}},
                           {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}}};
  for (const vector& each : known) {
    const vec<uint32_t, 4> words = random123_words::block(each.counter, each.key);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(words[i], each.words[i]);
  }
}
TEST(philox, puts_seed_subsequence_and_draw_where_the_contract_says) {
  philox_stream zero(0, 0, 0);
  for (const uint32_t word : {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}) EXPECT_EQ(zero.next(), word);
  philox_stream other(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3u);
  const auto expected = random123_words::block({{0, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(other.next(), expected[i]);
  const auto second = random123_words::block({{1, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(other.next(), second[i]);
}
TEST(philox, streams_of_neighbours_differ) {
  std::set<uint64_t> seen;
  for (uint64_t s : {0, 1, 2})
    for (uint64_t subsequence : {0, 1, 2})
      for (uint32_t draw : {0, 1, 2}) {
        philox_stream random(s, subsequence, draw);
        seen.insert(uint64_t{random.next()} << 32 | random.next());
      }
  EXPECT_EQ(seen.size(), 27u);
}

struct fixed_words {  // the extremes of the words, for the extremes of uniform()
  uint32_t word;
  static inline uint32_t value = 0;
  static vec<uint32_t, 4> block(const vec<uint32_t, 4>&, const vec<uint32_t, 2>&) {
    return {{value, value, value, value}};
  }
};
TEST(uniform, stays_inside_the_open_interval_at_the_extreme_words) {
  fixed_words::value = 0;
  EXPECT_EQ(random_stream<fixed_words>(0, 0, 0).uniform(), 0x1p-53);
  fixed_words::value = 0xffffffff;
  EXPECT_EQ(random_stream<fixed_words>(0, 0, 0).uniform(), 1 - 0x1p-53);
}
TEST(uniform, exponential_and_normal_follow_their_distributions) {
  namespace b = boost::math;
  follows(
      "uniform", [](auto& r) { return draw_uniform(r); }, [](double x) { return x; });
  follows(
      "exponential", [](auto& r) { return draw_exponential(r); }, [](double x) { return -std::expm1(-x); });
  follows(
      "normal", [](auto& r) { return draw_normal(r); }, [](double x) { return b::cdf(b::normal(), x); });
}
TEST(gamma, follows_its_distribution_from_tiny_to_huge_shapes) {
  for (const double shape : {0.01, 0.05, 0.5, 1.0, 1.7, 30.0, 1e6})
    follows(("gamma " + std::to_string(shape)).c_str(), [=](auto& r) { return draw_gamma(r, shape); },
            [=](double x) { return boost::math::gamma_p(shape, x); });
  follows(
      "chi squared 3", [](auto& r) { return draw_chi_squared(r, 3); },
      [](double x) { return boost::math::gamma_p(1.5, x / 2); });
}
TEST(gamma, log_of_a_variate_is_finite_where_the_variate_underflows) {
  // For tiny shapes log G is −E / shape but for terms of order 1: so shape · log G must be minus an exponential.
  follows(
      "log gamma 1e-6", [](auto& r) { return -1e-6 * draw_log_gamma(r, 1e-6); },
      [](double x) { return x <= 0 ? 0.0 : -std::expm1(-x); });
}
TEST(beta, follows_its_distribution) {
  // Not both shapes tiny: the mass within 1e-16 of 1 then falls on the double 1, which is right but no continuous
  // variate.
  for (const auto& [a, b] : {std::pair{0.05, 3.0}, {0.3, 0.2}, {0.5, 0.5}, {1.0, 3.0}, {2.5, 0.7}, {400.0, 9000.0}})
    follows(("beta " + std::to_string(a) + " " + std::to_string(b)).c_str(),
            [a = a, b = b](auto& r) { return draw_beta(r, a, b); },
            [a = a, b = b](double x) { return boost::math::ibeta(a, b, x); });
}

/// Distribution function of the von Mises about 0: Simpson's rule on a grid scaled to the peak.
struct von_mises_cdf {
  double concentration, width, total;
  std::vector<double> table;
  static constexpr int steps = 20000;
  explicit von_mises_cdf(double k)
      : concentration(k), width(std::min(constants::pi, 12 / std::sqrt(k + 1e-300))), table(steps + 1) {
    const double h = 2 * width / steps;
    for (int i = 1; i <= steps; ++i) {
      const double x = -width + (i - 1) * h;
      table[i] = table[i - 1] + h / 6 * (density(x) + 4 * density(x + h / 2) + density(x + h));
    }
    total = table[steps];
  }
  double density(double x) const { return std::exp(-2 * concentration * square(std::sin(x / 2))); }
  double operator()(double x) const {
    const double position = std::clamp((x + width) / (2 * width) * steps, 0.0, double(steps));
    const int i = std::min(static_cast<int>(position), steps - 1);
    return (table[i] + (position - i) * (table[i + 1] - table[i])) / total;
  }
};
TEST(von_mises, follows_its_distribution_at_any_concentration) {
  for (const double k : {0.0, 1e-9, 1e-3, 0.5, 2.0, 50.0, 1e4, 1e10})
    follows(("von Mises " + std::to_string(k)).c_str(), [=](auto& r) { return draw_von_mises(r, 0, k); },
            von_mises_cdf(k));
  follows(
      "von Mises about 3",
      [](auto& r) {
        const double x = draw_von_mises(r, 3, 2);
        EXPECT_TRUE(x >= -constants::pi && x <= constants::pi);
        return x < 3 - constants::pi ? x + 2 * constants::pi - 3 : x - 3;
      },
      von_mises_cdf(2));
}
TEST(inverse_gaussian, follows_its_distribution) {
  for (const auto& [mean, shape] : {std::pair{1.0, 1.0}, {3.0, 0.2}, {2.0, 500.0}, {1.0, 1e-3}})
    follows(("inverse gaussian " + std::to_string(mean) + " " + std::to_string(shape)).c_str(),
            [mean = mean, shape = shape](auto& r) { return draw_inverse_gaussian(r, mean, shape); },
            [d = boost::math::inverse_gaussian(mean, shape)](double x) { return boost::math::cdf(d, x); });
}

TEST(poisson, follows_its_distribution_in_both_methods) {
  for (const double mean : {1e-3, 0.5, 3.0, 9.99, 10.0, 25.0, 1000.0, 1e6})
    counts_follow(("poisson " + std::to_string(mean)).c_str(), [=](auto& r) { return draw_poisson(r, mean); }, mean,
                  mean, [=](double k) { return boost::math::gamma_q(k + 1, mean); });
  philox_stream random(1, 2, 3);
  EXPECT_EQ(draw_poisson(random, 0.0), 0.0);
}
TEST(binomial, follows_its_distribution_in_both_methods) {
  for (const auto& [n, p] : {std::pair{1.0, 0.3},
                             {10.0, 0.5},
                             {40.0, 0.9},
                             {50.0, 0.4},
                             {1000.0, 0.02},
                             {1e6, 1e-5},
                             {1000.0, 0.0095},
                             {1e6, 0.3},
                             {1e6, 1 - 1e-5},
                             {1e9, 0.75},
                             {25.0, 0.5}})
    counts_follow(("binomial " + std::to_string(n) + " " + std::to_string(p)).c_str(),
                  [n = n, p = p](auto& r) { return draw_binomial(r, n, p); }, n * p, n * p * (1 - p),
                  [n = n, p = p](double k) { return k >= n ? 1.0 : boost::math::ibetac(k + 1, n - k, p); });
  philox_stream random(1, 2, 3);
  EXPECT_EQ(draw_binomial(random, 7, 0.0), 0.0);
  EXPECT_EQ(draw_binomial(random, 7, 1.0), 7.0);
  EXPECT_EQ(draw_binomial(random, 0, 0.5), 0.0);
}
TEST(geometric, follows_its_distribution) {
  for (const double p : {0.9, 0.3, 1e-4})
    counts_follow(("geometric " + std::to_string(p)).c_str(), [=](auto& r) { return draw_geometric(r, p); },
                  (1 - p) / p, (1 - p) / (p * p), [=](double k) { return -std::expm1((k + 1) * std::log1p(-p)); });
  philox_stream random(1, 2, 3);
  EXPECT_EQ(draw_geometric(random, 1.0), 0.0);
}
TEST(negative_binomial, follows_its_distribution) {
  for (const auto& [size, mean] : {std::pair{0.1, 2.0}, {3.0, 40.0}, {1e6, 5.0}})
    counts_follow(
        ("negative binomial " + std::to_string(size) + " " + std::to_string(mean)).c_str(),
        [size = size, mean = mean](auto& r) { return draw_negative_binomial(r, size, mean); }, mean,
        mean + mean * mean / size,
        [size = size, mean = mean](double k) { return boost::math::ibeta(size, k + 1, size / (size + mean)); });
}
TEST(log_probabilities, of_counts_agree_with_boost) {
  for (const double mean : {0.3, 12.0, 5000.0})
    for (const double k : {0.0, 1.0, 2.0, 3.0, 11.0, 4900.0}) {
      const double expected = k * std::log(mean) - mean - std::lgamma(k + 1);
      EXPECT_FALSE(!(std::abs(log_poisson(k, mean) - expected) <= 1e-11 * (1 + std::abs(expected))))
          << k << " " << mean;
    }
  for (const double k : {0.0, 1.0, 2.0, 7.0, 29.0, 30.0}) {
    const double expected = std::log(boost::math::pdf(boost::math::binomial(30, 0.35), k));
    EXPECT_FALSE(!(std::abs(log_binomial(k, 30, 0.35) - expected) <= 1e-12 * (1 + std::abs(expected)))) << k;
  }
}

}  // namespace
}  // namespace manyfit
