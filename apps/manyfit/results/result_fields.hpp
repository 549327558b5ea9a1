// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// Fields that several results have: what a row is by, its counts, its likelihood.
#pragma once

#include <string>
#include <vector>

#include "manyfit/mixture.hpp"
#include "manyfit/status.hpp"
#include "output/schema.hpp"
#include "output/text.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// Adds the parts of the rows' keys, if there are any.
void add_keys(std::vector<field>& fields, const std::vector<key_column>& keys);

/// Adds n, missing, left_out and status.
template <class Results>
void add_counts(std::vector<field>& fields, const Results& r) {
  fields.push_back(scalar("n", each_of(r.observations)));
  fields.push_back(scalar("missing", each_of(r.missing)));
  fields.push_back(scalar("left_out", each_of(r.left_out)));
  fields.push_back(scalar("status", text([&r](const position& where) {
                            return std::string_view(to_string(r.status[static_cast<std::size_t>(where.row)]));
                          })));
}

/// Whether these are of fits with priors, which have the height of the posterior too.
template <class Results>
bool has_posterior(const Results& r) {
  if constexpr (requires { r.log_posterior; })
    return !r.log_posterior.empty();
  else
    return false;
}

/// Adds log_likelihood, log_posterior where there are priors, aic and bic, with the digits that large samples need.
template <class Results>
void add_likelihood(std::vector<field>& fields, const Results& r) {
  const std::size_t first = fields.size();
  fields.push_back(scalar("log_likelihood", each_of(r.log_likelihood)));
  if constexpr (requires { r.log_posterior; })
    if (has_posterior(r)) fields.push_back(scalar("log_posterior", each_of(r.log_posterior)));
  fields.push_back(scalar("aic", number([&r](const position& where) { return r.aic(where.row); })));
  fields.push_back(scalar("bic", number([&r](const position& where) { return r.bic(where.row); })));
  for (std::size_t i = first; i < fields.size(); ++i) fields[i].digits = 8;
}

/// The same of a single row, for people.
template <class Results>
void write_likelihood(const Results& r, output& to) {
  std::string posterior;
  if constexpr (requires { r.log_posterior; })
    if (has_posterior(r)) posterior = "  log_posterior " + readable_number(r.log_posterior[0], 8);
  to.write("\nlog_likelihood " + readable_number(r.log_likelihood[0], 8) + posterior + "  aic " +
           readable_number(r.aic(0), 8) + "  bic " + readable_number(r.bic(0), 8) + "\n");
}

/// "1 component", "2 components".
std::string counted(std::int64_t count, const char* what);

/// On stderr: how many rows ended how, each with what that means; `outside` is added to what is said of out_of_support.
void tell_outcome(const std::vector<fit_status>& status, std::int64_t outside = 0);

/// Adds the log-likelihoods after each iteration, if they were kept.
void add_trace(std::vector<field>& fields, const std::vector<std::vector<double>>& trace);

/// For people: those of a single fit, if they were kept.
void write_trace(const std::vector<std::vector<double>>& trace, output& to);

/// For people: how the numbers of components compare, and which was taken.
void write_choice(int fewest, const std::vector<double>& criteria, const std::vector<std::uint8_t>& regularized,
                  int taken, information_criterion by, output& to);

}  // namespace manyfit::app
