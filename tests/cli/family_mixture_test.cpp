// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit mixture` of other families than gaussian, and `manyfit score` with what it printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cli_support.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class family_mixture_command : public testing::Test {
 protected:
  folder place;
  std::string data = std::string(MF_GOLDEN_DIR) + "/faithful.csv";

  run_result fit(std::vector<std::string> more) const {
    std::vector<std::string> all{"mixture", "gamma", data, "--column", "waiting"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }

  /// Two keys of counts, each with two rates.
  std::string counts() const {
    std::string csv = "k,x\n";
    for (int i = 0; i < 60; ++i) csv += "a," + std::to_string(i % 2 ? 1 + i % 3 : 40 + i % 5) + "\n";
    for (int i = 0; i < 60; ++i) csv += "b," + std::to_string(i % 3 ? 10 + i % 4 : 90 + i % 7) + "\n";
    return csv;
  }
};

TEST_F(family_mixture_command, json_has_parameters_in_place_of_means_and_covariances) {
  const json document = parsed(fit({"--components", "1:3", "--format", "json", "--device", "cpu", "--trace"}));
  EXPECT_THAT(names_in(document), ElementsAre("manyfit", "command", "family", "device", "precision", "fits"));
  EXPECT_EQ(document["family"], "gamma");
  const json& found = document["fits"][0];
  EXPECT_THAT(names_in(found), ElementsAre("n", "missing", "left_out", "status", "iterations", "components", "weights",
                                           "parameters", "log_likelihood", "aic", "bic", "log_likelihood_trace"));
  EXPECT_EQ(found["n"], 272);
  EXPECT_EQ(found["status"], "converged");
  EXPECT_EQ(found["components"], 2);
  ASSERT_EQ(found["parameters"].size(), 2u);
  EXPECT_THAT(names_in(found["parameters"][0]), ElementsAre("shape", "rate"));
  const auto mean = [&](int k) {
    return found["parameters"][k]["shape"].get<double>() / found["parameters"][k]["rate"].get<double>();
  };
  EXPECT_LT(mean(0), mean(1));
  const double likelihood = found["log_likelihood"];
  EXPECT_TRUE(std::abs(found["bic"].get<double>() - (5 * std::log(272.0) - 2 * likelihood)) <= 1e-9);
  ASSERT_EQ(found["log_likelihood_trace"].size(), found["iterations"].get<std::size_t>() + 1);
  EXPECT_EQ(found["log_likelihood_trace"].back(), found["log_likelihood"]);
}

TEST_F(family_mixture_command, normal_components_are_the_gaussian_mixture_of_one_dimension) {
  const json document =
      parsed(run({"mixture", "normal", data, "--column", "waiting", "--components", "2", "--format", "json"}));
  const json& found = document["fits"][0];
  EXPECT_TRUE(std::abs(found["log_likelihood"].get<double>() - -1034.00174983) <= 1e-4);
  EXPECT_TRUE(std::abs(found["parameters"][0]["mean"].get<double>() - 54.61486) <= 0.01);
  EXPECT_TRUE(std::abs(found["parameters"][1]["sd"].get<double>() - 5.86773) <= 0.01);
}

TEST_F(family_mixture_command, a_start_keeps_its_order_and_is_found_by_key) {
  const run_result first =
      run({"mixture", "poisson", "-", "--by", "k", "--components", "2", "--format", "json"}, {counts()});
  json model = json::parse(first.out);
  ASSERT_EQ(model["fits"].size(), 2u);
  std::swap(model["fits"][0], model["fits"][1]);  // keys in another order than in the data
  for (json& each : model["fits"])
    for (const char* name : {"weights", "parameters"}) std::swap(each[name][0], each[name][1]);
  const std::string path = place.file("turned.json", model.dump());
  const json again =
      parsed(run({"mixture", "poisson", "-", "--by", "k", "--start", path, "--format", "json", "--trace"}, {counts()}));
  ASSERT_EQ(again["fits"].size(), 2u);
  for (int i = 0; i < 2; ++i) {
    const json &found = again["fits"][i], &start = model["fits"][1 - i];
    EXPECT_EQ(found["key"], start["key"]);
    const double likelihood = start["log_likelihood"];
    EXPECT_TRUE(std::abs(found["log_likelihood_trace"][0].get<double>() - likelihood) <= 1e-8 * std::abs(likelihood));
    EXPECT_GT(found["parameters"][0]["rate"].get<double>(), found["parameters"][1]["rate"].get<double>());
  }
  EXPECT_EQ(run({"mixture", "poisson", "-", "--column", "x", "--start", path}, {counts()}).code, 2);
  EXPECT_EQ(run({"mixture", "poisson", "-", "--by", "k", "--start", path, "--components", "3"}, {counts()}).code, 2);
  EXPECT_EQ(run({"mixture", "geometric", "-", "--by", "k", "--start", path}, {counts()}).code, 3);
  EXPECT_EQ(run({"mixture", "gaussian", "-", "--by", "k", "--start", path}, {counts()}).code, 3);
  EXPECT_EQ(run({"mixture", "poisson", "-", "--by", "k", "--start", path}, {counts() + "c,4\nc,5\nc,50\n"}).code, 3);
}

