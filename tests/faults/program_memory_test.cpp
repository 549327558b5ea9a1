// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The program without memory: whichever allocation fails, alone or with all after it, it ends with 5 and one line and
// leaves nothing behind, or does what it would have done. A sample of the allocations each time, spread over all; every
// one of them with MANYFIT_FAILING_ALLOCATIONS=all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli_support.hpp"

namespace manyfit::test {
namespace {

struct command {
  std::vector<std::string> words;  ///< without --out and --plot
  std::string out;                 ///< the name of the file that it writes
  std::string plot = {};           ///< and of the picture, if any
};

class program_without_memory : public testing::Test {
 protected:
  void SetUp() override {
#if defined(MF_PROGRAM_IS_SANITIZED)
    GTEST_SKIP() << "the sanitizer has an allocator of its own";
#endif
    std::string csv = "k,x,y\n", counts = "n\n", wide = "a,b\n";
    for (int i = 0; i < 240; ++i) csv += std::to_string(i % 6) + "," + std::to_string(1 + i * 37 % 101) + ",2\n";
    for (int i = 0; i < 60; ++i) counts += std::to_string(i % 3 ? i % 5 : 20 + i % 7) + "\n";
    for (int i = 0; i < 80; ++i)
      wide += std::to_string(i % 2 ? i % 9 : 50 + i % 7) + "," + std::to_string(i * 31 % 17) + "\n";
    inputs_.file("x.csv", csv);
    inputs_.file("n.csv", counts);
    inputs_.file("w.csv", wide);
    ASSERT_EQ(run({"fit", "gamma", inputs_.path("x.csv"), "--column", "x", "--by", "k", "--format", "json", "--out",
                   inputs_.path("fits.json")})
                  .code,
              0);
    ASSERT_EQ(run({"mixture", "gaussian", inputs_.path("w.csv"), "--components", "2", "--format", "json", "--out",
                   inputs_.path("mixture.json")})
                  .code,
              0);
  }

  void sweep(const command& what) {
    SCOPED_TRACE(testing::PrintToString(what.words));
    const auto started = [&](const folder& place, std::map<std::string, std::string> environment) {
      std::vector<std::string> words = what.words;
      for (std::string& word : words)
        if (word.find('.') != word.npos && std::filesystem::exists(inputs_.path(word))) word = inputs_.path(word);
      words.insert(words.end(), {"--out", place.path(what.out)});
      if (!what.plot.empty()) words.insert(words.end(), {"--plot", place.path(what.plot)});
      environment["LD_PRELOAD"] = MF_FAILING_MALLOC;
      return run(words, {.text = "", .environment = std::move(environment)});
    };
    const folder first;
    const run_result whole = started(first, {{"COUNT_TO", inputs_.path("count")}});
    ASSERT_EQ(whole.code, 0) << whole.err;
    // The process that draws counts on from where it began, and is not counted here: fonts take most of these.
    const long count = std::atol(inputs_.read("count").c_str()) + (what.plot.empty() ? 0 : 15'000);
    ASSERT_GT(count, 100);
    const char* wanted = std::getenv("MANYFIT_FAILING_ALLOCATIONS");
    const long points = wanted && std::string(wanted) == "all" ? count : 7;
    int failed = 0;
    for (const bool all : {false, true}) {
      for (long i = 0; i < points; ++i) {
        const long at = count * i / points + (points < count ? (i * 7919 + (all ? 13 : 0)) % (count / points) : 0);
        SCOPED_TRACE("allocation " + std::to_string(at) + (all ? " and all after it" : ""));
        const folder place;
        std::map<std::string, std::string> environment{{"FAIL_AT", std::to_string(at)}};
        if (all) environment["FAIL_ALL"] = "1";
        const run_result result = started(place, environment);
        if (result.code == 0) {
          EXPECT_EQ(place.read(what.out), first.read(what.out));
          EXPECT_EQ(place.names().size(), first.names().size());
          continue;
        }
        ++failed;
        EXPECT_EQ(result.code, 5) << result.err;
        EXPECT_EQ(result.err.rfind("manyfit: error: "), 0u) << result.err;
        EXPECT_EQ(lines_in(result.err), 1) << result.err;
        EXPECT_TRUE(result.err.find("memory") != std::string::npos || result.err.find("thread") != std::string::npos)
            << result.err;
        EXPECT_EQ(result.out, "");
        EXPECT_THAT(place.names(), testing::ElementsAre());
      }
    }
    EXPECT_GE(failed, 2);
  }

  const folder inputs_;
};

TEST_F(program_without_memory, fits) {
  sweep({{"fit", "weibull", "x.csv", "--column", "x", "--by", "k", "--threads", "2", "--format", "json"}, "fits.json"});
  sweep({{"fit", "gamma", "x.csv", "--column", "x", "--weights", "y", "--threads", "1"}, "fits.csv"});
}

TEST_F(program_without_memory, fits_mixtures) {
  sweep({{"mixture", "gaussian", "w.csv", "--components", "1:3", "--restarts", "2", "--threads", "2"}, "fits.json"});
  sweep({{"mixture", "poisson", "n.csv", "--components", "2", "--restarts", "2", "--threads", "2"}, "fits.csv"});
}

TEST_F(program_without_memory, scores) {
  sweep({{"score", "fits.json", "x.csv", "--column", "x", "--by", "k", "--threads", "2"}, "scores.csv"});
  sweep({{"score", "mixture.json", "w.csv", "--responsibilities", "--label", "--threads", "2"}, "scores.json"});
}

TEST_F(program_without_memory, draws_pictures) {
  sweep({{"fit", "gamma", "x.csv", "--column", "x", "--threads", "1"}, "fits.csv", "fits.svg"});
  sweep({{"mixture", "gaussian", "w.csv", "--components", "2", "--threads", "2"}, "fits.json", "pairs.png"});
}

TEST_F(program_without_memory, draws) {
  sweep({{"simulate", "gamma", "--parameters", "shape=2,rate=1", "--size", "50", "--fits", "20", "--threads", "2"},
         "draws.csv"});
}

}  // namespace
}  // namespace manyfit::test
