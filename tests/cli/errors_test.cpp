// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// What the program refuses: its exit code, and that the message is one or two lines that name what was given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli_support.hpp"

namespace manyfit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

void expect_failure(const run_result& result, int code, const std::string& part) {
  EXPECT_EQ(result.code, code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, AllOf(StartsWith("manyfit: error: "), HasSubstr(part)));
  EXPECT_LE(lines_in(result.err), 2) << result.err;
}

const char* const good = "x\n1\n2\n4\n";

TEST(usage, a_wrong_command_line_exits_with_2) {
  expect_failure(run({}), 2, "no command given");
  expect_failure(run({"frobnicate"}), 2, "frobnicate");
  expect_failure(run({"--frobnicate"}), 2, "--frobnicate");
  expect_failure(run({"fit"}), 2, "FAMILY is required");
  expect_failure(run({"fit", "normal"}), 2, "INPUT is required");
  expect_failure(run({"fit", "normal", "-", "more"}), 2, "more");
  expect_failure(run({"fit", "normal", "-", "--frobnicate"}), 2, "--frobnicate");
  expect_failure(run({"fit", "normal", "-", "--level", "high"}), 2, "--level");
  expect_failure(run({"fit", "normal", "-", "--level", "1.5"}), 2, "1.5");
  expect_failure(run({"fit", "normal", "-", "--threads", "-2"}), 2, "--threads");
  expect_failure(run({"fit", "normal", "-", "--precision", "half"}), 2, "half");
  expect_failure(run({"fit", "normal", "-", "--format", "yaml"}), 2, "yaml");
  expect_failure(run({"fit", "normal", "-", "--format", "parquet"}), 2, "--out");
  expect_failure(run({"fit", "normal", "-", "--device", "abacus"}), 2, "abacus");
  expect_failure(run({"fit", "normal", "-", "--device", "cuda:x"}), 2, "cuda:x");
  expect_failure(run({"fit", "normal", "-", "--fail-on", "monday"}), 2, "monday");
  expect_failure(run({"fit", "normal", "-", "--max-iterations", "-1"}), 2, "--max-iterations");
  expect_failure(run({"fit", "normal", "-", "--tolerance", "-1"}), 2, "--tolerance");
  expect_failure(run({"fit", "normal", "-", "--seed", "-1"}), 2, "--seed");
  expect_failure(run({"fit", "normal", "-", "--by", "a,,b"}), 2, "--by");
  expect_failure(run({"fit", "normal", "-", "--by", "a,b,a"}), 2, "'a' is given twice");
}

TEST(usage, an_unknown_family_exits_with_2_and_names_the_nearest) {
  const run_result result = run({"fit", "gama", "-"}, {good});
  expect_failure(result, 2, "did you mean 'gamma'?");
}

TEST(usage, a_parameter_cannot_be_fixed_at_nonsense) {
  expect_failure(run({"fit", "gamma", "-", "--fix", "shpe=2"}, {good}), 2, "shape, rate");
  expect_failure(run({"fit", "gamma", "-", "--fix", "shape=-2"}, {good}), 2, "positive");
  expect_failure(run({"fit", "gamma", "-", "--fix", "shape"}, {good}), 2, "NAME=VALUE");
  expect_failure(run({"fit", "gamma", "-", "--fix", "shape=nan"}, {good}), 2, "finite");
  expect_failure(run({"fit", "gamma", "-", "--fix", "shape=1", "--fix", "shape=2"}, {good}), 2, "twice");
}

