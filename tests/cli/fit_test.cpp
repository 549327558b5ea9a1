// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit fit`: what comes out, in each form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cli_support.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> names_in(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

TEST(fit_json, has_the_contracts_members_in_the_contracts_order) {
  const json document =
      parsed(run({"fit", "normal", "-", "--format", "json", "--device", "cpu"}, {"x\n1\n2\n3\n4\n5\nNA\n"}));
  EXPECT_THAT(names_in(document), ElementsAre("manyfit", "command", "family", "device", "precision", "fits"));
  EXPECT_EQ(document["manyfit"], "0.1.0");
  EXPECT_EQ(document["command"], "fit");
  EXPECT_EQ(document["family"], "normal");
  EXPECT_EQ(document["device"], "cpu");
  EXPECT_EQ(document["precision"], "double");
  ASSERT_EQ(document["fits"].size(), 1u);
  const json& fit = document["fits"][0];
  EXPECT_THAT(names_in(fit), ElementsAre("n", "missing", "left_out", "status", "iterations", "parameters", "std_errors",
                                         "interval", "log_likelihood", "aic", "bic"));
  EXPECT_EQ(fit["n"], 5);
  EXPECT_EQ(fit["missing"], 1);
  EXPECT_EQ(fit["status"], "converged");
  EXPECT_TRUE(fit["iterations"].is_number_integer());
  // Closed form: mean 3, sd sqrt(2), log-likelihood -n/2 (log(2 pi sd^2) + 1), standard errors sd/sqrt(n), sd/sqrt(2n).
  const double sd = std::sqrt(2.0), likelihood = -2.5 * (std::log(2 * std::numbers::pi * 2) + 1);
  ASSERT_TRUE(std::abs(fit["parameters"]["mean"].get<double>() - 3) <= 1e-12);
  ASSERT_TRUE(std::abs(fit["parameters"]["sd"].get<double>() - sd) <= 1e-12);
  ASSERT_TRUE(std::abs(fit["std_errors"]["mean"].get<double>() - sd / std::sqrt(5.0)) <= 1e-9);
  ASSERT_TRUE(std::abs(fit["std_errors"]["sd"].get<double>() - sd / std::sqrt(10.0)) <= 1e-9);
  ASSERT_TRUE(std::abs(fit["log_likelihood"].get<double>() - likelihood) <= 1e-10);
  ASSERT_TRUE(std::abs(fit["aic"].get<double>() - (4 - 2 * likelihood)) <= 1e-10);
  ASSERT_TRUE(std::abs(fit["bic"].get<double>() - (2 * std::log(5.0) - 2 * likelihood)) <= 1e-10);
  ASSERT_EQ(fit["interval"]["mean"].size(), 2u);
  const double half = 1.959963984540054 * sd / std::sqrt(5.0);
  ASSERT_TRUE(std::abs(fit["interval"]["mean"][0].get<double>() - (3 - half)) <= 1e-9);
  ASSERT_TRUE(std::abs(fit["interval"]["mean"][1].get<double>() - (3 + half)) <= 1e-9);
}

