// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// What `manyfit mixture` was asked for, and its two kinds: gaussian components, and components of another family.
#pragma once

#include <string>
#include <vector>

#include "input/model_json.hpp"
#include "manyfit/mixture.hpp"
#include "options.hpp"
#include "point_samples.hpp"

namespace manyfit::app {

struct mixture_arguments {
  common_options common;
  point_request input;
  std::string family, by, columns, column, components, select = "bic", covariance, init, start, plot;
  double regularize = -1;
  bool regularize_given = false;
  std::vector<std::string> fixed;  ///< of another family than gaussian
  mixture_options options;
};

/// Fits mixtures of another family than gaussian and writes them; the exit code.
int run_family_mixture(const mixture_arguments& arguments, const executor& where, output_format format, output& to);

/// The lines on stderr that say how many starts there were and how fits ended.
void print_outcome(const mixture_arguments& arguments, int fewest, int tried, const std::vector<fit_status>& status);

/// Which mixture of the document --start each of `count` fits starts from: by key where the document has keys, the one
/// that there is for all, or in order. Throws input_error where a fit has none, usage_error where it contradicts
/// --components or --by.
std::vector<std::int64_t> starts_of_fits(const mixture_arguments& arguments, const model& document,
                                         const std::vector<key_column>& keys, std::int64_t count);

/// Whether a fit is to count as failed for --fail-on any: with tolerance 0 the iterations were asked for.
bool any_failed(const mixture_arguments& arguments, const std::vector<fit_status>& status);

}  // namespace manyfit::app
