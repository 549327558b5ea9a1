// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// What is printed, to the letter, and that every form in which results are written says the same and can be read back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "cli_support.hpp"
#include "input/arrow_reader.hpp"
#include "input/input.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Not;

app::table read_back(const std::string& path, const app::read_request& request) {
  return app::read_table(path, request);
}

std::string printed(const std::vector<std::string>& arguments, const run_input& input = {}) {
  const run_result result = run(arguments, input);
  EXPECT_EQ(result.code, 0) << result.err;
  return result.out;
}

/// A table's words, line by line: how wide its columns are depends on what else stands in them.
std::vector<std::vector<std::string>> words(const std::string& text) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    std::istringstream parts(line);
    auto& row = lines.emplace_back();
    for (std::string word; parts >> word;) row.push_back(word);
  }
  return lines;
}

/// Two clusters of one shape: means 1.5 and 101.5, variances 1.25, correlation 0.8, all by hand.
std::string two_clusters() {
  std::string text = "x,y\n";
  for (const int shift : {0, 100})
    for (const auto& [x, y] : {std::pair{0, 0}, {1, 1}, {2, 3}, {3, 2}})
      text += std::to_string(x + shift) + "," + std::to_string(y + shift) + "\n";
  return text;
}

TEST(printed_mixture, of_tied_covariances_has_one_correlation_for_all) {
  const std::vector<std::string> mixture = {"mixture", "gaussian",     "-", "--components",
                                            "2",       "--regularize", "0", "--covariance"};
  const auto with = [&](const char* structure) {
    std::vector<std::string> all = mixture;
    all.push_back(structure);
    return printed(all, {two_clusters()});
  };
  const std::string components =
      "component  weight  coordinate   mean       sd\n"
      "        0     0.5  x             1.5  1.11803\n"
      "                   y             1.5  1.11803\n"
      "        1     0.5  x           101.5  1.11803\n"
      "                   y           101.5  1.11803\n";
  EXPECT_THAT(with("tied"),
              HasSubstr(components + "\ncomponent  correlation     \n      all  x x y        0.8\n\nlog_likelihood "));
  EXPECT_THAT(with("full"),
              HasSubstr(components +
                        "\ncomponent  correlation     \n        0  x x y        0.8\n        1  x x y        0.8\n\n"));
  EXPECT_THAT(with("diagonal"), HasSubstr(components + "\nlog_likelihood "));
  EXPECT_THAT(with("diagonal"), Not(HasSubstr("correlation")));
  EXPECT_THAT(with("tied"), testing::StartsWith("gaussian mixture, tied covariance: converged, 2 components, n = 8, "));
}

TEST(printed_mixture, tells_components_coordinates_and_criteria_apart) {
  // Correlations of 0.8 and −0.8, each cluster with a determinant of 0.5625: log-likelihood and criteria by hand.
  const std::string data = "x,y\n0,0\n1,1\n2,3\n3,2\n100,0\n101,-1\n102,-3\n103,-2\n";
  const std::string text =
      printed({"mixture", "gaussian", "-", "--components", "2", "--regularize", "0", "--trace"}, {data});
  EXPECT_THAT(text,
              HasSubstr("component  correlation      \n        0  x x y         0.8\n        1  x x y        -0.8\n"));
  EXPECT_THAT(
      text,
      HasSubstr("        1     0.5  x           101.5  1.11803\n                   y            -1.5  1.11803\n"));
  const double pi = std::acos(-1), ll = 8 * (std::log(0.5) - std::log(2 * pi) - 0.5 * std::log(0.5625) - 1);
  std::vector<std::vector<std::string>> lines = words(text);
  const auto criteria = std::find_if(lines.begin(), lines.end(), [](const auto& line) {
    return line.size() == 6 && line[0] == "log_likelihood" && line[2] == "aic" && line[4] == "bic";
  });
  ASSERT_NE(criteria, lines.end());
  EXPECT_NEAR(std::stod((*criteria)[1]), ll, 1e-6);
  EXPECT_NEAR(std::stod((*criteria)[3]), 22 - 2 * ll, 1e-6);
  EXPECT_NEAR(std::stod((*criteria)[5]), 11 * std::log(8.0) - 2 * ll, 1e-6);
  const auto trace = std::find(lines.begin(), lines.end(), std::vector<std::string>{"iteration", "log_likelihood"});
  ASSERT_LT(trace, lines.end() - 1);
  EXPECT_EQ(trace[1][0], "0");
  EXPECT_NEAR(std::stod(lines.back()[1]), ll, 1e-6);
}