TEST(fit_json, of_a_posterior_has_its_height_beside_the_likelihood) {
  // Gamma(2, 0.5) on a Poisson rate: mode (9 + 1) / (4 + 0.5); heights by the formulas.
  const std::vector<std::string> arguments{"fit",      "poisson", "-",       "--prior", "rate=gamma(2, 0.5)",
                                           "--device", "cpu",     "--format"};
  const auto in_form = [&](const char* form) {
    auto with = arguments;
    with.emplace_back(form);
    return run(with, {"x\n1\n2\n2\n4\n"});
  };
  const json document = parsed(in_form("json")), &fit = document["fits"][0];
  EXPECT_THAT(names_in(fit), ElementsAre("n", "missing", "left_out", "status", "iterations", "parameters", "std_errors",
                                         "interval", "log_likelihood", "log_posterior", "aic", "bic"));
  const double rate = 10 / 4.5, likelihood = 9 * std::log(rate) - 4 * rate - 2 * std::log(2.0) - std::log(24.0);
  const double posterior = likelihood + 2 * std::log(0.5) + std::log(rate) - 0.5 * rate;
  EXPECT_EQ(fit["status"], "converged");
  ASSERT_TRUE(std::abs(fit["parameters"]["rate"].get<double>() - rate) <= 1e-9);
  ASSERT_TRUE(std::abs(fit["std_errors"]["rate"].get<double>() - rate / std::sqrt(10.0)) <= 1e-8);
  ASSERT_TRUE(std::abs(fit["log_likelihood"].get<double>() - likelihood) <= 1e-9);
  ASSERT_TRUE(std::abs(fit["log_posterior"].get<double>() - posterior) <= 1e-9);
  ASSERT_TRUE(std::abs(fit["aic"].get<double>() - (2 - 2 * likelihood)) <= 1e-9);
  EXPECT_THAT(
      in_form("csv").out,
      StartsWith("n,missing,left_out,status,iterations,rate,rate_se,rate_lo,rate_hi,log_likelihood,log_posterior,"
                 "aic,bic\n4,0,0,converged,"));
  EXPECT_THAT(in_form("table").out, HasSubstr("log_posterior -"));
}

TEST(fit_json, says_null_where_there_is_no_value) {
  const json document = parsed(run({"fit", "normal", "-", "--format", "json"}, {"x\n1\n"}));
  const json& fit = document["fits"][0];
  EXPECT_EQ(fit["n"], 1);
  EXPECT_EQ(fit["status"], "too_few");
  for (const char* group : {"parameters", "std_errors", "interval"}) {
    EXPECT_THAT(names_in(fit[group]), ElementsAre("mean", "sd"));
    EXPECT_TRUE(fit[group]["mean"].is_null()) << group;
  }
  for (const char* name : {"log_likelihood", "aic", "bic"}) EXPECT_TRUE(fit[name].is_null()) << name;
}

TEST(fit_by, makes_one_fit_per_key_in_order_of_first_appearance) {
  const json document = parsed(run({"fit", "normal", "-", "--by", "a,b", "--format", "json"},
                                   {"a,x,b\nz,1,p\ny,10,p\nz,3,p\nz,7,q\ny,12,p\nz,9,q\n"}));
  ASSERT_EQ(document["fits"].size(), 3u);
  EXPECT_EQ(document["fits"][0]["key"], json::parse(R"({"a": "z", "b": "p"})"));
  EXPECT_EQ(document["fits"][1]["key"], json::parse(R"({"a": "y", "b": "p"})"));
  EXPECT_EQ(document["fits"][2]["key"], json::parse(R"({"a": "z", "b": "q"})"));
  EXPECT_EQ(document["fits"][0]["parameters"]["mean"], 2.0);
  EXPECT_EQ(document["fits"][1]["parameters"]["mean"], 11.0);
  EXPECT_EQ(document["fits"][2]["parameters"]["mean"], 8.0);
  EXPECT_EQ(names_in(document["fits"][0]).front(), "key");
}

TEST(fit_by, keeps_keys_as_they_are_written) {
  const std::string csv = "k,x\n\"a,b\",1\n007,2\n\"two\nlines\",3\n\"say \"\"hi\"\"\",4\n\xC3\xA9,5\n";
  const json document = parsed(run({"fit", "normal", "-", "--by", "k", "--format", "json"}, {csv}));
  std::vector<std::string> keys;
  for (const json& fit : document["fits"]) keys.push_back(fit["key"]["k"]);
  EXPECT_THAT(keys, ElementsAre("a,b", "007", "two\nlines", "say \"hi\"", "\xC3\xA9"));
  const run_result text = run({"fit", "normal", "-", "--by", "k", "--format", "csv"}, {csv});
  EXPECT_THAT(text.out, HasSubstr("\n\"a,b\",1,"));
  EXPECT_THAT(text.out, HasSubstr("\n\"two\nlines\",1,"));
  EXPECT_THAT(text.out, HasSubstr("\n\"say \"\"hi\"\"\",1,"));
}

