// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit mixture`, and `manyfit score` with what it printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "cli_support.hpp"
#include "manyfit/manyfit.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class mixture_command : public testing::Test {
 protected:
  folder place;
  std::string data = std::string(MF_GOLDEN_DIR) + "/faithful.csv";

  run_result fit(std::vector<std::string> more, const run_input& input = {}) const {
    std::vector<std::string> all{"mixture", "gaussian", data};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, input);
  }
};

TEST_F(mixture_command, json_has_the_contracts_members_in_the_contracts_order) {
  const json document = parsed(fit({"--components", "2", "--format", "json", "--device", "cpu", "--trace"}));
  EXPECT_THAT(names_in(document),
              ElementsAre("manyfit", "command", "family", "covariance", "device", "precision", "fits"));
  EXPECT_EQ(document["command"], "mixture");
  EXPECT_EQ(document["family"], "gaussian");
  EXPECT_EQ(document["covariance"], "full");
  EXPECT_EQ(document["device"], "cpu");
  ASSERT_EQ(document["fits"].size(), 1u);
  const json& found = document["fits"][0];
  EXPECT_THAT(names_in(found),
              ElementsAre("n", "missing", "left_out", "status", "iterations", "components", "weights", "means",
                          "covariances", "log_likelihood", "aic", "bic", "log_likelihood_trace"));
  EXPECT_EQ(found["n"], 272);
  EXPECT_EQ(found["missing"], 0);
  EXPECT_EQ(found["status"], "converged");
  EXPECT_EQ(found["components"], 2);
  ASSERT_EQ(found["weights"].size(), 2u);
  ASSERT_EQ(found["covariances"][1].size(), 2u);
  ASSERT_EQ(found["covariances"][1][1].size(), 2u);
  EXPECT_EQ(found["covariances"][0][0][1], found["covariances"][0][1][0]);
  EXPECT_LT(found["means"][0][0].get<double>(), found["means"][1][0].get<double>());
  const double likelihood = found["log_likelihood"];
  EXPECT_TRUE(std::abs(likelihood - -1130.264) <= 1e-3);
  EXPECT_TRUE(std::abs(found["aic"].get<double>() - (22 - 2 * likelihood)) <= 1e-9);
  EXPECT_TRUE(std::abs(found["bic"].get<double>() - (11 * std::log(272.0) - 2 * likelihood)) <= 1e-9);
  const json& trace = found["log_likelihood_trace"];
  ASSERT_EQ(trace.size(), found["iterations"].get<std::size_t>() + 1);
  EXPECT_EQ(trace.back(), found["log_likelihood"]);
}

TEST_F(mixture_command, zero_tolerance_runs_exactly_the_iterations_asked_for) {
  const json document = parsed(fit({"--components", "3", "--format", "json", "--tolerance", "0", "--max-iterations",
                                    "7", "--trace", "--regularize", "0", "--fail-on", "any"}));
  EXPECT_EQ(document["fits"][0]["iterations"], 7);
  EXPECT_EQ(document["fits"][0]["log_likelihood_trace"].size(), 8u);
}

TEST_F(mixture_command, starts_as_it_is_told_to) {
  std::string csv = "x,y\n";
  std::vector<double> points;
  for (int i = 0; i < 90; ++i) {
    points.insert(points.end(), {static_cast<double>(i * i % 37), static_cast<double>(i * i * i % 41)});
    csv += std::to_string(i * i % 37) + "," + std::to_string(i * i * i % 41) + "\n";
  }
  std::set<double> reached;
  for (const auto& [init, start] :
       {std::pair{"random", mixture_start::random}, {"kmeans++", mixture_start::kmeans_plus_plus}}) {
    mixture_options options;
    options.components = 4;
    options.restarts = 1;
    options.max_iterations = 3;
    options.tolerance = 0;
    options.seed = 3;
    options.start = start;
    const mixture_results wanted =
        fit_mixture(executor::cpu(1), dense_points(std::span<const double>(points), 2, 1), options);
    const run_result found =
        run({"mixture", "gaussian", "-", "--components", "4", "--restarts", "1", "--max-iterations", "3", "--tolerance",
             "0", "--seed", "3", "--init", init, "--format", "json"},
            {csv});
    EXPECT_EQ(parsed(found)["fits"][0]["log_likelihood"], wanted.log_likelihood[0]) << init;
    reached.insert(wanted.log_likelihood[0]);
  }
  EXPECT_EQ(reached.size(), 2u);
}

