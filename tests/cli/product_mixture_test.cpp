// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit mixture FAMILY --columns a,b,...`: products over several columns, and `manyfit score` with what it printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cli_support.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class product_mixture_command : public testing::Test {
 protected:
  folder place;

  /// Answers of two classes to four questions, some of them missing, and one row without any.
  static std::string answers() {
    std::string csv = "key,a,b,c,d,w\n";
    for (int i = 0; i < 200; ++i) {
      const int same = i % 5 < 3;
      csv += i % 2 ? "x" : "y";
      for (int q = 0; q < 4; ++q)
        csv +=
            (i * 7 + q) % 23 == 0 ? std::string(",") : "," + std::to_string((i * (q + 3)) % 10 < 1 ? 1 - same : same);
      csv += ",1\n";
    }
    return csv + "x,,,,,1\n";
  }
  static run_result fit(std::vector<std::string> more, const std::string& data = answers()) {
    std::vector<std::string> all{"mixture", "bernoulli", "-", "--columns", "a,b,c,d"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, {data});
  }
};

TEST_F(product_mixture_command, json_has_the_parameters_of_each_column) {
  const json document = parsed(fit({"--components", "2", "--format", "json", "--trace"}));
  EXPECT_THAT(names_in(document), ElementsAre("manyfit", "command", "family", "device", "precision", "fits"));
  const json& found = document["fits"][0];
  EXPECT_THAT(names_in(found), ElementsAre("n", "missing", "left_out", "status", "iterations", "components", "weights",
                                           "parameters", "log_likelihood", "aic", "bic", "log_likelihood_trace"));
  EXPECT_EQ(found["n"], 200);
  EXPECT_EQ(found["missing"], 1);
  EXPECT_EQ(found["components"], 2);
  ASSERT_EQ(found["parameters"].size(), 2u);
  EXPECT_THAT(names_in(found["parameters"][0]), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names_in(found["parameters"][0]["c"]), ElementsAre("prob"));
  EXPECT_LT(found["parameters"][0]["a"]["prob"], found["parameters"][1]["a"]["prob"]);
  const double likelihood = found["log_likelihood"];
  EXPECT_TRUE(std::abs(found["bic"].get<double>() - (9 * std::log(200.0) - 2 * likelihood)) <= 1e-9);
}

TEST_F(product_mixture_command, a_document_is_a_start_and_a_model_for_score) {
  const run_result fitted = fit({"--components", "2", "--format", "json", "--by", "key"});
  json model = parsed(fitted);
  ASSERT_EQ(model["fits"].size(), 2u);
  const std::string path = place.file("m.json", fitted.out);
  const json scores = parsed(
      run({"score", path, "-", "--by", "key", "--responsibilities", "--label", "--format", "json"}, {answers()}));
  ASSERT_EQ(scores["log_density"].size(), 201u);
  double sum = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    sum += scores["log_density"][i].get<double>();
    EXPECT_TRUE(std::abs(scores["r0"][i].get<double>() + scores["r1"][i].get<double>() - 1) <= 1e-12);
  }
  EXPECT_TRUE(scores["log_density"][200].is_null() && scores["label"][200].is_null());
  const double likelihood =
      model["fits"][0]["log_likelihood"].get<double>() + model["fits"][1]["log_likelihood"].get<double>();
  EXPECT_TRUE(std::abs(sum - likelihood) <= 1e-9 * std::abs(likelihood)) << sum - likelihood;
  // The same columns in another order: the start's parameters go with their names.
  for (const char* columns : {"a,b,c,d", "d,b,a,c"}) {
    const json again = parsed(run({"mixture", "bernoulli", "-", "--columns", columns, "--by", "key", "--start", path,
                                   "--format", "json", "--trace"},
                                  {answers()}));
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_TRUE(std::abs(again["fits"][i]["log_likelihood_trace"][0].get<double>() -
                           model["fits"][i]["log_likelihood"].get<double>()) <= 1e-8)
          << columns;
  }
  EXPECT_EQ(run({"mixture", "bernoulli", "-", "--columns", "a,b,c", "--by", "key", "--start", path}, {answers()}).code,
            3);
  EXPECT_EQ(run({"mixture", "bernoulli", "-", "--column", "a", "--by", "key", "--start", path}, {answers()}).code, 3);
}

TEST_F(product_mixture_command, csv_parquet_and_table_name_component_and_column) {
  const auto rows = cells(fit({"--components", "2", "--format", "csv", "--quiet"}).out);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows[0], ElementsAre("n", "missing", "left_out", "status", "iterations", "components", "weight0",
                                   "prob0_a", "prob0_b", "prob0_c", "prob0_d", "weight1", "prob1_a", "prob1_b",
                                   "prob1_c", "prob1_d", "log_likelihood", "aic", "bic"));
  EXPECT_EQ(rows[1].size(), rows[0].size());
  const run_result table = fit({"--components", "2"});
  EXPECT_THAT(table.out, HasSubstr("mixture of products of bernoulli: converged, 2 components, n = 200"));
  EXPECT_THAT(table.out, HasSubstr("column"));
  EXPECT_THAT(table.err, HasSubstr("over 4 columns"));
}

TEST_F(product_mixture_command, one_column_is_the_mixture_of_its_values) {
  const std::vector<std::string> rest{"--components", "2", "--format", "json", "--weights", "w"};
  const auto of = [&](const char* option) {
    std::vector<std::string> all{"mixture", "poisson", "-", option, "a"};
    all.insert(all.end(), rest.begin(), rest.end());
    return run(all, {answers()}).out;
  };
  EXPECT_EQ(of("--columns"), of("--column"));
}

TEST_F(product_mixture_command, says_how_many_values_no_class_can_have) {
  const run_result outside = fit({"--components", "2", "--format", "json"}, answers() + "x,2,0,1,0.5,1\n");
  EXPECT_EQ(json::parse(outside.out)["fits"][0]["status"], "out_of_support");
  EXPECT_EQ(json::parse(outside.out)["fits"][0]["outside"], 2);
  EXPECT_THAT(outside.err, HasSubstr("2 values outside"));
  EXPECT_EQ(json::parse(outside.out)["fits"][0]["parameters"], nullptr);
}

TEST_F(product_mixture_command, refuses_what_it_does_not_have) {
  const auto refused = [](const run_result& result, const char* text) {
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
    EXPECT_LE(lines_in(result.err), 2);
    EXPECT_EQ(result.out, "");
  };
  refused(fit({"--components", "2", "--regularize", "1"}), "which have covariances");
  refused(fit({"--components", "2", "--covariance", "full"}), "--covariance");
  refused(fit({"--components", "2", "--plot", place.path("p.svg")}), "--plot");
  EXPECT_EQ(fit({"--components", "2"}, "a,b,c\n1,0,1\n").code, 3);  // no column d
}

}  // namespace
}  // namespace manyfit::test