TEST(fit_by, gives_rows_without_a_key_the_empty_key) {
  const json document =
      parsed(run({"fit", "normal", "-", "--by", "k", "--format", "json"}, {"k,x\na,1\n,5\na,3\nNA,7\n"}));
  ASSERT_EQ(document["fits"].size(), 2u);
  EXPECT_EQ(document["fits"][0]["key"]["k"], "a");
  EXPECT_EQ(document["fits"][1]["key"]["k"], "");
  EXPECT_EQ(document["fits"][1]["parameters"]["mean"], 6.0);
}

TEST(fit_by, has_no_fits_without_rows) {
  const run_result result = run({"fit", "normal", "-", "--by", "k", "--format", "json"}, {"k,x\n"});
  EXPECT_TRUE(parsed(result)["fits"].empty());
  EXPECT_THAT(result.err, HasSubstr("no observations"));
}

TEST(fit_by, takes_keys_of_any_length) {
  const std::string key(100000, 'k');
  const json document =
      parsed(run({"fit", "normal", "-", "--by", "k", "--format", "json"}, {"k,x\n" + key + ",1\n" + key + ",2\n"}));
  ASSERT_EQ(document["fits"].size(), 1u);
  EXPECT_EQ(document["fits"][0]["key"]["k"], key);
}

TEST(fit_by, gives_the_same_numbers_for_sorted_and_shuffled_rows_at_any_thread_count) {
  std::string sorted = "k,x,w\n", shuffled = sorted;
  const auto line = [](int key, int i) {
    return std::to_string(key) + "," + std::to_string(1 + (key * 37 + i * 101) % 97) + "," + std::to_string(1 + i % 3) +
           "\n";
  };
  for (int key = 0; key < 20; ++key)
    for (int i = 0; i < 15; ++i) sorted += line(key, i);
  for (int i = 0; i < 15; ++i)
    for (int key = 0; key < 20; ++key) shuffled += line(key, i);
  for (const char* precision : {"double", "single"}) {
    const std::vector<std::string> words = {"fit",      "gamma",   "-",           "--by",    "k",
                                            "--column", "x",       "--weights",   "w",       "--format",
                                            "csv",      "--quiet", "--precision", precision, "--threads"};
    auto one = words, three = words;
    one.push_back("1");
    three.push_back("3");
    const run_result expected = run(one, {sorted});
    EXPECT_EQ(expected.code, 0) << expected.err;
    EXPECT_EQ(lines_in(expected.out), 21);
    EXPECT_EQ(run(three, {shuffled}).out, expected.out);
  }
}

TEST(fit_csv, has_a_line_per_fit_with_the_contracts_names) {
  const run_result result = run({"fit", "gamma", "-", "--by", "k", "--format", "csv"}, {"k,x\na,1\na,2\na,4\nb,1\n"});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto rows = cells(result.out);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0],
              ElementsAre("k", "n", "missing", "left_out", "status", "iterations", "shape", "shape_se", "shape_lo",
                          "shape_hi", "rate", "rate_se", "rate_lo", "rate_hi", "log_likelihood", "aic", "bic"));
  EXPECT_THAT(rows[2],
              ElementsAre("b", "1", "0", "0", "too_few", testing::_, "", "", "", "", "", "", "", "", "", "", ""));
}

TEST(fit_csv, reads_back_as_the_very_numbers_of_json) {
  const std::string csv = "x\n0.1\n0.7\n1.9\n2.2\n5.3\n";
  const auto rows = cells(run({"fit", "gamma", "-", "--format", "csv"}, {csv}).out);
  const json fit = parsed(run({"fit", "gamma", "-", "--format", "json"}, {csv}))["fits"][0];
  ASSERT_EQ(rows.size(), 2u);
  const auto number = [&](std::size_t i) { return std::stod(rows[1][i]); };
  EXPECT_EQ(number(5), fit["parameters"]["shape"].get<double>());
  EXPECT_EQ(number(6), fit["std_errors"]["shape"].get<double>());
  EXPECT_EQ(number(7), fit["interval"]["shape"][0].get<double>());
  EXPECT_EQ(number(8), fit["interval"]["shape"][1].get<double>());
  EXPECT_EQ(number(13), fit["log_likelihood"].get<double>());
  EXPECT_EQ(number(15), fit["bic"].get<double>());
}

