// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a mixture of families is made of, and the sample that it is fitted to.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/data/rows.hpp"
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

/// Whether the component's support has an end that depends on a parameter that is not held.
inline bool has_free_ends(const mixture_part& part, moving_support kind) {
  if (!part.family || part.family->ends != kind) return false;
  const std::uint32_t all = (1u << part.family->parameter_count) - 1;
  return (part.settings.fixed & all) != all;
}
/// ... that EM moves.
inline bool moves_ends(const mixture_part& part) {
  return has_free_ends(part, moving_support::falls_to_zero);
}

/// One fit's values that count.
struct mixture_sample {
  std::vector<double> x, w;  ///< [observations], then zeros to a multiple of 8: whole packs
  double weight = 0, variance = 0;
  std::int64_t observations = 0, missing = 0, left_out = 0, nonfinite = 0;

  std::size_t size() const { return static_cast<std::size_t>(observations); }
};

template <class T>
mixture_sample read_mixture_sample(const batch_view<T>& batch, std::int64_t fit) {
  const sample<T> rows = sample_of(batch, fit);
  mixture_sample s;
  for (std::int64_t i = 0; i < rows.size; ++i) {
    const auto x = static_cast<double>(rows.values[i]);
    const double w = rows.weights ? static_cast<double>(rows.weights[i]) : 1.0;
    const row_class row = classify<supports::reals>(x, w);
    s.missing += row == row_class::missing;
    s.left_out += row == row_class::left_out;
    s.nonfinite += row == row_class::nonfinite;
    if (row != row_class::used) continue;
    ++s.observations;
    s.x.push_back(x);
    s.w.push_back(w);
    s.weight += w;
  }
  double mean = 0;
  for (std::size_t i = 0; i < s.size(); ++i) mean += s.w[i] * s.x[i] / s.weight;
  for (std::size_t i = 0; i < s.size(); ++i) s.variance += s.w[i] * (s.x[i] - mean) * (s.x[i] - mean) / s.weight;
  const std::size_t padded = (s.x.size() + 7) / 8 * 8;
  s.x.resize(padded, 0.0);
  s.w.resize(padded, 0.0);
  return s;
}

/// What makes a sample unfit for these components, or not_run when nothing does.
inline fit_status unfit_for(const mixture_sample& sample, std::span<const mixture_part> parts) {
  if (sample.nonfinite > 0) return fit_status::nonfinite;
  const auto K = static_cast<std::int64_t>(parts.size());
  std::int64_t free = K - 1;
  for (const mixture_part& part : parts)
    for (int p = 0; p < part.parameter_count(); ++p) free += !part.holds(p);
  const bool few = sample.observations < std::max(K, std::min<std::int64_t>(free, 2)) || sample.observations == 0;
  return few ? fit_status::too_few : fit_status::not_run;
}

MF_NAMESPACE_END
