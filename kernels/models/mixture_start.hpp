// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Where EM of a mixture of families starts: from responsibilities of the rows, weights times responsibilities. Equal
// parts of the ordered sample, or each row to the nearest of K seeds. One source for all targets: nothing here depends
// on lanes.
#pragma once

#include <cmath>
#include <numeric>

#include "kernels/models/responsibilities.hpp"
#include "kernels/models/row_distances.hpp"
#include "kernels/random/philox_cpu.hpp"

MF_NAMESPACE_BEGIN

/// The responsibilities of an attempt's values, of component k from of(k) on.
struct responsibility_table {
  double* values;  ///< [K × stride]
  std::size_t stride;
  double* of(std::size_t k) const { return values + k * stride; }
};

/// How an attempt starts.
struct mixture_start_settings {
  bool spread = true;          ///< seeds far apart: k-means++, and quantiles first
  bool first = false;          ///< the first of several attempts
  bool without_blend = false;  ///< every value to one component alone, where EM moves ends of supports
};

/// The greatest value of each of F parts of the ordered sample of equal weight.
inline std::vector<double> quantile_seeds(const mixture_sample& sample, std::size_t F) {
  std::vector<std::size_t> order(sample.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return sample.x[a] != sample.x[b] ? sample.x[a] < sample.x[b] : a < b;
  });
  std::vector<double> seeds;
  double passed = 0;
  for (const std::size_t i : order) {
    passed += sample.w[i];
    while (seeds.size() < F &&
           passed >= sample.weight * (static_cast<double>(seeds.size()) + 1) / static_cast<double>(F))
      seeds.push_back(sample.x[i]);
  }
  while (seeds.size() < F) seeds.push_back(sample.x[order.back()]);
  return seeds;
}

/// A row drawn by weight times distance.
inline std::size_t draw_row(const mixture_sample& sample, const std::vector<double>& distance, philox_stream& random) {
  const std::size_t n = sample.size();
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) total += sample.w[i] * distance[i];
  double target = random.uniform() * total;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double part = sample.w[i] * distance[i];
    if (!(part > 0)) continue;
    chosen = i;
    if (part > target) break;
    target -= part;
  }
  return chosen;
}

/// Which of F rows each row is nearest to; they are drawn by weight and, `spread`, by the square of their distance to
/// those before (k-means++).
inline std::vector<std::int32_t> nearest_of_drawn(const mixture_sample& sample, std::size_t F, bool spread,
                                                  philox_stream& random) {
  const std::size_t n = sample.size();
  const row_distances distances(sample);
  std::vector<std::int32_t> nearest(n, 0);
  std::vector<double> chance(n, 1.0), least(n), apart(n);
  for (std::size_t f = 0; f < F; ++f) {
    const std::size_t seed = draw_row(sample, chance, random);
    distances.from(seed, apart.data());
    for (std::size_t i = 0; i < n; ++i) {
      if (f == 0 || apart[i] < least[i]) {
        least[i] = apart[i];
        nearest[i] = static_cast<std::int32_t>(f);
      }
      chance[i] = spread ? least[i] * least[i] : i == seed ? 0 : chance[i];
    }
  }
  return nearest;
}

/// Which of F parts of the ordered sample each value is in.
inline std::vector<std::int32_t> part_of_quantiles(const mixture_sample& sample, std::size_t F) {
  const std::vector<double> seeds = quantile_seeds(sample, F);
  std::vector<std::int32_t> part(sample.size(), 0);
  for (std::size_t i = 0; i < part.size(); ++i)
    for (std::size_t f = 1; f < F; ++f)
      if (sample.x[i] > seeds[f - 1]) part[i] = static_cast<std::int32_t>(f);
  return part;
}

/// Responsibilities of a start; a little of every row to all components alike, so that none starts on equal values, but
/// where EM moves ends of supports in every other attempt only, since there it may not find out of what it was given.
/// Rows of several columns have no order: there are no quantiles to begin with.
inline void set_responsibilities_by_seeds(const mixture_sample& sample, std::span<const mixture_part> parts,
                                          const mixture_start_settings& how, philox_stream& random,
                                          const responsibility_table& responsibilities) {
  constexpr double start_blend = 0.1;
  const double blend = how.without_blend && std::any_of(parts.begin(), parts.end(), moves_ends) ? 0 : start_blend;
  const std::size_t K = parts.size(), n = sample.size();
  std::vector<std::size_t> free;  // components that take part in the split
  for (std::size_t k = 0; k < K; ++k)
    if (parts[k].family) free.push_back(k);
  const std::size_t F = free.size();
  const bool quantiles = how.first && sample.columns.empty();
  const std::vector<std::int32_t> nearest =
      quantiles ? part_of_quantiles(sample, F) : nearest_of_drawn(sample, F, how.spread, random);
  for (std::size_t f = F; f > 1 && !quantiles; --f)  // which component gets which seed matters between families
    std::swap(free[f - 1], free[static_cast<std::size_t>(random.uniform() * static_cast<double>(f))]);
  for (std::size_t k = 0; k < K; ++k) std::fill_n(responsibilities.of(k), n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    double left = sample.w[i];
    for (std::size_t k = 0; k < K; ++k)
      if (!parts[k].family && sample.x[i] == parts[k].at) {
        responsibilities.of(k)[i] = 0.5 * left;
        left *= 0.5;
      }
    for (std::size_t f = 0; f < F; ++f)
      responsibilities.of(free[f])[i] =
          left * ((static_cast<std::int32_t>(f) == nearest[i] ? 1 - blend : 0.0) + blend / static_cast<double>(F));
  }
}