TEST(fit_table, is_what_comes_without_a_format) {
  const run_result one = run({"fit", "normal", "-"}, {"x\n1\n2\n3\n"});
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(one.out, HasSubstr("normal: converged, n = 3, missing = 0"));
  EXPECT_THAT(one.out, HasSubstr("0.816497"));
  const run_result many = run({"fit", "normal", "-", "--by", "k"}, {"k,x\na,1\na,3\nb,5\n"});
  EXPECT_EQ(lines_in(many.out), 3);
  EXPECT_THAT(many.out, StartsWith("k "));
  EXPECT_THAT(many.err, HasSubstr("1 too_few: Fewer observations"));
}

TEST(fit_options, weights_count_as_repeated_rows) {
  const json weighted = parsed(
      run({"fit", "gamma", "-", "--column", "x", "--weights", "w", "--format", "json"}, {"x,w\n1,2\n2,1\n5,3\n"}));
  const json repeated = parsed(run({"fit", "gamma", "-", "--format", "json"}, {"x\n1\n1\n2\n5\n5\n5\n"}));
  const auto shape = [](const json& document) { return document["fits"][0]["parameters"]["shape"].get<double>(); };
  ASSERT_TRUE(std::abs(shape(weighted) - shape(repeated)) <= 1e-9 * shape(repeated));
  // The only numeric column besides the weights is the value.
  EXPECT_EQ(parsed(run({"fit", "gamma", "-", "--weights", "w", "--format", "json"}, {"x,w\n1,2\n2,1\n5,3\n"})),
            weighted);
}

TEST(fit_options, a_fixed_parameter_keeps_its_value_and_has_no_error) {
  const json fit =
      parsed(run({"fit", "gamma", "-", "--fix", "shape=2", "--format", "json"}, {"x\n1\n2\n6\n"}))["fits"][0];
  EXPECT_EQ(fit["parameters"]["shape"], 2.0);
  EXPECT_TRUE(fit["std_errors"]["shape"].is_null());
  EXPECT_TRUE(fit["interval"]["shape"].is_null());
  ASSERT_TRUE(std::abs(fit["parameters"]["rate"].get<double>() - 2.0 / 3.0) <= 1e-9);
  ASSERT_TRUE(std::abs(fit["aic"].get<double>() - (2 - 2 * fit["log_likelihood"].get<double>())) <= 1e-9);
}

TEST(fit_options, a_higher_level_gives_a_wider_interval) {
  const auto width = [](const char* level) {
    const json fit =
        parsed(run({"fit", "normal", "-", "--level", level, "--format", "json"}, {"x\n1\n2\n6\n"}))["fits"][0];
    return fit["interval"]["mean"][1].get<double>() - fit["interval"]["mean"][0].get<double>();
  };
  ASSERT_TRUE(std::abs(width("0.99") / width("0.95") - 2.5758293035489 / 1.95996398454005) <= 1e-9);
}

TEST(fit_options, an_iteration_cap_is_reported) {
  const run_result result =
      run({"fit", "weibull", "-", "--fix", "scale=3", "--max-iterations", "1", "--format", "json", "--fail-on", "any"},
          {"x\n0.01\n2\n6\n300\n"});
  EXPECT_EQ(result.code, 4) << result.err;
  EXPECT_EQ(json::parse(result.out)["fits"][0]["status"], "max_iterations");
}

TEST(fit_options, fail_on_any_tells_failure_by_the_exit_code_alone) {
  const std::string csv = "k,x\na,1\na,2\nb,3\n";
  const run_result calm = run({"fit", "normal", "-", "--by", "k", "--format", "csv"}, {csv});
  const run_result strict = run({"fit", "normal", "-", "--by", "k", "--format", "csv", "--fail-on", "any"}, {csv});
  EXPECT_EQ(calm.code, 0);
  EXPECT_EQ(strict.code, 4);
  EXPECT_EQ(calm.out, strict.out);
  EXPECT_EQ(run({"fit", "normal", "-", "--fail-on", "any"}, {"x\n1\n2\n"}).code, 0);
}

