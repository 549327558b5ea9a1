// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The results of `manyfit fit`.
#pragma once

#include <string>
#include <vector>

#include "manyfit/fit.hpp"
#include "output/schema.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// What is to be written.
struct fit_report {
  const fit_results& results;
  const std::vector<key_column>& keys;
  std::string precision;
  double level = 0.95;
};

/// NaN for a parameter that is fixed, too.
double std_error_of(const fit_results& results, int parameter, std::int64_t fit);

/// A row for each fit. CSV: key, n, missing, left_out, status, iterations, NAME, NAME_se, NAME_lo, NAME_hi ...,
/// log_likelihood, aic, bic. Of a single one a table has a line for each parameter. The report must outlive it.
schema describe(const fit_report& report);

}  // namespace manyfit::app
