// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The results of `manyfit mixture`: of Gaussian components, and of components of another family.
#pragma once

#include <string>
#include <vector>

#include "manyfit/family_mixture.hpp"
#include "manyfit/mixture.hpp"
#include "output/schema.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// What is to be written.
template <class Results>
struct mixture_report_of {
  const Results& results;
  const std::vector<key_column>& keys;
  const std::vector<std::string>& names;  ///< of the coordinates
  std::string precision;
  information_criterion select = information_criterion::bic;
};
using mixture_report = mixture_report_of<mixture_results>;
using family_mixture_report = mixture_report_of<family_mixture_results>;

/// Whether anything was added to the diagonals of the fit's covariances.
bool is_regularized(const mixture_results& results, std::int64_t fit);

/// Whether the fit has parameters.
template <class Results>
bool has_parameters(const Results& results, std::int64_t fit) {
  return results.components[static_cast<std::size_t>(fit)] > 0 && results.weight(fit, 0) >= 0;
}

/// A row for each fit. CSV: key, n, missing, left_out, status, iterations, components, weight0, mean0_NAME ...,
/// cov0_NAME_NAME ..., weight1 ..., regularization_NAME ..., log_likelihood, aic, bic. Tables have a line for each
/// component, of a single fit for each coordinate of each. The report must outlive it.
schema describe(const mixture_report& report);

/// The same with weight0, NAME0 ... of the family's parameters; of products NAME0_COLUMN ... Tables have a line for
/// each component, of a single fit of products for each column of each.
schema describe(const family_mixture_report& report);

}  // namespace manyfit::app
