// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "apps/support/messages.hpp"
#include "commands.hpp"
#include "failures.hpp"
#include "input_options.hpp"
#include "manyfit/manyfit.hpp"
#include "options.hpp"
#include "output/result_writer.hpp"
#include "plot.hpp"
#include "prior_option.hpp"
#include "progress_bar.hpp"
#include "results/fit_result.hpp"
#include "results/result_fields.hpp"
#include "samples.hpp"

namespace manyfit::app {

namespace {

struct fit_arguments {
  common_options common;
  sample_request input;
  std::string family, by, plot;
  std::vector<std::string> fixed, priors;
  double level = 0.95;
  fit_options options;
};

/// What is wrong with the command line shows before a large file is read: the library checks options first.
void check_options(const family_info& family, const fit_options& options, double level) {
  for (int p = 0; p < family.parameter_count; ++p) {
    const parameter& each = family.parameters[p];
    if (each.kind == constraint::count && !options.fixed.contains(each.name))
      throw usage_error(
          fmt::format("{0} needs its {1} given: {2}\nadd --fix {1}=N", family.name, each.name, each.meaning));
  }
  if (!(level > 0 && level < 1))
    throw usage_error(
        fmt::format("--level: {} given; a probability between 0 and 1 expected, as in --level 0.95", level));
  fit(executor::cpu(1), family, dense<double>({}, 0), options);
}

void print_summary(const fit_results& r, const common_options& common, double fit_seconds, double all_seconds) {
  const auto sum = [](const std::vector<std::int64_t>& of) { return std::reduce(of.begin(), of.end()); };
  const std::int64_t left_out = sum(r.left_out);
  tell("manyfit: {} {} fit{} of {} ({} missing{}) on {}, {} precision, in {} ({}/s), {} in all\n", r.count,
       r.family->name, r.count == 1 ? "" : "s", counted(sum(r.observations), "value"), sum(r.missing),
       left_out > 0 ? fmt::format(", {} left out", left_out) : "", r.device, common.precision, short_time(fit_seconds),
       short_count(static_cast<double>(r.count) / fit_seconds), short_time(all_seconds));
  tell_outcome(r.status, sum(r.outside));
}

template <class T>
int run_fit(const fit_arguments& arguments, const family_info& family, const executor& where, output_format format,
            output& to) {
  const common_options& common = arguments.common;
  const stopwatch since;
  const sample_set<T> samples = read_samples<T>(arguments.input, common, where.threads());
  if (samples.values.empty()) warn(common, fmt::format("{} has no observations", samples.source));

  fit_options options = arguments.options;
  progress_bar bar("fitting", "fits", common.quiet);
  options.progress = bar.function();
  const stopwatch fitting;
  const fit_results results = fit(where, family, samples.view(), options);
  const double fit_seconds = fitting.seconds();
  bar.clear();

  const fit_report report{results, samples.keys, common.precision, arguments.level};
  write_result(describe(report), format, to);
  if (!arguments.plot.empty() && results.count > 0) write_plot(arguments.plot, report, samples);
  to.finish();
  if (!common.quiet) attempt([&] { print_summary(results, common, fit_seconds, since.seconds()); });
  const bool failed = !std::all_of(results.status.begin(), results.status.end(), usable);
  return failed && common.fail_on_any() ? exit_failed : exit_done;
}

int run(fit_arguments& arguments) {
  const family_info& family = find_family(arguments.family);
  arguments.options.fixed = parse_assignments(arguments.fixed, "--fix");
  arguments.options.priors = parse_priors(arguments.priors);
  if (!arguments.by.empty()) arguments.input.by = split_list(arguments.by, "--by");
  check_options(family, arguments.options, arguments.level);
  if (!arguments.plot.empty()) check_plot(arguments.plot);
  const output_format format = format_of(arguments.common);
  check_files({arguments.input.path}, arguments.common, arguments.plot);
  const executor where = executor_of(arguments.common);
  output to(arguments.common.out);
  return in_precision(arguments.common,
                      [&](auto zero) { return run_fit<decltype(zero)>(arguments, family, where, format, to); });
}

}  // namespace

command fit_command() {
  const auto arguments = std::make_shared<fit_arguments>();
  std::vector<option> options{
      {"FAMILY", &arguments->family, "What to fit; manyfit families lists them"},
      {"INPUT", &arguments->input.path, "CSV, TSV, Parquet, Feather, .npy or .npz file; - is stdin"},
      column_option("--column", arguments->input.column,
                    "The values (default: the only number column not named otherwise)"),
      {"--by", &arguments->by, "One fit per distinct key in these columns; an empty or NA cell is the key \"\"", "a,b"},
      column_option("--weights", arguments->input.weights, "A weight per row, 0 or more: the exponent of its density"),
      {"--fix", &arguments->fixed, "Hold a parameter at a value; may be repeated", "NAME=VALUE"},
      {"--prior", &arguments->priors, "A prior on a parameter, for the mode of the posterior; may be repeated",
       "NAME=DIST(a,b)"},
      {"--level", &arguments->level, "Level of the intervals (default 0.95)", "P"},
      {.name = "--max-iterations",
       .to = &arguments->options.max_iterations,
       .help = "Newton iterations at most (default 200)",
       .value = "N",
       .least = 0},
      {.name = "--tolerance",
       .to = &arguments->options.tolerance,
       .help = "Newton decrement at which to stop (default 0: by precision)",
       .value = "X",
       .least = 0},
      {"--plot", &arguments->plot, "Histogram and fitted density as a picture", "FILE.svg|.png"},
  };
  append(options, reading_options(arguments->input.format));
  append(options, shared_options(arguments->common));
  return {
      .name = "fit",
      .help = "Fit one family to one sample, or to every group of rows",
      .options = std::move(options),
      .unsupported = {{"--event", "right-censored observations"},
                      {"--interval", "interval-censored observations"},
                      {"--truncate", "truncated distributions"}},
      .footer =
          "A .npy array of one dimension is one sample; of two dimensions, one sample per row.\n" +
          std::string(input_help) +
          "\nRows of weight 0 are left out: n + missing + left_out are all rows. Weights multiply log-densities;\n"
          "BIC counts the rows of positive weight, whatever their sum.\n"
          "With --prior the estimate is the mode of log-likelihood + log prior densities, each normalised and on the\n"
          "parameter's own scale; DIST is a continuous family with its parameters in the order of manyfit families.\n"
          "log_posterior is that sum; AIC and BIC take the log-likelihood at the mode.\n\n"
          "Examples:\n"
          "  manyfit fit gamma rain.csv --column millimetres --by station,month --format csv --out fits.csv\n"
          "  manyfit simulate gamma --parameters shape=2,rate=0.5 --size 1000 | manyfit fit gamma -\n"
          "  manyfit fit poisson counts.csv --by cell --prior 'rate=gamma(2,0.5)'",
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace manyfit::app
