// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Wrong priors are refused in words; every continuous family may be one.
#include "prior_tests.hpp"

#include "kernels/contracts/family_traits.hpp"

namespace manyfit::tests {
namespace {

void expect_refused(const priors& believed, const std::vector<std::string>& words, fit_options options = {},
                    const char* family = "gamma") {
  try {
    fit_with(family, {1, 2, 3}, believed, options);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const error& e) {
    EXPECT_EQ(e.why(), error::kind::argument) << e.what();
    for (const std::string& word : words) EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
  }
}

TEST(wrong_priors, are_refused_in_words) {
  expect_refused({{"scale", {"normal", {0, 1}}}}, {"gamma", "scale", "shape, rate"});
  expect_refused({{"rate", {"gama", {2, 1}}}}, {"did you mean 'gamma'"});
  expect_refused({{"rate", {"gamma", {2}}}}, {"rate", "2 parameters (shape, rate)", "1 given"});
  expect_refused({{"rate", {"exponential", {}}}}, {"1 parameter (rate)", "0 given"});
  expect_refused({{"rate", {"poisson", {2}}}}, {"poisson", "discrete"});
  expect_refused({{"rate", {"gamma", {2, -1}}}}, {"gamma's rate", "-1", "positive"});
  expect_refused({{"rate", {"normal", {nan, 1}}}}, {"normal's mean", "finite"});
  expect_refused({{"rate", {"gamma", {2, 1}}}}, {"rate", "fixed"}, {.fixed = {{"rate", 1.0}}});
  expect_refused({{"rate", {"uniform", {-3, -1}}}}, {"-3", "-1", "positive"});
  expect_refused({{"rate", {"uniform", {3, 1}}}}, {"no density anywhere"});
  expect_refused({{"prob", {"uniform", {2, 3}}}}, {"between 0 and 1"}, {}, "bernoulli");
  expect_refused({{"trials", {"gamma", {2, 1}}}}, {"trials"}, {}, "binomial");
}

TEST(wrong_priors, are_refused_without_any_sample) {
  fit_options options;
  options.priors = {{"rate", {"gamma", {2}}}};
  EXPECT_THROW(fit(executor::cpu(1), find_family("gamma"), dense<double>({}, 0), options), error);
}

class every_distribution : public every_family {};

TEST_P(every_distribution, is_a_prior_with_its_own_density_and_derivatives) {
  if (family().discrete) {
    EXPECT_EQ(family().traits->density, nullptr);
    return;
  }
  const auto p = example_parameters(family());
  auto places = draw(family(), p, 40, 3);
  places.push_back(-7.5);
  for (const double x : places) {
    double out[3], low[3], high[3];
    family().traits->density(p.data(), x, out);
    const double expected = log_prior({family().name, p}, x);
    EXPECT_TRUE(out[0] == expected || std::abs(out[0] - expected) <= 1e-11 * (1 + std::abs(expected)))
        << x << ": " << out[0] << " and " << expected;
    if (!std::isfinite(expected)) continue;
    const double h = 1e-6 * std::min(1.0, std::abs(x));
    family().traits->density(p.data(), x - h, low);
    family().traits->density(p.data(), x + h, high);
    if (!std::isfinite(low[0]) || !std::isfinite(high[0])) continue;
    EXPECT_TRUE(std::abs((high[0] - low[0]) / (2 * h) - out[1]) <= 1e-5 * (1 + std::abs(out[1]))) << x << " " << out[1];
    EXPECT_TRUE(std::abs((high[1] - low[1]) / (2 * h) - out[2]) <= 1e-4 * (1 + std::abs(out[2]))) << x << " " << out[2];
  }
}
MF_FOR_EVERY_FAMILY(every_distribution);

}  // namespace
}  // namespace manyfit::tests
