// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a mixture of families is made of, and the sample that it is fitted to.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/data/rows.hpp"
#include "kernels/gaussian_mixture/views.hpp"
#include "kernels/models/coded_columns.hpp"
#include "kernels/operations.hpp"
#include "kernels/registry.hpp"

MF_NAMESPACE_BEGIN

/// A component as EM sees it.
struct mixture_part {
  const family_info* family = nullptr;  ///< null: a point mass
  cpu_cell<double> functions = nullptr;
  fit_settings settings = {};
  double at = 0;

  int parameter_count() const { return family ? family->parameter_count : 0; }
  bool holds(int p) const { return (settings.fixed >> p) & 1u; }
};

inline bool are_fitted_alike(const mixture_part& a, const mixture_part& b) {
  if (a.family != b.family || a.settings.fixed != b.settings.fixed) return false;
  for (int p = 0; p < max_parameters; ++p)
    if (a.holds(p) && a.settings.fixed_values[p] != b.settings.fixed_values[p]) return false;
  return true;
}

/// Whether the component's support has an end that depends on a parameter that is not fixed.
inline bool has_free_ends(const mixture_part& part, moving_support kind) {
  if (!part.family || part.family->ends != kind) return false;
  const std::uint32_t all = (1u << part.family->parameter_count) - 1;
  return (part.settings.fixed & all) != all;
}
/// ... that EM moves.
inline bool moves_ends(const mixture_part& part) {
  return has_free_ends(part, moving_support::falls_to_zero);
}

/// A column of a sample of several. One of few values may be coded (coded_columns.hpp), and has no x then.
struct sample_column {
  std::vector<double> x;     ///< [observations], NaN where missing
  std::int64_t present = 0;  ///< cells that are not
  double variance = 0;
  bool constant = true;
};

/// One fit's rows that count: values, or several columns, of which a cell may be missing, but not all of a row.
struct mixture_sample {
  std::vector<double> x, w;  ///< [observations], then zeros to a multiple of 8: whole packs; x: of several columns none
  std::vector<sample_column> columns;  ///< none: the values x
  coded_columns codes;
  std::vector<std::int64_t> rows;  ///< with columns: which of the fit's rows these are
  double weight = 0, variance = 0;
  std::int64_t observations = 0, missing = 0, left_out = 0, nonfinite = 0;

  std::size_t size() const { return static_cast<std::size_t>(observations); }
  std::size_t column_count() const { return columns.empty() ? 1 : columns.size(); }
  double variance_of(std::size_t d) const { return columns.empty() ? variance : columns[d].variance; }

  void count(row_class row) {
    observations += row == row_class::used;
    missing += row == row_class::missing;
    left_out += row == row_class::left_out;
    nonfinite += row == row_class::nonfinite;
  }
  /// After the last row: whole packs.
  void pad() {
    const std::size_t padded = (w.size() + 7) / 8 * 8;
    if (columns.empty()) x.resize(padded, 0.0);
    w.resize(padded, 0.0);
  }
};

/// The weighted variance of the values of `x` [n] that are not missing.
inline double variance_of(const double* x, const double* w, std::size_t n, double weight) {
  double mean = 0, variance = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (x[i] == x[i]) mean += w[i] * x[i] / weight;
  for (std::size_t i = 0; i < n; ++i)
    if (x[i] == x[i]) variance += w[i] * (x[i] - mean) * (x[i] - mean) / weight;
  return variance;
}

/// `fewest_values`: nothing to values.
template <class T>
mixture_sample read_mixture_sample(const batch_view<T>& batch, std::int64_t fit, std::size_t = 0) {
  const sample<T> rows = sample_of(batch, fit);
  mixture_sample s;
  for (std::int64_t i = 0; i < rows.size; ++i) {
    const auto x = static_cast<double>(rows.values[i]);
    const double w = rows.weights ? static_cast<double>(rows.weights[i]) : 1.0;
    const row_class row = classify<supports::reals>(x, w);
    s.count(row);
    if (row != row_class::used) continue;
    s.x.push_back(x);
    s.w.push_back(w);
    s.weight += w;
  }
  s.variance = variance_of(s.x.data(), s.w.data(), s.size(), s.weight);
  s.pad();
  return s;
}

