// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Components whose supports have ends that depend on parameters: EM finds them, or the call is refused.
#include <algorithm>
#include <fstream>

#include "family_mixture_tests.hpp"

namespace manyfit::tests {
namespace {

std::vector<double> read_column(const std::string& name) {
  std::ifstream file(std::string(MF_GOLDEN_DIR) + "/" + name);
  std::string line;
  std::getline(file, line);
  std::vector<double> values;
  while (std::getline(file, line)) values.push_back(std::stod(line));
  return values;
}

/// n values of each component.
std::vector<double> draw_apart(const char* family, const std::vector<std::vector<double>>& components, int n,
                               std::uint64_t seed) {
  std::vector<double> values;
  for (const std::vector<double>& each : components) {
    const std::vector<double> own =
        simulate(executor::cpu(1), find_family(family), {each.data(), 0, 1}, 1, n, {.seed = seed++});
    values.insert(values.end(), own.begin(), own.end());
  }
  return values;
}

/// Fits of the n values of each component by itself, with equal weights: no maximum of the mixture is below this.
double apart(const char* family, const std::vector<double>& values, std::size_t n) {
  double sum = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += n) {
    const fit_results own =
        fit(executor::cpu(1), find_family(family), dense<double>(std::span(values).subspan(begin, n), 1));
    EXPECT_TRUE(usable(own.status[0]));
    sum += own.log_likelihood[0] - static_cast<double>(n) * std::log(static_cast<double>(values.size() / n));
  }
  return sum;
}

// Source: mpmath on each half, weights 1/2: -459.664198 is a lower bound of the maximum.
TEST(mixture_supports, of_two_gevs_are_found) {
  const family_mixture_results r =
      fit_mixture(executor::cpu(1), find_family("gev"), one(read_column("gev_two.csv")), {.components = 2});
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(r.log_likelihood[0] >= -459.664198) << r.log_likelihood[0];
  const double wanted[2][3] = {{-0.22096186493948858, 0.9969669434165265, 0.06875603327031256},
                               {29.853986440369148, 0.9796203277955118, 0.061137594266972656}};
  for (int k = 0; k < 2; ++k)
    for (int p = 0; p < 3; ++p)
      EXPECT_TRUE(std::abs(r.parameter(0, k, p) - wanted[k][p]) <= 1e-3) << r.parameter(0, k, p);
}

TEST(mixture_supports, of_components_apart_reach_the_fits_of_each) {
  struct {
    const char* family;
    std::vector<std::vector<double>> components;
  } const cases[] = {{"gev", {{0, 1, -0.3}, {30, 1, -0.3}}},
                     {"gev", {{0, 1, 0.2}, {40, 2, -0.2}, {-60, 1, 0.1}}},
                     {"generalized_pareto", {{0.01, -0.2}, {100, 0.1}}}};
  for (const auto& each : cases)
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
      const std::vector<double> values = draw_apart(each.family, each.components, 150, 10 * seed);
      const family_mixture_results r = fit_mixture(executor::cpu(1), find_family(each.family), one(values),
                                                   {.components = static_cast<int>(each.components.size())});
      ASSERT_TRUE(has_parameters(r.status[0])) << each.family << ": " << to_string(r.status[0]);
      // Scale families that share the end 0 overlap there: what is lost to that is a few values' worth.
      const double slack = each.components[0].size() == 2 ? 8 : 1e-3;
      EXPECT_TRUE(r.log_likelihood[0] >= apart(each.family, values, 150) - slack)
          << each.family << ", seed " << seed << ": " << r.log_likelihood[0];
    }
}

