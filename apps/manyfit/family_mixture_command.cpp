// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit mixture` of another family than gaussian.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "apps/plot/density_plot.hpp"
#include "apps/plot/ticks.hpp"
#include "apps/support/messages.hpp"
#include "failures.hpp"
#include "input/arrow_reader.hpp"
#include "manyfit/manyfit.hpp"
#include "mixture_arguments.hpp"
#include "mixture_models.hpp"
#include "output/columns.hpp"
#include "output/text.hpp"
#include "output/text_table.hpp"
#include "plot.hpp"
#include "progress_bar.hpp"
#include "samples.hpp"

namespace manyfit::app {

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

/// What is to be written.
struct report {
  const family_mixture_results& results;
  const std::vector<key_column>& keys;
  const family_info& family;
  std::string precision;
  information_criterion select;
};

bool has_parameters(const family_mixture_results& results, std::int64_t fit) {
  return results.weight(fit, 0) >= 0;
}

void write_json(const report& what, output& to) {
  const family_mixture_results& r = what.results;
  std::string& text = to.text();
  text += fmt::format(
      "{{\"manyfit\": \"{}\", \"command\": \"mixture\", \"family\": \"{}\", \"device\": \"{}\", \"precision\": "
      "\"{}\",\n "
      "\"fits\": [",
      version(), what.family.name, r.device, what.precision);
  for (std::int64_t fit = 0; fit < r.count; ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    text += fit > 0 ? ",\n          {" : "{";
    for (std::size_t i = 0; i < what.keys.size(); ++i) {
      text += i == 0 ? "\"key\": {" : ", ";
      append_json_text(text, what.keys[i].name);
      text += ": ";
      append_json_text(text, what.keys[i].texts[at]);
    }
    if (!what.keys.empty()) text += "}, ";
    text += fmt::format(
        "\"n\": {}, \"missing\": {}, \"left_out\": {}, \"status\": \"{}\", \"iterations\": {}, \"components\": {}",
        r.observations[at], r.missing[at], r.left_out[at], to_string(r.status[at]), r.iterations[at], r.components[at]);
    if (!has_parameters(r, fit)) {
      text += ", \"weights\": null, \"parameters\": null";
    } else {
      text += ", \"weights\": [";
      for (int k = 0; k < r.components[at]; ++k) {
        if (k > 0) text += ", ";
        append_json_number(text, r.weight(fit, k));
      }
      text += "], \"parameters\": [";
      for (int k = 0; k < r.components[at]; ++k) {
        text += k > 0 ? ", {" : "{";
        for (int p = 0; p < what.family.parameter_count; ++p) {
          if (p > 0) text += ", ";
          append_json_text(text, what.family.parameters[p].name);
          text += ": ";
          append_json_number(text, r.parameter(fit, k, p));
        }
        text += '}';
      }
      text += ']';
    }
    for (const auto& [name, value] : {std::pair<const char*, double>{"log_likelihood", r.log_likelihood[at]},
                                      {"aic", r.aic(fit)},
                                      {"bic", r.bic(fit)}}) {
      text += fmt::format(", \"{}\": ", name);
      append_json_number(text, value);
    }
    if (!r.log_likelihood_trace.empty()) {
      text += ", \"log_likelihood_trace\": [";
      const char* between = "";
      for (const double each : r.log_likelihood_trace[at]) {
        text += between;
        append_json_number(text, each);
        between = ", ";
      }
      text += ']';
    }
    text += '}';
    to.flush_when_full();
  }
  text += "]}\n";
}

/// key, n, missing, left_out, status, iterations, components, weight0, NAME0 ..., log_likelihood, aic, bic.
table columns_of(const report& what) {
  const family_mixture_results& r = what.results;
  column_writer data(static_cast<std::size_t>(r.count), what.keys);
  data.numbers("n", r.observations);
  data.numbers("missing", r.missing);
  data.numbers("left_out", r.left_out);
  data.statuses(r.status);
  data.numbers("iterations", r.iterations);
  data.numbers("components", r.components);
  for (int k = 0; k < r.max_components; ++k) {
    const auto there = [&](std::int64_t fit) { return k < r.components[static_cast<std::size_t>(fit)]; };
    data.numbers(fmt::format("weight{}", k),
                 [&](std::int64_t fit) { return there(fit) ? r.weight(fit, k) : std::nan(""); });
    for (int p = 0; p < what.family.parameter_count; ++p)
      data.numbers(fmt::format("{}{}", what.family.parameters[p].name, k),
                   [&](std::int64_t fit) { return there(fit) ? r.parameter(fit, k, p) : std::nan(""); });
  }
  data.numbers("log_likelihood", r.log_likelihood);
  data.numbers("aic", [&](std::int64_t fit) { return r.aic(fit); });
  data.numbers("bic", [&](std::int64_t fit) { return r.bic(fit); });
  return data.take();
}

void write_table(const report& what, output& to) {
  const family_mixture_results& r = what.results;
  const bool one = r.count == 1 && what.keys.empty();
  if (one) {
    to.write(fmt::format(
        "mixture of {}: {}, {} component{}, n = {}, missing = {}, left out = {}, iterations = {}, on {}\n\n",
        what.family.name, to_string(r.status[0]), r.components[0], r.components[0] == 1 ? "" : "s", r.observations[0],
        r.missing[0], r.left_out[0], r.iterations[0], r.device));
    if (r.tried > 1) write_choice(r.fewest_components, r.criteria, {}, r.components[0], what.select, to);
  }
  std::vector<text_table::heading> headings;
  for (const key_column& key : what.keys) headings.push_back({excerpt(key.name)});
  if (!one) {
    headings.push_back({"n", true});
    headings.push_back({"missing", true});
    headings.push_back({"left_out", true});
    headings.push_back({"status"});
    headings.push_back({"log_likelihood", true});
    headings.push_back({"bic", true});
  }
  headings.push_back({"component", true});
  headings.push_back({"weight", true});
  for (int p = 0; p < what.family.parameter_count; ++p) headings.push_back({what.family.parameters[p].name, true});
  name_keys_apart(headings, what.keys.size());
  text_table lines(std::move(headings));
  constexpr std::int64_t rows_on_a_terminal = 40;
  const std::int64_t shown = to.to_terminal() ? std::min(r.count, rows_on_a_terminal) : r.count;
  for (std::int64_t fit = 0; fit < shown; ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    const bool fitted = has_parameters(r, fit);
    for (int k = 0; k < (fitted ? r.components[at] : 1); ++k) {
      for (const key_column& key : what.keys) lines.add(k == 0 ? excerpt(key.texts[at]) : "");
      if (!one) {
        lines.add(k == 0 ? fmt::format("{}", r.observations[at]) : "");
        lines.add(k == 0 ? fmt::format("{}", r.missing[at]) : "");
        lines.add(k == 0 ? fmt::format("{}", r.left_out[at]) : "");
        lines.add(k == 0 ? to_string(r.status[at]) : "");
        lines.add(k == 0 ? readable_number(r.log_likelihood[at], 8) : "");
        lines.add(k == 0 ? readable_number(r.bic(fit), 8) : "");
      }
      lines.add(fitted ? fmt::format("{}", k) : "-");
      lines.add(readable_number(r.weight(fit, k)));
      for (int p = 0; p < what.family.parameter_count; ++p) lines.add(readable_number(r.parameter(fit, k, p)));
    }
  }
  lines.write(to);
  if (shown < r.count) to.write(fmt::format("... and {} more fits; --format csv for all\n", r.count - shown));
  if (one)
    to.write(fmt::format("\nlog_likelihood {}  aic {}  bic {}\n", readable_number(r.log_likelihood[0], 8),
                         readable_number(r.aic(0), 8), readable_number(r.bic(0), 8)));
  if (one && !r.log_likelihood_trace.empty()) {
    text_table trace({{"iteration", true}, {"log_likelihood", true}});
    for (std::size_t t = 0; t < r.log_likelihood_trace[0].size(); ++t) {
      trace.add(fmt::format("{}", t));
      trace.add(readable_number(r.log_likelihood_trace[0][t], 12));
    }
    to.write("\n");
    trace.write(to);
  }
}

/// log of the density of components [from, to), weights included.
std::function<std::vector<double>(std::span<const double>)> density_of(const report& what, std::int64_t fit, int from,
                                                                       int to) {
  std::vector<double> weights, parameters;
  const int P = what.family.parameter_count;
  for (int k = from; k < to; ++k) {
    weights.push_back(what.results.weight(fit, k));
    for (int p = 0; p < P; ++p) parameters.push_back(what.results.parameter(fit, k, p));
  }
  return [&family = what.family, weights, parameters, P](std::span<const double> x) {
    std::vector<double> sum(x.size(), 0.0);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const std::vector<double> each = log_density(executor::cpu(1), family, dense<double>(x, 1),
                                                   {parameters.data() + k * static_cast<std::size_t>(P), 0, 1});
      for (std::size_t i = 0; i < x.size(); ++i) sum[i] += weights[k] * std::exp(each[i]);
    }
    for (double& each : sum) each = std::log(each);
    return sum;
  };
}