TEST(printed_mixture, says_what_was_added_to_each_variance_and_which_criterion_is_lowest) {
  // Ten rows on one point: every start with two components collapses. Variances 1 and 10^6 times that, and 1e-6 of
  // each.
  std::string csv = "x,y\n";
  for (int i = 0; i < 10; ++i) csv += i % 2 ? "2,2000\n" : "0,0\n";
  EXPECT_THAT(printed({"mixture", "gaussian", "-", "--components", "2", "--quiet"}, {csv}),
              HasSubstr("\nadded to the variances: x 1e-06, y 1\n"));
  std::string apart = "x\n";
  for (int i = 0; i < 40; ++i) apart += std::to_string(100 * (i % 2) + 0.1 * (i * i % 11)) + "\n";
  const auto lines = words(printed({"mixture", "gaussian", "-", "--components", "1:3", "--quiet"}, {apart}));
  double least = INFINITY;
  std::string taken;
  for (const auto& line : lines) {
    if (line.size() < 2 || (line[0] != "1" && line[0] != "2" && line[0] != "3") || line[1].find('.') == line[1].npos)
      continue;
    if (line.size() == 2 || line[2] == "<-") {
      if (std::stod(line[1]) < least) taken = line.size() > 2 ? line[2] + line[3] + line[4] : "";
      least = std::min(least, std::stod(line[1]));
    }
  }
  EXPECT_EQ(taken, "<-lowest,taken");
  // Of ten normal draws six components have the lowest criterion, by a ridge on single rows; one component is taken.
  const std::string few = printed({"simulate", "normal", "--parameters", "mean=0,sd=1", "--size", "10", "--seed", "1",
                                   "--quiet", "--format", "csv"});
  EXPECT_THAT(printed({"mixture", "gaussian", "-", "--components", "1:6", "--quiet"}, {few}),
              HasSubstr("  <- lowest of those not regularized, taken\n"));
}

TEST(printed_csv, of_mixtures_has_empty_fields_for_components_that_a_fit_has_not) {
  std::string csv = "k,x\n";
  for (int i = 0; i < 30; ++i)
    csv += "one," + std::to_string(0.1 * (i * i % 11)) + "\ntwo," + std::to_string(100 * (i % 2) + 0.1 * (i * i % 11)) +
           "\n";
  for (const char* family : {"gaussian", "normal"}) {
    const auto rows = cells(
        printed({"mixture", family, "-", "--components", "1:2", "--by", "k", "--format", "csv", "--quiet"}, {csv}));
    ASSERT_EQ(rows.size(), 3u);
    int second = 0;
    for (std::size_t i = 0; i < rows[0].size(); ++i) {
      const std::string& name = rows[0][i];
      if (name == "components") {
        EXPECT_EQ(rows[1][i] + rows[2][i], "12");
      } else if (name.starts_with("weight1") || name.starts_with("mean1") || name.starts_with("cov1") ||
                 name.starts_with("sd1")) {
        ++second;
        EXPECT_EQ(rows[1][i], "") << name;
        EXPECT_NE(rows[2][i], "") << name;
      }
    }
    EXPECT_EQ(second, 3);
  }
}

TEST(printed_csv, writes_counts_as_whole_numbers_however_many) {
  std::string csv = "x\n";
  for (int i = 0; i < 100000; ++i) csv += i % 2 ? "1\n" : "2\n";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"fit", "normal"}, {"mixture", "gaussian"}, {"mixture", "normal"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"-", "--format", "csv", "--quiet"});
    if (command[0] == "mixture") arguments.insert(arguments.end(), {"--components", "1"});
    EXPECT_EQ(cells(printed(arguments, {csv}))[1][0], "100000") << command[0] << command[1];
  }
}

TEST(printed_fit, says_what_is_fixed_missing_and_left_out_at_any_level) {
  const std::string text =
      printed({"fit", "normal", "-", "--column", "x", "--weights", "w", "--fix", "sd=2", "--level", "0.999"},
              {"x,w\n1,1\n2,0\n,1\n3,1\n5,1\n"});
  EXPECT_THAT(text, testing::StartsWith("normal: converged, n = 3, missing = 1, left out = 1, iterations = "));
  EXPECT_THAT(text, HasSubstr("parameter   estimate  std_error   99.9%_lo  99.9%_hi\n"
                              "mean               3     1.1547  -0.799573   6.79957\n"
                              "sd (fixed)         2          -          -         -\n"));
}

