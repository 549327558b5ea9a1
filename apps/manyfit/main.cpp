// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The program: reads the command line, runs one command, turns every failure into a line on stderr and an exit code.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

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
#include "manyfit/manyfit.hpp"
#include "output/output.hpp"
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

int print(const std::string& text) {
  output to("");
  to.write(text);
  to.finish();
  return exit_done;
}

/// CLI11 says what was given; what was expected is missing for texts that are not numbers.
std::string what_is_wrong(const CLI::ParseError& wrong) {
  const bool conversion = dynamic_cast<const CLI::ConversionError*>(&wrong) != nullptr;
  return std::string(wrong.what()) + (conversion ? "; a number was expected" : "");
}

int parse_and_run(int argc, char** argv) {
  CLI::App program("Fit any distribution, a million at a time.", "manyfit");
  command_action action;
  program.set_version_flag("--version", "manyfit " + std::string(version()));
  program.require_subcommand(1);
  add_fit(program, action);
  add_mixture(program, action);
  add_score(program, action);
  add_simulate(program, action);
  add_families(program, action);
  add_devices(program, action);
  program.footer(
      "Data go to stdout or --out; progress, warnings and the summary go to stderr.\n"
      "Exit codes: 0 done, 1 internal error, 2 usage, 3 input or output file, 4 some fits failed and --fail-on any "
      "was\n"
      "given, 5 device, memory or threads, 130 interrupted, 143 terminated.\n\n"
      "Example:\n"
      "  manyfit fit gamma rain.csv --column millimetres --by station,month --format csv --out fits.csv\n\n"
      "manyfit COMMAND --help tells more of each command.");
  for (CLI::App* command : program.get_subcommands({})) command->get_formatter()->column_width(32);
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = program.get_subcommands();
    return print(chosen.empty() ? program.help() : chosen.front()->help("manyfit"));
  } catch (const CLI::CallForVersion&) {
    return print("manyfit " + std::string(version()) + "\n");
  } catch (const CLI::ParseError& wrong) {
    const auto chosen = program.get_subcommands();
    const std::string command = chosen.empty() ? "manyfit" : "manyfit " + chosen.front()->get_name();
    std::string message = what_is_wrong(wrong);
    if (chosen.empty())
      message = (argc < 2 ? std::string("no command given") : fmt::format("'{}' is not a command", excerpt(argv[1]))) +
                "; fit, mixture, score, simulate, families or devices expected";
    return fail(exit_usage, {message + "\n" + command + " --help tells how to use it"});
  }
  return action();
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

int run(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
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
