// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit simulate` and `manyfit score`, and that they and fit agree with each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cli_support.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

run_result simulate(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"simulate", "gamma", "--parameters", "shape=2,rate=0.5"};
  words.insert(words.end(), more.begin(), more.end());
  return run(words);
}

TEST(simulate_command, repeats_with_the_seed_and_only_then) {
  const run_result first = simulate({"--size", "50", "--seed", "7"});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(lines_in(first.out), 51);
  EXPECT_EQ(simulate({"--size", "50", "--seed", "7", "--threads", "1"}).out, first.out);
  EXPECT_NE(simulate({"--size", "50", "--seed", "8"}).out, first.out);
  EXPECT_EQ(simulate({"--size", "50"}).out, simulate({"--size", "50", "--seed", "0"}).out);
}

TEST(simulate_command, numbers_its_fits_from_one) {
  const auto rows = cells(simulate({"--size", "2", "--fits", "3", "--format", "csv"}).out);
  ASSERT_EQ(rows.size(), 7u);
  EXPECT_THAT(rows[0], ElementsAre("fit", "value"));
  std::string fits;
  for (std::size_t i = 1; i < rows.size(); ++i) fits += rows[i][0];
  EXPECT_EQ(fits, "112233");
  const auto alone = cells(simulate({"--size", "2", "--format", "csv"}).out);
  EXPECT_THAT(alone[0], ElementsAre("value"));
  EXPECT_EQ(alone[1][0], rows[1][1]);  // a fit's draws do not depend on its company
}

TEST(simulate_command, prints_the_same_numbers_in_every_format) {
  const folder place;
  const auto rows = cells(simulate({"--size", "3", "--fits", "2", "--format", "csv"}).out);
  const json document = parsed(simulate({"--size", "3", "--fits", "2", "--format", "json"}));
  EXPECT_EQ(document["command"], "simulate");
  ASSERT_EQ(document["values"].size(), 2u);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(document["values"][i / 3][i % 3].get<double>(), std::stod(rows[i + 1][1]));
  EXPECT_TRUE(parsed(simulate({"--size", "3", "--format", "json"}))["values"][0].is_number());

  EXPECT_EQ(simulate({"--size", "3", "--fits", "2", "--out", place.path("draws.npy")}).code, 0);
  const json from_array = parsed(run({"fit", "gamma", place.path("draws.npy"), "--format", "json"}));
  ASSERT_EQ(from_array["fits"].size(), 2u);
  EXPECT_EQ(from_array["fits"][0]["n"], 3);
}

TEST(simulate_command, wants_each_parameter_once_and_valid) {
  for (const char* parameters :
       {"shape=2", "shape=2,rate=-1", "shape=2,rate=1,scale=3", "shape=2,rate=x", "shape=2,shape=3,rate=1", ""}) {
    const run_result result = run({"simulate", "gamma", "--parameters", parameters, "--size", "5"});
    EXPECT_EQ(result.code, 2) << parameters;
    EXPECT_EQ(result.out, "");
    EXPECT_LE(lines_in(result.err), 2) << result.err;
  }
  EXPECT_THAT(run({"simulate", "gamma", "--parameters", "shape=2", "--size", "5"}).err,
              HasSubstr("shape (positive), rate (positive)"));
  EXPECT_EQ(run({"simulate", "gamma", "--parameters", "shape=2,rate=1"}).code, 2);
  EXPECT_EQ(simulate({"--size", "0"}).code, 2);
  EXPECT_EQ(simulate({"--size", "-5"}).code, 2);
  EXPECT_EQ(simulate({"--size", "5", "--fits", "0"}).code, 2);
}

TEST(simulate_command, asking_for_more_than_memory_exits_with_5) {
  EXPECT_EQ(simulate({"--size", "1000000000000", "--quiet"}).code, 5);
}

TEST(round_trip, a_fit_finds_the_parameters_that_were_simulated) {
  const run_result draws = simulate({"--size", "20000", "--seed", "1", "--format", "csv"});
  const json fit = parsed(run({"fit", "gamma", "-", "--format", "json"}, {draws.out}))["fits"][0];
  for (const auto& [name, truth] : {std::pair{"shape", 2.0}, std::pair{"rate", 0.5}}) {
    const double error = std::abs(fit["parameters"][name].get<double>() - truth);
    ASSERT_TRUE(error <= 5 * fit["std_errors"][name].get<double>()) << name;
  }
}

