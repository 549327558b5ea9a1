// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Bad data never throws and never gives a number that looks good: what status each family gives in each situation, and
// what missing values and weights mean. A family without an entry in the table must do as default_status says.
#include <algorithm>
#include <map>
#include <utility>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

bool support_contains(const family_info& family, double x) {
#define MF_FAMILY(type) \
  if (family.name == std::string(families::type::name)) return families::type::support::contains(x);
#include "kernels/families/families.def"
#undef MF_FAMILY
  return false;
}

/// A value outside the support, or NaN when every real number is inside.
double value_outside(const family_info& family) {
  for (const double x : {-1.0, 0.5, 1.5})
    if (!support_contains(family, x)) return x;
  return nan;
}

enum class situation { one_observation, all_equal, all_zero };

/// With two or more free parameters one observation is too few, and equal ones have no maximum (continuous) or leave no
/// dispersion to fit (counts: the edge of the parameter space). A single parameter is found from any positive value.
fit_status default_status(const family_info& family, situation which) {
  const int free = family.parameter_count - static_cast<int>(required_options(family).fixed.size());
  if (which == situation::one_observation && free > 1) return fit_status::too_few;
  if (which == situation::all_zero && !support_contains(family, 0)) return fit_status::out_of_support;
  if (which == situation::all_zero && family.discrete) return fit_status::boundary;
  if (free == 1) return fit_status::converged;
  return family.discrete ? fit_status::boundary : fit_status::constant_sample;
}

fit_status expected_status(const family_info& family, situation which) {
  static const std::map<std::pair<std::string, situation>, fit_status> exceptions = {
      // All trials had the same outcome.
      {{"bernoulli", situation::one_observation}, fit_status::boundary},
      {{"bernoulli", situation::all_equal}, fit_status::boundary},
      // The rate would be infinite.
      {{"exponential", situation::all_zero}, fit_status::constant_sample},
  };
  const auto found = exceptions.find({family.name, which});
  return found == exceptions.end() ? default_status(family, which) : found->second;
}

/// What a status promises of the numbers beside it.
void expect_numbers_fit_status(const fit_results& r) {
  const bool has_estimate = usable(r.status[0]);
  EXPECT_EQ(has_estimate, !std::isnan(r.log_likelihood[0])) << to_string(r.status[0]);
  for (int i = 0; i < r.parameter_count(); ++i) {
    // A boundary may leave a parameter without a value: a direction at concentration 0.
    const bool has_value = has_estimate && (r.status[0] != fit_status::boundary || !std::isnan(r.parameter(i, 0)));
    EXPECT_EQ(has_value, !std::isnan(r.parameter(i, 0)));
    EXPECT_TRUE(r.status[0] == fit_status::converged || std::isnan(r.std_error(i, 0)));
  }
}

/// The same fit up to the order of additions: 1e-8 standard errors, as Newton stops at 1e-9; standard errors to 2e-6,
/// as the information is that of the point before Newton's last step (the contract is 1e-5).
void expect_same_fit(const fit_results& a, const fit_results& b) {
  EXPECT_EQ(a.status[0], b.status[0]) << to_string(a.status[0]) << " " << to_string(b.status[0]);
  EXPECT_EQ(a.observations[0], b.observations[0]);
  EXPECT_TRUE(relative_error(a.log_likelihood[0], b.log_likelihood[0], 1) <= 1e-12);
  if (!std::isnan(b.bic(0))) {
    EXPECT_TRUE(relative_error(a.aic(0), b.aic(0), 1) <= 1e-12);
    EXPECT_TRUE(relative_error(a.bic(0), b.bic(0), 1) <= 1e-12) << a.bic(0) << " " << b.bic(0);
  }
  for (int i = 0; i < a.parameter_count(); ++i) {
    const double se = b.std_error(i, 0);
    const double allowed = std::isnan(se) ? 1e-12 * (1 + std::abs(b.parameter(i, 0))) : 1e-8 * se;
    const bool same_limit = a.parameter(i, 0) == b.parameter(i, 0);  // infinite, at a boundary
    EXPECT_TRUE(same_limit || std::abs(a.parameter(i, 0) - b.parameter(i, 0)) <= allowed)
        << a.parameter(i, 0) << " " << b.parameter(i, 0);
    EXPECT_TRUE(std::isnan(se) ? std::isnan(a.std_error(i, 0)) : relative_error(a.std_error(i, 0), se) <= 2e-6);
  }
}

