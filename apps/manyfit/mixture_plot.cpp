// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "mixture_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/plot/density_plot.hpp"
#include "apps/plot/mixture_plot.hpp"
#include "apps/plot/ticks.hpp"
#include "input/input_error.hpp"
#include "manyfit/manyfit.hpp"
#include "results/result_fields.hpp"

namespace manyfit::app {

namespace {

constexpr int most_panels = 16, most_pairs = 5;
constexpr std::int64_t most_points = 4000;  // of one panel: more would only make the file large

std::string line_of(const mixture_report& report, std::int64_t fit) {
  const mixture_results& r = report.results;
  const auto at = static_cast<std::size_t>(fit);
  return fmt::format("{}, log-likelihood {:.2f}, {} {:.2f}", counted(r.components[at], "component"),
                     r.log_likelihood[at], report.select == information_criterion::bic ? "BIC" : "AIC",
                     report.select == information_criterion::bic ? r.bic(fit) : r.aic(fit));
}

/// log Σ_k π_k N(x) over components [from, to).
density density_of(const mixture_report& report, std::int64_t fit, int from, int to) {
  const mixture_results& r = report.results;
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

/// The same of another family.
density density_of(const family_mixture_report& report, std::int64_t fit, int from, int to) {
  const family_info& family = *report.results.part(0).family;
  const int P = family.parameter_count;
  std::vector<double> weights, parameters;
  for (int k = from; k < to; ++k) {
    weights.push_back(report.results.weight(fit, k));
    for (int p = 0; p < P; ++p) parameters.push_back(report.results.parameter(fit, k, p));
  }
  return [&family, weights, parameters, P](std::span<const double> x) {
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

/// Adds the density and its components; false where there are none.
template <class Report>
bool add_densities(const Report& report, std::int64_t fit, panel& to) {
  const auto at = static_cast<std::size_t>(fit);
  if (!has_parameters(report.results, fit)) {
    to.status = to_string(report.results.status[at]);
    return false;
  }
  const int K = report.results.components[at];
  to.log_density = density_of(report, fit, 0, K);
  for (int k = 0; k < K && K > 1; ++k) to.parts.push_back(density_of(report, fit, k, k + 1));
  return true;
}

template <class T>
void plot_one_dimension(const std::string& path, const mixture_report& report, const point_set<T>& points,
                        const std::string& title) {
  const mixture_results& r = report.results;
  const plotted_samples<T> plotted{title,          points.names[0], report.keys, points.coordinates(),
                                   points.weights, points.offsets};
  write_panels<T>(path, plotted, [&](std::int64_t fit, panel& each) {
    if (!add_densities(report, fit, each)) return;
    each.lines.push_back(line_of(report, fit));
    for (int k = 0; k < r.components[static_cast<std::size_t>(fit)]; ++k) {
      const double sd = std::sqrt(r.covariance_of(fit, k)[0]);
      each.widest_bar = std::min(each.widest_bar, 0.75 * sd);
      each.lines.push_back(fmt::format("{} %: {} ± {}", readable(100 * r.weight(fit, k)),
                                       readable(r.mean(fit, k)[0], 4), readable(sd, 3)));
    }
  });
}

/// A fit with every so-manieth of its points, those with all coordinates.
template <class T>
mixture_picture picture_of(const mixture_report& report, const point_set<T>& points, std::int64_t fit) {
  const mixture_results& r = report.results;
  const auto at = static_cast<std::size_t>(fit);
  const int D = r.dimensions;
  mixture_picture m{.title = panel_title(report.keys, fit, r.count), .dimensions = D};
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

template <class T>
void plot_points(const std::string& path, const mixture_report& report, const point_set<T>& points,
                 const std::string& title) {
  const mixture_results& r = report.results;
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
  if (coordinates < r.dimensions) style.note += fmt::format(" · first {} of {} coordinates", coordinates, r.dimensions);
  plot_pairs(pictures.front(), coordinates, path, style);
}

}  // namespace

template <class T>
void write_mixture_plot(const std::string& path, const mixture_report& report, const point_set<T>& points) {
  const std::string title = plot_title(points.source, "gaussian mixture");
  if (report.results.dimensions == 1) return plot_one_dimension(path, report, points, title);
  as_input_error([&] { plot_points(path, report, points, title); });
}

template <class T>
void write_mixture_plot(const std::string& path, const family_mixture_report& report,
                        const plotted_samples<T>& samples) {
  const family_mixture_results& r = report.results;
  const family_info& family = *r.part(0).family;
  write_panels<T>(path, samples, [&](std::int64_t fit, panel& each) {
    each.discrete = family.discrete;
    if (!add_densities(report, fit, each)) return;
    const int K = r.components[static_cast<std::size_t>(fit)];
    each.lines.push_back(fmt::format("{}, log-likelihood {:.2f}", counted(K, "component"),
                                     r.log_likelihood[static_cast<std::size_t>(fit)]));
    for (int k = 0; k < K; ++k) {
      std::string line = readable(100 * r.weight(fit, k)) + " %:";
      for (int p = 0; p < family.parameter_count; ++p)
        line += fmt::format(" {} {}", family.parameters[p].name, readable(r.parameter(fit, k, p), 4));
      each.lines.push_back(line);
    }
  });
}

template void write_mixture_plot(const std::string&, const mixture_report&, const point_set<double>&);
template void write_mixture_plot(const std::string&, const mixture_report&, const point_set<float>&);
template void write_mixture_plot(const std::string&, const family_mixture_report&, const plotted_samples<double>&);
template void write_mixture_plot(const std::string&, const family_mixture_report&, const plotted_samples<float>&);

}  // namespace manyfit::app
