// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "manyfit/fit.hpp"

namespace manyfit {

// A parameters_view holds parameters to evaluate at, host memory, in the family's order: values[p * row + fit *
// stride]. One set for all samples: {values, 0, 1}. The parameters of a fit_results: parameters_of(results).

/// The parameters of every fit of a batch.
inline parameters_view parameters_of(const fit_results& results) {
  if (results.count < 0 ||
      results.parameters.size() / static_cast<std::size_t>(std::max(1, results.parameter_count())) <
          static_cast<std::size_t>(results.count))
    throw error(error::kind::argument, "parameters: " + std::to_string(results.parameters.size()) + " given for " +
                                           std::to_string(results.count) + " fits");
  return {results.parameters.data(), 1, results.count};
}

/// log f(x) of every value under its own sample's parameters, in input order: [values of all samples], host memory,
/// nats. −inf outside the support; NaN for a missing value or where the sample's parameters are not valid.
std::vector<double> log_density(const executor& where, const family_info& family, const batch<double>& data,
                                const parameters_view& parameters);
std::vector<double> log_density(const executor& where, const family_info& family, const batch<float>& data,
                                const parameters_view& parameters);

/// Σ w log f(x) of every sample: [count], host memory, nats. −inf with a value outside the support, NaN with a value
/// that is not finite or parameters that are not valid, 0 for an empty sample; missing values are left out.
std::vector<double> log_likelihood(const executor& where, const family_info& family, const batch<double>& data,
                                   const parameters_view& parameters);
std::vector<double> log_likelihood(const executor& where, const family_info& family, const batch<float>& data,
                                   const parameters_view& parameters);

/// How to draw.
struct simulate_options {
  std::uint64_t seed = 0;
  /// Which stream of random words each fit uses, [count] host memory; empty: its index. Equal streams draw equal words.
  std::vector<std::uint64_t> streams = {};
};

/// `size` draws from each of `count` distributions: [count × size], host memory. NaN where parameters are not valid.
/// Philox4x32-10 words: the same on CPU and CUDA; draws agree to rounding of the elementary functions.
std::vector<double> simulate(const executor& where, const family_info& family, const parameters_view& parameters,
                             std::int64_t count, std::int64_t size, const simulate_options& options = {});

}  // namespace manyfit
