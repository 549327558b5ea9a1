// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The program: runs the command that was given, turns every failure into a line on stderr and an exit code.
#include <fmt/format.h>

#include <exception>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "apps/support/messages.hpp"
#include "commands.hpp"
#include "failures.hpp"
#include "input/input_error.hpp"
#include "interrupt.hpp"
#include "manyfit/error.hpp"
#include "progress_bar.hpp"

namespace manyfit::app {

namespace {

/// An error on stderr, in one or two lines. Allocates nothing: there may be no memory left.
int fail(exit_code code, std::initializer_list<std::string_view> message) {
  const bool colours = colours_on_stderr();
  put_on_stderr(colours ? "\x1b[31mmanyfit: error:\x1b[0m " : "manyfit: error: ");
  for (std::string_view part : message) {
    while (!part.empty() && part.back() == '\n') part.remove_suffix(1);
    put_on_stderr(part);
  }
  put_on_stderr("\n");
  return code;
}

/// What went wrong, as an exit code and a message.
int explain(std::exception_ptr what) {
  try {
    std::rethrow_exception(what);
  } catch (const usage_error& failure) {
    return fail(exit_usage, {failure.what()});
  } catch (const input_error& failure) {
    return fail(exit_input, {failure.what()});
  } catch (const error& failure) {
    return fail(failure.why() == error::kind::argument ? exit_usage : exit_device, {failure.what()});
  } catch (const broken_pipe&) {
    return exit_done;
  } catch (const std::bad_alloc&) {
    return fail(exit_device, {"out of memory: split the input, or use --precision single"});
  } catch (const std::length_error&) {
    return fail(exit_device, {"more data were asked for than memory can hold: ask for less at a time"});
  } catch (const std::system_error& failure) {
    if (failure.code() == std::errc::resource_unavailable_try_again || failure.code() == std::errc::not_enough_memory)
      return fail(exit_device, {"no more threads can be started: give --threads a smaller number"});
    return fail(exit_internal, {"internal error: ", failure.what(), "\nplease report it with the command line"});
  } catch (const std::exception& failure) {
    return fail(exit_internal, {"internal error: ", failure.what(), "\nplease report it with the command line"});
  } catch (...) {
    return fail(exit_internal, {"internal error\nplease report it with the command line"});
  }
}

std::vector<command> all_commands() {
#define MF_COMMAND(name) name##_command(),
  return {
#include "commands.def"
  };
#undef MF_COMMAND
}

int run(int argc, char** argv) {
  try {
    return run_command_line(all_commands(), argc, argv);
  } catch (...) {
    return explain(std::current_exception());
  }
}

}  // namespace

}  // namespace manyfit::app

int main(int argc, char** argv) {
  manyfit::app::occupy_standard_descriptors();
  manyfit::app::install_signal_handlers();
  return manyfit::app::run(argc, argv);
}
