// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <stdexcept>

namespace manyfit::app {

/// Exit codes of the program: its contract with scripts.
enum exit_code : int {
  exit_done = 0,
  exit_internal = 1,
  exit_usage = 2,
  exit_input = 3,   ///< also output that cannot be written
  exit_failed = 4,  ///< some fits failed and --fail-on any was given
  exit_device = 5,  ///< also out of memory, or out of threads
  exit_interrupted = 130
};

/// A command line that cannot be run as given. what() is one or two lines: what was given, what was expected, what to
/// do.
class usage_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The reader of our output has gone away: nothing is wrong, and nothing more is wanted.
struct broken_pipe {};

}  // namespace manyfit::app