template <class T>
void write_plot_of(const std::string& path, const report& what, const sample_set<T>& samples) {
  const family_mixture_results& r = what.results;
  plot_style style{.title = plot_title(samples.source, fmt::format("mixture of {}", what.family.name)),
                   .x_label = excerpt(samples.value_name),
                   .total = r.count};
  const std::int64_t shown = std::min<std::int64_t>(r.count, style.most_panels);
  std::vector<panel> panels;
  std::vector<std::vector<double>> copies;  // panels are views
  copies.reserve(2 * static_cast<std::size_t>(shown));
  for (std::int64_t fit = 0; fit < shown; ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    const auto part = [&](const std::vector<T>& of) -> std::span<const double> {
      if (of.empty()) return {};
      return copies.emplace_back(of.begin() + samples.offsets[at], of.begin() + samples.offsets[at + 1]);
    };
    panel& each = panels.emplace_back();
    for (const key_column& key : what.keys)
      each.title += fmt::format("{}{} {}", each.title.empty() ? "" : ", ", excerpt(key.name), excerpt(key.texts[at]));
    each.values = part(samples.values);
    each.weights = part(samples.weights);
    each.discrete = what.family.discrete;
    if (!has_parameters(r, fit)) {
      each.status = to_string(r.status[at]);
      continue;
    }
    const int K = r.components[at];
    each.log_density = density_of(what, fit, 0, K);
    for (int k = 0; k < K && K > 1; ++k) each.parts.push_back(density_of(what, fit, k, k + 1));
    each.lines.push_back(
        fmt::format("{} component{}, log-likelihood {:.2f}", K, K == 1 ? "" : "s", r.log_likelihood[at]));
    for (int k = 0; k < K; ++k) {
      std::string line = readable(100 * r.weight(fit, k)) + " %:";
      for (int p = 0; p < what.family.parameter_count; ++p)
        line += fmt::format(" {} {}", what.family.parameters[p].name, readable(r.parameter(fit, k, p), 4));
      each.lines.push_back(line);
    }
  }
  try {
    plot_panels(panels, path, style);
  } catch (const error& failure) {
    if (failure.why() != error::kind::argument) throw;
    throw input_error(failure.what());
  }
}