TEST_F(mixture_command, chooses_by_the_criterion_that_is_asked_for) {
  for (const auto& [criterion, components] : {std::pair{"bic", 2}, {"aic", 5}}) {
    const run_result chosen = run({"mixture", "gaussian", MF_GOLDEN_DIR "/iris.csv", "--components", "1:5", "--select",
                                   criterion, "--format", "json"});
    EXPECT_EQ(parsed(chosen)["fits"][0]["components"], components) << criterion;
  }
}

TEST_F(mixture_command, chooses_the_number_of_components) {
  const run_result table = fit({"--components", "1:6"});
  EXPECT_EQ(table.code, 0);
  EXPECT_THAT(table.out, HasSubstr("2  2322.1917  <- lowest, taken"));
  EXPECT_THAT(table.out, HasSubstr("eruptions x waiting"));
  EXPECT_THAT(table.err, HasSubstr("by BIC"));
  EXPECT_EQ(parsed(fit({"--components", "1:4", "--format", "json"}))["fits"][0]["components"], 2);
  EXPECT_EQ(parsed(fit({"--components", "1:4", "--covariance", "tied", "--format", "json"}))["fits"][0]["components"],
            3);
}

TEST_F(mixture_command, every_structure_is_printed_as_whole_matrices) {
  for (const char* structure : {"full", "diagonal", "tied", "spherical"}) {
    const json document = parsed(fit({"--components", "2", "--covariance", structure, "--format", "json"}));
    EXPECT_EQ(document["covariance"], structure);
    const json& covariances = document["fits"][0]["covariances"];
    ASSERT_EQ(covariances.size(), 2u);
    for (const json& covariance : covariances) ASSERT_EQ(covariance.size(), 2u);
    const std::string name = structure;
    if (name == "tied") {
      EXPECT_EQ(covariances[0], covariances[1]);
    }
    if (name == "diagonal" || name == "spherical") {
      EXPECT_EQ(covariances[0][0][1], 0.0);
    }
    if (name == "spherical") {
      EXPECT_EQ(covariances[0][0][0], covariances[0][1][1]);
    }
  }
}

TEST_F(mixture_command, csv_has_a_line_for_each_fit) {
  const auto rows = cells(fit({"--components", "1:3", "--format", "csv", "--quiet"}).out);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0][0], "n");
  EXPECT_EQ(rows[0][2], "left_out");
  EXPECT_EQ(rows[0][5], "components");
  EXPECT_EQ(rows[0][6], "weight0");
  EXPECT_EQ(rows[0][7], "mean0_eruptions");
  EXPECT_EQ(rows[0][10], "cov0_waiting_eruptions");
  EXPECT_EQ(rows[0].back(), "bic");
  EXPECT_EQ(rows[1].size(), rows[0].size());
  EXPECT_EQ(rows[1][5], "2");
}