// Components that overlap: what is found is at least as likely as what was drawn from.
TEST(mixture_supports, of_components_that_overlap_are_at_least_as_likely_as_the_truth) {
  int checked = 0;
  for (const char* name : {"gev", "generalized_pareto"})
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
      family_mixture_results truth = empty_family_mixtures(1, 2, {{&find_family(name)}});
      truth.weights = {0.4, 0.6};
      truth.parameters = std::string(name) == "gev" ? std::vector<double>{0, 1, -0.2, 4, 1.5, 0.1}
                                                    : std::vector<double>{0.5, 0.1, 12, -0.1};
      const std::vector<double> values = simulate_mixture(executor::cpu(1), truth, 600, seed);
      const family_mixture_results r = fit_mixture(executor::cpu(2), find_family(name), one(values));
      ASSERT_TRUE(has_parameters(r.status[0])) << name << ": " << to_string(r.status[0]);
      double at_truth = 0, at_fit = 0;
      for (const double each : score_mixture(executor::cpu(1), one(values), truth).log_density) at_truth += each;
      for (const double each : score_mixture(executor::cpu(1), one(values), r).log_density) at_fit += each;
      EXPECT_TRUE(std::abs(at_fit - r.log_likelihood[0]) <= 1e-9 * std::abs(at_fit));
      EXPECT_TRUE(r.log_likelihood[0] >= at_truth) << name << ", seed " << seed;
      ++checked;
    }
  EXPECT_EQ(checked, 10);
}

std::string error_of(const std::vector<mixture_component>& parts, const family_mixture_options& options = {}) {
  try {
    fit_mixture(executor::cpu(1), parts, one({}), options);
  } catch (const error& e) {
    EXPECT_EQ(e.why(), error::kind::argument);
    return e.what();
  }
  return "";
}

// uniform_two.csv: 100 values on [0, 1] and 100 on [20, 21]. EM would leave both components at [0, 21].
TEST(mixture_supports, that_em_cannot_move_are_refused_before_anything_is_fitted) {
  const family_info& uniform = find_family("uniform");
  EXPECT_NE(error_of({{&uniform}}).find("EM cannot move a support"), std::string::npos);
  EXPECT_NE(error_of({{&uniform, 0, {{"min", 0}}}}).find("EM cannot move a support"), std::string::npos);
  EXPECT_NE(error_of({{&find_family("normal")}, {&uniform}}).find("a mixture of uniform"), std::string::npos);
  EXPECT_EQ(error_of({{&uniform, 0, {{"min", 0}, {"max", 1}}}}), "");
  EXPECT_EQ(error_of({{&uniform}}, {.components = 1}), "");
  const std::vector<double> values = read_column("uniform_two.csv");
  const std::vector<mixture_component> with_fixed{{&uniform, 0, {{"min", 0}, {"max", 1}}},
                                                  {&uniform, 0, {{"min", 20}, {"max", 21}}}};
  const family_mixture_results r = fit_mixture(executor::cpu(1), with_fixed, one(values));
  ASSERT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - -138.62943611) <= 1e-7) << r.log_likelihood[0];
}

/// Every family says how its support ends where it moves: its density just inside an end is finite at most for those
/// that fall to 0 there, and those that do not move contain the same values whatever the parameters.
TEST(mixture_supports, are_declared_by_every_family_whose_parameters_move_them) {
  std::vector<std::string> moving;
  for (const family_info* family : all_families()) {
    std::vector<double> parameters, x;
    for (int p = 0; p < family->parameter_count; ++p) parameters.push_back(family->parameters[p].example);
    for (int i = -400; i <= 400; ++i) x.push_back(family->discrete ? i : 0.173 * i);
    const auto inside = [&](const std::vector<double>& at) {
      std::vector<bool> has;
      for (const double each : log_density(executor::cpu(1), *family, dense<double>(x, 1), {at.data(), 0, 1}))
        has.push_back(each > -INFINITY);
      return has;
    };
    bool moves = false;
    for (int p = 0; p < family->parameter_count; ++p) {
      const constraint kind = family->parameters[p].kind;
      if (kind == constraint::count) continue;  // fixed by the caller
      for (const double change : {-0.35, 0.35}) {
        std::vector<double> other = parameters;
        other[static_cast<std::size_t>(p)] = kind == constraint::real
                                                 ? other[static_cast<std::size_t>(p)] + 2 * change
                                                 : other[static_cast<std::size_t>(p)] * (1 + change);
        if (kind == constraint::probability) other[static_cast<std::size_t>(p)] = 0.5 + change;
        moves = moves || inside(other) != inside(parameters);
      }
    }
    EXPECT_EQ(moves, family->ends != moving_support::none) << family->name;
    if (moves) moving.push_back(family->name);
  }
  EXPECT_EQ(moving.size(), 3u);
}

}  // namespace
}  // namespace manyfit::tests