class family_status : public every_family {
 protected:
  fit_results fitted(const std::vector<double>& x, const std::vector<double>& weights = {}) const {
    return fit_sample(family(), x, weights, required_options(family()));
  }
  std::vector<double> sample(std::int64_t size = 45) const {
    return draw(family(), example_parameters(family()), size, 21);
  }
  /// A value inside every family's support and, where that is open, away from its edges.
  double inside() const { return family().discrete ? (support_contains(family(), 3) ? 3 : 1) : 0.625; }
  void expect(const std::vector<double>& x, fit_status status, const std::vector<double>& weights = {}) const {
    const auto r = fitted(x, weights);
    EXPECT_EQ(r.status[0], status) << to_string(r.status[0]);
    expect_numbers_fit_status(r);
  }
};

TEST_P(family_status, is_too_few_without_observations) {
  expect({}, fit_status::too_few);
  expect({nan, nan, nan}, fit_status::too_few);
  expect({inside(), inside()}, fit_status::too_few, {0, nan});
  EXPECT_EQ(fitted({nan, nan, nan}).missing[0], 3);
  EXPECT_EQ(fitted({nan, nan, nan}).observations[0], 0);
}

TEST_P(family_status, is_as_tabled_for_degenerate_samples) {
  expect({inside()}, expected_status(family(), situation::one_observation));
  expect(std::vector<double>(9, inside()), expected_status(family(), situation::all_equal));
  expect(std::vector<double>(9, 0.0), expected_status(family(), situation::all_zero));
}

TEST_P(family_status, is_out_of_support_with_one_value_outside) {
  if (std::isnan(value_outside(family()))) GTEST_SKIP() << "every real number is inside";
  auto x = sample();
  x[17] = value_outside(family());
  expect(x, fit_status::out_of_support);
  EXPECT_EQ(log_likelihood_at(family(), example_parameters(family()), x), -infinity);
}

TEST_P(family_status, is_nonfinite_with_infinite_values_or_wrong_weights) {
  for (const double bad : {infinity, -infinity}) {
    auto x = sample();
    x[3] = bad;
    expect(x, fit_status::nonfinite);
  }
  for (const double bad : {-0.5, infinity, -infinity}) {
    std::vector<double> weights(45, 1.0);
    weights[40] = bad;
    expect(sample(), fit_status::nonfinite, weights);
  }
}

TEST_P(family_status, counts_and_leaves_out_missing_values) {
  auto with = sample();
  std::vector<double> without;
  for (std::size_t i = 0; i < with.size(); ++i) i % 6 == 1 ? void(with[i] = nan) : without.push_back(with[i]);
  const auto r = fitted(with), expected = fitted(without);
  expect_same_fit(r, expected);
  EXPECT_EQ(r.missing[0], static_cast<std::int64_t>(with.size() - without.size()));
  EXPECT_EQ(expected.missing[0], 0);
}

TEST_P(family_status, leaves_out_values_of_weight_zero_or_nan) {
  const auto x = sample();
  std::vector<double> weights, kept, kept_weights;
  for (std::size_t i = 0; i < x.size(); ++i) {
    weights.push_back(i % 5 == 2 ? 0.0 : i % 11 == 4 ? nan : 0.5 + static_cast<double>(i % 3));
    if (!(weights[i] > 0)) continue;
    kept.push_back(x[i]);
    kept_weights.push_back(weights[i]);
  }
  const auto r = fitted(x, weights);
  expect_same_fit(r, fitted(kept, kept_weights));
  EXPECT_EQ(r.missing[0], std::count_if(weights.begin(), weights.end(), [](double w) { return std::isnan(w); }));
}

TEST_P(family_status, gives_a_weight_of_two_the_meaning_of_two_observations) {
  const auto x = sample();
  std::vector<double> twice, weights;
  for (std::size_t i = 0; i < x.size(); ++i) {
    weights.push_back(i % 2 ? 2 : 1);
    twice.insert(twice.end(), i % 2 ? 2 : 1, x[i]);
  }
  auto r = fitted(x, weights);
  EXPECT_EQ(r.observations[0], 45);
  r.observations[0] = static_cast<std::int64_t>(twice.size());
  expect_same_fit(r, fitted(twice));
}
MF_FOR_EVERY_FAMILY(family_status);

}  // namespace
}  // namespace manyfit::tests