TEST_F(mixture_command, a_start_keeps_its_order_and_its_fit_is_reached_again) {
  const json document = parsed(
      fit({"--components", "2", "--format", "json", "--out", place.path("model.json")}).code == 0
          ? run({"mixture", "gaussian", data, "--start", place.path("model.json"), "--format", "json", "--trace"})
          : run_result{});
  const json model = json::parse(place.read("model.json"));
  EXPECT_TRUE(std::abs(document["fits"][0]["log_likelihood_trace"][0].get<double>() -
                       model["fits"][0]["log_likelihood"].get<double>()) <= 1e-8);
  json turned = model;  // the components the other way round
  for (const char* name : {"weights", "means", "covariances"})
    std::swap(turned["fits"][0][name][0], turned["fits"][0][name][1]);
  for (const char* name : {"n", "missing", "left_out", "status", "iterations", "log_likelihood", "aic", "bic"})
    turned["fits"][0].erase(name);
  place.file("turned.json", turned.dump());
  const json kept =
      parsed(run({"mixture", "gaussian", data, "--start", place.path("turned.json"), "--format", "json"}));
  EXPECT_GT(kept["fits"][0]["means"][0][0].get<double>(), kept["fits"][0]["means"][1][0].get<double>());
  EXPECT_EQ(run({"mixture", "gaussian", data, "--start", place.path("model.json"), "--components", "3"}).code, 2);
  EXPECT_EQ(run({"mixture", "gaussian", data, "--column", "waiting", "--start", place.path("model.json")}).code, 3);
}

TEST_F(mixture_command, fits_each_key_by_itself_and_names_what_failed) {
  std::string csv = "k,x,y\n";
  for (int i = 0; i < 40; ++i)
    csv += "a," + std::to_string(i % 2 * 10 + 0.1 * (i % 7)) + "," + std::to_string(0.2 * (i % 5)) + "\n";
  csv += "b,1,2\nc,1,\n";
  for (int i = 0; i < 9; ++i) csv += "d,3,3\n";
  const run_result result = run(
      {"mixture", "gaussian", "-", "--by", "k", "--components", "2", "--format", "json", "--fail-on", "any"}, {csv});
  EXPECT_EQ(result.code, 4);
  const json document = json::parse(result.out);
  ASSERT_EQ(document["fits"].size(), 4u);
  EXPECT_EQ(document["fits"][0]["key"]["k"], "a");
  EXPECT_EQ(document["fits"][0]["status"], "converged");
  EXPECT_EQ(document["fits"][1]["status"], "too_few");
  EXPECT_TRUE(document["fits"][1]["weights"].is_null());
  EXPECT_TRUE(document["fits"][1]["means"].is_null());
  EXPECT_TRUE(document["fits"][1]["log_likelihood"].is_null());
  EXPECT_EQ(document["fits"][2]["missing"], 1);
  EXPECT_EQ(document["fits"][3]["status"], "constant_sample");
  place.file("by.json", result.out);
  const auto rows =
      cells(run({"score", place.path("by.json"), "-", "--by", "k", "--label", "--format", "csv"}, {csv}).out);
  ASSERT_EQ(rows.size(), 52u);
  EXPECT_THAT(rows[0], ElementsAre("log_density", "label"));
  EXPECT_EQ(rows[1][1], "0");
  EXPECT_EQ(rows[2][1], "1");
  EXPECT_EQ(rows[41][0], "");
}

TEST_F(mixture_command, score_gives_densities_responsibilities_and_labels_in_input_order) {
  ASSERT_EQ(fit({"--components", "2", "--format", "json", "--out", place.path("m.json"), "--quiet"}).code, 0);
  const double likelihood = json::parse(place.read("m.json"))["fits"][0]["log_likelihood"];
  const json scores =
      parsed(run({"score", place.path("m.json"), data, "--responsibilities", "--label", "--format", "json"}));
  ASSERT_EQ(scores["log_density"].size(), 272u);
  double sum = 0;
  for (std::size_t i = 0; i < 272; ++i) {
    sum += scores["log_density"][i].get<double>();
    const double r0 = scores["r0"][i], r1 = scores["r1"][i];
    EXPECT_TRUE(std::abs(r0 + r1 - 1) <= 1e-12);
    EXPECT_EQ(scores["label"][i], r1 > r0 ? 1.0 : 0.0);
  }
  EXPECT_TRUE(std::abs(sum - likelihood) <= 1e-8 * std::abs(likelihood));
  const auto rows = cells(run({"score", place.path("m.json"), data, "--format", "csv"}).out);
  EXPECT_THAT(rows[0], ElementsAre("log_density"));
  EXPECT_EQ(run({"score", place.path("m.json"), data, "--column", "waiting"}).code, 3);
}

