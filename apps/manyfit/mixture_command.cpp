// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>

#include "apps/support/messages.hpp"
#include "commands.hpp"
#include "failures.hpp"
#include "input/arrow_reader.hpp"
#include "input_options.hpp"
#include "manyfit/manyfit.hpp"
#include "mixture_arguments.hpp"
#include "mixture_models.hpp"
#include "mixture_plot.hpp"
#include "options.hpp"
#include "output/mixture_report.hpp"
#include "plot.hpp"
#include "point_file.hpp"
#include "point_samples.hpp"
#include "progress_bar.hpp"

namespace manyfit::app {

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

/// K, or LO:HI.
component_range range_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto number = [](std::string_view part) {
    int value = 0;
    const auto [end, wrong] = std::from_chars(part.data(), part.data() + part.size(), value);
    return wrong == std::errc{} && end == part.data() + part.size() ? value : 0;
  };
  const std::string_view all = text;
  const int fewest = number(all.substr(0, colon)),
            most = colon == std::string::npos ? fewest : number(all.substr(colon + 1));
  if (fewest < 1 || most < fewest || most > max_components)
    throw usage_error(fmt::format("--components: '{}' given\na number from 1 to {} was expected, or a range as in 1:6",
                                  excerpt(text), max_components));
  return {fewest, most};
}

/// find_family says what families there are, and gaussian, which is none of them, is what most who err here mean.
void check_family(const std::string& family) {
  std::string small = family;
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
  if (small.starts_with("gau") || small == "gmm")
    throw usage_error(
        fmt::format("no family is called '{}'; did you mean 'gaussian'?\n"
                    "gaussian is multivariate; manyfit families lists the others",
                    excerpt(family)));
  find_family(family);
}

void check_options(mixture_arguments& arguments) {
  if (arguments.family != "gaussian") {
    check_family(arguments.family);
    const char* gaussian_only = !arguments.covariance.empty() ? "--covariance"
                                : arguments.regularize_given  ? "--regularize"
                                : !arguments.columns.empty()  ? "--columns"
                                                              : nullptr;
    if (gaussian_only)
      throw usage_error(fmt::format("{} is for gaussian mixtures, and this is one of {}\nleave it out{}", gaussian_only,
                                    arguments.family, arguments.columns.empty() ? "" : ", or name one --column"));
  } else if (!arguments.fixed.empty()) {
    throw usage_error("--fix is for mixtures of other families than gaussian\nleave it out");
  }
  mixture_options& options = arguments.options;
  for (int i = 0; i < covariance_structure_count; ++i)
    if (arguments.covariance == name_of(static_cast<covariance_structure>(i)))
      options.covariance = static_cast<covariance_structure>(i);
  options.select = arguments.select == "aic" ? information_criterion::aic : information_criterion::bic;
  options.start = arguments.init == "random"     ? mixture_start::random
                  : arguments.init == "kmeans++" ? mixture_start::kmeans_plus_plus
                                                 : mixture_start::automatic;
  if (arguments.regularize_given) {
    if (!(arguments.regularize >= 0) || std::isinf(arguments.regularize))
      throw usage_error(fmt::format("--regularize: {} given; 0 or more expected", arguments.regularize));
    options.regularization = arguments.regularize;
  }
  if (arguments.start.empty() && arguments.components.empty())
    throw usage_error("how many components is not said\nadd --components K, or --components LO:HI for the best by BIC");
  if (!arguments.components.empty()) options.components = range_of(arguments.components);
  if (!arguments.start.empty() && !arguments.init.empty())
    throw usage_error("--start and --init cannot be given together\nleave one of them out");
  if (!arguments.column.empty() && !arguments.columns.empty())
    throw usage_error("--column and --columns cannot be given together\ngive the coordinates to --columns");
  if (!arguments.by.empty()) arguments.input.by = split_list(arguments.by, "--by");
  if (!arguments.columns.empty()) arguments.input.columns = split_list(arguments.columns, "--columns");
  if (!arguments.column.empty()) arguments.input.columns = {arguments.column};
  if (!arguments.plot.empty()) check_plot(arguments.plot);
}

