// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>

#include "input/model_json.hpp"
#include "input_support.hpp"

namespace manyfit::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;
using testing::Pair;

std::string error_of_text(const std::string& text) {
  return error_of([&] { parse_model(text, "m.json"); });
}

std::string fit_with(const std::string& members) {
  return R"({"command": "fit", "family": "gamma", "fits": [{)" + members + "}]}";
}

std::string mixture_with(const std::string& members, const std::string& family = "gaussian") {
  return R"({"command": "mixture", "family": ")" + family + R"(", "fits": [{)" + members + "}]}";
}

TEST(model_json, reads_what_fit_prints) {
  const model read = parse_model(R"({"manyfit": "0.1.0", "command": "fit", "family": "gamma", "device": "cpu",
    "precision": "double",
    "fits": [{"key": {"cell": "12", "a": "x"}, "n": 997, "missing": 3, "status": "converged", "iterations": 5,
      "parameters": {"shape": 2.1, "rate": 4}, "std_errors": {"shape": 0.09, "rate": 0.02},
      "interval": {"shape": [1.9, 2.3], "rate": [0.36, 0.44]}, "log_likelihood": -2011.3, "aic": 4026.6, "bic": 1},
      {"key": {"cell": "13", "a": "y"}, "status": "too_few", "parameters": {"shape": null, "rate": null},
       "std_errors": null}]})",
                                 "m.json");
  EXPECT_EQ(read.command, "fit");
  EXPECT_EQ(read.family, "gamma");
  EXPECT_FALSE(read.covariance);
  ASSERT_EQ(read.fits.size(), 2u);
  EXPECT_THAT(read.fits[0].key, ElementsAre(Pair("cell", "12"), Pair("a", "x")));
  EXPECT_EQ(read.fits[0].status, "converged");
  EXPECT_THAT(read.fits[0].parameters, ElementsAre(Pair("shape", 2.1), Pair("rate", 4)));
  EXPECT_EQ(read.fits[1].status, "too_few");
  EXPECT_THAT(read.fits[1].parameters, ElementsAre(Pair("shape", IsNan()), Pair("rate", IsNan())));
}

TEST(model_json, reads_what_mixture_prints) {
  const model read = parse_model(
      R"({"manyfit": "0.1.0", "command": "mixture", "family": "gaussian", "covariance": "full", "device": "cpu",
    "fits": [{"n": 272, "missing": 0, "status": "converged", "iterations": 14, "components": 2, "weights": [0.36, 0.64],
      "means": [[2.04, 54.5], [4.29, 80.0]], "covariances": [[[0.07, 0.4], [0.4, 33.7]], [[0.17, 0.9], [0.9, 36.0]]],
      "log_likelihood": -1130.26, "aic": 2282.5, "bic": 2322.2, "log_likelihood_trace": [-1300.1, -1200]}]})",
      "m.json");
  EXPECT_EQ(read.covariance, "full");
  const model_fit& fit = read.fits.at(0);
  EXPECT_EQ(fit.components, 2u);
  EXPECT_EQ(fit.dimensions, 2u);
  EXPECT_THAT(fit.weights, ElementsAre(0.36, 0.64));
  EXPECT_THAT(fit.means, ElementsAre(2.04, 54.5, 4.29, 80.0));
  EXPECT_THAT(fit.covariances, ElementsAre(0.07, 0.4, 0.4, 33.7, 0.17, 0.9, 0.9, 36.0));
}

TEST(model_json, a_mixture_of_another_family_has_parameters) {
  const model read =
      parse_model(mixture_with(R"("components": 2, "weights": [0.5, 0.5], "parameters": [{"rate": 1}, {"rate": 2}])",
                               "exponential"),
                  "m.json");
  EXPECT_EQ(read.fits[0].dimensions, 0u);
  EXPECT_THAT(read.fits[0].component_parameters,
              ElementsAre(ElementsAre(Pair("rate", 1)), ElementsAre(Pair("rate", 2))));
}

TEST(model_json, the_order_of_members_does_not_matter) {
  const model read = parse_model(
      R"({"fits": [{"components": 1, "weights": [1], "means": [[0]], "covariances": [[[1]]]},
                   {"covariances": [[[4]]], "means": [[3]], "weights": [1], "components": 1}],
          "family": "gaussian", "command": "mixture"})",
      "m.json");
  ASSERT_EQ(read.fits.size(), 2u);
  EXPECT_THAT(read.fits[1].means, ElementsAre(3));
}

TEST(model_json, a_failed_mixture_may_have_null_for_all_its_numbers) {
  const std::string failed = R"("status": "too_few", "components": 2, "weights": null, "means": null)";
  EXPECT_TRUE(parse_model(mixture_with(failed + R"(, "covariances": null)"), "m.json").fits[0].weights.empty());
  EXPECT_THAT(error_of_text(mixture_with(failed + R"(, "covariances": [])")), HasSubstr("fits[0].covariances"));
}

