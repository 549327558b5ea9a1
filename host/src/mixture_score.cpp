// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <limits>
#include <type_traits>

#include "checks.hpp"
#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"
#include "kernels/cpu/parallel.hpp"
#include "mixture_parameters.hpp"

namespace manyfit {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class T>
mixture_scores score_any(const executor& where, const point_batch<T>& data, const mixture_results& mixtures,
                         const mixture_score_options& options) {
  check(data);
  check(mixtures, "score_mixture");
  if (mixtures.dimensions != data.dimensions())
    throw error(error::kind::argument, "score_mixture: mixtures of " + std::to_string(mixtures.dimensions) +
                                           " dimensions for points of " + std::to_string(data.dimensions()));
  if (mixtures.count != 1 && mixtures.count != data.count())
    throw error(error::kind::argument, "score_mixture: " + std::to_string(mixtures.count) + " mixtures for " +
                                           std::to_string(data.count()) +
                                           " samples; one for all or one for each expected");
  const auto rows = static_cast<std::size_t>(data.row_count);
  const int width = mixtures.max_components;
  product_of("responsibilities", {data.row_count, width});
  mixture_scores scores;
  scores.log_density.assign(rows, nan);
  if (options.responsibilities) scores.responsibilities.assign(rows * static_cast<std::size_t>(width), nan);
  if (options.labels) scores.labels.assign(rows, -1);
  if (where.is_cuda()) {
    cuda::score_mixtures(where, data, mixtures, scores);
    return scores;
  }
  require_host_memory(data.memory);
  const mixture_operations<T>& functions = cpu_mixture_functions().of<T>();
  const auto run = [&](std::int64_t fit, int threads) {
    const std::int64_t source = mixtures.count == 1 ? 0 : fit, first = data.view.first_row(fit);
    double* const responsibilities =
        options.responsibilities ? scores.responsibilities.data() + first * width : nullptr;
    std::int32_t* const labels = options.labels ? scores.labels.data() + first : nullptr;
    functions.score(data.view, fit, mixtures.covariance, mixtures.components[source], parameters_of(mixtures, source),
                    threads, scores.log_density.data() + first, responsibilities, width, labels);
  };
  if (data.count() == 1)
    run(0, where.threads());
  else
    parallel_for(where.threads(), data.count(), 1, [&](std::int64_t fit) { run(fit, 1); });
  return scores;
}

std::vector<double> simulate_any(const executor& where, const mixture_results& mixtures, std::int64_t size,
                                 std::uint64_t seed, std::span<const std::uint64_t> streams) {
  if (size < 0) throw error(error::kind::argument, "size: " + std::to_string(size) + " given; 0 or more expected");
  if (!streams.empty() && static_cast<std::int64_t>(streams.size()) != mixtures.count)
    throw error(error::kind::argument, "streams: " + std::to_string(streams.size()) + " given for " +
                                           std::to_string(mixtures.count) + " mixtures; one for each expected");
  check(mixtures, "simulate_mixture");
  const std::int64_t each = product_of("simulate_mixture", {size, mixtures.dimensions});
  const std::int64_t all = product_of("simulate_mixture", {mixtures.count, each});
  std::vector<double> out(static_cast<std::size_t>(all), nan);
  for (std::int64_t fit = 0; fit < mixtures.count; ++fit) {
    const mixture_parameters parameters = parameters_of(mixtures, fit);
    if (!(parameters.weights[0] >= 0)) continue;
    simulate_mixture_points(mixtures.dimensions, mixtures.components[fit], parameters, size, seed,
                            streams.empty() ? static_cast<std::uint64_t>(fit) : streams[fit], out.data() + fit * each,
                            where.threads());
  }
  return out;
}

}  // namespace

mixture_scores score_mixture(const executor& where, const point_batch<double>& data, const mixture_results& mixtures,
                             const mixture_score_options& options) {
  return guarded([&] { return score_any(where, data, mixtures, options); });
}
mixture_scores score_mixture(const executor& where, const point_batch<float>& data, const mixture_results& mixtures,
                             const mixture_score_options& options) {
  return guarded([&] { return score_any(where, data, mixtures, options); });
}

std::vector<double> simulate_mixture(const executor& where, const mixture_results& mixtures, std::int64_t size,
                                     std::uint64_t seed, std::span<const std::uint64_t> streams) {
  return guarded([&] { return simulate_any(where, mixtures, size, seed, streams); });
}

}  // namespace manyfit