/// The start of every fit.
mixture_results starts_for(const mixture_arguments& arguments, const model& document,
                           const std::vector<key_column>& keys, std::int64_t count, int dimensions) {
  const mixture_results all = gaussian_mixtures(document, arguments.start);
  if (all.dimensions != dimensions)
    throw input_error(
        fmt::format("{}: mixtures of {} coordinates for points of {}\nname the coordinates with --columns",
                    excerpt(arguments.start, 300), all.dimensions, dimensions));
  return mixtures_at(all, starts_of_fits(arguments, document, keys, count));
}

void print_summary(const mixture_results& results, const common_options& common, double fit_seconds,
                   double all_seconds) {
  const auto sum = [](const std::vector<std::int64_t>& of) { return std::accumulate(of.begin(), of.end(), 0L); };
  const std::int64_t rows = sum(results.observations);
  tell(
      "manyfit: {} gaussian mixture{} ({} covariance) of {} row{} ({} missing, {} left out) on {}, {} precision, "
      "in {}, {} in all\n",
      results.count, results.count == 1 ? "" : "s", name_of(results.covariance), rows, rows == 1 ? "" : "s",
      sum(results.missing), sum(results.left_out), results.device, common.precision, short_time(fit_seconds),
      short_time(all_seconds));
}

/// Names the coordinates that are constant where that is why a mixture had to be regularized.
void warn_of_constants(const mixture_results& results, const std::vector<std::string>& names,
                       const common_options& common) {
  for (int d = 0; d < results.dimensions; ++d) {
    std::int64_t count = 0;
    for (std::int64_t fit = 0; fit < results.count; ++fit)
      count += is_regularized(results, fit) && results.constant[static_cast<std::size_t>(fit * results.dimensions + d)];
    if (count == 0) continue;
    const std::string where = results.count == 1 ? "" : fmt::format(" in {} of {} fits", count, results.count);
    warn(common, fmt::format("the coordinate {} is constant{}; what was added to its variance is of the others' "
                             "variances, and says nothing about it",
                             excerpt(names[static_cast<std::size_t>(d)]), where));
  }
}

template <class T>
int run_mixture(mixture_arguments& arguments, const executor& where, output_format format, output& to) {
  const common_options& common = arguments.common;
  mixture_options& options = arguments.options;
  const auto begin = clock::now();
  // A Parquet file too large for memory is read again in every pass; a picture would need its points at hand.
  const auto streamed = where.is_cuda() || !arguments.plot.empty()
                            ? nullptr
                            : stream_points<T>(arguments.input, where.threads(), half_of_memory());
  const point_set<T> points = streamed ? point_set<T>{.source = excerpt(arguments.input.path, 300),
                                                      .names = streamed->names(),
                                                      .offsets = {0, streamed->rows()}}
                                       : read_points<T>(arguments.input, common, where.threads());
  if (points.rows() == 0) warn(common, fmt::format("{} has no observations", points.source));
  mixture_results starts;
  if (!arguments.start.empty()) {
    const model document = read_model(arguments.start);
    starts = starts_for(arguments, document, points.keys, points.count(), points.dimensions());
    options.start = mixture_start::given;
    options.start_values = &starts;
  }
  progress_bar bar("fitting", "EM runs", common.quiet);
  if (bar.shown())
    options.progress = [&](std::int64_t done, std::int64_t total, double log_likelihood) {
      bar.update(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total),
                 std::isnan(log_likelihood) ? "" : fmt::format("log-likelihood {:.8g}", log_likelihood));
    };
  options.seed = common.seed;
  const auto fit_begin = clock::now();
  const mixture_results results =
      streamed ? fit_mixture(where, *streamed, options) : fit_mixture(where, points.view(), options);
  const double fit_seconds = seconds_since(fit_begin);
  bar.clear();

  const mixture_report report{results, points.keys, points.names, common.precision, options.select};
  switch (format) {
    case output_format::json:
      write_mixture_json(report, to);
      break;
    case output_format::csv:
      write_mixture_csv(report, to);
      break;
    case output_format::parquet:
      write_parquet(mixture_columns(report), to.file_to_write());
      break;
    default:
      write_mixture_table(report, to);
  }
  if (!arguments.plot.empty() && results.count > 0) write_mixture_plot(arguments.plot, report, points);
  to.finish();
  warn_of_constants(results, points.names, common);
  if (!common.quiet)
    attempt([&] {
      print_summary(results, common, fit_seconds, seconds_since(begin));
      print_outcome(arguments, results.fewest_components, results.tried, results.status);
    });
  return any_failed(arguments, results.status) && common.fail_on_any() ? exit_failed : exit_done;
}