TEST(round_trip, scores_of_a_fit_add_up_to_its_log_likelihood) {
  const folder place;
  const std::string data = place.file("draws.csv", simulate({"--size", "40", "--fits", "5", "--format", "csv"}).out);
  const std::string model = place.path("model.json");
  const run_result fitted = run({"fit", "gamma", data, "--column", "value", "--by", "fit", "--out", model});
  ASSERT_EQ(fitted.code, 0) << fitted.err;
  const json fits = json::parse(place.read("model.json"))["fits"];
  const run_result scored = run({"score", model, data, "--column", "value", "--by", "fit", "--format", "csv"});
  EXPECT_EQ(scored.code, 0) << scored.err;
  const auto rows = cells(scored.out);
  ASSERT_EQ(rows.size(), 201u);
  EXPECT_THAT(rows[0], ElementsAre("log_density"));
  for (std::size_t fit = 0; fit < 5; ++fit) {
    double sum = 0;
    for (std::size_t i = 0; i < 40; ++i) sum += std::stod(rows[1 + 40 * fit + i][0]);
    const double expected = fits[fit]["log_likelihood"];
    ASSERT_TRUE(std::abs(sum - expected) <= 1e-8 * (1 + std::abs(expected))) << fit;
  }
  // The model knows what it was fitted by.
  EXPECT_EQ(run({"score", model, data, "--column", "value", "--format", "csv"}).out, scored.out);
}

TEST(round_trip, every_family_can_be_simulated_fitted_and_scored) {
  const folder place;
  const json listing = parsed(run({"families", "--format", "json"}));  // outlives the loop over its members
  for (const json& family : listing["families"]) {
    const std::string name = family["name"];
    std::string parameters;
    std::vector<std::string> fit = {"fit", name, place.path("draws.npy"), "--out", place.path("model.json")};
    for (const json& each : family["parameters"]) {
      const std::string assignment = each["name"].get<std::string>() + "=" + each["example"].dump();
      parameters += (parameters.empty() ? "" : ",") + assignment;
      if (each["constraint"].get<std::string>().starts_with("count")) {
        EXPECT_EQ(run(fit).code, 2) << name;  // it must be given
        fit.insert(fit.end(), {"--fix", assignment});
      }
    }
    const run_result drawn = run({"simulate", name, "--parameters", parameters, "--size", "500", "--seed", "3", "--out",
                                  place.path("draws.npy")});
    ASSERT_EQ(drawn.code, 0) << name << ": " << drawn.err;
    const run_result fitted = run(fit);
    ASSERT_EQ(fitted.code, 0) << name << ": " << fitted.err;
    const json result = json::parse(place.read("model.json"))["fits"][0];
    EXPECT_TRUE(result["status"] == "converged" || result["status"] == "boundary") << name << ": " << result;
    EXPECT_EQ(result["n"], 500) << name;
    double sum = 0;
    const json scores = parsed(run({"score", place.path("model.json"), place.path("draws.npy"), "--format", "json"}));
    for (const json& value : scores["log_density"]) sum += value.is_null() ? std::nan("") : value.get<double>();
    const double expected = result["log_likelihood"];
    ASSERT_TRUE(std::abs(sum - expected) <= 1e-8 * (1 + std::abs(expected)))
        << name << ": " << sum << " for " << expected;
  }
}

struct score_command : testing::Test {
  folder place;
  std::string model(const std::string& fits) const {
    return place.file("model.json",
                      R"({"manyfit": "0.1.0", "command": "fit", "family": "gamma", "fits": [)" + fits + "]}");
  }
  static std::string fit(const std::string& key, const std::string& shape, const std::string& rate) {
    return "{" + (key.empty() ? "" : R"("key": {"k": ")" + key + R"("}, )") + R"("parameters": {"shape": )" + shape +
           R"(, "rate": )" + rate + "}}";
  }
};

TEST_F(score_command, keeps_the_order_of_the_input_and_marks_what_has_no_density) {
  const std::string path = model(fit("a", "1", "1") + "," + fit("b", "1", "2") + "," + fit("c", "null", "null"));
  const std::string csv = "k,x\nb,1\na,1\nb,2\na,\nz,1\nc,1\na,-1\n";
  const run_result result = run({"score", path, "-", "--by", "k", "--format", "json"}, {csv});
  const json values = parsed(result)["log_density"];
  ASSERT_EQ(values.size(), 7u);
  ASSERT_TRUE(std::abs(values[0].get<double>() - (std::log(2) - 2)) <= 1e-12);  // exponential densities
  ASSERT_TRUE(std::abs(values[1].get<double>() + 1) <= 1e-12);
  ASSERT_TRUE(std::abs(values[2].get<double>() - (std::log(2) - 4)) <= 1e-12);
  for (std::size_t i = 3; i < 7; ++i) EXPECT_TRUE(values[i].is_null()) << i;
  EXPECT_THAT(result.err, HasSubstr("1 rows have a key without a fit"));
  EXPECT_THAT(result.err, HasSubstr("1 rows belong to fits without parameters"));

  const auto rows = cells(run({"score", path, "-", "--by", "k", "--format", "csv"}, {csv}).out);
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_THAT(rows[4], ElementsAre("\"\""));  // an empty line would be lost on many readers
  EXPECT_THAT(rows[7], ElementsAre("-inf"));
  EXPECT_EQ(run({"score", path, "-", "--by", "k", "--fail-on", "any"}, {csv}).code, 4);
}

