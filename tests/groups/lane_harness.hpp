// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs sample_work, the body of CUDA's kernels, for fits with threads as lanes over a ragged batch.
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "kernels/cuda/work.hpp"
#include "kernels/groups/lane_context.hpp"

namespace manyfit {

struct ragged_sample {
  std::vector<double> values, weights;
  std::vector<std::int64_t> offsets{0};

  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  /// Fit number i as a batch of its own.
  ragged_sample only(std::size_t i) const {
    ragged_sample one;
    one.values.assign(values.begin() + offsets[i], values.begin() + offsets[i + 1]);
    if (!weights.empty()) one.weights.assign(weights.begin() + offsets[i], weights.begin() + offsets[i + 1]);
    one.offsets.push_back(static_cast<std::int64_t>(one.values.size()));
    return one;
  }
};

struct lane_results {
  std::int64_t count;
  int parameter_count;
  std::vector<double> parameters, std_errors, log_likelihood;
  std::vector<std::int32_t> iterations;
  std::vector<fit_status> status;
  std::vector<std::int64_t> observations, missing, left_out, outside;

  lane_results(std::int64_t fits, int p)
      : count(fits),
        parameter_count(p),
        parameters(fits * p, -1),
        std_errors(fits * p, -1),
        log_likelihood(fits, -1),
        iterations(fits, -1),
        status(fits, fit_status::not_run),
        observations(fits, -1),
        missing(fits, -1),
        left_out(fits, -1),
        outside(fits, -1) {}
  fit_results_view view() {
    return {parameters.data(), std_errors.data(),   log_likelihood.data(), iterations.data(),
            status.data(),     observations.data(), missing.data(),        count,
            left_out.data(),   outside.data()};
  }
  /// Whether fit i here and fit j there agree in every bit.
  bool same_fit(std::size_t i, const lane_results& other, std::size_t j) const {
    const auto same = [](const auto& a, const auto& b) { return std::memcmp(&a, &b, sizeof a) == 0; };
    bool equal = same(log_likelihood[i], other.log_likelihood[j]) && iterations[i] == other.iterations[j] &&
                 status[i] == other.status[j] && observations[i] == other.observations[j] &&
                 missing[i] == other.missing[j] && left_out[i] == other.left_out[j] && outside[i] == other.outside[j];
    for (int p = 0; p < parameter_count; ++p)
      equal = equal && same(parameters[p * count + i], other.parameters[p * other.count + j]) &&
              same(std_errors[p * count + i], other.std_errors[p * other.count + j]);
    return equal;
  }
};

/// Lanes that share a buffer.
template <reach Reach>
int neighbours(int warps) {
  return Reach == reach::part ? lane_team::part_lanes : Reach == reach::warp ? 32 : 32 * warps;
}

/// Fits of a batch by the groups of a team; `capacity` values of each stay resident, and as many as a group
/// needs at least. T: float or double data.
template <class Family, reach Reach, class T = double>
lane_results run_fits(const ragged_sample& data, int blocks, int warps, std::int64_t capacity,
                      const std::vector<std::int32_t>* order = nullptr, const fit_settings& settings = {}) {
  const std::vector<T> values(data.values.begin(), data.values.end()),
      weights(data.weights.begin(), data.weights.end());
  const batch_view<T> batch{values.data(), weights.empty() ? nullptr : weights.data(), data.offsets.data(), 0,
                            data.count()};
  lane_results results(data.count(), parameter_count<Family>);
  const fit_results_view view = results.view();
  const std::int64_t bounds[2] = {0, data.count()};
  std::int64_t next = 0;
  const work_list work{order ? order->data() : nullptr, bounds, &next};
  lane_team team(blocks, warps);
  const std::int64_t allocated = std::max(
      capacity, lanes_group<family_rows<Family>, T, lane_context<true>>::least_capacity(neighbours<Reach>(warps)));
  std::vector<std::vector<T>> buffers(blocks * warps * 32 / neighbours<Reach>(warps),
                                      std::vector<T>(static_cast<std::size_t>(allocated)));
  run_lanes<Reach>(team, [&](auto& context, int thread) {
    T* const buffer = buffers[thread / neighbours<Reach>(warps)].data();
    sample_work<fit_operation, Family>(context, buffer, allocated, work, batch, settings, view);
  });
  return results;
}

}  // namespace manyfit