int run(mixture_arguments& arguments) {
  check_options(arguments);
  const output_format format = format_of(arguments.common);
  check_files({arguments.input.path, arguments.start}, arguments.common, arguments.plot);
  const executor where = executor_of(arguments.common);
  output to(arguments.common.out);
  if (arguments.family != "gaussian") return run_family_mixture(arguments, where, format, to);
  return arguments.common.single() ? run_mixture<float>(arguments, where, format, to)
                                   : run_mixture<double>(arguments, where, format, to);
}

}  // namespace

void print_outcome(const mixture_arguments& arguments, int fewest, int tried, const std::vector<fit_status>& status) {
  const mixture_options& options = arguments.options;
  if (arguments.start.empty() && (options.restarts > 1 || tried > 1))
    tell("  best of {} start{}{}\n", options.restarts, options.restarts == 1 ? "" : "s",
         tried > 1 ? fmt::format(" for each of {} to {} components, by {}", fewest, fewest + tried - 1,
                                 options.select == information_criterion::bic ? "BIC" : "AIC")
                   : "");
  for (int i = 0; i < fit_status_count; ++i) {
    const auto each = static_cast<fit_status>(i);
    const auto count = std::count(status.begin(), status.end(), each);
    if (count == 0) continue;
    tell("  {} {}{}{}\n", count, to_string(each), each == fit_status::converged ? "" : ": ",
         each == fit_status::converged ? "" : describe(each));
  }
}

std::vector<std::int64_t> starts_of_fits(const mixture_arguments& arguments, const model& document,
                                         const std::vector<key_column>& keys, std::int64_t count) {
  const std::string path = excerpt(arguments.start, 300);
  std::vector<std::int64_t> fit_of(static_cast<std::size_t>(count), 0);
  if (!document.fits.front().key.empty()) {
    match_columns(arguments.by, document, arguments.start);
    if (keys.empty())
      throw usage_error(
          fmt::format("{}: its mixtures have keys, and the fit has none\ngive their columns to --by", path));
    fit_of = fits_of_samples(document, keys, arguments.start);
  } else if (document.fits.size() != 1) {
    if (static_cast<std::int64_t>(document.fits.size()) != count)
      throw input_error(fmt::format("{}: {} mixtures for {} fits\none for all or one for each was expected", path,
                                    document.fits.size(), count));
    std::iota(fit_of.begin(), fit_of.end(), 0);
  }
  const component_range& wanted = arguments.options.components;
  for (std::size_t i = 0; i < fit_of.size(); ++i) {
    const model_fit* const start = fit_of[i] < 0 ? nullptr : &document.fits[static_cast<std::size_t>(fit_of[i])];
    if (!start || start->weights.empty() || std::isnan(start->weights.front()))
      throw input_error(
          fmt::format("{}: there is no start for fit {}\nparameters for every fit were expected", path, i));
    const auto K = static_cast<std::int64_t>(start->components);
    if (!arguments.components.empty() && (wanted.fewest != K || wanted.most != K))
      throw usage_error(
          fmt::format("--components {} given, and the start has {}\nleave --components out", arguments.components, K));
  }
  return fit_of;
}

bool any_failed(const mixture_arguments& arguments, const std::vector<fit_status>& status) {
  return std::any_of(status.begin(), status.end(), [&](fit_status each) {
    return !usable(each) && !(arguments.options.tolerance == 0 && each == fit_status::max_iterations);
  });
}