TEST_F(score_command, refuses_what_only_a_mixture_has) {
  const std::string path = model(fit("", "1", "1"));
  for (const char* option : {"--responsibilities", "--label"}) {
    const run_result result = run({"score", path, "-", option}, {"x\n1\n"});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("mixture"));
  }
}

TEST_F(score_command, refuses_a_model_that_does_not_match) {
  const std::string plain = model(fit("", "1", "1"));
  EXPECT_EQ(run({"score", plain, "-", "--by", "k"}, {"k,x\na,1\n"}).code, 2);
  EXPECT_EQ(run({"score", plain, "-"}, {"x\nword\n"}).code, 3);
  EXPECT_EQ(run({"score", "-", "-"}, {"{}"}).code, 2);
  const std::string batch = model(fit("a", "1", "1") + "," + fit("a", "1", "2"));
  EXPECT_EQ(run({"score", batch, "-"}, {"k,x\na,1\n"}).code, 3);  // the same key twice
  const std::string strange = place.file("strange.json", R"({"manyfit": "0.1.0", "command": "fit", "family": "gramma",
    "fits": [{"parameters": {"shape": 1}}]})");
  const run_result unknown = run({"score", strange, "-"}, {"x\n1\n"});
  EXPECT_EQ(unknown.code, 3);
  EXPECT_THAT(unknown.err, HasSubstr("gramma"));
  EXPECT_EQ(run({"score", place.file("broken.json", "{"), "-"}, {"x\n1\n"}).code, 3);
  EXPECT_EQ(run({"score", place.path("absent.json"), "-"}, {"x\n1\n"}).code, 3);
  const std::string mixture =
      place.file("mixture.json", R"({"manyfit": "0.1.0", "command": "mixture", "family": "gaussian",
    "covariance": "full", "fits": [{"components": 1, "weights": [1], "means": [[0]], "covariances": [[[1]]]}]})");
  EXPECT_EQ(run({"score", mixture, "-"}, {"x\n1\n"}).code, 0);
  const run_result wide = run({"score", mixture, "-"}, {"x,y\n1,2\n"});
  EXPECT_EQ(wide.code, 3);
  EXPECT_THAT(wide.err, HasSubstr("2 coordinates"));
}

TEST_F(score_command, takes_arrays_with_a_fit_for_each_row) {
  ASSERT_EQ(simulate({"--size", "30", "--fits", "4", "--out", place.path("draws.npy")}).code, 0);
  ASSERT_EQ(run({"fit", "gamma", place.path("draws.npy"), "--out", place.path("fits.json")}).code, 0);
  const json fits = json::parse(place.read("fits.json"))["fits"];
  EXPECT_FALSE(fits[0].contains("key"));
  const json values =
      parsed(run({"score", place.path("fits.json"), place.path("draws.npy"), "--format", "json"}))["log_density"];
  ASSERT_EQ(values.size(), 120u);
  double sum = 0;
  for (std::size_t i = 90; i < 120; ++i) sum += values[i].get<double>();
  ASSERT_TRUE(std::abs(sum - fits[3]["log_likelihood"].get<double>()) <= 1e-6);
}

TEST_F(score_command, one_fit_scores_long_input_in_order) {
  const std::string path = model(fit("", "1", "1"));
  std::string csv = "x\n";
  for (int i = 0; i < 150000; ++i) csv += std::to_string(i) + "\n";
  const json values = parsed(run({"score", path, "-", "--format", "json"}, {csv}))["log_density"];
  ASSERT_EQ(values.size(), 150000u);
  for (const std::size_t i : {1u, 65535u, 65536u, 131072u, 149999u})
    EXPECT_EQ(values[i].get<double>(), -static_cast<double>(i));
}

}  // namespace
}  // namespace manyfit::test
