// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/plot/density_plot.hpp"
#include "input/input_error.hpp"
#include "manyfit/manyfit.hpp"

namespace manyfit::app {

namespace {

/// Density of the family with one fit's parameters; none without parameters.
density density_of(const fit_results& results, std::int64_t fit) {
  std::vector<double> parameters;
  for (int p = 0; p < results.parameter_count(); ++p) parameters.push_back(results.parameter(p, fit));
  if (std::any_of(parameters.begin(), parameters.end(), [](double each) { return !std::isfinite(each); })) return {};
  return [family = results.family, parameters](std::span<const double> x) {
    return log_density(executor::cpu(1), *family, dense<double>(x, 1), {parameters.data(), 0, 1});
  };
}

}  // namespace

void check_plot(const std::string& path) {
  picture_format_of(path);
}

std::string plot_title(const std::string& source, const std::string& fitted) {
  return fmt::format("{}: {}", std::filesystem::path(source).filename().string(), fitted);
}

std::string panel_title(const std::vector<key_column>& keys, std::int64_t fit, std::int64_t count) {
  std::string title;
  for (const key_column& key : keys)
    title += fmt::format("{}{} {}", title.empty() ? "" : ", ", excerpt(key.name),
                         excerpt(key.texts[static_cast<std::size_t>(fit)]));
  return keys.empty() && count > 1 ? fmt::format("row {}", fit + 1) : title;
}

void as_input_error(const std::function<void()>& write) {
  try {
    write();
  } catch (const error& failure) {
    if (failure.why() != error::kind::argument) throw;
    throw input_error(failure.what());
  }
}

template <class T>
void write_panels(const std::string& path, const plotted_samples<T>& samples,
                  const std::function<void(std::int64_t fit, panel&)>& add) {
  const std::int64_t count = std::ssize(samples.offsets) - 1;
  const plot_style style{.title = samples.title, .x_label = excerpt(samples.x_label), .total = count};
  const std::int64_t shown = std::min<std::int64_t>(count, style.most_panels);
  std::vector<panel> panels;
  std::vector<std::vector<double>> copies;  // panels are views
  copies.reserve(2 * static_cast<std::size_t>(shown));
  for (std::int64_t fit = 0; fit < shown; ++fit) {
    const auto part = [&](std::span<const T> of) -> std::span<const double> {
      if (of.empty()) return {};
      const auto at = static_cast<std::size_t>(fit);
      return copies.emplace_back(of.begin() + samples.offsets[at], of.begin() + samples.offsets[at + 1]);
    };
    panel& each = panels.emplace_back();
    each.title = panel_title(samples.keys, fit, count);
    each.values = part(samples.values);
    each.weights = part(samples.weights);
    add(fit, each);
  }
  as_input_error([&] { plot_panels(panels, path, style); });
}

template <class T>
void write_plot(const std::string& path, const fit_report& report, const sample_set<T>& samples) {
  const fit_results& r = report.results;
  const plotted_samples<T> plotted{plot_title(samples.source, r.family->name),
                                   samples.value_name,
                                   report.keys,
                                   samples.values,
                                   samples.weights,
                                   samples.offsets};
  write_panels<T>(path, plotted, [&](std::int64_t fit, panel& each) {
    const fit_status status = r.status[static_cast<std::size_t>(fit)];
    each.log_density = density_of(r, fit);
    each.discrete = r.family->discrete;
    if (!usable(status)) each.status = to_string(status);
    for (int p = 0; p < r.parameter_count() && each.log_density; ++p)
      each.lines.push_back(parameter_text(r.family->parameters[p].name, r.parameter(p, fit), std_error_of(r, p, fit)));
  });
}

template void write_panels(const std::string&, const plotted_samples<double>&,
                           const std::function<void(std::int64_t, panel&)>&);
template void write_panels(const std::string&, const plotted_samples<float>&,
                           const std::function<void(std::int64_t, panel&)>&);
template void write_plot(const std::string&, const fit_report&, const sample_set<double>&);
template void write_plot(const std::string&, const fit_report&, const sample_set<float>&);

}  // namespace manyfit::app
