// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <utility>

#include "command.hpp"
#include "failures.hpp"
#include "input/input_error.hpp"
#include "input/parse_number.hpp"
#include "manyfit/manyfit.hpp"
#include "output/output.hpp"

namespace manyfit::app {

namespace {

/// A check of numbers; CLI11's own prints the largest double in full. What is no number is left to it.
CLI::Validator at_least(double least) {
  return {[least](std::string& text) {
            double value = 0;
            if (!CLI::detail::lexical_cast(text, value) || value >= least) return std::string();
            return fmt::format("{} given; {} or more expected", text, least);
          },
          ""};
}

CLI::Validator without_blanks() {
  return {[](std::string& text) {
            text = std::string(without_spaces(text));
            return std::string();
          },
          ""};
}

/// "csv|json".
std::string either(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, "|"));
}

void add(CLI::App& command, const option& each) {
  const std::string name = each.name;
  CLI::Option* const added = std::visit(
      [&](auto to) -> CLI::Option* {
        using target = decltype(to);
        if constexpr (std::is_same_v<target, bool*>)
          return command.add_flag(name, *to, each.help);
        else if constexpr (std::is_same_v<target, std::function<void(const std::string&)>>)
          return command.add_option_function<std::string>(name, to, each.help);
        else if constexpr (std::is_same_v<target, std::vector<std::string>*>)
          return command.add_option(name, *to, each.help)->allow_extra_args(false);
        else
          return command.add_option(name, *to, each.help);
      },
      each.to);
  if (!name.starts_with('-') || each.required) added->required();
  if (each.is_column_name) added->transform(without_blanks());
  if (!each.one_of.empty()) added->check(CLI::IsMember(each.one_of).description(""))->type_name(either(each.one_of));
  if (each.least > -std::numeric_limits<double>::infinity()) added->check(at_least(each.least));
  if (each.most > 0) added->check(CLI::Range(std::int64_t{1}, each.most).description(""));
  if (each.given) added->each([given = each.given](const std::string&) { *given = true; });
  if (*each.value) added->type_name(each.value);
}

void add_unsupported(CLI::App& command, const std::string& name, const std::string& purpose) {
  command
      .add_option_function<std::vector<std::string>>(
          name,
          [name, purpose](const std::vector<std::string>&) {
            throw usage_error(fmt::format("{} ({}) is not supported yet\nleave it out", name, purpose));
          },
          "")
      ->expected(0, 1)
      ->group("");
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

/// "fit, mixture or score".
std::string names_of(const std::vector<command>& commands) {
  std::string names;
  for (std::size_t i = 0; i < commands.size(); ++i)
    names += (i == 0 ? "" : i + 1 < commands.size() ? ", " : " or ") + std::string(commands[i].name);
  return names;
}

void fill(CLI::App& app, const command& from) {
  for (const option& each : from.options) add(app, each);
  for (const auto& [name, purpose] : from.unsupported) add_unsupported(app, name, purpose);
  app.footer(from.footer);
  app.get_formatter()->column_width(32);
}

/// Parses, then runs what `chosen` points to; `expected`: the commands there are, if any.
int parse_and_run(CLI::App& program, int argc, char** argv, const command* const& chosen, const std::string& expected) {
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto asked = program.get_subcommands();
    return print(asked.empty() ? program.help() : asked.front()->help(program.get_name()));
  } catch (const CLI::CallForVersion&) {
    return print(program.get_name() + " " + version() + "\n");
  } catch (const CLI::ParseError& wrong) {
    const auto asked = program.get_subcommands();
    std::string message = what_is_wrong(wrong);
    if (asked.empty() && !expected.empty())
      message = (argc < 2 ? std::string("no command given") : fmt::format("'{}' is not a command", excerpt(argv[1]))) +
                "; " + expected + " expected";
    throw usage_error(fmt::format("{}\n{}{} --help tells how to use it", message, program.get_name(),
                                  asked.empty() ? "" : " " + asked.front()->get_name()));
  }
  return chosen->run();
}

}  // namespace

int run_command_line(const std::vector<command>& commands, int argc, char** argv) {
  CLI::App program("Fit any distribution, a million at a time.", "manyfit");
  program.set_version_flag("--version", "manyfit " + std::string(version()));
  program.require_subcommand(1);
  const command* chosen = nullptr;
  for (const command& each : commands) {
    CLI::App& added = *program.add_subcommand(each.name, each.help);
    fill(added, each);
    added.callback([&chosen, &each] { chosen = &each; });
  }
  program.footer(
      "Data go to stdout or --out; progress, warnings and the summary go to stderr.\n"
      "Exit codes: 0 done, 1 internal error, 2 usage, 3 input or output file, 4 some fits failed and --fail-on any "
      "was\n"
      "given, 5 device, memory or threads, 130 interrupted, 143 terminated.\n\n"
      "Example:\n"
      "  manyfit fit gamma rain.csv --column millimetres --by station,month --format csv --out fits.csv\n\n"
      "manyfit COMMAND --help tells more of each command.");
  return parse_and_run(program, argc, argv, chosen, names_of(commands));
}

int run_command_line(const command& only, int argc, char** argv) {
  CLI::App program(only.help, only.name);
  fill(program, only);
  const command* const chosen = &only;
  return parse_and_run(program, argc, argv, chosen, "");
}

}  // namespace manyfit::app