TEST(fit_input, chooses_the_only_numeric_column_that_is_not_named_otherwise) {
  const json document =
      parsed(run({"fit", "normal", "-", "--by", "k", "--format", "json"}, {"k,note,x\n1,hm,5\n1,so,7\n2,,9\n"}));
  ASSERT_EQ(document["fits"].size(), 2u);
  EXPECT_EQ(document["fits"][0]["parameters"]["mean"], 6.0);
}

TEST(fit_input, counts_empty_na_and_nan_as_missing) {
  const json fit = parsed(run({"fit", "normal", "-", "--column", "x", "--format", "json"},
                              {"i,x\n1,1\n2,\n3,NA\n4,NaN\n5,3\n"}))["fits"][0];
  EXPECT_EQ(fit["n"], 2);
  EXPECT_EQ(fit["missing"], 3);
}

TEST(fit_input, a_header_alone_is_a_sample_of_nothing) {
  const run_result result = run({"fit", "normal", "-", "--format", "json"}, {"x\n"});
  const json fit = parsed(result)["fits"][0];
  EXPECT_EQ(fit["n"], 0);
  EXPECT_EQ(fit["status"], "too_few");
}

TEST(fit_output, out_holds_what_stdout_would_and_nothing_else_is_left) {
  const folder place;
  const std::string csv = "x\n1\n2\n6\n";
  const run_result direct = run({"fit", "normal", "-", "--format", "json"}, {csv});
  const run_result written = run({"fit", "normal", "-", "--out", place.path("fits.json")}, {csv});
  EXPECT_EQ(written.code, 0) << written.err;
  EXPECT_EQ(written.out, "");
  EXPECT_EQ(place.read("fits.json"), direct.out);  // the extension says the format
  EXPECT_THAT(place.names(), ElementsAre("fits.json"));
}

TEST(fit_output, a_failed_run_leaves_the_old_file_as_it_was) {
  const folder place;
  const std::string out = place.file("fits.csv", "precious");
  EXPECT_EQ(run({"fit", "normal", "-", "--out", out}, {"x\n1\nword\n"}).code, 3);
  EXPECT_EQ(place.read("fits.csv"), "precious");
  EXPECT_THAT(place.names(), ElementsAre("fits.csv"));
}

TEST(fit_output, quiet_says_nothing_on_stderr) {
  const run_result result = run({"fit", "normal", "-", "--quiet", "--by", "k"}, {"k,x\na,1\n,2\n"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_NE(result.out, "");
}

TEST(fit_output, the_summary_says_how_many_ended_how_and_where) {
  const run_result result = run({"fit", "normal", "-", "--by", "k", "--device", "cpu"}, {"k,x\na,1\na,2\nb,2\n"});
  EXPECT_THAT(result.err, HasSubstr("2 normal fits"));
  EXPECT_THAT(result.err, HasSubstr("on cpu"));
  EXPECT_THAT(result.err, HasSubstr("1 converged"));
  EXPECT_THAT(result.err, HasSubstr("1 too_few"));
}

TEST(fit_output, a_plot_is_a_picture_file) {
  const folder place;
  for (const char* name : {"fit.svg", "fit.png"}) {
    const run_result result =
        run({"fit", "normal", "-", "--by", "k", "--plot", place.path(name)}, {"k,x\na,1\na,2\na,5\nb,2\n"});
    EXPECT_EQ(result.code, 0) << result.err;
  }
  EXPECT_THAT(place.read("fit.svg"), HasSubstr("<svg"));
  EXPECT_THAT(place.read("fit.png"), StartsWith("\x89PNG"));
  EXPECT_EQ(run({"fit", "normal", place.file("in.csv", "x\n1\n2\n"), "--plot", place.path("in.svg")}).code, 0);
  EXPECT_THAT(place.read("in.svg"), HasSubstr("<title>in.csv: normal</title>"));  // not the folders above it
  EXPECT_EQ(run({"fit", "normal", "-", "--plot", place.path("fit.gif")}, {"x\n1\n2\n"}).code, 2);
  EXPECT_EQ(run({"fit", "normal", "-", "--plot", place.path("no/fit.svg")}, {"x\n1\n2\n"}).code, 3);
}

}  // namespace
}  // namespace manyfit::test