/// A row counts as missing when its weight or all of its cells are. Columns of at least `fewest_values` different
/// values, and few, are coded; 0: none is.
template <class T>
mixture_sample read_mixture_sample(const points_view<T>& points, std::int64_t fit, std::size_t fewest_values) {
  const std::int64_t begin = points.first_row(fit), size = points.rows(fit);
  const auto D = static_cast<std::size_t>(points.dimensions);
  mixture_sample s;
  for (std::int64_t i = 0; i < size; ++i) {
    const T* const cells = points.values + (begin + i) * points.dimensions;
    const double w = points.weights ? static_cast<double>(points.weights[begin + i]) : 1.0;
    bool some = false, finite = true;
    for (std::size_t d = 0; d < D; ++d) {
      some = some || !is_missing(cells[d]);
      finite = finite && (is_missing(cells[d]) || is_finite(cells[d]));
    }
    const row_class row = class_of(!some || is_missing(w), w == 0, finite && is_weight(w), true);
    s.count(row);
    if (row != row_class::used) continue;
    s.rows.push_back(i);
    s.w.push_back(w);
    s.weight += w;
  }
  const std::size_t n = s.size();
  s.columns.resize(D);
  constexpr std::size_t at_once = 8;  // columns that responsibility a cache line of the rows
  for (std::size_t first = 0; first < D; first += at_once) {
    const std::size_t end = std::min(D, first + at_once);
    for (std::size_t d = first; d < end; ++d) s.columns[d].x.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const T* const cells = points.values + (begin + s.rows[i]) * points.dimensions;
      for (std::size_t d = first; d < end; ++d) s.columns[d].x[i] = static_cast<double>(cells[d]);
    }
    for (std::size_t d = first; d < end; ++d) {
      sample_column& column = s.columns[d];
      double weight = 0, least = constants::infinity, most = -constants::infinity;
      for (std::size_t i = 0; i < n; ++i) {
        if (is_missing(column.x[i])) continue;
        ++column.present;
        weight += s.w[i];
        least = std::min(least, column.x[i]);
        most = std::max(most, column.x[i]);
      }
      column.constant = !(least < most);
      column.variance = variance_of(column.x.data(), s.w.data(), n, weight);
      if (fewest_values > 0 && s.codes.take(d, column.x, fewest_values)) {
        column.x.clear();
        column.x.shrink_to_fit();
      }
    }
  }
  s.codes.finish();
  s.pad();
  return s;
}

/// Columns of a distribution over counts are coded, where they have enough values to fit it to them.
inline std::size_t fewest_coded_values(const mixture_part& part) {
  if (!part.family || !part.family->discrete) return 0;
  std::size_t free = 0;
  for (int p = 0; p < part.parameter_count(); ++p) free += !part.holds(p);
  return std::max<std::size_t>(free, 1);
}

/// What makes a sample unfit for these components, or not_run when nothing does.
inline fit_status unfit_for(const mixture_sample& sample, std::span<const mixture_part> parts) {
  if (sample.nonfinite > 0) return fit_status::nonfinite;
  const auto K = static_cast<std::int64_t>(parts.size());
  std::int64_t free = K - 1;
  for (const mixture_part& part : parts)
    for (int p = 0; p < part.parameter_count(); ++p) free += !part.holds(p);
  const bool few =
      sample.observations < std::max(K, std::min<std::int64_t>(free, 2)) || sample.observations == 0 ||
      std::any_of(sample.columns.begin(), sample.columns.end(), [](const sample_column& c) { return c.present == 0; });
  return few ? fit_status::too_few : fit_status::not_run;
}

MF_NAMESPACE_END