template <class T>
int run(const mixture_arguments& arguments, const executor& where, output_format format, output& to) {
  const common_options& common = arguments.common;
  const family_info& family = find_family(arguments.family);
  family_mixture_options options;
  options.components = arguments.options.components;
  options.select = arguments.options.select;
  options.start = arguments.options.start;
  options.restarts = arguments.options.restarts;
  options.max_iterations = arguments.options.max_iterations;
  options.tolerance = arguments.options.tolerance;
  options.trace = arguments.options.trace;
  options.seed = common.seed;
  options.fixed = parse_assignments(arguments.fixed, "--fix");
  fit_mixture(where, family, dense<double>({}, 0), options);  // what is wrong shows before a large file is read

  const auto begin = clock::now();
  const sample_request request{.path = arguments.input.path,
                               .column = arguments.column,
                               .weights = arguments.input.weights,
                               .by = arguments.input.by,
                               .format = arguments.input.format};
  const sample_set<T> samples = read_samples<T>(request, common, where.threads());
  if (samples.shape.size() == 2 && samples.shape[1] > 1)
    throw input_error(
        fmt::format("{}: each row has {} coordinates, and {} has one\nan array of one column was expected",
                    samples.source, samples.shape[1], family.name));
  const std::vector<std::int64_t> all{0, static_cast<std::int64_t>(samples.values.size())};
  const std::vector<std::int64_t>& offsets = samples.shape.empty() ? samples.offsets : all;
  if (samples.values.empty()) warn(common, fmt::format("{} has no observations", samples.source));
  family_mixture_results starts;
  if (!arguments.start.empty()) {
    const model document = read_model(arguments.start);
    if (document.command != "mixture" || document.family != family.name)
      throw input_error(fmt::format("{}: a {} of {}\na mixture of {} was expected", excerpt(arguments.start, 300),
                                    document.command, excerpt(document.family), family.name));
    starts = mixtures_at(family_mixtures(document, arguments.start),
                         starts_of_fits(arguments, document, samples.keys, std::ssize(offsets) - 1));
    options.start = mixture_start::given;
    options.start_values = &starts;
  }
  progress_bar bar("fitting", "EM runs", common.quiet);
  if (bar.shown())
    options.progress = [&](std::int64_t done, std::int64_t total, double log_likelihood) {
      bar.update(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total),
                 std::isnan(log_likelihood) ? "" : fmt::format("log-likelihood {:.8g}", log_likelihood));
    };
  const auto fit_begin = clock::now();
  batch<T> data = ragged<T>(samples.values, offsets);
  if (!samples.weights.empty()) data = data.weighted(samples.weights);
  const family_mixture_results results = fit_mixture(where, family, data, options);
  const double fit_seconds = seconds_since(fit_begin);
  bar.clear();
  const report what{results, samples.keys, family, common.precision, options.select};
  switch (format) {
    case output_format::json:
      write_json(what, to);
      break;
    case output_format::csv:
      write_csv(columns_of(what), to);
      break;
    case output_format::parquet:
      write_parquet(columns_of(what), to.file_to_write());
      break;
    default:
      write_table(what, to);
  }
  if (!arguments.plot.empty() && results.count > 0) write_plot_of(arguments.plot, what, samples);
  to.finish();
  if (!common.quiet)
    attempt([&] {
      const auto sum = [](const std::vector<std::int64_t>& of) { return std::accumulate(of.begin(), of.end(), 0L); };
      const std::int64_t values = sum(results.observations);
      tell(
          "manyfit: {} mixture{} of {} of {} value{} ({} missing, {} left out) on {}, {} precision, in {}, {} in all\n",
          results.count, results.count == 1 ? "" : "s", family.name, values, values == 1 ? "" : "s",
          sum(results.missing), sum(results.left_out), results.device, common.precision, short_time(fit_seconds),
          short_time(seconds_since(begin)));
      print_outcome(arguments, results.fewest_components, results.tried, results.status);
    });
  return any_failed(arguments, results.status) && common.fail_on_any() ? exit_failed : exit_done;
}

}  // namespace

int run_family_mixture(const mixture_arguments& arguments, const executor& where, output_format format, output& to) {
  return arguments.common.single() ? run<float>(arguments, where, format, to)
                                   : run<double>(arguments, where, format, to);
}

}  // namespace manyfit::app
