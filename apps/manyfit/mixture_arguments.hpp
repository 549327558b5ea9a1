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

/// Fit mixtures and write them; the exit code.
int run_gaussian_mixture(const mixture_arguments& arguments, const executor& where, output_format format, output& to);
int run_family_mixture(const mixture_arguments& arguments, const executor& where, output_format format, output& to);

}  // namespace manyfit::app
