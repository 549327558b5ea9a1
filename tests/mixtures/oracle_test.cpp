// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Log-likelihoods that R's mclust 6 reaches, from our own starts.
#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

mixture_options exact(component_range components, covariance_structure structure = covariance_structure::full) {
  mixture_options options;
  options.components = components;
  options.covariance = structure;
  options.regularization = 0;
  options.tolerance = 1e-12;
  options.max_iterations = 5000;
  return options;
}

TEST(mixture_oracle, old_faithful_with_two_components) {
  const std::vector<double> values = read_numbers("faithful.csv");
  ASSERT_EQ(values.size(), 544u);
  const mixture_results r = fit_mixture(executor::cpu(), points<double>(values, 2), exact(2));
  EXPECT_EQ(r.status[0], fit_status::converged);
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - -1130.26396018) <= 1e-6) << r.log_likelihood[0];
}

TEST(mixture_oracle, old_faithful_with_three_components_and_one_covariance) {
  // mclust stops at −1126.32623647; the maximum is a little higher.
  const mixture_results r = fit_mixture(executor::cpu(), points<double>(read_numbers("faithful.csv"), 2),
                                        exact(3, covariance_structure::tied));
  EXPECT_TRUE(r.log_likelihood[0] >= -1126.32623648) << r.log_likelihood[0];
  EXPECT_TRUE(std::abs(r.log_likelihood[0] - -1126.3159) <= 1e-3);
  EXPECT_TRUE(std::abs(r.bic(0) - 2314.31629567) <= 0.03) << r.bic(0);
}

TEST(mixture_oracle, old_faithfuls_columns_by_themselves) {
  const std::vector<double> both = read_numbers("faithful.csv");
  std::vector<double> eruptions, waiting;
  for (std::size_t i = 0; i < both.size(); ++i) (i % 2 ? waiting : eruptions).push_back(both[i]);
  const mixture_results w = fit_mixture(executor::cpu(), points<double>(waiting, 1), exact(2)),
                        e = fit_mixture(executor::cpu(), points<double>(eruptions, 1), exact(2));
  EXPECT_TRUE(std::abs(w.log_likelihood[0] - -1034.00174983) <= 1e-6);
  EXPECT_TRUE(std::abs(w.weight(0, 0) - 0.360886) <= 1e-5);
  EXPECT_TRUE(std::abs(w.mean(0, 0)[0] - 54.61486) <= 1e-4);
  EXPECT_TRUE(std::abs(w.mean(0, 1)[0] - 80.09107) <= 1e-4);
  EXPECT_TRUE(std::abs(std::sqrt(w.covariance_of(0, 0)[0]) - 5.87122) <= 1e-4);
  EXPECT_TRUE(std::abs(std::sqrt(w.covariance_of(0, 1)[0]) - 5.86773) <= 1e-4);
  EXPECT_TRUE(std::abs(e.log_likelihood[0] - -276.360040) <= 1e-5) << e.log_likelihood[0];
}

TEST(mixture_oracle, iris) {
  const std::vector<double> values = read_numbers("iris.csv");
  ASSERT_EQ(values.size(), 600u);
  const mixture_results two = fit_mixture(executor::cpu(), points<double>(values, 4), exact(2)),
                        three = fit_mixture(executor::cpu(), points<double>(values, 4), exact(3));
  EXPECT_TRUE(std::abs(two.log_likelihood[0] - -214.354704371) <= 1e-6) << two.log_likelihood[0];
  // mclust stops at −180.185838744 with weights 1/3, 0.2994121713 and 0.3672544954; EM goes on a little from there.
  EXPECT_TRUE(three.log_likelihood[0] >= -180.185838745) << three.log_likelihood[0];
  EXPECT_TRUE(std::abs(three.log_likelihood[0] - -180.1855) <= 1e-3);
  EXPECT_TRUE(std::abs(three.weight(0, 0) - 1.0 / 3) <= 1e-6);
  EXPECT_TRUE(std::abs(three.weight(0, 1) - 0.2994) <= 1e-3);
}

/// What mclust 6.0.0 reaches with tolerances of 1e-14 (tests/golden/check_mixtures.R), for K = 1, 2, ...
struct figures {
  covariance_structure structure;
  std::vector<double> log_likelihoods;
};

