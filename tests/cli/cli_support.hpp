// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Runs the built program as a user's shell would, and keeps what it said.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace manyfit::test {

using json = nlohmann::ordered_json;

struct run_result {
  int code = -1;  ///< exit code; 1000 + the signal's number when one ended it
  std::string out, err;
};

struct run_input {
  std::string text = {};                                ///< stdin
  std::map<std::string, std::string> environment = {};  ///< added to the test's own
  bool terminal = false;                                ///< stderr is a terminal
  int interrupt_after_ms = 0;                           ///< > 0: SIGINT then
};

run_result run(const std::vector<std::string>& arguments, const run_input& input = {});

/// A folder of its own for each test, removed at its end.
class folder {
 public:
  folder();
  ~folder();
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  /// The path of a file in it.
  std::string path(const std::string& name) const { return (place_ / name).string(); }
  /// Writes one and gives its path.
  std::string file(const std::string& name, const std::string& content) const;
  std::string read(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  std::filesystem::path place_;
};

/// A CSV text without quotes, as rows of cells.
std::vector<std::vector<std::string>> cells(const std::string& csv);
int lines_in(const std::string& text);
json parsed(const run_result& result);
/// The names of an object's members, in their order.
std::vector<std::string> names_in(const json& object);

}  // namespace manyfit::test
