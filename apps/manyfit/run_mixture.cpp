// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit mixture`, once its command line is read: data, starts, fit, results.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/support/messages.hpp"
#include "failures.hpp"
#include "input/model_json.hpp"
#include "manyfit/manyfit.hpp"
#include "mixture_arguments.hpp"
#include "mixture_models.hpp"
#include "mixture_plot.hpp"
#include "output/result_writer.hpp"
#include "point_file.hpp"
#include "progress_bar.hpp"
#include "results/result_fields.hpp"

namespace manyfit::app {

namespace {

/// Which mixture of the document --start each of `count` fits starts from: by key where the document has keys, the one
/// that there is for all, or in order. Throws input_error where a fit has none, usage_error where it contradicts
/// --components or --by.
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

/// Names the coordinates that are constant where that is why a mixture had to be regularized.
void warn_of_constants(const mixture_report& report, const common_options& common) {
  const mixture_results& r = report.results;
  for (int d = 0; d < r.dimensions; ++d) {
    std::int64_t count = 0;
    for (std::int64_t fit = 0; fit < r.count; ++fit)
      count += is_regularized(r, fit) && r.constant[static_cast<std::size_t>(fit * r.dimensions + d)];
    if (count == 0) continue;
    const std::string where = r.count == 1 ? "" : fmt::format(" in {} of {} fits", count, r.count);
    warn(common, fmt::format("the coordinate {} is constant{}; what was added to its variance is of the others' "
                             "variances, and says nothing about it",
                             excerpt(report.names[static_cast<std::size_t>(d)]), where));
  }
}
void warn_of_constants(const family_mixture_report&, const common_options&) {}

/// What was fitted, and what a row is called.
std::pair<std::string, const char*> words_for(const mixture_results& r) {
  return {fmt::format("{} ({} covariance)", counted(r.count, "gaussian mixture"), name_of(r.covariance)), "row"};
}
std::pair<std::string, const char*> words_for(const family_mixture_results& r) {
  if (r.columns > 1)
    return {fmt::format("{} of products of {} over {} columns", counted(r.count, "mixture"), r.part(0).family->name,
                        r.columns),
            "row"};
  return {fmt::format("{} of {}", counted(r.count, "mixture"), r.part(0).family->name), "value"};
}

/// Numbers outside the support, of fits that ended so.
std::int64_t count_outside(const mixture_results&) {
  return 0;
}
std::int64_t count_outside(const family_mixture_results& r) {
  return std::reduce(r.outside.begin(), r.outside.end());
}

template <class Results>
void print_summary(const mixture_arguments& arguments, const Results& r, double fit_seconds, double all_seconds) {
  const auto sum = [](const std::vector<std::int64_t>& of) { return std::reduce(of.begin(), of.end()); };
  const auto [fitted, row] = words_for(r);
  tell("manyfit: {} of {} ({} missing, {} left out) on {}, {} precision, in {}, {} in all\n", fitted,
       counted(sum(r.observations), row), sum(r.missing), sum(r.left_out), r.device, arguments.common.precision,
       short_time(fit_seconds), short_time(all_seconds));
  const mixture_options& options = arguments.options;
  if (arguments.start.empty() && (options.restarts > 1 || r.tried > 1))
    tell("  best of {}{}\n", counted(options.restarts, "start"),
         r.tried > 1 ? fmt::format(" for each of {} to {} components, by {}", r.fewest_components,
                                   r.fewest_components + r.tried - 1,
                                   options.select == information_criterion::bic ? "BIC" : "AIC")
                     : "");
  tell_outcome(r.status, count_outside(r));
}

/// What both kinds do once the data are there: fit(options) gives results, and plot(report) draws them.
template <class Options, class Fit, class Plot>
int fit_and_write(const mixture_arguments& arguments, Options& options, const std::vector<key_column>& keys,
                  const std::vector<std::string>& names, const stopwatch& since, output_format format, output& to,
                  Fit fit, Plot plot) {
  const common_options& common = arguments.common;
  progress_bar bar("fitting", "EM attempts", common.quiet);
  if (bar.shown())
    options.progress = [&](std::int64_t done, std::int64_t total, double log_likelihood) {
      bar.update(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total),
                 std::isnan(log_likelihood) ? "" : fmt::format("log-likelihood {:.8g}", log_likelihood));
    };
  options.seed = common.seed;
  const stopwatch fitting;
  const auto results = fit(options);
  const double fit_seconds = fitting.seconds();
  bar.clear();

