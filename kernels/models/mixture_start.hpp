// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Where EM of a mixture of families starts: from shares of the values, weights times responsibilities. Equal parts of
// the ordered sample, or each value to the nearest of K seeds. One source for all targets: nothing here depends on
// lanes.
#pragma once

#include <cmath>
#include <numeric>

#include "kernels/models/mixture_sample.hpp"
#include "kernels/models/share_out.hpp"
#include "kernels/random/philox_cpu.hpp"

MF_NAMESPACE_BEGIN

/// The shares of an attempt's values, of component k from of(k) on.
struct share_table {
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

/// F values drawn by weight: `spread`: and by the square of their distance to those before (k-means++).
inline std::vector<double> drawn_seeds(const mixture_sample& sample, std::size_t F, bool spread,
                                       philox_stream& random) {
  const std::size_t n = sample.size();
  std::vector<double> seeds, distance(n, 1.0);
  for (std::size_t f = 0; f < F; ++f) {
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
    seeds.push_back(sample.x[chosen]);
    for (std::size_t i = 0; i < n; ++i) {
      const double apart = (sample.x[i] - seeds.back()) * (sample.x[i] - seeds.back());
      distance[i] = !spread ? (i == chosen ? 0 : distance[i]) : f == 0 ? apart : std::min(distance[i], apart);
    }
  }
  return seeds;
}

/// Shares of a start; a little of every value to all components alike, so that none starts on equal values, but where
/// EM moves ends of supports in every other attempt only, since there it may not find out of what it was given.
inline void share_by_seeds(const mixture_sample& sample, std::span<const mixture_part> parts,
                           const mixture_start_settings& how, philox_stream& random, const share_table& shares) {
  constexpr double start_blend = 0.1;
  const double blend = how.without_blend && std::any_of(parts.begin(), parts.end(), moves_ends) ? 0 : start_blend;
  const std::size_t K = parts.size(), n = sample.size();
  std::vector<std::size_t> free;  // components that take part in the split
  for (std::size_t k = 0; k < K; ++k)
    if (parts[k].family) free.push_back(k);
  const std::size_t F = free.size();
  const std::vector<double> seeds = how.first ? quantile_seeds(sample, F) : drawn_seeds(sample, F, how.spread, random);
  for (std::size_t f = F; f > 1 && !how.first; --f)  // which component gets which seed matters between families
    std::swap(free[f - 1], free[static_cast<std::size_t>(random.uniform() * static_cast<double>(f))]);
  for (std::size_t k = 0; k < K; ++k) std::fill_n(shares.of(k), n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    double left = sample.w[i];
    for (std::size_t k = 0; k < K; ++k)
      if (!parts[k].family && sample.x[i] == parts[k].at) {
        shares.of(k)[i] = 0.5 * left;
        left *= 0.5;
      }
    std::size_t nearest = 0;
    for (std::size_t f = 1; f < F; ++f)
      if (how.first ? sample.x[i] > seeds[f - 1]
                    : std::abs(sample.x[i] - seeds[f]) < std::abs(sample.x[i] - seeds[nearest]))
        nearest = f;
    for (std::size_t f = 0; f < F; ++f)
      shares.of(free[f])[i] = left * ((f == nearest ? 1 - blend : 0.0) + blend / static_cast<double>(F));
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

/// Whether each value is in the support of a component: what a fit to that value alone would say, asked only where a
/// fit to all of them says that one is not.
inline std::vector<bool> is_supported(const mixture_part& part, const mixture_sample& sample) {
  std::vector<bool> inside(sample.size(), true);
  if (statuses_of(part, sample.x.data(), sample.observations, 1)[0] != fit_status::out_of_support) return inside;
  const std::vector<fit_status> status = statuses_of(part, sample.x.data(), 1, sample.observations);
  for (std::size_t i = 0; i < inside.size(); ++i) inside[i] = status[i] != fit_status::out_of_support;
  return inside;
}

/// Takes shares away where a component cannot have them; false when a value is in no component's support.
inline bool leave_supports(const mixture_sample& sample, std::span<const mixture_part> parts,
                           const share_table& shares) {
  const std::size_t K = parts.size(), n = sample.size();
  std::vector<bool> somewhere(n, false), inside;
  for (std::size_t k = 0; k < K; ++k) {
    const mixture_part& part = parts[k];
    if (!part.family) {
      for (std::size_t i = 0; i < n; ++i)
        if (sample.x[i] == part.at) somewhere[i] = true;
      continue;
    }
    if (k == 0 || !parts[k - 1].family || !are_fitted_alike(part, parts[k - 1])) inside = is_supported(part, sample);
    for (std::size_t i = 0; i < n; ++i) {
      if (inside[i]) somewhere[i] = true;
      if (!inside[i]) shares.of(k)[i] = 0;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < K; ++k) sum += shares.of(k)[i];
    for (std::size_t k = 0; k < K && sum > 0; ++k) shares.of(k)[i] *= sample.w[i] / sum;
  }
  return std::find(somewhere.begin(), somewhere.end(), false) == somewhere.end();
}

/// What an E step leaves of a component, from the shares of a start, which have no log-densities yet.
inline component_sums sums_of_start(const mixture_sample& sample, const double* shares) {
  component_sums s;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    s.weight += shares[i];
    s.first += shares[i] * sample.x[i];
  }
  s.centre = s.weight > 0 ? s.first / s.weight : 0.0;
  s.first = 0;
  for (std::size_t i = 0; i < sample.size(); ++i)
    s.second += shares[i] * (sample.x[i] - s.centre) * (sample.x[i] - s.centre);
  s.log_density = -constants::infinity;  // whatever is found is better
  return s;
}

MF_NAMESPACE_END
