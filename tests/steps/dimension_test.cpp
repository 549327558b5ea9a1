// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A density of the caller's own with seven parameters: on a thread, on lanes of every kind, with parameters fixed,
// with priors.
#include <random>

#include "kernels/algorithms/mle.hpp"
#include "manyfit/custom.hpp"
#include "manyfit/manyfit.hpp"
#include "on_groups.hpp"

namespace manyfit {
namespace {

/// Three normals: two log-odds against the middle one, three means, the standard deviation of the outer ones and of the
/// middle one.
struct three_normals {
  static constexpr const char* name = "three_normals";
  static constexpr parameter parameters[] = {
      {"low_odds", constraint::real, 0.2, "log-odds"},   {"high_odds", constraint::real, 0.1, "log-odds"},
      {"low", constraint::real, -4.5, "mean"},           {"middle", constraint::real, 0.3, "mean"},
      {"high", constraint::real, 5.5, "mean"},           {"outer_sd", constraint::positive, 0.9, "spread"},
      {"middle_sd", constraint::positive, 1.2, "spread"}};
  using support = supports::reals;
  template <class T>
  struct params {
    T low_odds, high_odds, low, middle, high, outer_sd, middle_sd;
  };
  template <class T, class S>
  MF_FN static T log_density(const params<T>& p, const S& x) {
    const T z0 = (x - p.low) / p.outer_sd, z1 = (x - p.middle) / p.middle_sd, z2 = (x - p.high) / p.outer_sd;
    const T a = p.low_odds - log(p.outer_sd) - 0.5 * z0 * z0, b = -log(p.middle_sd) - 0.5 * z1 * z1,
            c = p.high_odds - log(p.outer_sd) - 0.5 * z2 * z2;
    const T ab = select(a > b, a, b), most = select(ab > c, ab, c);
    return most + log(exp(a - most) + exp(b - most) + exp(c - most)) - constants::half_log_two_pi -
           log(1.0 + exp(p.low_odds) + exp(p.high_odds));
  }
};
constexpr int P = parameter_count<three_normals>;
static_assert(P == 7 && P <= max_parameters);

std::vector<double> values(int n) {
  std::mt19937_64 random(5);
  const auto uniform = [&] { return std::ldexp(static_cast<double>(random() >> 11) + 0.5, -53); };
  std::vector<double> x;
  for (int i = 0; i < n; ++i) {
    const double z = std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()), u = uniform();
    x.push_back(u < 0.3 ? -4 + z : u < 0.6 ? 0.5 + 1.4 * z : 6 + z);
  }
  return x;
}

TEST(seven_parameters, are_estimated_on_the_cpu) {
  const auto x = values(3000);
  const auto r = fit<three_normals>(executor::cpu(2), dense<double>(x, 3));
  const double truth[] = {0, std::log(0.4 / 0.3), -4, 0.5, 6, 1, 1.4};
  for (int fit = 0; fit < 3; ++fit) {
    ASSERT_EQ(r.status[fit], fit_status::converged);
    for (int p = 0; p < P; ++p)
      EXPECT_TRUE(std::abs(r.parameter(p, fit) - truth[p]) <= 4.5 * r.std_error(p, fit)) << fit << ", " << p;
  }
  fit_options with_fixed;
  with_fixed.fixed = {{"high", 6.25}, {"middle_sd", 1.5}};
  const auto some = fit<three_normals>(executor::cpu(1), dense<double>(x, 3), with_fixed);
  ASSERT_EQ(some.status[0], fit_status::converged);
  EXPECT_EQ(some.parameter("high", 0), 6.25);
  EXPECT_EQ(some.parameter("middle_sd", 0), 1.5);
  EXPECT_EQ(some.free_parameters(), 5);
  EXPECT_LT(some.log_likelihood[0], r.log_likelihood[0]);
}

TEST(seven_parameters, may_have_a_prior_each) {
  const auto x = values(300);
  fit_options options;
  for (const parameter& each : three_normals::parameters)
    options.priors[each.name] = each.kind == constraint::real ? prior_distribution{"normal", {each.example, 0.2}}
                                                              : prior_distribution{"gamma", {9, 9 / each.example}};
  const auto data = dense<double>(x, 1);
  const auto plain = fit<three_normals>(executor::cpu(1), data),
             r = fit<three_normals>(executor::cpu(1), data, options);
  ASSERT_EQ(r.status[0], fit_status::converged);
  for (int p = 0; p < P; ++p) {
    EXPECT_TRUE(r.std_error(p, 0) < plain.std_error(p, 0)) << p;
    EXPECT_TRUE(r.parameter(p, 0) != plain.parameter(p, 0)) << p;
  }
  EXPECT_LT(r.log_likelihood[0], plain.log_likelihood[0]);
}

std::vector<double> on_group(const auto& points, const sample_summary& summary) {
  const auto record = fit_loaded<three_normals>(points, summary, fit_settings(), 0x1p-52);
  std::vector<double> out{static_cast<double>(record.status), record.log_likelihood};
  for (int p = 0; p < P; ++p) {
    out.push_back(record.parameters[p]);
    out.push_back(record.std_errors[p]);
  }
  return out;
}

template <class Where>
struct seven_parameters_on : testing::Test {};
TYPED_TEST_SUITE(seven_parameters_on, all_groups);

TYPED_TEST(seven_parameters_on, any_group_are_those_of_the_library) {
  const auto x = values(400);
  const sample<double> rows{x.data(), nullptr, 400};
  const auto found = TypeParam::template run<family_rows<three_normals>, double>(
      rows, [](const auto& points, const sample_summary& summary) { return on_group(points, summary); });
  const auto expected = fit<three_normals>(executor::cpu(1), dense<double>(x, 1));
  ASSERT_EQ(expected.status[0], fit_status::converged);
  ASSERT_EQ(found[0], static_cast<double>(fit_status::converged));
  EXPECT_TRUE(std::abs(found[1] - expected.log_likelihood[0]) <= 1e-9);
  for (int p = 0; p < P; ++p) {
    EXPECT_TRUE(std::abs(found[2 + 2 * p] - expected.parameter(p, 0)) <= 1e-8) << p;
    EXPECT_TRUE(std::abs(found[3 + 2 * p] - expected.std_error(p, 0)) <= 1e-6) << p;
  }
}

}  // namespace
}  // namespace manyfit
