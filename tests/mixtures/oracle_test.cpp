// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Log-likelihoods that R's mclust 6 reaches, from our own starts.
#include <fstream>
#include <sstream>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

std::vector<double> read_numbers(const std::string& name) {
  std::ifstream file(std::string(MF_GOLDEN_DIR) + "/" + name);
  std::string line, cell;
  std::getline(file, line);
  std::vector<double> values;
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    while (std::getline(cells, cell, ',')) values.push_back(std::stod(cell));
  }
  return values;
}

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

TEST(mixture_oracle, bic_takes_the_number_of_components_that_mclust_takes) {
  mixture_options options;
  options.components = {1, 6};
  const mixture_results faithful =
      fit_mixture(executor::cpu(), points<double>(read_numbers("faithful.csv"), 2), options);
  EXPECT_EQ(faithful.components[0], 2);  // mclust: VVV, 2
  EXPECT_EQ(faithful.tried, 6);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(faithful.criteria[1] <= faithful.criteria[static_cast<std::size_t>(i)]);
  EXPECT_TRUE(std::abs(faithful.criteria[1] - faithful.bic(0)) <= 1e-9);
  options.components = {1, 4};
  EXPECT_EQ(fit_mixture(executor::cpu(), points<double>(read_numbers("iris.csv"), 4), options).components[0], 2);
  options.components = {1, 5};
  options.covariance = covariance_structure::tied;
  EXPECT_EQ(fit_mixture(executor::cpu(), points<double>(read_numbers("faithful.csv"), 2), options).components[0], 3);
}

}  // namespace
}  // namespace manyfit::tests