command mixture_command() {
  const auto arguments = std::make_shared<mixture_arguments>();
  std::vector<option> options{
      {"FAMILY", &arguments->family, "What the components are: gaussian, or any family of manyfit families"},
      {"INPUT", &arguments->input.path, "CSV, TSV, Parquet, Feather, .npy or .npz file; - is stdin"},
      {"--columns", &arguments->columns, "The coordinates (default: all number columns not named otherwise)", "a,b"},
      {.name = "--column",
       .to = &arguments->column,
       .help = "The only coordinate; of another family the values",
       .value = "NAME",
       .is_column_name = true},
      {"--by", &arguments->by, "One mixture per distinct key in these columns; an empty or NA cell is the key \"\"",
       "a,b"},
      {.name = "--weights",
       .to = &arguments->input.weights,
       .help = "A weight per row, 0 or more: the exponent of its density (0: left out)",
       .value = "NAME",
       .is_column_name = true},
      {"--components", &arguments->components, "How many components, or the best of a range", "K|LO:HI"},
      {"--select", &arguments->select, "Criterion for the number of components (default bic)", "", {"bic", "aic"}},
      {"--covariance",
       &arguments->covariance,
       "Structure of the covariances (default full)",
       "",
       {"full", "diagonal", "tied", "spherical"}},
      {.name = "--restarts",
       .to = &arguments->options.restarts,
       .help = "Starts, of which the best is kept (default 10)",
       .value = "R",
       .least = 1},
      {"--init",
       &arguments->init,
       "How to start (default auto: kmeans++ and random by turns)",
       "",
       {"auto", "kmeans++", "random"}},
      {"--start", &arguments->start, "Start from these mixtures, whose order is kept", "MODEL.json"},
      {.name = "--regularize",
       .to = &arguments->regularize,
       .help = "Added to the covariances' diagonals (default: nothing, unless every start collapses)",
       .value = "X",
       .given = &arguments->regularize_given},
      {"--fix", &arguments->fixed, "Hold a parameter at a value; not of gaussian", "NAME=VALUE"},
      {.name = "--max-iterations",
       .to = &arguments->options.max_iterations,
       .help = "EM iterations at most (default 1000)",
       .value = "N",
       .least = 0},
      {.name = "--tolerance",
       .to = &arguments->options.tolerance,
       .help = "Gain of the mean log-likelihood at which to stop (default 1e-8); 0: exactly N iterations, as "
               "max_iterations",
       .value = "X",
       .least = 0},
      {"--trace", &arguments->options.trace, "The log-likelihood of the start and after every iteration"},
      {"--plot", &arguments->plot, "Data and fitted components as a picture", "FILE.svg|.png"},
  };
  append(options, input_options(arguments->input.format));
  append(options, shared_options(arguments->common));
  return {
      .name = "mixture",
      .help = "Fit a mixture to one sample, or to every group of rows",
      .options = std::move(options),
      .footer =
          "A .npy array of two dimensions has a point per row. Rows with a missing coordinate are missing, rows of "
          "weight "
          "0\n"
          "left out; both are counted. BIC counts the other rows, whatever their weights.\n" +
          std::string(input_help) +
          "\nWhere a component of a gaussian mixture collapses from every start, 1e-6 to 1e-3 of each coordinate's "
          "variance\n"
          "is added to the covariances: the status is then regularized.\n"
          "Components are numbered from 0, in order of their first mean coordinate. Larger than memory "
          "may be\n"
          "a .npy file of the precision asked for, and on a CPU a Parquet file, without --by and --plot.\n\n"
          "Examples:\n"
          "  manyfit mixture gaussian faithful.csv --components 1:6 --plot faithful.svg\n"
          "  manyfit mixture gaussian cells.parquet --by plate --columns area,intensity --components 2 --format json "
          "--out "
          "m.json\n"
          "  manyfit mixture gamma rain.csv --column millimetres --components 1:3",
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace manyfit::app
