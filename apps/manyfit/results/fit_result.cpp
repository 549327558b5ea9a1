// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "results/fit_result.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "output/result_writer.hpp"
#include "results/result_fields.hpp"

namespace manyfit::app {

double std_error_of(const fit_results& results, int parameter, std::int64_t fit) {
  const double error = results.std_error(parameter, fit);
  const bool is_fixed = (results.fixed >> parameter) & 1u;
  return is_fixed || !std::isfinite(error) ? std::numeric_limits<double>::quiet_NaN() : error;
}

namespace {

int parameter_at(const position& where) {
  return static_cast<int>(where.at[0]);
}

/// What is said of a parameter of a fit; NaN where there is no such number.
struct estimate {
  std::int64_t row = -1;
  double std_error, bounds[2];
};

/// Estimates by position, worked out once though several fields ask for them in turn.
class estimates {
 public:
  explicit estimates(const fit_report& report)
      : report_(report), last_(static_cast<std::size_t>(report.results.parameter_count())) {}
  const estimate& operator()(const position& where) {
    estimate& known = last_[static_cast<std::size_t>(where.at[0])];
    if (known.row == where.row) return known;
    const int p = parameter_at(where);
    const double error = std_error_of(report_.results, p, where.row);
    known = {where.row, error, {error, error}};
    if (std::isnan(error)) return known;
    const fit_results::bounds ends = report_.results.interval(p, where.row, report_.level);
    known.bounds[0] = ends.lower;
    known.bounds[1] = ends.upper;
    return known;
  }

 private:
  const fit_report& report_;
  std::vector<estimate> last_;  // [parameters]
};

axes parameter_axis(const fit_results& r) {
  axis parameters{.size = r.parameter_count(), .list = false};
  for (int p = 0; p < r.parameter_count(); ++p) parameters.labels.push_back(r.family->parameters[p].name);
  return {make_axis(std::move(parameters))};
}

/// What stands over the table of one fit.
void write_head(const fit_report& report, output& to) {
  const fit_results& r = report.results;
  const auto where_any = [](const char* name, std::int64_t count) {
    return count > 0 ? fmt::format(", {} = {}", name, count) : std::string();
  };
  to.write(fmt::format("{}: {}, n = {}, missing = {}{}{}, iterations = {}, on {}\n\n", r.family->name,
                       to_string(r.status[0]), r.observations[0], r.missing[0], where_any("left out", r.left_out[0]),
                       where_any("outside", r.outside[0]), r.iterations[0], r.device));
}

}  // namespace

schema describe(const fit_report& report) {
  const fit_results& r = report.results;
  schema result{.command = "fit",
                .about = {{"family", r.family->name}, {"device", r.device}, {"precision", report.precision}},
                .rows = r.count};
  std::vector<field>& fields = result.fields;
  add_keys(fields, report.keys);
  if (report.keys.empty())
    fields.push_back({.many = "row", .value = integer([](const position& where) { return where.row + 1; })});
  add_counts(fields, r);
  fields.push_back({.json = "outside", .value = each_of(r.outside), .present = [&r](std::int64_t row) {
                      return r.outside[static_cast<std::size_t>(row)] > 0;
                    }});
  fields.push_back(scalar("iterations", each_of(r.iterations)));

  const axes parameter = parameter_axis(r);
  const auto of = std::make_shared<estimates>(report);
  const auto bound =
      make_axis({.size = 2,
                 .labels = {"lo", "hi"},
                 .own_size = [of](const position& where) { return std::isnan((*of)(where).std_error) ? -1 : 2; },
                 .nan_beyond = true});
  fields.push_back(
      {.one = "parameter",
       .value = text([&r](const position& where) { return std::string_view(r.family->parameters[where.at[0]].name); }),
       .along = parameter,
       .shown = [&r](const position& where) {
         const bool is_fixed = (r.fixed >> parameter_at(where)) & 1u;
         return r.family->parameters[where.at[0]].name + std::string(is_fixed ? " (fixed)" : "");
       }});
  fields.push_back(
      {.json = "parameters",
       .column = "{0}",
       .many = "{0}",
       .one = "estimate",
       .value = number([&r](const position& where) { return r.parameter(parameter_at(where), where.row); }),
       .along = parameter});
  fields.push_back({.json = "std_errors",
                    .column = "{0}_se",
                    .many = "{0}_se",
                    .one = "std_error",
                    .value = number([of](const position& where) { return (*of)(where).std_error; }),
                    .along = parameter});
  fields.push_back({.json = "interval",
                    .column = "{0}_{1}",
                    .one = fmt::format("{:.10g}%_{{1}}", 100 * report.level),
                    .value = number([of](const position& where) { return (*of)(where).bounds[where.at[1]]; }),
                    .along = {parameter[0], bound}});
  add_likelihood(fields, r);
  result.one = [&report, parameter](const schema& what, output& to) {
    write_head(report, to);
    write_lines(what, table_form::one, parameter, 1, to);
    write_likelihood(report.results, to);
  };
  return result;
}

}  // namespace manyfit::app
