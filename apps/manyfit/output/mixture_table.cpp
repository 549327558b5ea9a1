// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manyfit/manyfit.hpp"
#include "output/columns.hpp"
#include "output/mixture_report.hpp"
#include "output/text.hpp"
#include "output/text_table.hpp"

namespace manyfit::app {

namespace {

constexpr std::int64_t rows_on_a_terminal = 40;
constexpr int most_coordinates = 8;  // of which a table shows correlations

std::string whole(std::int64_t value) {
  return fmt::format("{}", value);
}
std::string likelihood(double value) {
  return readable_number(value, 8);
}

double deviation(const mixture_results& results, std::int64_t fit, int k, int d) {
  return std::sqrt(results.covariance_of(fit, k)[static_cast<std::size_t>(d * results.dimensions + d)]);
}
double correlation(const mixture_results& results, std::int64_t fit, int k, int i, int j) {
  return results.covariance_of(fit, k)[static_cast<std::size_t>(i * results.dimensions + j)] /
         (deviation(results, fit, k, i) * deviation(results, fit, k, j));
}

/// One fit: a line for each component, then what belongs to all.
void write_one(const mixture_report& report, output& to) {
  const mixture_results& results = report.results;
  const int K = results.components[0], D = results.dimensions;
  to.write(fmt::format(
      "gaussian mixture, {} covariance: {}, {} component{}, n = {}, missing = {}, left out = {}, "
      "iterations = {}, on {}\n\n",
      name_of(results.covariance), to_string(results.status[0]), K, K == 1 ? "" : "s", results.observations[0],
      results.missing[0], results.left_out[0], results.iterations[0], results.device));
  if (results.tried > 1)
    write_choice(results.fewest_components, results.criteria, results.criteria_regularized, results.components[0],
                 report.select, to);
  if (!(results.weight(0, 0) >= 0)) {
    to.write(fmt::format("no parameters: {}\n", describe(results.status[0])));
    return;
  }
  text_table lines({{"component", true}, {"weight", true}, {"coordinate"}, {"mean", true}, {"sd", true}});
  for (int k = 0; k < K; ++k)
    for (int d = 0; d < D; ++d) {
      lines.add(d == 0 ? whole(k) : "");
      lines.add(d == 0 ? readable_number(results.weight(0, k)) : "");
      lines.add(excerpt(report.names[static_cast<std::size_t>(d)]));
      lines.add(readable_number(results.mean(0, k)[static_cast<std::size_t>(d)]));
      lines.add(readable_number(deviation(results, 0, k, d)));
    }
  lines.write(to);
  const bool correlated =
      results.covariance == covariance_structure::full || results.covariance == covariance_structure::tied;
  if (correlated && D > 1 && D <= most_coordinates) {
    to.write("\n");
    text_table table({{"component", true}, {"correlation"}, {"", true}});
    for (int k = 0; k < (results.covariance == covariance_structure::tied ? 1 : K); ++k)
      for (int i = 1; i < D; ++i)
        for (int j = 0; j < i; ++j) {
          table.add(i > 1 || j > 0 ? "" : results.covariance == covariance_structure::tied ? "all" : whole(k));
          table.add(fmt::format("{} x {}", excerpt(report.names[static_cast<std::size_t>(j)]),
                                excerpt(report.names[static_cast<std::size_t>(i)])));
          table.add(readable_number(correlation(results, 0, k, i, j), 4));
        }
    table.write(to);
  }
  if (is_regularized(results, 0)) {
    to.write("\nadded to the variances:");
    for (int d = 0; d < D; ++d)
      to.write(fmt::format("{} {} {}", d > 0 ? "," : "", excerpt(report.names[static_cast<std::size_t>(d)]),
                           readable_number(results.regularization[static_cast<std::size_t>(d)])));
    to.write("\n");
  }
  to.write(fmt::format("\nlog_likelihood {}  aic {}  bic {}\n", likelihood(results.log_likelihood[0]),
                       likelihood(results.aic(0)), likelihood(results.bic(0))));
  if (!results.log_likelihood_trace.empty()) {
    to.write("\n");
    text_table trace({{"iteration", true}, {"log_likelihood", true}});
    const std::vector<double>& values = results.log_likelihood_trace[0];
    for (std::size_t t = 0; t < values.size(); ++t) {
      trace.add(whole(static_cast<std::int64_t>(t)));
      trace.add(readable_number(values[t], 12));
    }
    trace.write(to);
  }
}

}  // namespace

void write_mixture_table(const mixture_report& report, output& to) {
  const mixture_results& results = report.results;
  if (results.count == 1 && report.keys.empty()) return write_one(report, to);
  std::vector<text_table::heading> columns;
  for (const key_column& key : report.keys) columns.push_back({excerpt(key.name)});
  for (const char* name : {"n", "missing", "left_out"}) columns.push_back({name, true});
  columns.push_back({"status"});
  for (const char* name : {"iterations", "components", "log_likelihood", "bic", "component", "weight"})
    columns.push_back({name, true});
  const int D = std::min(results.dimensions, most_coordinates);
  for (int d = 0; d < D; ++d) {
    const std::string name = excerpt(report.names[static_cast<std::size_t>(d)]);
    columns.push_back({"mean_" + name, true});
    columns.push_back({"sd_" + name, true});
  }
  name_keys_apart(columns, report.keys.size());
  text_table lines(std::move(columns));
  const std::int64_t shown = to.to_terminal() ? std::min(results.count, rows_on_a_terminal) : results.count;
  for (std::int64_t fit = 0; fit < shown; ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    const bool usable = results.weight(fit, 0) >= 0;
    for (int k = 0; k < (usable ? results.components[at] : 1); ++k) {
      const bool first = k == 0;
      for (const key_column& key : report.keys) lines.add(first ? excerpt(key.texts[at]) : "");
      lines.add(first ? whole(results.observations[at]) : "");
      lines.add(first ? whole(results.missing[at]) : "");
      lines.add(first ? whole(results.left_out[at]) : "");
      lines.add(first ? to_string(results.status[at]) : "");
      lines.add(first ? whole(results.iterations[at]) : "");
      lines.add(first ? whole(results.components[at]) : "");
      lines.add(first ? likelihood(results.log_likelihood[at]) : "");
      lines.add(first ? likelihood(results.bic(fit)) : "");
      lines.add(usable ? whole(k) : "-");
      lines.add(readable_number(results.weight(fit, k)));
      for (int d = 0; d < D; ++d) {
        lines.add(readable_number(results.mean(fit, k)[static_cast<std::size_t>(d)]));
        lines.add(readable_number(deviation(results, fit, k, d)));
      }
    }
  }
  lines.write(to);
  if (D < results.dimensions)
    to.write(fmt::format("... and {} more coordinates; --format csv for all\n", results.dimensions - D));
  if (shown < results.count)
    to.write(fmt::format("... and {} more fits; --format csv for all\n", results.count - shown));
}

}  // namespace manyfit::app
