// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What tests of priors share: fits with them, and the log-posterior by what is public elsewhere.
#pragma once

#include "family_tests.hpp"

namespace manyfit::tests {

using priors = std::map<std::string, prior_distribution>;

/// The log-density of a prior, by log_density() of its family.
inline double log_prior(const prior_distribution& prior, double value) {
  const std::vector<double> x{value};
  return log_density(executor::cpu(1), find_family(prior.family), dense(std::span<const double>(x), 1),
                     one_set(prior.parameters))[0];
}

/// Σ w log f + Σ log prior of the parameters p.
inline double log_posterior_at(const family_info& family, const std::vector<double>& p, const priors& believed,
                               const std::vector<double>& x, const std::vector<double>& weights = {}) {
  double sum = log_likelihood_at(family, p, x, weights);
  for (const auto& [name, prior] : believed) sum += log_prior(prior, p[find_parameter(family, name)]);
  return sum;
}

inline fit_results fit_with(const family_info& family, const std::vector<double>& x, const priors& believed,
                            fit_options options = {}, const std::vector<double>& weights = {}) {
  options.priors = believed;
  return fit_sample(family, x, weights, options);
}
inline fit_results fit_with(const char* family, const std::vector<double>& x, const priors& believed,
                            const fit_options& options = {}, const std::vector<double>& weights = {}) {
  return fit_with(find_family(family), x, believed, options, weights);
}

}  // namespace manyfit::tests