/// Every K from the default start with restarts: mclust's log-likelihood up to K = the_same[structure], beyond that at
/// least as much, since mclust, with one start, may stay at a lower maximum.
void expect_what_mclust_reaches(const std::vector<double>& values, int dimensions, const std::vector<figures>& all,
                                const std::vector<int>& the_same) {
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t K = 1; K <= all[i].log_likelihoods.size(); ++K) {
      const mixture_results r = fit_mixture(executor::cpu(), points<double>(values, dimensions),
                                            exact(static_cast<int>(K), all[i].structure));
      const double wanted = all[i].log_likelihoods[K - 1], found = r.log_likelihood[0];
      EXPECT_EQ(r.status[0], fit_status::converged);
      EXPECT_TRUE(found >= wanted - 1e-6) << "structure " << i << ", K " << K << ": " << found << " below " << wanted;
      if (static_cast<int>(K) <= the_same[i]) {
        EXPECT_TRUE(std::abs(found - wanted) <= 1e-6) << "structure " << i << ", K " << K << ": " << found;
      }
    }
}

TEST(mixture_oracle, old_faithful_in_every_structure) {
  expect_what_mclust_reaches(
      read_numbers("faithful.csv"), 2,
      {{covariance_structure::full, {-1289.796745053, -1130.263960185, -1127.071667402, -1111.247969164}},
       {covariance_structure::diagonal, {-1516.705826618, -1147.806352538, -1131.818534839, -1112.880832925}},
       {covariance_structure::tied, {-1289.796745053, -1140.186759437, -1126.315927823, -1120.828126613}},
       {covariance_structure::spherical, {-2003.952036585, -1709.529282177, -1637.434417999, -1579.346648039}}},
      {2, 2, 4, 3});
}

TEST(mixture_oracle, iris_in_every_structure) {
  expect_what_mclust_reaches(
      read_numbers("iris.csv"), 4,
      {{covariance_structure::full, {-379.914630122, -214.354704371, -180.185477131, -165.547524388}},
       {covariance_structure::diagonal, {-741.017535185, -386.185346934, -307.177571598, -287.820501071}},
       {covariance_structure::tied, {-379.914630122, -296.447574769, -256.354043126, -250.333106157}},
       {covariance_structure::spherical, {-889.516130708, -478.559095769, -384.314095061, -348.673272127}}},
      {3, 2, 3, 3});
}

TEST(mixture_oracle, bic_over_all_structures_takes_what_mclust_takes) {
  // Of VVV, VVI, EEE and VII with 1 to 6 components: faithful EEE with 3, BIC 2314.295678; iris VVV with 2, 574.017832.
  const auto best = [](const std::vector<double>& values, int dimensions) {
    mixture_results lowest;
    for (const covariance_structure structure : structures) {
      mixture_results r = fit_mixture(executor::cpu(), points<double>(values, dimensions), exact({1, 6}, structure));
      if (lowest.count == 0 || r.bic(0) < lowest.bic(0)) lowest = std::move(r);
    }
    return lowest;
  };
  const mixture_results faithful = best(read_numbers("faithful.csv"), 2), iris = best(read_numbers("iris.csv"), 4);
  EXPECT_EQ(faithful.covariance, covariance_structure::tied);
  EXPECT_EQ(faithful.components[0], 3);
  EXPECT_TRUE(std::abs(faithful.bic(0) - 2314.295678) <= 1e-5) << faithful.bic(0);
  EXPECT_EQ(iris.covariance, covariance_structure::full);
  EXPECT_EQ(iris.components[0], 2);
  EXPECT_TRUE(std::abs(iris.bic(0) - 574.017832) <= 1e-5) << iris.bic(0);
}

TEST(mixture_oracle, bic_takes_the_number_of_components_that_mclust_takes) {
  mixture_options options;
  options.components = {1, 6};
  const mixture_results faithful =
      fit_mixture(executor::cpu(), points<double>(read_numbers("faithful.csv"), 2), options);
  EXPECT_EQ(faithful.components[0], 2);  // mclust: VVV, 2
  EXPECT_EQ(faithful.tried, 6);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(faithful.criteria[1] <= faithful.criteria[static_cast<std::size_t>(i)]);
  EXPECT_TRUE(std::abs(faithful.criteria[1] - faithful.bic(0)) <= 1e-9);
  // Many petals are 0.2 wide: with a ridge a component upon them alone would win at six.
  EXPECT_EQ(fit_mixture(executor::cpu(), points<double>(read_numbers("iris.csv"), 4), options).components[0], 2);
  options.components = {1, 5};
  options.covariance = covariance_structure::tied;
  EXPECT_EQ(fit_mixture(executor::cpu(), points<double>(read_numbers("faithful.csv"), 2), options).components[0], 3);
}

}  // namespace
}  // namespace manyfit::tests
