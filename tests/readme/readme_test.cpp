// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What README.md shows is what is built: its program is a compiled source of this folder, its table comes from the
// registry. With MF_WRITE_README set in the environment (./dev readme) both are written instead of compared.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
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

}  // namespace
