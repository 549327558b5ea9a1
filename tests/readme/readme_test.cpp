// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What README.md shows is what is built: its program is a compiled source of this folder, its table comes from the
// registry, what it says of GPUs from the newest report of ./dev gpu. With MF_WRITE_README set in the environment
// (./dev readme) all are written instead of compared.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "manyfit/families.hpp"

namespace {

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

/// Holds what stands in README.md between <!-- begin NAME --> and <!-- end NAME --> to `wanted`, or writes it there.
void hold_section(const std::string& name, const std::string& wanted) {
  const std::string path = std::string(MF_ROOT) + "/README.md";
  const std::string text = read(path), begin = "<!-- begin " + name + " -->\n", end = "<!-- end " + name + " -->";
  const auto from = text.find(begin), to = text.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to) << "README.md has no section " << name;
  const auto start = from + begin.size();
  if (std::getenv("MF_WRITE_README"))
    std::ofstream(path) << text.substr(0, start) << wanted << text.substr(to);
  else
    EXPECT_EQ(text.substr(start, to - start), wanted) << "README.md is not current: run ./dev readme";
}

TEST(readme, lists_the_families_that_are_registered) {
  std::string table = "| family | parameters | support |\n|---|---|---|\n";
  for (const manyfit::family_info* family : manyfit::all_families()) {
    table += std::string("| `") + family->name + "` | ";
    for (int i = 0; i < family->parameter_count; ++i) table += std::string(i ? ", " : "") + family->parameters[i].name;
    table += std::string(" | ") + family->support + " |\n";
  }
  hold_section("families", table);
}

TEST(readme, shows_the_table_of_the_last_benchmarks) {
  hold_section("speed", read(std::string(MF_ROOT) + "/benchmarks/results/summary.md"));
}

TEST(readme, shows_a_program_that_compiles_and_runs) {
  const std::string source = read(std::string(MF_ROOT) + "/tests/readme/million_gammas.cpp");
  hold_section("program", "```cpp\n" + source.substr(source.find("#include")) + "```\n");
}

/// What stands between the marks of the newest report in `results` (benchmarks/results or a folder like it); without
/// any report, that nothing has run.
std::string gpu_section(const std::filesystem::path& results) {
  std::string newest, shown;
  for (const auto& folder : std::filesystem::directory_iterator(results)) {
    const auto report = folder.path() / "report.json";
    if (!std::filesystem::exists(report)) continue;
    const std::string date = nlohmann::json::parse(read(report.string()))["date"];
    if (date <= newest) continue;
    const std::string text = read((folder.path() / "report.md").string());
    const std::string begin = "<!-- begin readme -->\n", end = "<!-- end readme -->";
    const auto from = text.find(begin), to = text.find(end);
    if (from == std::string::npos || to == std::string::npos)
      throw std::runtime_error("no marks in " + report.string());
    newest = date;
    shown = text.substr(from + begin.size(), to - from - begin.size());
  }
  if (!newest.empty()) return shown;
  return "Nothing here has run on a GPU yet. The CUDA code compiles with nvcc 13.0; the code of its warps and blocks "
         "is\n"
         "tested on the CPU, with a thread for every lane.\n";
}

TEST(readme, says_what_the_newest_report_of_a_gpu_says_or_that_there_is_none) {
  hold_section("gpu", gpu_section(std::string(MF_ROOT) + "/benchmarks/results"));
}

TEST(readme, takes_the_newest_of_several_reports) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "made_up_reports";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "no_report");
  EXPECT_NE(gpu_section(folder).find("Nothing here has run on a GPU"), std::string::npos);
  for (const std::string date : {"2001-01-02", "2001-01-03", "2001-01-01"}) {
    std::filesystem::create_directories(folder / ("made-up-" + date));
    std::ofstream(folder / ("made-up-" + date) / "report.json") << R"({"date": ")" << date << R"("})";
    std::ofstream(folder / ("made-up-" + date) / "report.md")
        << "before\n<!-- begin readme -->\nmade up on " << date << "\n<!-- end readme -->\nafter\n";
  }
  EXPECT_EQ(gpu_section(folder), "made up on 2001-01-03\n");
  std::filesystem::remove_all(folder);
}

}  // namespace
