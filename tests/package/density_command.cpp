// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The command that new_command.sh adds to a copy of the tree, to show that a command is one file and one line: fits a
// family as `manyfit fit` does, and adds to every form of that result the log-density of one value under each fit.
#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "failures.hpp"
#include "input_options.hpp"
#include "manyfit/manyfit.hpp"
#include "options.hpp"
#include "output/result_writer.hpp"
#include "results/fit_result.hpp"
#include "samples.hpp"

namespace manyfit::app {

namespace {

struct density_arguments {
  common_options common;
  sample_request input;
  std::string family, by;
  double at = 0;
};

int run(density_arguments& arguments) {
  const common_options& common = arguments.common;
  const family_info& family = find_family(arguments.family);
  if (!arguments.by.empty()) arguments.input.by = split_list(arguments.by, "--by");
  const output_format format = format_of(common);
  check_files({arguments.input.path}, common);
  const executor where = executor_of(common);
  output to(common.out);

  const sample_set<double> samples = read_samples<double>(arguments.input, common, where.threads());
  const fit_results results = fit(where, family, samples.view());
  const std::vector<double> values(static_cast<std::size_t>(results.count), arguments.at);
  const std::vector<double> densities =
      log_density(where, family, dense<double>(values, results.count), {results.parameters.data(), 1, results.count});

  const fit_report report{results, samples.keys, common.precision};
  schema what = describe(report);
  what.command = "density";
  what.one = {};  // a single row is a table, as several are
  what.fields.push_back(scalar("log_density", each_of(densities)));
  write_result(what, format, to);
  to.finish();
  return exit_done;
}

}  // namespace

command density_command() {
  const auto arguments = std::make_shared<density_arguments>();
  std::vector<option> options{
      {"FAMILY", &arguments->family, "What to fit"},
      {"INPUT", &arguments->input.path, "A table or an array; - is stdin"},
      {.name = "--at", .to = &arguments->at, .help = "Of which value", .value = "X", .required = true},
      {.name = "--column",
       .to = &arguments->input.column,
       .help = "The values",
       .value = "NAME",
       .is_column_name = true},
      {"--by", &arguments->by, "One fit per distinct key in these columns", "a,b"},
  };
  append(options, reading_options(arguments->input.format));
  append(options, shared_options(arguments->common));
  return {.name = "density",
          .help = "Log-density of one value under every fit",
          .options = std::move(options),
          .footer = "Example:\n  manyfit density gamma rain.csv --column millimetres --by station --at 12.5",
          .run = [arguments] { return run(*arguments); }};
}

}  // namespace manyfit::app
