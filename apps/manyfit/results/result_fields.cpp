// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "results/result_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/support/messages.hpp"
#include "output/result_writer.hpp"

namespace manyfit::app {

void add_keys(std::vector<field>& fields, const std::vector<key_column>& keys) {
  if (keys.empty()) return;
  axis parts{.size = std::ssize(keys), .list = false};
  for (const key_column& key : keys) parts.labels.push_back(key.name);
  fields.push_back({.json = "key",
                    .column = "{0}",
                    .many = "{0}",
                    .value = text([&keys](const position& where) {
                      return std::string_view(
                          keys[static_cast<std::size_t>(where.at[0])].texts[static_cast<std::size_t>(where.row)]);
                    }),
                    .along = {make_axis(std::move(parts))},
                    .key = true});
}

void add_trace(std::vector<field>& fields, const std::vector<std::vector<double>>& trace) {
  if (trace.empty()) return;
  const auto of = [&trace](const position& where) -> const std::vector<double>& {
    return trace[static_cast<std::size_t>(where.row)];
  };
  fields.push_back(
      {.json = "log_likelihood_trace",
       .value = number([of](const position& where) { return of(where)[static_cast<std::size_t>(where.at[0])]; }),
       .along = {make_axis({.own_size = [of](const position& where) { return std::ssize(of(where)); }})}});
}

void write_trace(const std::vector<std::vector<double>>& trace, output& to) {
  if (trace.empty()) return;
  const std::vector<double>& values = trace[0];
  to.write("\n");
  write_lines({.rows = std::ssize(values),
               .fields = {{.many = "iteration", .value = integer([](const position& at) { return at.row; })},
                          {.many = "log_likelihood", .value = each_of(values), .digits = 12}}},
              to);
}

std::string counted(std::int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void tell_outcome(const std::vector<fit_status>& status, std::int64_t outside) {
  for (int i = 0; i < fit_status_count; ++i) {
    const auto each = static_cast<fit_status>(i);
    const auto count = std::count(status.begin(), status.end(), each);
    if (count == 0) continue;
    const bool explained = each != fit_status::converged,
               tells_outside = each == fit_status::out_of_support && outside > 0;
    tell("  {} {}{}{}{}\n", count, to_string(each), explained ? ": " : "", explained ? describe(each) : "",
         tells_outside ? fmt::format(" {} outside.", counted(outside, "value")) : "");
  }
}

void write_choice(int fewest, const std::vector<double>& criteria, const std::vector<std::uint8_t>& regularized,
                  int taken, information_criterion by, output& to) {
  const double least = std::accumulate(criteria.begin(), criteria.end(), std::nan(""),
                                       [](double a, double b) { return a <= b || std::isnan(b) ? a : b; });
  const auto note = [&](const position& at) -> std::string {
    const auto i = static_cast<std::size_t>(at.row);
    if (std::isnan(criteria[i])) return "no fit";
    const bool kept_by_regularization = !regularized.empty() && regularized[i] != 0;
    if (fewest + at.row != taken) return kept_by_regularization ? "regularized" : "";
    return fmt::format("<- {}, taken{}", criteria[i] <= least ? "lowest" : "lowest of those not regularized",
                       kept_by_regularization ? " (regularized)" : "");
  };
  write_lines(
      {.rows = std::ssize(criteria),
       .fields = {{.many = "components", .value = integer([&](const position& at) { return fewest + at.row; })},
                  {.many = by == information_criterion::bic ? "bic" : "aic", .value = each_of(criteria), .digits = 8},
                  {.many = "", .value = text({}), .shown = note}}},
      to);
  to.write("\n");
}

}  // namespace manyfit::app