TEST_F(mixture_command, takes_an_array_with_a_point_for_each_row) {
  std::ifstream file(data);
  std::string line, header = "{'descr': '<f8', 'fortran_order': False, 'shape': (272, 2), }";
  header.resize(117, ' ');
  std::string bytes = "\x93NUMPY\x01";
  bytes += '\0';
  bytes += static_cast<char>(118);
  bytes += '\0';
  bytes += header + "\n";
  std::getline(file, line);
  while (std::getline(file, line)) {
    double pair[2];
    char comma;
    std::stringstream(line) >> pair[0] >> comma >> pair[1];
    bytes.append(reinterpret_cast<const char*>(pair), sizeof pair);
  }
  const std::string array = place.file("faithful.npy", bytes);
  const json a = parsed(run({"mixture", "gaussian", array, "--components", "2", "--format", "json"})),
             b = parsed(fit({"--components", "2", "--format", "json"}));
  EXPECT_EQ(a["fits"], b["fits"]);
}

TEST_F(mixture_command, draws_pictures) {
  ASSERT_EQ(fit({"--components", "2", "--plot", place.path("two.svg")}).code, 0);
  const std::string two = place.read("two.svg");
  EXPECT_THAT(two, HasSubstr("component 1: weight 0.6441"));
  EXPECT_THAT(two, HasSubstr("<title>faithful.csv: gaussian mixture</title>"));
  ASSERT_EQ(fit({"--components", "2", "--column", "waiting", "--plot", place.path("one.svg")}).code, 0);
  EXPECT_THAT(place.read("one.svg"), HasSubstr("2 components"));
  const std::string iris = std::string(MF_GOLDEN_DIR) + "/iris.csv";
  ASSERT_EQ(run({"mixture", "gaussian", iris, "--components", "3", "--plot", place.path("pairs.png")}).code, 0);
  EXPECT_EQ(place.read("pairs.png").substr(1, 3), "PNG");
  EXPECT_EQ(fit({"--components", "2", "--plot", place.path("two.pdf")}).code, 2);
}

// outl.csv: 100 values of a normal and an outlier, on which a component collapses from every start.
TEST_F(mixture_command, says_what_was_added_where_every_start_collapses) {
  const std::string outlier = std::string(MF_GOLDEN_DIR) + "/outl.csv";
  const run_result alone =
      run({"mixture", "gaussian", outlier, "--components", "2", "--format", "json", "--fail-on", "any"});
  EXPECT_EQ(alone.code, 0);
  const json found = json::parse(alone.out)["fits"][0];
  EXPECT_EQ(found["status"], "regularized");
  ASSERT_EQ(found["regularization"].size(), 1u);
  EXPECT_TRUE(std::abs(found["regularization"][0].get<double>() - 0.00980749) <= 1e-8);
  EXPECT_TRUE(std::abs(found["bic"].get<double>() - 336.41853) <= 1e-4);
  const json range = parsed(run({"mixture", "gaussian", outlier, "--components", "1:4", "--format", "json"}));
  EXPECT_EQ(range["fits"][0]["components"], 2);
  EXPECT_EQ(range["fits"][0]["bic"], found["bic"]);
  const run_result table = run({"mixture", "gaussian", outlier, "--components", "1:4"});
  EXPECT_THAT(table.out, HasSubstr("336.41853  <- lowest, taken (regularized)"));
  EXPECT_THAT(table.out, HasSubstr("added to the variances: x 0.00980749"));
  const auto rows = cells(run({"mixture", "gaussian", outlier, "--components", "2", "--format", "csv"}).out);
  const auto at = std::find(rows[0].begin(), rows[0].end(), "regularization_x") - rows[0].begin();
  ASSERT_LT(static_cast<std::size_t>(at), rows[0].size());
  EXPECT_TRUE(std::abs(std::stod(rows[1][static_cast<std::size_t>(at)]) - 0.00980749) <= 1e-8);
  place.file("m.json", alone.out);  // a usable model
  EXPECT_EQ(run({"score", place.path("m.json"), outlier}).code, 0);
  EXPECT_FALSE(parsed(fit({"--components", "2", "--format", "json"}))["fits"][0].contains("regularization"));
}

