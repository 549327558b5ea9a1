// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// A command as data: its options, where each one's value goes, and what it runs. The parser behind it, CLI11, is
// included in command_line.cpp alone, since every file that includes it compiles for nine seconds.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace manyfit::app {

/// Where an option's value goes. bool: a flag without a value. A list: the option may be repeated, one value each time.
/// A function gets the text, once, and may throw usage_error.
using option_target = std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*,
                                   std::vector<std::string>*, std::function<void(const std::string&)>>;

struct option {
  const char* name;  ///< "--level"; without dashes: by its place, and required
  option_target to;
  std::string help;
  const char* value = "";                ///< how --help shows the value; it shows one_of where that is not empty
  std::vector<std::string> one_of = {};  ///< not empty: these texts only
  double least = -std::numeric_limits<double>::infinity();
  std::int64_t most = 0;  ///< not 0: integers from 1 to this only
  bool required = false;
  bool is_column_name = false;  ///< blanks about it are no part of it
  bool* given = nullptr;        ///< set where the option is given
};

/// An option that names a column.
inline option column_option(const char* name, std::string& to, std::string help) {
  return {.name = name, .to = &to, .help = std::move(help), .value = "NAME", .is_column_name = true};
}

struct command {
  const char* name;
  const char* help;
  std::vector<option> options;
  std::map<std::string, std::string> unsupported = {};  ///< options of the contract that are refused; their purpose
  std::string footer;
  std::function<int()> run;  ///< gives the exit code
};

/// Adds `more` at the end of `options`.
inline void append(std::vector<option>& options, std::vector<option> more) {
  options.insert(options.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// Reads the command line, --help and --version included, and runs the command that it names. The exit code, or
/// usage_error with what was given, what was expected and what to do.
int run_command_line(const std::vector<command>& commands, int argc, char** argv);
/// The same of a program that is one command.
int run_command_line(const command& only, int argc, char** argv);

}  // namespace manyfit::app