TEST_F(family_mixture_command, score_gives_densities_responsibilities_and_labels) {
  const run_result fitted =
      run({"mixture", "poisson", "-", "--by", "k", "--components", "2", "--format", "json"}, {counts()});
  const json model = json::parse(fitted.out);
  const double likelihood =
      model["fits"][0]["log_likelihood"].get<double>() + model["fits"][1]["log_likelihood"].get<double>();
  const json scores = parsed(run({"score", place.file("m.json", fitted.out), "-", "--by", "k", "--responsibilities",
                                  "--label", "--format", "json"},
                                 {counts()}));
  ASSERT_EQ(scores["log_density"].size(), 120u);
  double sum = 0;
  for (std::size_t i = 0; i < 120; ++i) {
    sum += scores["log_density"][i].get<double>();
    EXPECT_TRUE(std::abs(scores["r0"][i].get<double>() + scores["r1"][i].get<double>() - 1) <= 1e-12);
    EXPECT_EQ(scores["label"][i], (i < 60 ? i % 2 == 0 : i % 3 == 0) ? 1.0 : 0.0) << i;
  }
  EXPECT_TRUE(std::abs(sum - likelihood) <= 1e-8 * std::abs(likelihood));
}

TEST_F(family_mixture_command, a_fixed_parameter_is_fixed_in_every_component_and_scored) {
  const std::string csv = "x\n1\n2\n1\n9\n8\n9\n2\n8\n10\n0\n9\n1\n";
  const run_result fitted =
      run({"mixture", "binomial", "-", "--fix", "trials=10", "--components", "2", "--format", "json"}, {csv});
  const json model = parsed(fitted);
  EXPECT_EQ(model["fits"][0]["parameters"][0]["trials"], 10.0);
  EXPECT_EQ(model["fits"][0]["parameters"][1]["trials"], 10.0);
  const json scores =
      parsed(run({"score", place.file("m.json", fitted.out), "-", "--label", "--format", "json"}, {csv}));
  EXPECT_EQ(scores["label"][0], 0.0);
  EXPECT_EQ(scores["label"][3], 1.0);
}

TEST_F(family_mixture_command, csv_table_and_picture_hold_every_component) {
  const auto rows = cells(fit({"--components", "2", "--format", "csv", "--quiet"}).out);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows[0], ElementsAre("n", "missing", "left_out", "status", "iterations", "components", "weight0",
                                   "shape0", "rate0", "weight1", "shape1", "rate1", "log_likelihood", "aic", "bic"));
  EXPECT_EQ(rows[1].size(), rows[0].size());
  const run_result table = fit({"--components", "1:3", "--plot", place.path("gamma.svg")});
  EXPECT_THAT(table.out, HasSubstr("<- lowest, taken"));
  EXPECT_THAT(table.err, HasSubstr("by BIC"));
  EXPECT_THAT(place.read("gamma.svg"), HasSubstr("2 components"));
}

TEST_F(family_mixture_command, refuses_what_only_gaussian_mixtures_have) {
  const auto expect_failure = [](const run_result& result, const char* text) {
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
    EXPECT_LE(lines_in(result.err), 2);
    EXPECT_EQ(result.out, "");
  };
  expect_failure(fit({"--components", "2", "--covariance", "full"}), "--covariance");
  expect_failure(fit({"--components", "2", "--regularize", "0"}), "--regularize");
  expect_failure(fit({"--components", "2", "--fix", "size=2"}), "size");
  expect_failure(run({"mixture", "binomial", data, "--column", "waiting", "--components", "2"}), "trials");
  expect_failure(run({"mixture", "gaussian", data, "--fix", "mean=2", "--components", "2"}), "--fix");
  expect_failure(run({"mixture", "uniform", std::string(MF_GOLDEN_DIR) + "/uniform_two.csv", "--components", "2"}),
                 "EM cannot move a support");
  EXPECT_EQ(run({"mixture", "gamma", data, "--components", "2"}).code, 3);  // two columns, neither named
}

}  // namespace
}  // namespace manyfit::test