TEST(model_json, a_wrong_type_is_refused_with_its_path) {
  EXPECT_THAT(error_of_text(fit_with(R"("parameters": {"rate": 1}}, {"parameters": {"shape": "2"})")),
              HasSubstr("m.json: fits[1].parameters.shape is \"2\"\na finite number or null was expected"));
  EXPECT_THAT(error_of_text(fit_with(R"("parameters": [1])")), HasSubstr("fits[0].parameters is array"));
  EXPECT_THAT(error_of_text(fit_with(R"("parameters": {})")), HasSubstr("fits[0].parameters is object"));
  EXPECT_THAT(error_of_text(fit_with(R"("key": {"a": 1}, "parameters": {"b": 1})")), HasSubstr("fits[0].key.a is 1"));
  EXPECT_THAT(error_of_text(fit_with(R"("status": 1, "parameters": {"b": 1})")), HasSubstr("fits[0].status is 1"));
  EXPECT_THAT(error_of_text(R"({"command": "fit", "family": "gamma", "fits": [3]})"), HasSubstr("fits[0] is 3"));
  EXPECT_THAT(error_of_text(R"({"command": "fit", "family": "gamma", "fits": {}})"), HasSubstr("fits is object"));
  EXPECT_THAT(error_of_text(R"({"command": "fit", "family": 1, "fits": []})"), HasSubstr("family is 1"));
  EXPECT_THAT(error_of_text(R"({"command": "score", "family": "gamma", "fits": [{}]})"),
              HasSubstr("command is \"score\""));
  EXPECT_THAT(error_of_text(R"({"command": "mixture", "family": "gaussian", "covariance": "fulll", "fits": []})"),
              HasSubstr("covariance is \"fulll\""));
  EXPECT_THAT(error_of_text("[]"), HasSubstr("the document is array"));
}

TEST(model_json, a_missing_member_is_refused_with_its_name) {
  EXPECT_THAT(error_of_text("{}"), HasSubstr("the document has no member 'command'"));
  EXPECT_THAT(error_of_text(fit_with("")), HasSubstr("fits[0] has no member 'parameters'"));
  EXPECT_THAT(error_of_text(mixture_with(R"("components": 1)")), HasSubstr("fits[0] has no member 'weights'"));
  EXPECT_THAT(error_of_text(mixture_with(R"("components": 1, "weights": [1], "means": [[1]])")),
              HasSubstr("no member 'covariances'"));
  EXPECT_THAT(error_of_text(R"({"command": "fit", "family": "gamma", "fits": []})"), HasSubstr("fits is empty"));
}