  const mixture_report_of<std::remove_const_t<decltype(results)>> report{results, keys, names, common.precision,
                                                                         options.select};
  write_result(describe(report), format, to);
  if (!arguments.plot.empty() && results.count > 0) plot(report);
  to.finish();
  warn_of_constants(report, common);
  if (!common.quiet) attempt([&] { print_summary(arguments, results, fit_seconds, since.seconds()); });
  const bool failed = std::any_of(results.status.begin(), results.status.end(), [&](fit_status each) {
    return !usable(each) && !(options.tolerance == 0 && each == fit_status::max_iterations);  // they were asked for
  });
  return failed && common.fail_on_any() ? exit_failed : exit_done;
}

template <class T>
int run_gaussian(const mixture_arguments& arguments, const executor& where, output_format format, output& to) {
  const stopwatch since;
  // A Parquet file too large for memory is read again in every pass; a picture would need its points at hand.
  const auto streamed = where.is_cuda() || !arguments.plot.empty()
                            ? nullptr
                            : stream_points<T>(arguments.input, where.threads(), half_of_memory());
  const point_set<T> points = streamed ? point_set<T>{.source = excerpt(arguments.input.path, 300),
                                                      .names = streamed->names(),
                                                      .offsets = {0, streamed->rows()}}
                                       : read_points<T>(arguments.input, arguments.common, where.threads());
  if (points.rows() == 0) warn(arguments.common, fmt::format("{} has no observations", points.source));
  mixture_options options = arguments.options;
  mixture_results starts;
  if (!arguments.start.empty()) {
    const model document = read_model(arguments.start);
    const mixture_results all = gaussian_mixtures(document, arguments.start);
    if (all.dimensions != points.dimensions())
      throw input_error(
          fmt::format("{}: mixtures of {} coordinates for points of {}\nname the coordinates with --columns",
                      excerpt(arguments.start, 300), all.dimensions, points.dimensions()));
    starts = mixtures_at(all, starts_of_fits(arguments, document, points.keys, points.count()));
    options.start = mixture_start::given;
    options.start_values = &starts;
  }
  return fit_and_write(
      arguments, options, points.keys, points.names, since, format, to,
      [&](const mixture_options& how) {
        return streamed ? fit_mixture(where, *streamed, how) : fit_mixture(where, points.view(), how);
      },
      [&](const mixture_report& report) { write_mixture_plot(arguments.plot, report, points); });
}

/// The mixtures of --start for `count` fits over these columns (of values none), which the options then have; none
/// where there is no start.
family_mixture_results family_starts(const mixture_arguments& arguments, const std::vector<key_column>& keys,
                                     std::int64_t count, const std::vector<std::string>& columns,
                                     family_mixture_options& options) {
  if (arguments.start.empty()) return {};
  const std::string path = excerpt(arguments.start, 300);
  const model document = read_model(arguments.start);
  if (document.command != "mixture" || document.family != arguments.family)
    throw input_error(fmt::format("{}: a {} of {}\na mixture of {} was expected", path, document.command,
                                  excerpt(document.family), arguments.family));
  const std::vector<std::string> given = product_columns(document);
  if (!std::is_permutation(given.begin(), given.end(), columns.begin(), columns.end()))
    throw input_error(fmt::format("{}: mixtures over {}\nmixtures over {} were expected", path,
                                  given.empty() ? "one column" : list_names(given),
                                  columns.empty() ? "one column" : list_names(columns)));
  const family_mixture_results all = family_mixtures(document, arguments.start);
  options.start = mixture_start::given;
  return mixtures_at(columns.empty() ? all : with_columns(all, given, columns),
                     starts_of_fits(arguments, document, keys, count));
}

/// Products over several columns.
template <class T>
int run_products(const mixture_arguments& arguments, family_mixture_options options, const executor& where,
                 const point_set<T>& points, const stopwatch& since, output_format format, output& to) {
  const family_info& family = find_family(arguments.family);
  if (points.rows() == 0) warn(arguments.common, fmt::format("{} has no observations", points.source));
  if (!arguments.plot.empty())
    throw usage_error(
        "--plot: there are no pictures of mixtures over several columns but gaussian ones\n"
        "leave it out");
  const family_mixture_results starts = family_starts(arguments, points.keys, points.count(), points.names, options);
  options.start_values = &starts;
  return fit_and_write(
      arguments, options, points.keys, points.names, since, format, to,
      [&](const family_mixture_options& how) { return fit_mixture(where, family, points.view(), how); },
      [](const family_mixture_report&) {});
}

template <class T>
int run_family(const mixture_arguments& arguments, const executor& where, output_format format, output& to) {
  const family_info& family = find_family(arguments.family);
  const mixture_options& asked = arguments.options;
  family_mixture_options options{.components = asked.components,
                                 .select = asked.select,
                                 .start = asked.start,
                                 .restarts = asked.restarts,
                                 .max_iterations = asked.max_iterations,
                                 .tolerance = asked.tolerance,
                                 .seed = arguments.common.seed,
                                 .trace = asked.trace,
                                 .fixed = parse_assignments(arguments.fixed, "--fix")};
  fit_mixture(where, family, dense<double>({}, 0), options);  // what is wrong shows before a large file is read

  const stopwatch since;
  if (arguments.input.columns.size() > 1)
    return run_products(arguments, options, where, read_points<T>(arguments.input, arguments.common, where.threads()),
                        since, format, to);
  const sample_request request{.path = arguments.input.path,
                               .column = arguments.column,
                               .weights = arguments.input.weights,
                               .by = arguments.input.by,
                               .format = arguments.input.format};
  sample_set<T> samples = read_samples<T>(request, arguments.common, where.threads());
  if (samples.shape.size() == 2 && samples.shape[1] > 1) {  // an array with a row for each point
    point_set<T> points = array_points<T>(samples.source, samples.shape);
    points.values = std::move(samples.values);
    return run_products(arguments, options, where, points, since, format, to);
  }
  const std::vector<std::int64_t> all{0, static_cast<std::int64_t>(samples.values.size())};
  const std::vector<std::int64_t>& offsets = samples.shape.empty() ? samples.offsets : all;
  if (samples.values.empty()) warn(arguments.common, fmt::format("{} has no observations", samples.source));
  const family_mixture_results starts = family_starts(arguments, samples.keys, std::ssize(offsets) - 1, {}, options);
  options.start_values = &starts;
  batch<T> data = ragged<T>(samples.values, offsets);
  if (!samples.weights.empty()) data = data.weighted(samples.weights);
  return fit_and_write(
      arguments, options, samples.keys, {samples.value_name}, since, format, to,
      [&](const family_mixture_options& how) { return fit_mixture(where, family, data, how); },
      [&](const family_mixture_report& report) {
        const plotted_samples<T> plotted{plot_title(samples.source, fmt::format("mixture of {}", family.name)),
                                         samples.value_name,
                                         samples.keys,
                                         samples.values,
                                         samples.weights,
                                         offsets};
        write_mixture_plot(arguments.plot, report, plotted);
      });
}

}  // namespace

int run_gaussian_mixture(const mixture_arguments& arguments, const executor& where, output_format format, output& to) {
  return in_precision(arguments.common,
                      [&](auto zero) { return run_gaussian<decltype(zero)>(arguments, where, format, to); });
}

int run_family_mixture(const mixture_arguments& arguments, const executor& where, output_format format, output& to) {
  return in_precision(arguments.common,
                      [&](auto zero) { return run_family<decltype(zero)>(arguments, where, format, to); });
}

}  // namespace manyfit::app