TEST_F(mixture_command, names_a_constant_coordinate_for_which_it_had_to_add) {
  std::string csv = "x,same,y\n";
  for (int i = 0; i < 60; ++i)
    csv += std::to_string(std::sin(1.7 * i) + 9 * (i % 2)) + ",4," + std::to_string(std::cos(2.9 * i)) + "\n";
  const run_result result = run({"mixture", "gaussian", "-", "--components", "2", "--format", "json"}, {csv});
  EXPECT_EQ(json::parse(result.out)["fits"][0]["status"], "regularized");
  EXPECT_THAT(result.err, HasSubstr("warning: the coordinate same is constant"));
  EXPECT_THAT(result.err, testing::Not(HasSubstr("coordinate x")));
  const run_result without =
      run({"mixture", "gaussian", "-", "--columns", "x,y", "--components", "2", "--format", "json"}, {csv});
  EXPECT_EQ(json::parse(without.out)["fits"][0]["status"], "converged");
  EXPECT_THAT(without.err, testing::Not(HasSubstr("warning")));
}

TEST_F(mixture_command, counts_rows_of_weight_0_as_left_out) {
  std::string csv = "x,w\n";
  for (int i = 0; i < 50; ++i)
    csv += (i == 7   ? ""
            : i == 8 ? "inf"
                     : std::to_string(std::sin(1.7 * i) + 9 * (i % 2))) +
           "," + (i % 10 == 8 ? "0" : "2") + "\n";
  for (const char* family : {"gaussian", "normal"}) {
    const json found =
        parsed(run({"mixture", family, "-", "--column", "x", "--weights", "w", "--components", "2", "--format", "json"},
                   {csv}))["fits"][0];
    EXPECT_EQ(found["status"], "converged") << family;
    EXPECT_EQ(found["n"], 44) << family;
    EXPECT_EQ(found["missing"], 1) << family;
    EXPECT_EQ(found["left_out"], 5) << family;
    EXPECT_TRUE(std::abs(found["bic"].get<double>() -
                         (5 * std::log(44.0) - 2 * found["log_likelihood"].get<double>())) <= 1e-9);
  }
}

// 1,000 mixtures of one component beside one of 3,000: capacity for all at the largest size would be 300 MB.
TEST_F(mixture_command, score_takes_no_memory_for_components_that_mixtures_do_not_have) {
  const auto mixture = [](const std::string& key, std::size_t K) {
    const json one = json::array({json::array({1, 0}), json::array({0, 1})});
    return json{{"key", {{"k", key}}},
                {"components", K},
                {"weights", std::vector<double>(K, 1.0 / static_cast<double>(K))},
                {"means", std::vector<std::vector<double>>(K, {0, 1})},
                {"covariances", std::vector<json>(K, one)}};
  };
  json model = {{"command", "mixture"}, {"family", "gaussian"}, {"covariance", "full"}, {"fits", json::array()}};
  std::string csv = "k,x,y\n";
  for (int i = 0; i <= 1000; ++i) {
    model["fits"].push_back(mixture(std::to_string(i), i == 500 ? 3000 : 1));
    csv += std::to_string(i) + ",0,1\n";
  }
  const auto most_memory = [] {
    rusage of_children{};
    getrusage(RUSAGE_CHILDREN, &of_children);
    return of_children.ru_maxrss;  // KB
  };
  const long before = most_memory();
  const run_result scores = run({"score", place.file("m.json", model.dump()), "-", "--format", "csv"}, {csv});
  ASSERT_EQ(scores.code, 0) << scores.err;
  EXPECT_LE(most_memory(), std::max(before, 150000L));
  const auto rows = cells(scores.out);
  ASSERT_EQ(rows.size(), 1002u);
  for (const std::size_t row : {1u, 501u, 1001u})
    EXPECT_TRUE(std::abs(std::stod(rows[row][0]) + std::log(2 * std::acos(-1.0))) <= 1e-9) << row;
}