TEST(model_json, sizes_that_do_not_agree_are_refused_with_their_path) {
  const std::string two = R"("components": 2, "weights": [0.5, 0.5], )";
  EXPECT_THAT(error_of_text(mixture_with(R"("components": 2, "weights": [1])")),
              HasSubstr("fits[0].weights has 1 elements"));
  EXPECT_THAT(error_of_text(mixture_with(R"("components": 0, "weights": [])")), HasSubstr("fits[0].components is 0"));
  EXPECT_THAT(error_of_text(mixture_with(R"("components": -1, "weights": [])")), HasSubstr("fits[0].components is -1"));
  EXPECT_THAT(error_of_text(mixture_with(two + R"("means": [[1], [1, 2]], "covariances": [[[1]], [[1]]])")),
              HasSubstr("fits[0].means[1] has 2 elements\n1 were expected"));
  EXPECT_THAT(error_of_text(mixture_with(two + R"("means": [[1], [2]], "covariances": [[[1]], [[1, 2]]])")),
              HasSubstr("fits[0].covariances[1][0] has 2 elements"));
  EXPECT_THAT(error_of_text(mixture_with(two + R"("parameters": [{"rate": 1}])", "exponential")),
              HasSubstr("fits[0].parameters has 1 elements"));
  EXPECT_THAT(error_of_text(mixture_with(R"("components": 1, "weights": [1], "means": [[0]], "covariances": [[[1]]]}, {
                      "components": 1, "weights": [1], "means": [[0, 1]], "covariances": [[[1, 0], [0, 1]]])")),
              HasSubstr("fits[1] has 2 dimensions\n1 were expected, as in fits[0]"));
  EXPECT_THAT(
      error_of_text(mixture_with(R"("components": 1, "weights": [-1], "means": [[0]], "covariances": [[[1]]])")),
      HasSubstr("fits[0].weights[0] is -1"));
}

TEST(model_json, a_number_that_is_not_finite_is_refused) {
  EXPECT_THAT(error_of_text(fit_with(R"("parameters": {"rate": 1e999})")), HasSubstr("1e999"));
  EXPECT_THAT(error_of_text(fit_with(R"("parameters": {"rate": NaN})")), HasSubstr("byte"));
}

TEST(model_json, a_syntax_error_is_refused_with_its_byte) {
  EXPECT_THAT(error_of_text(R"({"command": })"), HasSubstr("m.json, byte 13"));
  EXPECT_THAT(error_of_text(""), HasSubstr("byte 1"));
  EXPECT_THAT(error_of_text("{} x"), HasSubstr("byte 4"));
  EXPECT_THAT(error_of_text("\"\xFF\""), HasSubstr("byte 2"));
}

TEST(model_json, a_name_that_stands_twice_is_refused) {
  EXPECT_THAT(error_of_text(fit_with(R"("parameters": {"rate": 1, "rate": 2})")), HasSubstr("'rate' stands twice"));
}

TEST(model_json, depth_is_refused_before_it_harms) {
  EXPECT_THAT(error_of_text(std::string(100000, '[')), HasSubstr("nested more than 32 deep"));
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += R"({"a":)";
  EXPECT_THAT(error_of_text(objects), HasSubstr("nested more than 32 deep"));
}

TEST(model_json, members_may_come_in_any_order) {
  const std::string fit = R"({"parameters": {"rate": 2.5}, "status": "converged", "key": {"g": "a"}})";
  const model read = parse_model(R"({"fits": [)" + fit +
                                     "], \"x\": [{\"y\": 1}, 2], \"family\": \"gamma\", "
                                     "\"command\": \"fit\"}",
                                 "m.json");
  ASSERT_EQ(read.fits.size(), 1u);
  EXPECT_EQ(read.family, "gamma");
  EXPECT_EQ(read.fits[0].parameters, (named_numbers{{"rate", 2.5}}));
  EXPECT_EQ(read.fits[0].key, (named_texts{{"g", "a"}}));
  EXPECT_THAT(error_of_text(R"({"fits": [3], "command": "fit", "family": "gamma"})"), HasSubstr("fits[0] is 3"));
  EXPECT_THAT(error_of_text(R"({"fits": [[]], "command": "fit", "family": "gamma"})"), HasSubstr("fits[0] is array"));
  EXPECT_THAT(error_of_text(R"({"fits": [], "family": "gamma"})"), HasSubstr("no member 'command'"));
  EXPECT_THAT(error_of_text(R"({"fits": [], "command": "fit"})"), HasSubstr("no member 'family'"));
  EXPECT_THAT(error_of_text(R"({"fits": [], "fits": [], "command": "fit", "family": "gamma"})"),
              HasSubstr("stands twice"));
  EXPECT_THAT(error_of_text(R"({"command": "fit", "family": "gamma"})"), HasSubstr("no member 'fits'"));
}

/// Documents whose cost once was the square of their size, each twice as large as the one before.
TEST(model_json, cost_is_in_proportion_to_the_size) {
  const auto document = [](int kind, int count) {
    std::string many;
    for (int i = 0; i < count; ++i) {
      if (i > 0) many += ", ";
      if (kind == 0) many += R"({"parameters": {"shape": 2, "rate": 1}})";  // fits before what they are
      if (kind == 1) many += "{}";                                          // of a member that nobody knows
      if (kind == 2) many += "\"p" + std::to_string(i) + "\": 1";           // parameters
      if (kind == 3) many += R"({"rate": 1})";                              // components
    }
    const std::string head = R"("command": "fit", "family": "gamma")";
    if (kind == 0) return R"({"fits": [)" + many + "], " + head + "}";
    if (kind == 1) return R"({"x": [)" + many + "], " + head + R"(, "fits": [{"parameters": {"rate": 1}}]})";
    if (kind == 2) return "{" + head + R"(, "fits": [{"parameters": {)" + many + "}}]}";
    std::string weights;
    for (int i = 0; i < count; ++i) weights += i > 0 ? ", 1" : "1";
    return R"({"command": "mixture", "family": "exponential", "fits": [{"components": )" + std::to_string(count) +
           R"(, "weights": [)" + weights + R"(], "parameters": [)" + many + "]}]}";
  };
  for (const int kind : {0, 1, 2, 3}) {
    const auto seconds = [&](int count) {
      const std::string text = document(kind, count);
      double best = 1e9;
      for (int round = 0; round < 3; ++round) {
        const std::clock_t begin = std::clock();  // of the processor: what else the machine does is no matter
        parse_model(text, "m.json");
        best = std::min(best, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
      }
      return best;
    };
    EXPECT_LT(seconds(80000), 40 * seconds(8000) + 0.05)
        << kind;  // ten times as large; a hundred times were it a square
  }
}

TEST(model_json, files_are_read_and_missing_ones_refused) {
  EXPECT_EQ(read_model(scratch_file(".json", fit_with(R"("parameters": {"rate": 1})")).path()).fits.size(), 1u);
  EXPECT_THAT(error_of([] { read_model("/no/such/model.json"); }), HasSubstr("No such file"));
}

}  // namespace
}  // namespace manyfit::app
