// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "mixture_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/plot/density_plot.hpp"
#include "apps/plot/mixture_plot.hpp"
#include "apps/plot/ticks.hpp"
#include "manyfit/manyfit.hpp"
#include "plot.hpp"

namespace manyfit::app {

namespace {

constexpr int most_panels = 16, most_pairs = 5;
constexpr std::int64_t most_points = 4000;  // of one panel: more would only make the file large

std::string title_of(const std::vector<key_column>& keys, std::int64_t fit) {
  std::string title;
  for (const key_column& key : keys)
    title += fmt::format("{}{} {}", title.empty() ? "" : ", ", excerpt(key.name),
                         excerpt(key.texts[static_cast<std::size_t>(fit)]));
  return title;
}

std::string line_of(const mixture_report& report, std::int64_t fit) {
  const mixture_results& r = report.results;
  const auto at = static_cast<std::size_t>(fit);
  return fmt::format("{} component{}, log-likelihood {:.2f}, {} {:.2f}", r.components[at],
                     r.components[at] == 1 ? "" : "s", r.log_likelihood[at],
                     report.select == information_criterion::bic ? "BIC" : "AIC",
                     report.select == information_criterion::bic ? r.bic(fit) : r.aic(fit));
}

/// log Σ_k π_k N(x), over all components or one.
std::function<std::vector<double>(std::span<const double>)> density_of(const mixture_results& r, std::int64_t fit,
                                                                       int from, int to) {
  std::vector<double> weight, mean, sd;
  for (int k = from; k < to; ++k) {
    weight.push_back(r.weight(fit, k));
    mean.push_back(r.mean(fit, k)[0]);
    sd.push_back(std::sqrt(r.covariance_of(fit, k)[0]));
  }
  return [weight, mean, sd](std::span<const double> x) {
    std::vector<double> result(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < weight.size(); ++k) {
        const double z = (x[i] - mean[k]) / sd[k];
        sum += weight[k] * std::exp(-0.5 * z * z) / (sd[k] * std::sqrt(2 * M_PI));
      }
      result[i] = std::log(sum);
    }
    return result;
  };
}

bool has_parameters(const mixture_results& r, std::int64_t fit) {
  return r.weight(fit, 0) >= 0;
}

template <class T>
void plot_one_dimension(const std::string& path, const mixture_report& report, const point_set<T>& points,
                        const std::string& title) {
  const mixture_results& r = report.results;
  plot_style style{.title = title, .x_label = excerpt(points.names[0]), .total = r.count};
  const std::int64_t shown = std::min<std::int64_t>(r.count, style.most_panels);
  std::vector<panel> panels;
  std::vector<std::vector<double>> copies;  // panels are views
  copies.reserve(2 * static_cast<std::size_t>(shown));
  for (std::int64_t fit = 0; fit < shown; ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    const auto part = [&](std::span<const T> of) -> std::span<const double> {
      if (of.empty()) return {};
      return copies.emplace_back(of.begin() + points.offsets[at], of.begin() + points.offsets[at + 1]);
    };
    panel& each = panels.emplace_back();
    each.title = title_of(report.keys, fit);
    each.values = part(points.coordinates());
    each.weights = part(points.weights);
    if (!has_parameters(r, fit)) {
      each.status = to_string(r.status[at]);
      continue;
    }
    const int K = r.components[at];
    each.log_density = density_of(r, fit, 0, K);
    for (int k = 0; k < K && K > 1; ++k) each.parts.push_back(density_of(r, fit, k, k + 1));
    for (int k = 0; k < K; ++k)
      each.widest_bar = std::min(each.widest_bar, 0.75 * std::sqrt(r.covariance_of(fit, k)[0]));
    each.lines.push_back(line_of(report, fit));
    for (int k = 0; k < K; ++k)
      each.lines.push_back(fmt::format("{} %: {} ± {}", readable(100 * r.weight(fit, k)),
                                       readable(r.mean(fit, k)[0], 4),
                                       readable(std::sqrt(r.covariance_of(fit, k)[0]), 3)));
  }
  plot_panels(panels, path, style);
}

/// A fit with every so-manieth of its points, those with all coordinates.
template <class T>
mixture_picture picture_of(const mixture_report& report, const point_set<T>& points, std::int64_t fit) {
  const mixture_results& r = report.results;
  const auto at = static_cast<std::size_t>(fit);
  const int D = r.dimensions;
  mixture_picture m{.title = title_of(report.keys, fit), .dimensions = D};
  const std::int64_t first = points.offsets[at], rows = points.offsets[at + 1] - first;
  const std::int64_t shown = std::min(rows, most_points);
  for (std::int64_t i = 0; i < shown; ++i) {
    const T* const row = points.coordinates().data() + (first + i * rows / shown) * D;
    if (std::all_of(row, row + D, [](T x) { return std::isfinite(x); })) m.points.insert(m.points.end(), row, row + D);
  }
  if (!has_parameters(r, fit)) {
    m.status = to_string(r.status[at]);
    return m;
  }
  const int K = r.components[at];
  const auto copy = [&](const std::vector<double>& from, std::int64_t each) {
    const auto begin = from.begin() + r.first_component(fit) * each;
    return std::vector<double>(begin, begin + K * each);
  };
  m.weights = copy(r.weights, 1);
  m.means = copy(r.means, D);
  m.covariances = copy(r.covariances, std::int64_t{D} * D);
  m.line = line_of(report, fit);
  mixture_results one = empty_mixtures(1, K, D, r.covariance);
  one.weights = m.weights;
  one.means = m.means;
  one.covariances = m.covariances;
  m.labels = score_mixture(executor::cpu(1), manyfit::points<double>(m.points, D), one,
                           {.responsibilities = false, .labels = true})
                 .labels;
  return m;
}

}  // namespace

template <class T>
void write_mixture_plot(const std::string& path, const mixture_report& report, const point_set<T>& points) {
  const mixture_results& r = report.results;
  const std::string title = plot_title(points.source, "gaussian mixture");
  try {
    if (r.dimensions == 1) return plot_one_dimension(path, report, points, title);
    mixture_plot_style style{.title = title};
    for (const std::string& name : points.names) style.names.push_back(excerpt(name));
    const std::int64_t shown = r.dimensions == 2 ? std::min<std::int64_t>(r.count, most_panels) : 1;
    std::vector<mixture_picture> pictures;
    std::int64_t drawn = 0, rows = 0;
    for (std::int64_t fit = 0; fit < shown; ++fit) {
      pictures.push_back(picture_of(report, points, fit));
      drawn += static_cast<std::int64_t>(pictures.back().points.size()) / r.dimensions;
      rows += r.observations[static_cast<std::size_t>(fit)];
    }
    style.note = "ellipses hold 50 % and 95 % of a component";
    if (drawn < rows) style.note += fmt::format(" · {} of {} points", grouped(drawn), grouped(rows));
    if (shown < r.count) style.note += fmt::format(" · first {} of {} fits", shown, grouped(r.count));
    if (r.dimensions == 2) return plot_ellipses(pictures, path, style);
    const int coordinates = std::min(r.dimensions, most_pairs);
    if (coordinates < r.dimensions)
      style.note += fmt::format(" · first {} of {} coordinates", coordinates, r.dimensions);
    plot_pairs(pictures.front(), coordinates, path, style);
  } catch (const error& failure) {
    if (failure.why() != error::kind::argument) throw;
    throw input_error(failure.what());
  }
}

template void write_mixture_plot(const std::string&, const mixture_report&, const point_set<double>&);
template void write_mixture_plot(const std::string&, const mixture_report&, const point_set<float>&);

}  // namespace manyfit::app