TEST_F(mixture_command, starts_by_turns_where_no_start_is_asked_for) {
  const std::string nested = std::string(MF_GOLDEN_DIR) + "/nested.csv";  // a core and its halo
  const json plain = parsed(run({"mixture", "gaussian", nested, "--components", "2", "--format", "json"})),
             automatic = parsed(
                 run({"mixture", "gaussian", nested, "--components", "2", "--format", "json", "--init", "auto"}));
  EXPECT_EQ(plain["fits"], automatic["fits"]);
  EXPECT_TRUE(std::abs(plain["fits"][0]["log_likelihood"].get<double>() - -320.66644) <= 1e-4);
}

TEST_F(mixture_command, refuses_what_cannot_be) {
  const auto expect_failure = [&](std::vector<std::string> more, int code, const char* text) {
    const run_result result = fit(std::move(more));
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
    EXPECT_LE(lines_in(result.err), 2);
    EXPECT_EQ(result.out, "");
  };
  expect_failure({}, 2, "--components");
  for (const char* components : {"0", "-1", "two", "3:2", "1:", ":3", "1:2:3", "2x", "1.5"})
    expect_failure({"--components", components}, 2, "--components");
  expect_failure({"--components", "2", "--covariance", "round"}, 2, "--covariance");
  expect_failure({"--components", "2", "--init", "lucky"}, 2, "--init");
  expect_failure({"--components", "2", "--regularize", "-1"}, 2, "--regularize");
  expect_failure({"--components", "2", "--restarts", "0"}, 2, "--restarts: 0 given; 1 or more expected");
  expect_failure({"--components", "2", "--restarts", "two"}, 2, "a number was expected");
  expect_failure({"--components", "2", "--tolerance", "nan"}, 2, "--tolerance: nan given; 0 or more expected");
  expect_failure({"--components", "2", "--columns", "eruptions,wating"}, 3, "'wating'");
  expect_failure({"--components", "2", "--weights", "w"}, 3, "'w'");
  expect_failure({"--components", "2", "--start", "absent.json", "--init", "random"}, 2, "--init");
  expect_failure({"--start", place.path("absent.json")}, 3, "absent.json");
  EXPECT_EQ(run({"mixture", "gaussian", place.path("absent.csv"), "--components", "2"}).code, 3);
  EXPECT_EQ(run({"mixture", "gaussian", "-", "--components", "2"}, {""}).code, 3);
  EXPECT_EQ(run({"mixture", "gaussian", "-", "--components", "2"}, {"a,b\nu,v\n"}).code, 3);
  EXPECT_EQ(run({"mixture", "gamma_ray", data, "--components", "2"}).code, 2);
  for (const char* almost : {"gauss", "Gaussian", "gmm"})
    EXPECT_THAT(run({"mixture", almost, data, "--components", "2"}).err, HasSubstr("did you mean 'gaussian'?"));
  const json empty = parsed(run({"mixture", "gaussian", "-", "--components", "2", "--format", "json"}, {"x,y\n"}));
  EXPECT_EQ(empty["fits"][0]["status"], "too_few");
}

}  // namespace
}  // namespace manyfit::test
