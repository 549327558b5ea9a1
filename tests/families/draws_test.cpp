// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Draws of every family against its own density, by Pearson's statistic, near the example parameters and far from them:
// a sampler and a density that disagree in more than about one part in a hundred anywhere are caught (a t sampler that
// divides by df + 1 is, at p < 1e-12). And draws at the ends of every parameter's range come, and are numbers.
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <map>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

constexpr int draws = 200000;

std::vector<double> densities(const family_info& family, const std::vector<double>& p, const std::vector<double>& x) {
  auto log_f = log_density(executor::cpu(1), family, dense(std::span<const double>(x), 1), one_set(p));
  for (double& each : log_f) each = std::exp(each);
  return log_f;
}

/// Pearson's statistic of counts against probabilities that add up to 1; its p-value.
double p_value(const std::vector<double>& probability, const std::vector<double>& count) {
  double statistic = 0;
  for (std::size_t i = 0; i < count.size(); ++i) {
    const double expected = probability[i] * draws;
    statistic += (count[i] - expected) * (count[i] - expected) / expected;
  }
  return boost::math::cdf(
      boost::math::complement(boost::math::chi_squared(static_cast<double>(count.size() - 1)), statistic));
}

/// Cells between quantiles of other draws; their probabilities by quadrature, both tails together being the rest.
double p_value_of_values(const family_info& family, const std::vector<double>& p) {
  auto other = draw(family, p, 4001, 77);
  std::sort(other.begin(), other.end());
  std::vector<double> cuts;
  for (int i = 1; i < 40; ++i) cuts.push_back(other[static_cast<std::size_t>(100 * i)]);
  const auto x = draw(family, p, draws, 78);
  std::vector<double> probability(cuts.size()), count(cuts.size());
  double rest = 1;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    using rule = boost::math::quadrature::gauss_kronrod<double, 31>;
    probability[i] =
        rule::integrate([&](double t) { return densities(family, p, {t})[0]; }, cuts[i], cuts[i + 1], 6, 1e-9);
    EXPECT_TRUE(probability[i] > 0.005) << "cell " << i;
    rest -= probability[i];
  }
  probability.back() = rest;
  EXPECT_TRUE(rest > 0.01 && rest < 0.2) << rest;
  for (const double each : x) {
    const auto above = static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), each) - cuts.begin());
    ++count[above == 0 || above == cuts.size() ? cuts.size() - 1 : above - 1];
  }
  return p_value(probability, count);
}

/// Cells of neighbouring counts, each with a probability of 1/40 or more but for the last, all that is above.
double p_value_of_counts(const family_info& family, const std::vector<double>& p) {
  std::map<double, double> tally;
  for (const double each : draw(family, p, draws, 78)) ++tally[each];
  const double most = tally.rbegin()->first;
  std::vector<double> every;
  for (double k = 0; k <= most; ++k) every.push_back(k);
  const auto f = densities(family, p, every);
  std::vector<double> probability, count;
  double own = 0, observed = 0, left = 1, not_yet = draws;
  for (std::size_t k = 0; k < every.size(); ++k) {
    own += f[k];
    const auto found = tally.find(every[k]);
    if (found != tally.end()) observed += found->second;
    if (own < 1.0 / 40 || left - own < 1.0 / 40) continue;
    probability.push_back(own);
    count.push_back(observed);
    left -= own, not_yet -= observed;
    own = observed = 0;
  }
  probability.push_back(left);
  count.push_back(not_yet);
  EXPECT_GE(count.size(), 2u);
  return p_value(probability, count);
}

class family_draws : public every_family {};

TEST_P(family_draws, follow_their_density) {
  for (const double factor : {1.0, 0.6, 2.5, 0.2, 20.0}) {
    auto p = example_parameters(family());
    for (int i = 0; i < family().parameter_count; ++i) {
      const constraint kind = family().parameters[i].kind;
      const double odds = p[i] / (1 - p[i]) * factor;
      p[i] = kind == constraint::probability ? odds / (1 + odds)
             : kind == constraint::count     ? std::ceil(p[i] * factor)
                                             : p[i] * factor;
    }
    const double value = family().discrete ? p_value_of_counts(family(), p) : p_value_of_values(family(), p);
    EXPECT_TRUE(value >= 1e-5) << "p = " << value << " at " << testing::PrintToString(p);
  }
}

/// One parameter at a time, and all together, at the ends of what a caller may give.
TEST_P(family_draws, come_at_the_ends_of_every_range) {
  const auto ends = [](constraint kind) -> std::vector<double> {
    if (kind == constraint::probability) return {1e-300, 1 - 0x1p-53};
    if (kind == constraint::count) return {1, 1e15, 1e300};
    if (kind == constraint::real) return {-1e300, -1e-300, 1e300};
    return {5e-324, 1e-300, 1e-10, 1e10, 1e18, 1e100, 1e300, 1.7e308};
  };
  const auto expect_numbers = [&](const std::vector<double>& p) {
    int nan_draws = 0;
    for (const double each : draw(family(), p, 20, 3)) nan_draws += !std::isfinite(each);
    EXPECT_EQ(nan_draws, 0) << testing::PrintToString(p);
  };
  const int P = family().parameter_count;
  for (int i = 0; i < P; ++i)
    for (const double end : ends(family().parameters[i].kind)) {
      auto p = example_parameters(family());
      p[i] = end;
      expect_numbers(p);
      for (int j = 0; j < P; ++j)
        if (j != i)
          for (const double other : ends(family().parameters[j].kind)) {
            auto both = p;
            both[j] = other;
            expect_numbers(both);
          }
    }
}
MF_FOR_EVERY_FAMILY(family_draws);

TEST(draws, have_their_limit_laws_beyond_their_arithmetic) {
  // Von Mises: standard deviation 1/√κ on both sides of where the normal limit takes over.
  for (const double k : {1e29, 1e31, 1e100}) {
    double squares = 0;
    for (const double each : draw(find_family("von_mises"), {0, k}, 4000, 2)) squares += each * each * k / 4000;
    EXPECT_NEAR(squares, 1, 0.1) << k;
  }
  // Poisson: mean and variance on both sides of 1e18.
  for (const double mean : {1e17, 1e19, 1e30}) {
    double sum = 0, squares = 0;
    for (const double each : draw(find_family("poisson"), {mean}, 4000, 2)) {
      sum += (each - mean) / std::sqrt(mean) / 4000;
      squares += (each - mean) / mean * (each - mean) / 4000;
    }
    EXPECT_NEAR(sum, 0, 0.07) << mean;
    EXPECT_NEAR(squares, 1, 0.1) << mean;
  }
  // Inverse Gaussian with its mean far beyond its shape: shape / x is χ² with one degree of freedom.
  for (const double mean : {1e100, 1e200, 1e300}) {
    double sum = 0;
    for (const double each : draw(find_family("inverse_gaussian"), {mean, 2}, 4000, 2)) sum += 2 / each / 4000;
    EXPECT_NEAR(sum, 1, 0.1) << mean;
  }
  // Negative binomial with a tiny size: 0 but for a fraction of size · log of what is left.
  for (const double each : draw(find_family("negative_binomial"), {1e-300, 1e300}, 100, 2)) EXPECT_EQ(each, 0);
}

}  // namespace
}  // namespace manyfit::tests