TEST(usage, priors_are_refused_in_words) {
  const auto with = [](const std::string& prior) { return run({"fit", "gamma", "-", "--prior", prior}, {good}); };
  for (const char* text : {"rate", "rate=", "rate=gamma", "rate=gamma(2", "rate=gamma(2,)", "rate=gamma(2,x)",
                           "=gamma(2,1)", "rate=(2,1)", "gamma(2,1)", ""})
    expect_failure(with(text), 2, "rate=gamma(2,0.5)");
  expect_failure(with("scale=gamma(2,1)"), 2, "shape, rate");
  expect_failure(with("rate=gama(2,1)"), 2, "did you mean 'gamma'");
  expect_failure(with("rate=gamma(2)"), 2, "2 parameters (shape, rate)");
  expect_failure(with("rate=poisson(2)"), 2, "discrete");
  expect_failure(with("rate=gamma(2,-1)"), 2, "positive");
  expect_failure(with("rate=uniform(-2,-1)"), 2, "positive");
  expect_failure(run({"fit", "gamma", "-", "--prior", "rate=gamma(2,1)", "--prior", "rate=gamma(3,1)"}, {good}), 2,
                 "twice");
  expect_failure(run({"fit", "gamma", "-", "--prior", "rate=gamma(2,1)", "--fix", "rate=1"}, {good}), 2, "fixed");
}

TEST(usage, what_is_not_there_yet_is_refused_and_never_ignored) {
  for (const char* option : {"--event", "--interval", "--truncate"})
    expect_failure(run({"fit", "normal", "-", option, "a"}, {good}), 2, "not supported yet");
  expect_failure(run({"fit", "normal", "-", "--event=a"}, {good}), 2, "not supported yet");
}

TEST(input, that_cannot_be_used_exits_with_3) {
  const folder place;
  expect_failure(run({"fit", "normal", place.path("absent.csv")}), 3, "absent.csv");
  expect_failure(run({"fit", "normal", place.path("")}), 3, "directory");
  expect_failure(run({"fit", "normal", "-"}, {""}), 3, "stdin");
  expect_failure(run({"fit", "normal", "-", "--column", "y"}, {good}), 3, "'x'");
  expect_failure(run({"fit", "normal", "-", "--by", "k"}, {good}), 3, "'k'");
  expect_failure(run({"fit", "normal", "-", "--weights", "w"}, {good}), 3, "'w'");
  expect_failure(run({"fit", "normal", "-"}, {"a,b\n1,2\n"}), 3, "'a', 'b'");
  expect_failure(run({"fit", "normal", "-"}, {"a,b\nu,v\n"}), 3, "'a', 'b'");
  expect_failure(run({"fit", "normal", "-", "--column", "x"}, {"x\n1\ntwo\n3\n"}), 3, "line 3");
  expect_failure(run({"fit", "normal", "-"}, {"x,x\n1,2\n"}), 3, "'x'");
  expect_failure(run({"fit", "normal", "-"}, {"x,y\n1,2\n3\n"}), 3, "line 3");
  expect_failure(run({"fit", "normal", place.file("short.npy", "\x93NUMPY\x01")}), 3, "short.npy");
}

TEST(output_file, that_cannot_be_written_exits_with_3_before_any_work) {
  const folder place;
  expect_failure(run({"fit", "normal", place.path("absent.csv"), "--out", place.path("no/such/folder.csv")}), 3,
                 "no/such/folder.csv");
  expect_failure(run({"fit", "normal", "-", "--out", place.path("")}, {good}), 3, "directory");
}

TEST(device, that_is_not_there_exits_with_5) {
  expect_failure(run({"fit", "normal", "-", "--device", "cuda:99"}, {good}), 5, "cuda:99");
}

TEST(help, has_an_example_for_every_command) {
  const run_result all = run({"--help"});
  EXPECT_EQ(all.code, 0);
  for (const char* command : {"fit", "score", "simulate", "families", "devices"}) {
    EXPECT_THAT(all.out, HasSubstr(command));
    const run_result one = run({command, "--help"});
    EXPECT_EQ(one.code, 0);
    EXPECT_THAT(one.out, HasSubstr("Example"));
    EXPECT_THAT(one.out, HasSubstr(std::string("manyfit ") + command));
    EXPECT_EQ(one.err, "");
  }
}

TEST(version, is_one_line) {
  const run_result result = run({"--version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "manyfit 0.1.0\n");
}

}  // namespace
}  // namespace manyfit::test
