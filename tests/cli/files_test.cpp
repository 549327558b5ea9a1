// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Which files are read as what, which are written, and which never are: the program from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "cli_support.hpp"
#include "input/arrow_reader.hpp"

namespace manyfit::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

json first_fit(const std::vector<std::string>& arguments, const run_input& input = {}) {
  std::vector<std::string> all = arguments;
  all.insert(all.end(), {"--format", "json"});
  return parsed(run(all, input))["fits"][0];
}

/// Compared so that NaN and null fail.
void expect_near(const json& value, double wanted) {
  ASSERT_TRUE(value.is_number()) << value;
  EXPECT_TRUE(std::abs(value.get<double>() - wanted) <= 1e-9 * (1 + std::abs(wanted))) << value << " for " << wanted;
}

void expect_refused(const run_result& result, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(result.code, code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, StartsWith("manyfit: error: "));
  EXPECT_LE(lines_in(result.err), 2) << result.err;
  for (const std::string& part : parts) EXPECT_THAT(result.err, HasSubstr(part));
}

/// Right values by hand and with mpmath.
TEST(people_s_files, with_an_index_are_fitted_as_without) {
  for (const char* text : {",x\n0,1.5\n1,2.5\n2,4\n", "\"\",\"x\"\n\"1\",1.5\n\"2\",2.5\n\"3\",4\n"})
    for (const bool named : {true, false}) {
      const json fit =
          named ? first_fit({"fit", "gamma", "-", "--column", "x"}, {text}) : first_fit({"fit", "gamma", "-"}, {text});
      expect_near(fit["parameters"]["shape"], 6.56046532782);
      expect_near(fit["parameters"]["rate"], 2.46017449793);
      expect_near(fit["log_likelihood"], -4.21937070176);
    }
}

TEST(people_s_files, with_trailing_commas_and_doubled_names_are_fitted) {
  const json trail = first_fit({"fit", "gamma", "-", "--column", "x"}, {"x,g,\n1,a,\n2,a,\n4,a,\n"});
  EXPECT_EQ(trail["n"], 3);
  EXPECT_NEAR(trail["parameters"]["shape"].get<double>(), 3.4012006, 1e-6);
  EXPECT_NEAR(trail["parameters"]["rate"].get<double>(), 1.4576574, 1e-6);
  const json doubled =
      first_fit({"fit", "normal", "-", "--column", "x"}, {"g,x,note,note\na,2,u,v\na,3,u,v\na,4,u,v\n"});
  EXPECT_EQ(doubled["n"], 3);
  expect_near(doubled["parameters"]["mean"], 3);
}

TEST(people_s_files, with_one_bad_cell_are_refused_and_no_other_column_is_taken) {
  const std::string swap = "id,x\n1,10.5\n2,11.5\n3,N/A\n4,13\n";
  expect_refused(run({"fit", "normal", "-"}, {swap}), 3, {"line 4", "'x'", "'N/A'"});
  const json fit = first_fit({"fit", "normal", "-", "--column", "x", "--missing", "N/A,null"}, {swap});
  EXPECT_EQ(fit["n"], 3);
  EXPECT_EQ(fit["missing"], 1);
  expect_near(fit["parameters"]["mean"], 35.0 / 3);
  expect_refused(run({"fit", "gamma", "-", "--by", "station"}, {"station,mm\nA,1.5\nA,2.5\nB,trace\nB,3\n"}), 3,
                 {"line 4", "'mm'", "'trace'"});
  std::string points = "a,b,c\n";
  for (int i = 0; i < 60; ++i)
    points +=
        std::to_string(i % 7) + "," + (i == 17 ? "null" : std::to_string(i % 5)) + "," + std::to_string(i % 11) + "\n";
  expect_refused(run({"mixture", "gaussian", "-", "--components", "1"}, {points}), 3, {"line 19", "'b'", "'null'"});
  const json mixture = first_fit({"mixture", "gaussian", "-", "--components", "1", "--missing", "null"}, {points});
  EXPECT_EQ(mixture["n"], 59);
  EXPECT_EQ(mixture["missing"], 1);
  EXPECT_EQ(mixture["means"][0].size(), 3u);
}

TEST(people_s_files, with_semicolons_and_decimal_commas_are_named_or_read) {
  const std::string eu = "datum;wert\r\n2020-01-01;1,5\r\n2020-01-02;2,5\r\n", semi = "x;y\n1,5;2\n2,5;3\n4,0;1\n";
  expect_refused(run({"fit", "gamma", "-", "--column", "wert"}, {eu}), 3, {"line 2", "'1,5'", "--decimal"});
  expect_refused(run({"fit", "gamma", "-"}, {semi}), 3, {"line 2", "'1,5'", "--decimal"});
  expect_near(first_fit({"fit", "normal", "-", "--decimal", ","}, {eu})["parameters"]["mean"], 2);
  expect_near(first_fit({"fit", "normal", "-", "--column", "x", "--decimal", ","}, {semi})["parameters"]["mean"],
              8.0 / 3);
  expect_near(
      first_fit({"fit", "normal", "-", "--column", "x", "--delimiter", "#"}, {"x#y\n1#2\n3#4\n"})["parameters"]["mean"],
      2);
  expect_refused(run({"fit", "normal", "-"}, {"x;y\n1 234;u\n2 345;v\n"}), 3, {"'1 234'", "thousands"});
  for (const char* wrong : {"ab", "", "a", "1", "\"", "."})
    expect_refused(run({"fit", "normal", "-", "--delimiter", wrong}, {semi}), 2, {"--delimiter"});
  expect_refused(run({"fit", "normal", "-", "--decimal", ";"}, {semi}), 2, {"--decimal"});
  expect_refused(run({"fit", "normal", "-", "--missing", "a,,b"}, {semi}), 2, {"--missing"});
}

