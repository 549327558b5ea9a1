// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Listings, terminals, signals, pipes and Parquet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli_support.hpp"
#include "input/arrow_reader.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(families_command, lists_parameters_and_support) {
  const json document = parsed(run({"families", "--format", "json"}));
  bool found = false;
  for (const json& family : document["families"]) {
    for (const char* member : {"name", "parameters", "support", "discrete", "method", "commands", "devices"})
      EXPECT_TRUE(family.contains(member)) << family;
    if (family["name"] != "gamma") continue;
    found = true;
    EXPECT_EQ(family["parameters"][0]["name"], "shape");
    EXPECT_EQ(family["parameters"][0]["constraint"], "positive");
    EXPECT_EQ(family["support"], "x > 0");
    EXPECT_EQ(family["discrete"], false);
  }
  EXPECT_TRUE(found);
  EXPECT_THAT(run({"families"}).out, HasSubstr("shape (positive), rate (positive)"));
  EXPECT_EQ(lines_in(run({"families", "--format", "csv"}).out), 1 + static_cast<int>(document["families"].size()));
}

TEST(devices_command, lists_the_cpu_first) {
  const json document = parsed(run({"devices", "--format", "json"}));
  EXPECT_EQ(document["devices"][0]["id"], "cpu");
  EXPECT_EQ(document["devices"][0]["usable"], true);
  EXPECT_THAT(run({"devices"}).out, HasSubstr("cpu"));
}

std::string many_rows() {
  std::string csv = "k,x\n";
  for (int i = 0; i < 1200000; ++i) csv += std::to_string(i % 400000) + "," + std::to_string(1 + i % 977) + "\n";
  return csv;
}

TEST(terminal, has_a_bar_that_is_gone_at_the_end_and_no_escape_sequences) {
  const folder place;
  const run_input input{.text = many_rows(), .environment = {{"NO_COLOR", "1"}}, .terminal = true};
  const run_result result =
      run({"fit", "student_t", "-", "--by", "k", "--threads", "1", "--out", place.path("fits.csv")}, input);
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("400000 student_t fits"));
  EXPECT_THAT(result.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(result.err, HasSubstr("% "));
  EXPECT_EQ(lines_in(place.read("fits.csv")), 400001);
}

TEST(terminal, quiet_draws_nothing) {
  const folder place;
  const run_result result = run({"fit", "weibull", "-", "--by", "k", "--quiet", "--out", place.path("fits.csv")},
                                {.text = many_rows(), .terminal = true});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "");
}

TEST(terminal, errors_are_coloured_unless_no_color_is_set) {
  const auto error_with = [](const std::map<std::string, std::string>& environment) {
    return run({"fit", "gama", "-"}, {.text = "", .environment = environment, .terminal = true}).err;
  };
  EXPECT_THAT(error_with({{"NO_COLOR", "1"}, {"TERM", "xterm"}}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(error_with({{"NO_COLOR", ""}, {"TERM", "xterm"}}), HasSubstr("\x1b[31m"));
  EXPECT_THAT(error_with({{"NO_COLOR", ""}, {"TERM", "dumb"}}), Not(HasSubstr("\x1b")));
}

TEST(interrupt, exits_with_130_and_leaves_no_file_behind) {
  const folder place;
  const run_result result = run({"simulate", "gamma", "--parameters", "shape=2,rate=1", "--size", "1000", "--fits",
                                 "100000000", "--out", place.path("draws.csv")},
                                {.text = "", .terminal = true, .interrupt_after_ms = 1500});
  EXPECT_EQ(result.code, 130);
  EXPECT_THAT(result.err, HasSubstr("interrupted"));
  EXPECT_THAT(place.names(), ElementsAre());
}

TEST(pipe_output, that_is_closed_early_ends_the_program_without_a_word) {
  const folder place;
  const std::string command = std::string("( ") + MF_PROGRAM +
                              " simulate gamma --parameters shape=2,rate=1 --size 3000000; echo $? > " +
                              place.path("code") + " ) 2> " + place.path("err") + " | head -n 2 > " + place.path("out");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(place.read("code"), "0\n");
  EXPECT_EQ(place.read("err"), "");
  EXPECT_EQ(lines_in(place.read("out")), 2);
}

TEST(full_device, is_an_error_and_not_a_success) {
  const run_result result =
      run({"simulate", "gamma", "--parameters", "shape=2,rate=1", "--size", "10", "--out", "/dev/full"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("/dev/full"));
}

TEST(parquet, is_written_and_read_where_arrow_is_built_in) {
  const folder place;
  const std::string csv = "k,x\na,1\na,2\na,5\n\"b,c\",2\n";
  const std::string path = place.path("fits.parquet");
  const run_result written = run({"fit", "gamma", "-", "--by", "k", "--out", path}, {csv});
  if (!app::has_arrow()) {
    EXPECT_EQ(written.code, 2);
    EXPECT_THAT(written.err, HasSubstr("Apache Arrow"));
    const run_result read = run({"fit", "gamma", place.file("data.parquet", "PAR1 PAR1")});
    EXPECT_EQ(read.code, 3);
    EXPECT_THAT(read.err, HasSubstr("Apache Arrow"));
    return;
  }
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_THAT(place.names(), ElementsAre("fits.parquet"));
  const json fits =
      parsed(run({"fit", "normal", path, "--column", "shape", "--by", "k,status", "--format", "json"}))["fits"];
  ASSERT_EQ(fits.size(), 2u);
  EXPECT_EQ(fits[0]["key"], json::parse(R"({"k": "a", "status": "converged"})"));
  EXPECT_EQ(fits[1]["key"], json::parse(R"({"k": "b,c", "status": "too_few"})"));
  EXPECT_EQ(fits[1]["missing"], 1);
}

}  // namespace
}  // namespace manyfit::test