/// What the first `count` fits of `size` values each say of them, without a step: whether they are in the support.
inline std::vector<fit_status> statuses_of(const mixture_part& part, const double* x, std::int64_t size,
                                           std::int64_t count) {
  const auto P = static_cast<std::size_t>(part.parameter_count()), fits = static_cast<std::size_t>(count);
  std::vector<double> numbers(fits * (2 * P + 1));
  std::vector<std::int32_t> iterations(fits);
  std::vector<std::int64_t> counts(2 * fits);
  std::vector<fit_status> status(fits);
  double* const errors = numbers.data() + fits * P;
  fit_settings settings = part.settings;
  settings.max_iterations = 0;
  part.functions->fit({x, nullptr, nullptr, size, count}, settings,
                      {numbers.data(), errors, errors + fits * P, iterations.data(), status.data(), counts.data(),
                       counts.data() + fits, count},
                      1, nullptr);
  return status;
}

/// Whether each of the values is in the support of a component: what a fit to that value alone would say, asked only
/// where a fit to all of them says that one is not.
inline std::vector<bool> is_supported(const mixture_part& part, std::span<const double> values) {
  std::vector<bool> inside(values.size(), true);
  const auto n = static_cast<std::int64_t>(values.size());
  if (statuses_of(part, values.data(), n, 1)[0] != fit_status::out_of_support) return inside;
  const std::vector<fit_status> status = statuses_of(part, values.data(), 1, n);
  for (std::size_t i = 0; i < inside.size(); ++i) inside[i] = status[i] != fit_status::out_of_support;
  return inside;
}

/// How many numbers of each row are not in the support of a component.
inline std::vector<int> outside_support(const mixture_part& part, const mixture_sample& sample) {
  std::vector<int> outside(sample.size(), 0);
  const auto add = [&](std::span<const double> values) {
    const std::vector<bool> inside = is_supported(part, values);
    for (std::size_t i = 0; i < outside.size(); ++i) outside[i] += !inside[i];
  };
  if (sample.columns.empty()) add({sample.x.data(), sample.size()});
  for (const sample_column& column : sample.columns)
    if (!column.x.empty()) add(column.x);
  if (sample.codes.empty()) return outside;
  const std::vector<bool> inside = is_supported(part, sample.codes.values());
  const code_rows codes = sample.codes.rows(0, sample.size());
  for (const coded_columns::column& column : sample.codes.columns()) {
    std::size_t value;
    const auto own = inside.begin() + static_cast<std::ptrdiff_t>(column.first_value);
    if (std::find(own, own + column.values, false) == own + column.values) continue;
    for (std::size_t i = 0; i < outside.size(); ++i)
      if (column.tells(codes.bytes[i * sample.codes.groups() + column.group], value))
        outside[i] += !own[static_cast<std::ptrdiff_t>(value)];
  }
  return outside;
}

/// Numbers outside the supports of all components that a row could be of: of each row as few as any component leaves.
inline std::int64_t count_outside(const mixture_sample& sample, std::span<const mixture_part> parts) {
  std::vector<int> fewest(sample.size(), std::numeric_limits<int>::max());
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (parts[k].family && k > 0 && parts[k - 1].family && are_fitted_alike(parts[k], parts[k - 1])) continue;
    std::vector<int> own(sample.size(), 0);
    if (parts[k].family) own = outside_support(parts[k], sample);
    for (std::size_t i = 0; i < own.size(); ++i)
      fewest[i] = std::min(fewest[i], parts[k].family ? own[i] : sample.x[i] != parts[k].at);
  }
  return std::accumulate(fewest.begin(), fewest.end(), std::int64_t{0});
}

/// Takes responsibilities away where a component cannot have them; false when a row is in no component's support.
inline bool leave_supports(const mixture_sample& sample, std::span<const mixture_part> parts,
                           const responsibility_table& responsibilities) {
  const std::size_t K = parts.size(), n = sample.size();
  std::vector<bool> somewhere(n, false);
  std::vector<int> outside;
  for (std::size_t k = 0; k < K; ++k) {
    const mixture_part& part = parts[k];
    if (!part.family) {
      for (std::size_t i = 0; i < n; ++i)
        if (sample.x[i] == part.at) somewhere[i] = true;
      continue;
    }
    if (k == 0 || !parts[k - 1].family || !are_fitted_alike(part, parts[k - 1]))
      outside = outside_support(part, sample);
    for (std::size_t i = 0; i < n; ++i) {
      if (outside[i] == 0) somewhere[i] = true;
      if (outside[i] > 0) responsibilities.of(k)[i] = 0;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < K; ++k) sum += responsibilities.of(k)[i];
    for (std::size_t k = 0; k < K && sum > 0; ++k) responsibilities.of(k)[i] *= sample.w[i] / sum;
  }
  return std::find(somewhere.begin(), somewhere.end(), false) == somewhere.end();
}

/// What an E step leaves of a component in a column x [n] whose cells may be missing, from the responsibilities of a
/// start, which have no log-densities yet.
inline component_sums sums_of_start(const double* x, const double* responsibilities, std::size_t n) {
  component_sums s;
  for (std::size_t i = 0; i < n; ++i) {
    if (x[i] != x[i]) continue;
    s.weight += responsibilities[i];
    s.first += responsibilities[i] * x[i];
  }
  s.centre = s.weight > 0 ? s.first / s.weight : 0.0;
  s.first = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (x[i] == x[i]) s.second += responsibilities[i] * (x[i] - s.centre) * (x[i] - s.centre);
  s.log_density = -constants::infinity;  // whatever is found is better
  return s;
}

MF_NAMESPACE_END