TEST(people_s_files, take_any_text_for_missing) {
  const std::string text = "x\n1\n-\n.\n-9999\n3\n";
  for (const char* missing : {"-,.,-9999", "-9999,.,-"}) {
    const json fit = first_fit({"fit", "normal", "-", "--missing", missing}, {text});
    EXPECT_EQ(fit["missing"], 3) << missing;
    expect_near(fit["parameters"]["mean"], 2);
  }
}

TEST(keys, that_are_not_utf_8_are_refused_with_line_and_byte) {
  const std::string latin = "g,x\ncaf\xE9,1\ncaf\xE9,2\ncaf\xE8,10\ncaf\xE8,20\n";
  expect_refused(run({"fit", "exponential", "-", "--by", "g"}, {latin}), 3, {"line 2", "byte 7", "UTF-8"});
}

TEST(keys, named_as_an_output_are_written_under_another_name) {
  const folder place;
  const std::string data = place.file("d.csv", "shape,x,w,key_n,n\na,1,1,u,v\na,2,1,u,v\na,4,1,u,v\n");
  const auto header = [&](const std::vector<std::string>& arguments) {
    const run_result result = run(arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    return cells(result.out)[0];
  };
  const auto fit = header({"fit", "gamma", data, "--column", "x", "--by", "shape,key_n,n", "--format", "csv"});
  EXPECT_THAT(std::vector(fit.begin(), fit.begin() + 3), ElementsAre("key_shape", "key_n", "key_key_n"));
  const auto mixture =
      header({"mixture", "gamma", data, "--column", "x", "--by", "n", "--components", "1", "--format", "csv"});
  EXPECT_EQ(mixture[0], "key_n");
  const auto gaussian =
      header({"mixture", "gaussian", data, "--column", "x", "--by", "n", "--components", "1", "--format", "csv"});
  EXPECT_EQ(gaussian[0], "key_n");
  EXPECT_THAT(run({"fit", "gamma", data, "--column", "x", "--by", "shape"}).out, StartsWith("key_shape"));
  // No two columns have one name, and our own reader takes the file.
  for (const std::vector<std::string>& names : {fit, mixture, gaussian}) {
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
  }
  const std::string fits = place.path("fits.csv");
  ASSERT_EQ(run({"fit", "gamma", data, "--column", "x", "--by", "shape", "--out", fits}).code, 0);
  EXPECT_EQ(first_fit({"fit", "normal", fits, "--column", "shape", "--by", "key_shape"})["key"]["key_shape"], "a");
  // JSON keeps keys apart from everything else.
  const json key = first_fit({"fit", "gamma", data, "--column", "x", "--by", "shape"})["key"];
  EXPECT_EQ(key, json::parse(R"({"shape": "a"})"));
}

TEST(output_files, are_never_an_input) {
  const folder place;
  const std::string data = place.file("d.csv", "x\n1\n2\n4\n");
  std::filesystem::create_symlink(data, place.path("link.csv"));
  std::filesystem::create_hard_link(data, place.path("hard.csv"));
  for (const std::string& out : {data, place.path("link.csv"), place.path("hard.csv"), place.path("./d.csv")})
    expect_refused(run({"fit", "gamma", data, "--out", out}), 2, {"--out", "overwrite the input"});
  const std::string svg = place.file("d.svg", "x\n1\n2\n4\n");
  expect_refused(run({"fit", "gamma", svg, "--plot", svg}), 2, {"--plot", "overwrite the input"});
  expect_refused(run({"mixture", "gaussian", data, "--components", "1", "--out", data}), 2, {"overwrite"});
  EXPECT_EQ(place.read("d.csv"), "x\n1\n2\n4\n");
  const std::string model = place.path("m.json");
  ASSERT_EQ(run({"mixture", "gamma", data, "--components", "1", "--out", model}).code, 0);
  const std::string before = place.read("m.json");
  expect_refused(run({"score", model, data, "--out", model}), 2, {"overwrite"});
  expect_refused(run({"score", model, data, "--out", data}), 2, {"overwrite"});
  expect_refused(run({"mixture", "gamma", data, "--start", model, "--out", model}), 2, {"overwrite"});
  EXPECT_EQ(place.read("m.json"), before);
  // Nor what stdin comes from.
  const std::string command =
      std::string(MF_PROGRAM) + " fit gamma - --out " + data + " < " + data + " 2> " + place.path("err");
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 2);
  EXPECT_EQ(place.read("d.csv"), "x\n1\n2\n4\n");
}

