// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Scores and draws of mixtures of families.
#include <algorithm>
#include <cmath>
#include <limits>

#include "checks.hpp"
#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"
#include "kernels/cpu/product_densities.hpp"
#include "manyfit/fit.hpp"
#include "manyfit/score.hpp"
#include "mixture_parts.hpp"

namespace manyfit {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// log f_k of every value from the batch's first on, for the component that each sample's own mixture has there; NaN
/// where it has none.
template <class T>
std::vector<double> log_densities_on_device(const executor& where, const batch<T>& data,
                                            const family_mixture_results& mixtures, const mixture_part& part, int k) {
  const bool shared = mixtures.count == 1;
  const std::int64_t sets = shared ? 1 : data.count(), P = part.parameter_count();
  std::vector<double> parameters(static_cast<std::size_t>(sets * P), nan);
  for (std::int64_t i = 0; i < sets; ++i)
    for (std::int64_t p = 0; p < P && k < mixtures.components[static_cast<std::size_t>(i)]; ++p)
      parameters[static_cast<std::size_t>(p * sets + i)] = mixtures.parameter(i, k, static_cast<int>(p));
  return log_density(where, *part.family, data, {parameters.data(), shared ? 0 : 1, sets});
}

/// What a call scores, and where the answers go.
struct scoring {
  const family_mixture_results& mixtures;
  const mixture_score_options& options;
  std::vector<mixture_part> parts;  ///< one for all components, or one each
  mixture_scores scores;

  scoring(const family_mixture_results& under, const mixture_score_options& how, std::int64_t rows,
          std::int64_t samples)
      : mixtures(under), options(how) {
    check(mixtures, "score_mixture");
    product_of("responsibilities", {rows, mixtures.max_components});
    if (mixtures.count != 1 && mixtures.count != samples)
      throw_argument("score_mixture: " + std::to_string(mixtures.count) + " mixtures for " + std::to_string(samples) +
                     " samples; one for all or one for each expected");
    for (const mixture_component& part : mixtures.parts) parts.push_back(part_for(part, false));
    const auto all = static_cast<std::size_t>(rows);
    scores.log_density.assign(all, nan);
    if (options.responsibilities) scores.responsibilities.assign(all * width(), nan);
    if (options.labels) scores.labels.assign(all, -1);
  }

  std::size_t width() const { return static_cast<std::size_t>(mixtures.max_components); }
  const mixture_part& part(int k) const { return parts[parts.size() == 1 ? 0 : static_cast<std::size_t>(k)]; }
  std::int64_t source(std::int64_t fit) const { return mixtures.count == 1 ? 0 : fit; }
  bool is_fitted(std::int64_t fit) const { return mixtures.weight(source(fit), 0) >= 0; }
  int components(std::int64_t fit) const { return mixtures.components[static_cast<std::size_t>(source(fit))]; }
  const double* parameters(std::int64_t fit, int k) const {
    return mixtures.parameters.data() +
           (mixtures.first_component(source(fit)) + k) * mixtures.columns * mixtures.parameter_stride;
  }
  /// log π_k; weights given by hand need not sum to one.
  std::vector<double> log_weights(std::int64_t fit) const {
    double total = 0;
    std::vector<double> logs;
    for (int k = 0; k < components(fit); ++k) total += mixtures.weight(source(fit), k);
    for (int k = 0; k < components(fit); ++k) logs.push_back(std::log(mixtures.weight(source(fit), k) / total));
    return logs;
  }