TEST(printed_table, has_columns_of_one_width_whatever_its_letters) {
  const std::string text = printed({"fit", "exponential", "-", "--by", "k"}, {"k,x\n\xC3\xA9t\xC3\xA9,1\nabcdef,2\n"});
  std::istringstream all(text);
  std::vector<std::ptrdiff_t> widths;
  for (std::string line; std::getline(all, line);)
    widths.push_back(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  ASSERT_EQ(widths.size(), 3u);
  EXPECT_EQ(widths[1], widths[0]);
  EXPECT_EQ(widths[2], widths[0]);
}

TEST(printed_table, counts_the_rows_of_an_array_from_1) {
  const folder place;
  ASSERT_EQ(run({"simulate", "normal", "--parameters", "mean=0,sd=1", "--size", "9", "--fits", "3", "--quiet", "--out",
                 place.path("a.npy")})
                .code,
            0);
  const auto lines = words(printed({"fit", "normal", place.path("a.npy"), "--quiet"}));
  ASSERT_EQ(lines.size(), 4u);
  for (std::size_t row = 0; row < 4; ++row) EXPECT_EQ(lines[row][0], row == 0 ? "row" : std::to_string(row));
}

TEST(printed_fit, is_a_line_for_each_parameter) {
  // exponential: rate = 1/mean = 1/2, standard error rate/sqrt(n), log-likelihood n (log rate - 1)
  const std::string text = printed({"fit", "exponential", "-"}, {"x\n1\n2\n3\n"});
  EXPECT_THAT(text, testing::StartsWith("exponential: converged, n = 3, "));
  EXPECT_THAT(text, HasSubstr("parameter  estimate  std_error    95%_lo   95%_hi\n"
                              "rate            0.5   0.288675  0.161261  1.55028\n"
                              "\nlog_likelihood -5.0794415  aic 12.158883  bic 11.257495\n"));
  const auto lines = words(printed({"fit", "exponential", "-", "--by", "k"}, {"k,x\na,1\na,2\na,3\nb,7\n"}));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0][0], "k");
  EXPECT_EQ(lines[1][0], "a");
  EXPECT_EQ(lines[1].back(), "11.257495");
  EXPECT_EQ(lines[2][1], "1");
}

/// The names of a header without left_out, which may stand among them.
std::vector<std::string> without_left_out(std::vector<std::string> names) {
  names.erase(std::remove(names.begin(), names.end(), "left_out"), names.end());
  return names;
}

TEST(printed_csv, has_the_columns_of_the_contract) {
  const std::string csv = "k,x,y\na,1,2\na,2,1\na,3,5\na,1.5,3\n";
  const auto header = [&](const std::vector<std::string>& arguments) {
    return without_left_out(cells(printed(arguments, {csv}))[0]);
  };
  EXPECT_THAT(header({"fit", "gamma", "-", "--column", "x", "--by", "k", "--format", "csv"}),
              ElementsAre("k", "n", "missing", "status", "iterations", "shape", "shape_se", "shape_lo", "shape_hi",
                          "rate", "rate_se", "rate_lo", "rate_hi", "log_likelihood", "aic", "bic"));
  const auto gaussian = header({"mixture", "gaussian", "-", "--components", "1", "--by", "k", "--format", "csv"});
  for (const char* name : {"k", "n", "missing", "status", "iterations", "components", "weight0", "mean0_x", "mean0_y",
                           "cov0_x_x", "cov0_y_x", "cov0_y_y", "log_likelihood", "aic", "bic"})
    EXPECT_THAT(gaussian, testing::Contains(name));
  const auto gamma = header({"mixture", "gamma", "-", "--column", "x", "--components", "1", "--format", "csv"});
  for (const char* name :
       {"n", "missing", "status", "iterations", "components", "weight0", "shape0", "rate0", "log_likelihood"})
    EXPECT_THAT(gamma, testing::Contains(name));
}

/// Keys that are hard to write: they mean missing, separate, or end lines.
const std::vector<std::string> hard_keys = {
    "NA", "NaN",         "nan", "a,b", "say \"yes\"", " blanks ", "two\nlines", "a;b;c", "x|y", "tab\there",
    "-",  "caf\xC3\xA9", "",    "007", "1e5",         "\r\n",     "\"",         "'",     "\\",  "null"};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

std::string hard_data() {
  std::string csv = "\"the \"\"key\"\"; or so\",x\n";
  for (std::size_t i = 0; i < hard_keys.size(); ++i)
    for (int row = 1; row <= 5; ++row)
      csv += quoted(hard_keys[i]) + "," + std::to_string(row + 0.25 * static_cast<double>(i)) + "\n";
  return csv;
}

