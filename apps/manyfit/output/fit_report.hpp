// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The results of `manyfit fit` in every form in which they can be written.
#pragma once

#include <string>
#include <vector>

#include "input/table.hpp"
#include "manyfit/fit.hpp"
#include "output/output.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// What is to be written.
struct fit_report {
  const fit_results& results;
  const std::vector<key_column>& keys;
  std::string precision;
  double level = 0.95;
};

/// What is said about one parameter of one fit; NaN where there is no such number.
struct estimate {
  double value, std_error, lower, upper;
};
estimate estimate_of(const fit_report& report, int parameter, std::int64_t fit);

void write_fit_json(const fit_report& report, output& to);
void write_fit_csv(const fit_report& report, output& to);
/// On a terminal only the first of very many fits, with a line that says so.
void write_fit_table(const fit_report& report, output& to);
/// The columns of the CSV, typed: for Parquet.
table fit_columns(const fit_report& report);

}  // namespace manyfit::app