  /// Row `row` of all, from log f_k + log π_k at terms[k × stride].
  void take(std::size_t row, int K, const double* terms, std::size_t stride) {
    double most = -std::numeric_limits<double>::infinity(), sum = 0;
    int likeliest = 0;
    for (int k = 0; k < K; ++k) {
      const double term = terms[static_cast<std::size_t>(k) * stride];
      if (std::isnan(term)) return;  // parameters that the family cannot have give no density
      if (term > most) {
        most = term;
        likeliest = k;
      }
    }
    scores.log_density[row] = most;
    if (std::isinf(most)) return;  // outside every support: a density of 0, and no responsibility
    for (int k = 0; k < K; ++k) sum += std::exp(terms[static_cast<std::size_t>(k) * stride] - most);
    scores.log_density[row] = most + std::log(sum);
    if (options.labels) scores.labels[row] = likeliest;
    for (int k = 0; k < K && options.responsibilities; ++k)
      scores.responsibilities[row * width() + static_cast<std::size_t>(k)] =
          std::exp(terms[static_cast<std::size_t>(k) * stride] - most) / sum;
  }
};

template <class T>
mixture_scores score_any(const executor& where, const batch<T>& data, const family_mixture_results& mixtures,
                         const mixture_score_options& options) {
  if (!where.is_cuda()) require_host_memory(data.memory);
  check(data);
  scoring all(mixtures, options, data.value_count, data.count());
  if (mixtures.columns != 1)
    throw_argument("score_mixture: values given for mixtures over " + std::to_string(mixtures.columns) +
                   " columns; points expected");
  std::vector<std::vector<double>> on_device(where.is_cuda() ? all.width() : 0);
  for (std::size_t k = 0; k < on_device.size(); ++k)
    if (const mixture_part& part = all.part(static_cast<int>(k)); part.family)
      on_device[k] = log_densities_on_device(where, data, mixtures, part, static_cast<int>(k));
  const bool away = data.memory == memory_space::device;
  const cuda::host_batch<T> copy = away ? cuda::copy_of(where, data) : cuda::host_batch<T>();
  const batch_view<T> rows = away ? copy.view(data.view) : data.view;
  const std::int64_t first_of_all = rows.offsets ? rows.offsets[0] : 0;
  constexpr std::int64_t tile = 4096;  // values at a time
  const int threads = where.is_cuda() ? executor::cpu().threads() : where.threads();
  parallel_for(threads, data.count(), 1, [&](std::int64_t fit) {
    if (!all.is_fitted(fit)) return;
    const auto [begin, size] = place_of(rows, fit);
    const int K = all.components(fit);
    const std::vector<double> log_weights = all.log_weights(fit);
    std::vector<double> x, terms;
    for (std::int64_t first = begin; first < begin + size; first += tile) {
      const auto n = static_cast<std::size_t>(std::min(tile, begin + size - first));
      x.assign(rows.values + first, rows.values + first + static_cast<std::int64_t>(n));
      terms.resize(static_cast<std::size_t>(K) * n);
      for (int k = 0; k < K; ++k) {
        double* const to = terms.data() + static_cast<std::size_t>(k) * n;
        if (where.is_cuda() && all.part(k).family)
          std::copy_n(on_device[static_cast<std::size_t>(k)].begin() + first - first_of_all, n, to);
        else
          component_log_density(all.part(k), all.parameters(fit, k), x, to);
        for (std::size_t i = 0; i < n; ++i) to[i] += log_weights[static_cast<std::size_t>(k)];
      }
      for (std::size_t i = 0; i < n; ++i)
        if (!std::isnan(x[i])) all.take(static_cast<std::size_t>(first) + i, K, terms.data() + i, n);
    }
  });
  return std::move(all.scores);
}

/// Rows of several columns, on the CPU in any case: columns of few values are looked up there.
template <class T>
mixture_scores score_points(const executor& where, const point_batch<T>& data, const family_mixture_results& mixtures,
                            const mixture_score_options& options) {
  check(data);
  if (data.view.reader) throw_argument("score_mixture: rows in memory expected");
  if (data.dimensions() != mixtures.columns)
    throw_argument("score_mixture: points of " + std::to_string(data.dimensions()) +
                   " coordinates given for mixtures over " + std::to_string(mixtures.columns) + " columns");
  if (data.dimensions() == 1) return score_any(where, values_of(data), mixtures, options);
  if (!where.is_cuda()) require_host_memory(data.memory);
  const bool away = data.memory == memory_space::device;
  const cuda::host_points<T> copy = away ? cuda::copy_of(where, data) : cuda::host_points<T>();
  points_view<T> rows = away ? copy.view(data.view) : data.view;
  rows.weights = nullptr;
  scoring all(mixtures, options, data.row_count, data.count());
  const int total_threads = where.is_cuda() ? executor::cpu().threads() : where.threads();
  const int inside = data.count() == 1 ? total_threads : 1;
  parallel_for(data.count() == 1 ? 1 : total_threads, data.count(), 1, [&](std::int64_t fit) {
    if (!all.is_fitted(fit)) return;
    const int K = all.components(fit);
    const auto first_row = static_cast<std::size_t>(rows.first_row(fit));
    const std::vector<mixture_part> parts(static_cast<std::size_t>(K), all.part(0));
    const mixture_sample sample = read_mixture_sample(rows, fit, parts[0].family->discrete ? 1 : 0);
    // A row with an infinite cell is outside every support; one of NaN is missing.
    for (std::int64_t i = 0; sample.nonfinite > 0 && i < rows.rows(fit); ++i) {
      const T* const cells = rows.values + (rows.first_row(fit) + i) * rows.dimensions;
      if (std::any_of(cells, cells + rows.dimensions, [](T x) { return std::isinf(x); }))
        all.scores.log_density[first_row + static_cast<std::size_t>(i)] = -std::numeric_limits<double>::infinity();
    }
    const std::vector<double> log_weights = all.log_weights(fit);
    product_densities densities(sample, parts, mixtures.parameter_stride, cpu_mixture_functions());
    densities.set(all.parameters(fit, 0), inside);
    const std::size_t tile = densities.tile_rows();
    struct workspace {
      product_densities::worker own;
      std::vector<double> terms;
    };
    parallel_for(
        inside, static_cast<std::int64_t>((sample.size() + tile - 1) / tile), 1,
        [&](int) {
          return workspace{densities.make_worker(), std::vector<double>(tile * static_cast<std::size_t>(K))};
        },
        [&](workspace& work, std::int64_t at) {
          const std::size_t first = static_cast<std::size_t>(at) * tile, n = std::min(tile, sample.size() - first);
          densities.of_rows(first, n, work.own, work.terms.data(), tile);
          for (std::size_t k = 0; k < log_weights.size(); ++k)
            for (std::size_t i = 0; i < n; ++i) work.terms[k * tile + i] += log_weights[k];
          for (std::size_t i = 0; i < n; ++i)
            all.take(first_row + static_cast<std::size_t>(sample.rows[first + i]), K, work.terms.data() + i, tile);
        });
  });
  return std::move(all.scores);
}

std::vector<double> simulate_any(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                 std::uint64_t seed, std::span<const std::uint64_t> streams) {
  if (size < 0) throw_argument("size: " + std::to_string(size) + " given; 0 or more expected");
  if (!streams.empty() && static_cast<std::int64_t>(streams.size()) != mixtures.count)
    throw_argument("streams: " + std::to_string(streams.size()) + " given for " + std::to_string(mixtures.count) +
                   " mixtures; one for each expected");
  check(mixtures, "simulate_mixture");
  product_of("simulate_mixture", {mixtures.count, size, mixtures.columns});
  const std::size_t n = static_cast<std::size_t>(size), D = static_cast<std::size_t>(mixtures.columns);
  std::vector<double> out(static_cast<std::size_t>(mixtures.count) * n * D, nan);
  for (std::int64_t fit = 0; fit < mixtures.count; ++fit) {
    if (!(mixtures.weight(fit, 0) >= 0)) continue;
    const std::uint64_t stream =
        streams.empty() ? static_cast<std::uint64_t>(fit) : streams[static_cast<std::size_t>(fit)];
    const int K = mixtures.components[static_cast<std::size_t>(fit)];
    // Which component each value comes from, by words of its own; then every component's draws, of which it takes one.
    std::vector<int> source(n);
    for (std::size_t i = 0; i < n; ++i) {
      philox_stream random(~seed, stream, static_cast<std::uint32_t>(i));
      double target = random.uniform();
      int k = 0;
      while (k + 1 < K && target >= mixtures.weight(fit, k)) target -= mixtures.weight(fit, k++);
      source[i] = k;
    }
    double* const to = out.data() + static_cast<std::size_t>(fit) * n * D;
    for (std::size_t distribution = 0; distribution < static_cast<std::size_t>(K) * D; ++distribution) {
      const auto k = static_cast<int>(distribution / D);
      const std::size_t d = distribution % D;
      if (std::find(source.begin(), source.end(), k) == source.end()) continue;
      const mixture_component& part = mixtures.part(k);
      std::vector<double> draws;
      if (part.family) {
        const double* parameters = mixtures.parameters.data() + (mixtures.first_component(fit) * mixtures.columns +
                                                                 static_cast<std::int64_t>(distribution)) *
                                                                    mixtures.parameter_stride;
        draws = simulate(where, *part.family, {parameters, 0, 1}, 1, size,
                         {.seed = seed + static_cast<std::uint64_t>(distribution), .streams = {stream}});
      }
      for (std::size_t i = 0; i < n; ++i)
        if (source[i] == k) to[i * D + d] = part.family ? draws[i] : part.at;
    }
  }
  return out;
}

}  // namespace

mixture_scores score_mixture(const executor& where, const batch<double>& data, const family_mixture_results& mixtures,
                             const mixture_score_options& options) {
  return guarded([&] { return score_any(where, data, mixtures, options); });
}
mixture_scores score_mixture(const executor& where, const batch<float>& data, const family_mixture_results& mixtures,
                             const mixture_score_options& options) {
  return guarded([&] { return score_any(where, data, mixtures, options); });
}

mixture_scores score_mixture(const executor& where, const point_batch<double>& data,
                             const family_mixture_results& mixtures, const mixture_score_options& options) {
  return guarded([&] { return score_points(where, data, mixtures, options); });
}
mixture_scores score_mixture(const executor& where, const point_batch<float>& data,
                             const family_mixture_results& mixtures, const mixture_score_options& options) {
  return guarded([&] { return score_points(where, data, mixtures, options); });
}

std::vector<double> simulate_mixture(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                     std::uint64_t seed, std::span<const std::uint64_t> streams) {
  return guarded([&] { return simulate_any(where, mixtures, size, seed, streams); });
}

}  // namespace manyfit