TEST(round_trip, of_keys_through_every_form) {
  const folder place;
  const std::string data = place.file("d.csv", hard_data()), name = "the \"key\"; or so";
  const std::string by = quoted(name);
  std::vector<std::string> forms = {"csv", "json"};
  if (app::has_arrow()) forms.push_back("parquet");
  for (const std::string& family :
       {std::string("gamma"), std::string("mixture gamma"), std::string("mixture gaussian")})
    for (const std::string& form : forms) {
      const std::string out = place.path("out." + form);
      std::vector<std::string> arguments = {"fit", family, data};
      if (family != "gamma") arguments = {"mixture", family.substr(8), data, "--components", "1"};
      arguments.insert(arguments.end(), {"--column", "x", "--by", by, "--out", out});
      ASSERT_EQ(run(arguments).code, 0) << family;
      std::vector<std::string> keys;
      if (form == "json") {
        const json document = json::parse(place.read("out.json"));
        for (const json& fit : document["fits"]) keys.push_back(fit["key"][name]);
        const json scores =
            parsed(run({"score", out, data, "--column", "x", "--by", by, "--format", "json", "--fail-on", "any"}));
        ASSERT_EQ(scores["log_density"].size(), 5 * hard_keys.size());
        for (const json& each : scores["log_density"]) ASSERT_TRUE(each.is_number()) << family;
      } else {
        const app::table table = read_back(out, {.key_columns = {name}});
        for (const std::int32_t code : table.columns[0].codes)
          keys.push_back(code < 0 ? "" : table.columns[0].dictionary[static_cast<std::size_t>(code)]);
      }
      EXPECT_THAT(keys, ElementsAreArray(hard_keys)) << family << " " << form;
    }
}

TEST(round_trip, of_names_of_keys_that_could_be_taken_for_separators_or_for_other_columns) {
  const folder place;
  for (const char separator : {';', '|', '\t', ','}) {
    std::string letters = "a";
    for (int i = 0; i < 30; ++i) letters += separator + std::string(1, static_cast<char>('a' + i % 26));
    const std::string& name = letters;
    const std::string data = place.file("d.csv", quoted(name) + ",x\nu,1\nu,2\nv,3\n"), out = place.path("out.csv");
    ASSERT_EQ(run({"fit", "exponential", data, "--column", "x", "--by", quoted(name), "--out", out}).code, 0);
    const app::table table = read_back(out, {.numeric_columns = {"n"}, .key_columns = {name}});
    EXPECT_THAT(table.at("n", app::column_kind::numeric).numbers, ElementsAre(2, 1)) << name;
  }
  const std::string both = printed({"fit", "exponential", "-", "--column", "x", "--by", "n,key_n", "--format", "csv"},
                                   {"n,key_n,x\nu,v,1\nu,v,2\n"});
  auto header = cells(both)[0];
  const std::size_t columns = header.size();
  std::sort(header.begin(), header.end());
  EXPECT_EQ(static_cast<std::size_t>(std::unique(header.begin(), header.end()) - header.begin()), columns);
}

TEST(round_trip, of_numbers_is_exact_and_the_same_in_every_form) {
  const folder place;
  std::string csv = "k,x\n";
  for (int i = 0; i < 40; ++i)
    csv += std::string(1, static_cast<char>('a' + i % 4)) + "," + std::to_string(0.1 + i * i % 17) + "\n";
  const std::string data = place.file("d.csv", csv + "e,1\n");  // the last key has too few values
  const auto write = [&](const std::string& form) {
    const std::string path = place.path("fits." + form);
    EXPECT_EQ(run({"fit", "gamma", data, "--by", "k", "--out", path}).code, 0);
    return path;
  };
  write("json");
  const json fits = json::parse(place.read("fits.json"))["fits"];
  ASSERT_EQ(fits.size(), 5u);
  std::vector<std::string> paths = {write("csv")};
  if (app::has_arrow()) paths.push_back(write("parquet"));
  for (const std::string& path : paths) {
    const app::table table = read_back(path, {.numeric_columns = {"n", "missing", "shape", "shape_se", "shape_lo",
                                                                  "rate_hi", "log_likelihood", "aic", "bic"},
                                              .key_columns = {"status"}});
    const auto expect_same = [&](const char* column, auto value_of) {
      const auto& numbers = table.at(column, app::column_kind::numeric).numbers;
      for (std::size_t i = 0; i < fits.size(); ++i) {
        const json value = value_of(fits[i]);
        if (value.is_null())
          EXPECT_TRUE(std::isnan(numbers[i])) << column << i;
        else
          EXPECT_EQ(numbers[i], value.get<double>()) << column << i;
      }
    };
    for (const char* name : {"n", "missing", "log_likelihood", "aic", "bic"})
      expect_same(name, [&](const json& fit) { return fit[name]; });
    expect_same("shape", [](const json& fit) { return fit["parameters"]["shape"]; });
    expect_same("shape_se", [](const json& fit) { return fit["std_errors"]["shape"]; });
    expect_same("shape_lo", [](const json& fit) {
      return fit["interval"]["shape"].is_null() ? json() : fit["interval"]["shape"][0];
    });
    expect_same("rate_hi", [](const json& fit) {
      return fit["interval"]["rate"].is_null() ? json() : fit["interval"]["rate"][1];
    });
  }
}

