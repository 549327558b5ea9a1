// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "manyfit/status.hpp"
#include "output/columns.hpp"
#include "output/fit_report.hpp"
#include "output/text.hpp"
#include "output/text_table.hpp"

namespace manyfit::app {

namespace {

constexpr std::int64_t rows_on_a_terminal = 40;

std::string whole(std::int64_t value) {
  return fmt::format("{}", value);
}

/// Log-likelihoods of large samples need more digits than parameters do.
std::string likelihood(double value) {
  return readable_number(value, 8);
}

/// One fit, with a line for each parameter.
void write_one(const fit_report& report, output& to) {
  const fit_results& results = report.results;
  const auto where_any = [](const char* name, std::int64_t count) {
    return count > 0 ? fmt::format(", {} = {}", name, count) : std::string();
  };
  to.write(fmt::format("{}: {}, n = {}, missing = {}{}{}, iterations = {}, on {}\n\n", results.family->name,
                       to_string(results.status[0]), results.observations[0], results.missing[0],
                       where_any("left out", results.left_out[0]), where_any("outside", results.outside[0]),
                       results.iterations[0], results.device));
  const std::string percent = fmt::format("{:.10g}%", 100 * report.level);
  text_table lines(
      {{"parameter"}, {"estimate", true}, {"std_error", true}, {percent + "_lo", true}, {percent + "_hi", true}});
  for (int p = 0; p < results.parameter_count(); ++p) {
    const estimate each = estimate_of(report, p, 0);
    const bool fixed = (results.fixed >> p) & 1u;
    lines.add(results.family->parameters[p].name + std::string(fixed ? " (fixed)" : ""));
    for (const double number : {each.value, each.std_error, each.lower, each.upper}) lines.add(readable_number(number));
  }
  lines.write(to);
  to.write(fmt::format("\nlog_likelihood {}  aic {}  bic {}\n", likelihood(results.log_likelihood[0]),
                       likelihood(results.aic(0)), likelihood(results.bic(0))));
}

}  // namespace

void write_fit_table(const fit_report& report, output& to) {
  const fit_results& results = report.results;
  if (results.count == 1 && report.keys.empty()) return write_one(report, to);

  std::vector<text_table::heading> columns;
  for (const key_column& key : report.keys) columns.push_back({excerpt(key.name)});
  if (report.keys.empty()) columns.push_back({"row", true});
  for (const char* name : {"n", "missing", "left_out"}) columns.push_back({name, true});
  columns.push_back({"status"});
  columns.push_back({"iterations", true});
  for (int p = 0; p < results.parameter_count(); ++p) {
    const std::string name = results.family->parameters[p].name;
    columns.push_back({name, true});
    columns.push_back({name + "_se", true});
  }
  for (const char* name : {"log_likelihood", "aic", "bic"}) columns.push_back({name, true});
  name_keys_apart(columns, report.keys.size());

  text_table lines(std::move(columns));
  const std::int64_t shown = to.to_terminal() ? std::min(results.count, rows_on_a_terminal) : results.count;
  for (std::int64_t fit = 0; fit < shown; ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    for (const key_column& key : report.keys) lines.add(excerpt(key.texts[at]));
    if (report.keys.empty()) lines.add(whole(fit + 1));
    lines.add(whole(results.observations[at]));
    lines.add(whole(results.missing[at]));
    lines.add(whole(results.left_out[at]));
    lines.add(to_string(results.status[at]));
    lines.add(whole(results.iterations[at]));
    for (int p = 0; p < results.parameter_count(); ++p) {
      const estimate each = estimate_of(report, p, fit);
      lines.add(readable_number(each.value));
      lines.add(readable_number(each.std_error));
    }
    for (const double number : {results.log_likelihood[at], results.aic(fit), results.bic(fit)})
      lines.add(likelihood(number));
  }
  lines.write(to);
  if (shown < results.count)
    to.write(fmt::format("... and {} more fits; --format csv for all\n", results.count - shown));
}

}  // namespace manyfit::app