TEST(output_files, are_one_for_the_plot_and_one_for_the_results) {
  const folder place;
  const std::string data = place.file("d.csv", "x\n1\n2\n4\n");
  expect_refused(run({"fit", "gamma", data, "--out", place.path("a.svg"), "--plot", place.path("a.svg")}), 2,
                 {"--plot and --out"});
  expect_refused(run({"fit", "gamma", data, "--out", place.path("a.svg"), "--plot", place.path("./a.svg")}), 2,
                 {"--plot and --out"});
  EXPECT_THAT(place.names(), ElementsAre("d.csv"));
}

TEST(output_files, hold_what_their_names_say) {
  const folder place;
  const std::string data = place.file("d.csv", "x\n1\n2\n4\n");
  for (const char* name : {"a.npy", "a.npz", "a.feather", "a.arrow", "a.tsv", "A.NPY"})
    expect_refused(run({"fit", "gamma", data, "--out", place.path(name)}), 2, {"--out", name});
  expect_refused(run({"fit", "gamma", data, "--format", "csv", "--out", place.path("a.npy")}), 2, {"a.npy"});
  expect_refused(run({"fit", "gamma", data, "--format", "json", "--out", place.path("a.parquet")}), 2, {"a.parquet"});
  expect_refused(run({"simulate", "gamma", "--parameters", "shape=2,rate=1", "--size", "3", "--format", "csv", "--out",
                      place.path("a.npy")}),
                 2, {"a.npy"});
  EXPECT_THAT(place.names(), ElementsAre("d.csv"));
  for (const char* name : {"a.csv", "a.json", "a.txt", "a"})
    EXPECT_EQ(run({"fit", "gamma", data, "--out", place.path(name)}).code, 0) << name;
}

TEST(output_files, called_minus_are_stdout) {
  const folder place;
  const std::string data = place.file("d.csv", "x\n1\n2\n4\n");
  const run_result to_stdout = run({"fit", "gamma", data, "--format", "csv", "--out", "-"});
  EXPECT_EQ(to_stdout.code, 0) << to_stdout.err;
  EXPECT_EQ(to_stdout.out, run({"fit", "gamma", data, "--format", "csv"}).out);
  EXPECT_THAT(place.names(), ElementsAre("d.csv"));
  expect_refused(run({"fit", "gamma", data, "--format", "parquet", "--out", "-"}), 2, {"--out"});
}

TEST(help, of_every_command_that_reads_names_the_options_of_inputs_with_an_example) {
  for (const char* command : {"fit", "mixture", "score"}) {
    const std::string help = run({command, "--help"}).out;
    for (const char* option : {"--missing", "--delimiter", "--decimal", "--array", "wetter.csv", ".npz"})
      EXPECT_THAT(help, HasSubstr(option)) << command;
  }
}

TEST(arrays, of_float16_and_npz_are_fitted) {
  const folder place;
  std::string half("\x93NUMPY\1\0", 8);
  const std::string header = "{'descr': '<f2', 'fortran_order': False, 'shape': (4,), }\n";
  half +=
      std::string{static_cast<char>(header.size()), '\0'} + header + std::string("\x00\x3E\x00\x41\x00\x44\x00\x42", 8);
  expect_near(first_fit({"fit", "normal", place.file("h.npy", half)})["parameters"]["mean"], 2.75);
  const std::string one = MF_GOLDEN_DIR "/one_array.npz", two = MF_GOLDEN_DIR "/two_arrays.npz";
  expect_near(first_fit({"fit", "normal", one})["parameters"]["mean"], 2.75);
  expect_near(first_fit({"fit", "normal", two, "--array", "values"})["parameters"]["mean"], 2.75);
  expect_refused(run({"fit", "normal", two}), 3, {"'values'", "'zeros'", "--array"});
  expect_refused(run({"mixture", "gaussian", one, "--components", "1", "--delimiter", ";"}), 3, {"--delimiter"});
}

TEST(pandas_parquet, has_its_index_left_out) {
  if (!app::has_arrow()) GTEST_SKIP() << "built without Apache Arrow";
  const json fit = first_fit({"fit", "normal", MF_GOLDEN_DIR "/pandas_index.parquet"});
  expect_near(fit["parameters"]["mean"], 2.75);
  EXPECT_EQ(fit["n"], 4);
}

TEST(keys, of_negative_zero_make_one_fit_with_those_of_zero) {
  const json fits =
      parsed(run({"fit", "normal", "-", "--by", "k", "--format", "json"}, {"k,x\n-0.0,1\n0,3\n1,5\n"}))["fits"];
  ASSERT_EQ(fits.size(), 2u);
  EXPECT_EQ(fits[0]["key"]["k"], "0");
  EXPECT_EQ(fits[0]["n"], 2);
}

}  // namespace
}  // namespace manyfit::test
