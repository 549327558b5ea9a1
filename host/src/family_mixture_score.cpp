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
#include "kernels/cpu/mixture_of_passes.hpp"
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
  std::vector<double> parameters(static_cast<std::size_t>(sets * P), nan),
      out(static_cast<std::size_t>(data.value_count));
  for (std::int64_t i = 0; i < sets; ++i)
    for (std::int64_t p = 0; p < P && k < mixtures.components[static_cast<std::size_t>(i)]; ++p)
      parameters[static_cast<std::size_t>(p * sets + i)] = mixtures.parameter(i, k, static_cast<int>(p));
  cuda::log_density(where, *part.family, data, {parameters.data(), shared ? 0 : 1, sets}, out.data());
  return out;
}

template <class T>
mixture_scores score_any(const executor& where, const batch<T>& data, const family_mixture_results& mixtures,
                         const mixture_score_options& options) {
  if (!where.is_cuda()) require_host_memory(data.memory);
  check(data);
  check(mixtures, "score_mixture");
  product_of("responsibilities", {data.value_count, mixtures.max_components});
  if (mixtures.count != 1 && mixtures.count != data.count())
    refuse("score_mixture: " + std::to_string(mixtures.count) + " mixtures for " + std::to_string(data.count()) +
           " samples; one for all or one for each expected");
  std::vector<mixture_part> seen;
  for (const mixture_component& part : mixtures.parts) seen.push_back(part_for(part, false));
  const auto values = static_cast<std::size_t>(data.value_count),
             width = static_cast<std::size_t>(mixtures.max_components);
  mixture_scores scores;
  scores.log_density.assign(values, nan);
  if (options.responsibilities) scores.responsibilities.assign(values * width, nan);
  if (options.labels) scores.labels.assign(values, -1);
  const auto part_of = [&](int k) -> const mixture_part& {
    return seen[seen.size() == 1 ? 0 : static_cast<std::size_t>(k)];
  };
  std::vector<std::vector<double>> on_device(where.is_cuda() ? width : 0);
  for (std::size_t k = 0; k < on_device.size(); ++k)
    if (const mixture_part& part = part_of(static_cast<int>(k)); part.family)
      on_device[k] = log_densities_on_device(where, data, mixtures, part, static_cast<int>(k));
  const bool away = data.memory == memory_space::device;
  const cuda::host_batch<T> copy = away ? cuda::copy_of(where, data) : cuda::host_batch<T>();
  const batch_view<T> rows = away ? copy.view(data.view) : data.view;
  const std::int64_t first_of_all = rows.offsets ? rows.offsets[0] : 0;
  constexpr std::int64_t piece = 4096;  // values at a time
  const int threads = where.is_cuda() ? executor::cpu().threads() : where.threads();
  parallel_for(threads, data.count(), 1, [&](std::int64_t fit) {
    const std::int64_t source = mixtures.count == 1 ? 0 : fit;
    if (!(mixtures.weight(source, 0) >= 0)) return;
    const auto [begin, size] = place_of(rows, fit);
    const int K = mixtures.components[static_cast<std::size_t>(source)];
    double total = 0;  // weights given by hand need not sum to one
    for (int k = 0; k < K; ++k) total += mixtures.weight(source, k);
    std::vector<double> x, terms;
    for (std::int64_t first = begin; first < begin + size; first += piece) {
      const auto n = static_cast<std::size_t>(std::min(piece, begin + size - first));
      x.assign(rows.values + first, rows.values + first + static_cast<std::int64_t>(n));
      terms.resize(static_cast<std::size_t>(K) * n);
      for (int k = 0; k < K; ++k) {
        double* const to = terms.data() + static_cast<std::size_t>(k) * n;
        if (where.is_cuda() && part_of(k).family)
          std::copy_n(on_device[static_cast<std::size_t>(k)].begin() + first - first_of_all, n, to);
        else
          component_log_density(
              part_of(k), mixtures.parameters.data() + (mixtures.first_component(source) + k) * mixtures.parameter_room,
              x, to);
        for (std::size_t i = 0; i < n; ++i) to[i] += std::log(mixtures.weight(source, k) / total);
      }
      for (std::size_t i = 0; i < n; ++i) {
        if (std::isnan(x[i])) continue;
        const std::size_t row = static_cast<std::size_t>(first) + i;
        double most = -std::numeric_limits<double>::infinity(), sum = 0;
        int likeliest = 0;
        bool usable = true;  // parameters that the family cannot have give no density
        for (int k = 0; k < K; ++k) {
          const double term = terms[static_cast<std::size_t>(k) * n + i];
          usable = usable && !std::isnan(term);
          if (term > most) {
            most = term;
            likeliest = k;
          }
        }
        if (!usable) continue;
        if (std::isinf(most)) {  // outside every support: a density of 0, and no share for anyone
          scores.log_density[row] = most;
          continue;
        }
        for (int k = 0; k < K; ++k) sum += std::exp(terms[static_cast<std::size_t>(k) * n + i] - most);
        scores.log_density[row] = most + std::log(sum);
        if (options.labels) scores.labels[row] = likeliest;
        for (int k = 0; k < K && options.responsibilities; ++k)
          scores.responsibilities[row * width + static_cast<std::size_t>(k)] =
              std::exp(terms[static_cast<std::size_t>(k) * n + i] - most) / sum;
      }
    }
  });
  return scores;
}

std::vector<double> simulate_any(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                 std::uint64_t seed, std::span<const std::uint64_t> streams) {
  if (size < 0) refuse("size: " + std::to_string(size) + " given; 0 or more expected");
  if (!streams.empty() && static_cast<std::int64_t>(streams.size()) != mixtures.count)
    refuse("streams: " + std::to_string(streams.size()) + " given for " + std::to_string(mixtures.count) +
           " mixtures; one for each expected");
  check(mixtures, "simulate_mixture");
  product_of("simulate_mixture", {mixtures.count, size});
  const auto n = static_cast<std::size_t>(size);
  std::vector<double> out(static_cast<std::size_t>(mixtures.count) * n, nan);
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
    double* const to = out.data() + static_cast<std::size_t>(fit) * n;
    for (int k = 0; k < K; ++k) {
      const mixture_component& part = mixtures.part(k);
      std::vector<double> draws;
      if (part.family) {
        const double* parameters =
            mixtures.parameters.data() + (mixtures.first_component(fit) + k) * mixtures.parameter_room;
        draws = simulate(where, *part.family, {parameters, 0, 1}, 1, size,
                         {.seed = seed + static_cast<std::uint64_t>(k), .streams = {stream}});
      }
      for (std::size_t i = 0; i < n; ++i)
        if (source[i] == k) to[i] = part.family ? draws[i] : part.at;
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

std::vector<double> simulate_mixture(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                     std::uint64_t seed, std::span<const std::uint64_t> streams) {
  return guarded([&] { return simulate_any(where, mixtures, size, seed, streams); });
}

}  // namespace manyfit