TEST(npy_output, begins_its_numbers_at_a_multiple_of_64_bytes_whatever_its_shape) {
  const folder place;
  for (const char* size : {"1", "9", "10", "99", "12345", "100000"})
    for (const char* fits : {"1", "2", "11"})
      for (const char* precision : {"double", "single"}) {
        const std::string path = place.path("a.npy");
        ASSERT_EQ(run({"simulate", "normal", "--parameters", "mean=0,sd=1", "--size", size, "--fits", fits,
                       "--precision", precision, "--quiet", "--out", path})
                      .code,
                  0);
        const std::string bytes = place.read("a.npy");
        const std::size_t begin =
            10 + static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
        EXPECT_EQ(begin % 64, 0u) << size << fits;
        EXPECT_EQ(bytes[begin - 1], '\n');
        const std::size_t numbers = std::stoul(size) * std::stoul(fits),
                          each = std::string(precision) == "double" ? 8 : 4;
        EXPECT_EQ(bytes.size(), begin + each * numbers);
        if (numbers > 1000) continue;
        // The same draws as text, number by number.
        const auto text = cells(printed({"simulate", "normal", "--parameters", "mean=0,sd=1", "--size", size, "--fits",
                                         fits, "--precision", precision, "--quiet", "--format", "csv"}));
        ASSERT_EQ(text.size(), numbers + 1);
        for (std::size_t i = 0; i < numbers; ++i) {
          double number = 0;
          float single = 0;
          if (each == 8) std::memcpy(&number, bytes.data() + begin + 8 * i, 8);
          if (each == 4) std::memcpy(&single, bytes.data() + begin + 4 * i, 4), number = single;
          const std::string& cell = text[i + 1].back();
          EXPECT_EQ(each == 8 ? std::stod(cell) : std::stof(cell), number);
        }
      }
}

TEST(score_output, is_the_same_in_every_form_with_missing_as_each_form_has_it) {
  const folder place;
  const std::string data = place.file("d.csv", "x\n1\n\n2\n-3\n4\n");
  const std::string model =
      place.file("m.json", R"({"command": "fit", "family": "exponential", "fits": [{"parameters": {"rate": 0.5}}]})");
  const auto expected = std::vector<double>{std::log(0.5) - 0.5, 0, std::log(0.5) - 1, 0, std::log(0.5) - 2};
  const json scores = parsed(run({"score", model, data, "--format", "json"}))["log_density"];
  const std::string csv = printed({"score", model, data, "--format", "csv", "--out", "-"});
  const auto rows = cells(csv);
  ASSERT_EQ(scores.size(), 5u);
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_THAT(rows[0], ElementsAre("log_density"));
  for (const std::size_t i : {0u, 2u, 4u}) {
    EXPECT_NEAR(scores[i].get<double>(), expected[i], 1e-14);
    EXPECT_EQ(std::stod(rows[i + 1][0]), scores[i].get<double>());
  }
  EXPECT_TRUE(scores[1].is_null() && scores[3].is_null());
  EXPECT_EQ(rows[2][0], "\"\"");
  EXPECT_EQ(rows[4][0], "-inf");
  const std::string npy = place.path("s.npy");
  ASSERT_EQ(run({"score", model, data, "--out", npy}).code, 0);
  const auto array = std::get<app::npy_array>(app::read_input(npy, {}));
  const auto& numbers = std::get<std::vector<double>>(array.values);
  ASSERT_EQ(numbers.size(), 5u);
  EXPECT_EQ(numbers[2], scores[2].get<double>());
  EXPECT_TRUE(std::isnan(numbers[1]));
  EXPECT_EQ(numbers[3], -std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace manyfit::test
