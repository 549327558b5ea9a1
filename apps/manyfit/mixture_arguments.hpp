// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// What `manyfit mixture` was asked for, and its two kinds: gaussian components, and components of another family.
#pragma once

#include <string>
#include <vector>

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

/// Whether a fit is to count as failed for --fail-on any: with tolerance 0 the iterations were asked for.
bool any_failed(const mixture_arguments& arguments, const std::vector<fit_status>& status);

}  // namespace manyfit::app
