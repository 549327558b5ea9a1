// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The results of `manyfit mixture` in every form in which they can be written.
#pragma once

#include <string>
#include <vector>

#include "input/table.hpp"
#include "manyfit/mixture.hpp"
#include "output/output.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// What is to be written.
struct mixture_report {
  const mixture_results& results;
  const std::vector<key_column>& keys;
  const std::vector<std::string>& names;  ///< of the coordinates
  std::string precision;
  information_criterion select = information_criterion::bic;
};

/// "full", "diagonal", "tied" or "spherical".
const char* name_of(covariance_structure structure);

/// Whether anything was added to the diagonals of the fit's covariances.
bool is_regularized(const mixture_results& results, std::int64_t fit);

void write_mixture_json(const mixture_report& report, output& to);
/// One line per fit: key, n, missing, left_out, status, iterations, components, weight0 ..., mean0_NAME ...,
/// cov0_NAME_NAME ..., regularization_NAME ..., log_likelihood, aic, bic.
void write_mixture_csv(const mixture_report& report, output& to);
/// A single fit with its components side by side; several fits with a line for each component.
void write_mixture_table(const mixture_report& report, output& to);
/// The columns of the CSV, typed: for Parquet.
table mixture_columns(const mixture_report& report);

}  // namespace manyfit::app
