// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/plot/density_plot.hpp"
#include "manyfit/manyfit.hpp"

namespace manyfit::app {

namespace {

/// Density of the family with one fit's parameters, at any points.
std::function<std::vector<double>(std::span<const double>)> density_of(const fit_results& results, std::int64_t fit) {
  std::vector<double> parameters;
  for (int p = 0; p < results.parameter_count(); ++p) parameters.push_back(results.parameter(p, fit));
  if (std::any_of(parameters.begin(), parameters.end(), [](double each) { return !std::isfinite(each); })) return {};
  return [family = results.family, parameters](std::span<const double> x) {
    return log_density(executor::cpu(1), *family, dense<double>(x, 1), {parameters.data(), 0, 1});
  };
}

std::string title_of(const std::vector<key_column>& keys, std::int64_t fit, std::int64_t count) {
  std::string title;
  for (const key_column& key : keys)
    title += fmt::format("{}{} {}", title.empty() ? "" : ", ", excerpt(key.name),
                         excerpt(key.texts[static_cast<std::size_t>(fit)]));
  return keys.empty() && count > 1 ? fmt::format("row {}", fit + 1) : title;
}

}  // namespace

void check_plot(const std::string& path) {
  picture_format_of(path);
}

std::string plot_title(const std::string& source, const std::string& fitted) {
  return fmt::format("{}: {}", std::filesystem::path(source).filename().string(), fitted);
}

template <class T>
void write_plot(const std::string& path, const fit_report& report, const sample_set<T>& samples) {
  const fit_results& results = report.results;
  plot_style style{.title = plot_title(samples.source, results.family->name),
                   .x_label = excerpt(samples.value_name),
                   .total = results.count};
  const std::int64_t shown = std::min<std::int64_t>(results.count, style.most_panels);
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
    each.title = title_of(report.keys, fit, results.count);
    each.values = part(samples.values);
    each.weights = part(samples.weights);
    each.log_density = density_of(results, fit);
    each.discrete = results.family->discrete;
    if (!usable(results.status[at])) each.status = to_string(results.status[at]);
    for (int p = 0; p < results.parameter_count() && each.log_density; ++p)
      each.lines.push_back(parameter_text(results.family->parameters[p].name, results.parameter(p, fit),
                                          estimate_of(report, p, fit).std_error));
  }
  try {
    plot_panels(panels, path, style);
  } catch (const error& failure) {
    if (failure.why() != error::kind::argument) throw;
    throw input_error(failure.what());
  }
}

template void write_plot(const std::string&, const fit_report&, const sample_set<double>&);
template void write_plot(const std::string&, const fit_report&, const sample_set<float>&);

}  // namespace manyfit::app
