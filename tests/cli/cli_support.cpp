// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "cli_support.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace manyfit::test {

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What the program wrote to a terminal; reading fails once the last writer is gone.
std::string drain(int descriptor) {
  std::string text;
  char part[4096];
  for (ssize_t got; (got = ::read(descriptor, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  return text;
}

}  // namespace

run_result run(const std::vector<std::string>& arguments, const run_input& input) {
  const folder scratch;
  scratch.file("in", input.text);
  std::vector<std::string> words = {MF_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string in = scratch.path("in"), out = scratch.path("out"), err = scratch.path("err");
  int terminal = -1;
  std::string terminal_name;
  if (input.terminal) {
    terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_TRUE(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0);
    terminal_name = ::ptsname(terminal);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    for (const auto& [name, value] : input.environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::signal(SIGINT, SIG_DFL);
    ::dup2(::open(in.c_str(), O_RDONLY), STDIN_FILENO);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    ::dup2(input.terminal ? ::open(terminal_name.c_str(), O_RDWR | O_NOCTTY)
                          : ::open(err.c_str(), O_WRONLY | O_CREAT, 0600),
           STDERR_FILENO);
    ::execv(MF_PROGRAM, argv.data());
    ::_exit(127);
  }
  run_result result;
  std::thread interrupter;
  if (input.interrupt_after_ms > 0)
    interrupter = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(input.interrupt_after_ms));
      ::kill(child, SIGINT);
    });
  std::thread reader;
  if (input.terminal) reader = std::thread([&] { result.err = drain(terminal); });
  int status = 0;
  ::waitpid(child, &status, 0);
  if (interrupter.joinable()) interrupter.join();
  if (reader.joinable()) reader.join();
  if (terminal >= 0) ::close(terminal);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  result.out = content_of(out);
  if (!input.terminal) result.err = content_of(err);
  return result;
}

folder::folder() {
  std::string name = (std::filesystem::temp_directory_path() / "manyfit_cli_XXXXXX").string();
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  place_ = name;
}

folder::~folder() {
  std::error_code ignored;
  std::filesystem::remove_all(place_, ignored);
}

std::string folder::file(const std::string& name, const std::string& content) const {
  std::ofstream(place_ / name, std::ios::binary) << content;
  return path(name);
}

std::string folder::read(const std::string& name) const {
  return content_of(place_ / name);
}

std::vector<std::string> folder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(place_))
    names.push_back(entry.path().filename().string());
  return names;
}

std::vector<std::vector<std::string>> cells(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    auto& row = rows.emplace_back(1);
    for (const char c : line) c == ',' ? (void)row.emplace_back() : row.back().push_back(c);
  }
  return rows;
}

int lines_in(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

json parsed(const run_result& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  const json document = json::parse(result.out, nullptr, false);
  EXPECT_FALSE(document.is_discarded()) << "not JSON: " << result.out.substr(0, 400);
  return document;
}

std::vector<std::string> names_in(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

}  // namespace manyfit::test
