// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "results/mixture_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "input/input_error.hpp"
#include "mixture_models.hpp"
#include "output/result_writer.hpp"
#include "results/result_fields.hpp"

namespace manyfit::app {

bool is_regularized(const mixture_results& results, std::int64_t fit) {
  const auto first = results.regularization.begin() + fit * results.dimensions;
  return std::any_of(first, first + results.dimensions, [](double added) { return added > 0; });
}

namespace {

constexpr int most_coordinates = 8;  // of which a table tells

int component_at(const position& where) {
  return static_cast<int>(where.at[0]);
}
std::size_t at(const position& where, std::size_t depth) {
  return static_cast<std::size_t>(where.at[depth]);
}

double deviation(const mixture_results& r, std::int64_t fit, int k, std::size_t d) {
  return std::sqrt(r.covariance_of(fit, k)[d * static_cast<std::size_t>(r.dimensions) + d]);
}
double correlation(const mixture_results& r, int k, std::size_t i, std::size_t j) {
  return r.covariance_of(0, k)[i * static_cast<std::size_t>(r.dimensions) + j] /
         (deviation(r, 0, k, i) * deviation(r, 0, k, j));
}

/// What a row is, how it ended, and how many components it has.
template <class Results>
schema begin(const mixture_report_of<Results>& report, const std::string& family) {
  const Results& r = report.results;
  schema result{.command = "mixture", .about = {{"family", family}}, .rows = r.count};
  add_keys(result.fields, report.keys);
  add_counts(result.fields, r);
  if constexpr (std::is_same_v<Results, family_mixture_results>)
    result.fields.push_back({.json = "outside", .value = each_of(r.outside), .present = [&r](std::int64_t row) {
                               return r.outside[static_cast<std::size_t>(row)] > 0;
                             }});
  result.fields.push_back(scalar("iterations", each_of(r.iterations)));
  result.fields.push_back(scalar("components", each_of(r.components)));
  return result;
}

/// Adds the number of each component, and its weight.
template <class Results>
void add_components(std::vector<field>& fields, const Results& r, const axes& component) {
  fields.push_back({.many = "component",
                    .one = "component",
                    .value = number([&r](const position& where) {
                      return has_parameters(r, where.row) ? static_cast<double>(where.at[0]) : std::nan("");
                    }),
                    .along = component});
  fields.push_back({.json = "weights",
                    .column = "weight{0}",
                    .many = "weight",
                    .one = "weight",
                    .value = number([&r](const position& where) { return r.weight(where.row, component_at(where)); }),
                    .along = component});
}

/// The components of a fit, of which it may have fewer than another.
template <class Results>
axes component_axis(const Results& r) {
  return {make_axis({.size = r.max_components, .own_size = [&r](const position& where) -> std::int64_t {
                       return has_parameters(r, where.row) ? r.components[static_cast<std::size_t>(where.row)] : -1;
                     }})};
}

/// What stands over the tables of one fit.
template <class Results>
void write_head(const mixture_report_of<Results>& report, const std::string& what, output& to) {
  const Results& r = report.results;
  to.write(fmt::format("{}: {}, {}, n = {}, missing = {}, left out = {}, iterations = {}, on {}\n\n", what,
                       to_string(r.status[0]), counted(r.components[0], "component"), r.observations[0], r.missing[0],
                       r.left_out[0], r.iterations[0], r.device));
}

void write_correlations(const mixture_report& report, output& to) {
  const mixture_results& r = report.results;
  const bool tied = r.covariance == covariance_structure::tied;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 1; i < report.names.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) pairs.emplace_back(i, j);
  const auto component = make_axis({.size = tied ? 1 : r.components[0]}), pair = make_axis({.size = std::ssize(pairs)});
  const auto name_of_component = [=](const position& where) { return tied ? "all" : fmt::format("{}", where.at[0]); };
  const auto names = [&](const position& where) {
    const auto [i, j] = pairs[at(where, 1)];
    return fmt::format("{} x {}", excerpt(report.names[j]), excerpt(report.names[i]));
  };
  const auto value = [&](const position& where) {
    const auto [i, j] = pairs[at(where, 1)];
    return correlation(r, component_at(where), i, j);
  };
  to.write("\n");
  write_lines({.rows = 1,
               .fields = {{.many = "component", .along = {component}, .shown = name_of_component},
                          {.many = "correlation", .value = text({}), .along = {component, pair}, .shown = names},
                          {.many = "", .value = number(value), .along = {component, pair}, .digits = 4}},
               .table_lines = {component, pair}},
              to);
}

/// One fit: a line for each coordinate of each component, then what belongs to all.
void write_one(const mixture_report& report, const schema& what, const axes& lines, output& to) {
  const mixture_results& r = report.results;
  const auto D = static_cast<std::size_t>(r.dimensions);
  write_head(report, fmt::format("gaussian mixture, {} covariance", name_of(r.covariance)), to);
  if (r.tried > 1)
    write_choice(r.fewest_components, r.criteria, r.criteria_regularized, r.components[0], report.select, to);
  if (!has_parameters(r, 0)) return to.write(fmt::format("no parameters: {}\n", describe(r.status[0])));
  write_lines(what, table_form::one, lines, 1, to);
  const bool correlated = r.covariance == covariance_structure::full || r.covariance == covariance_structure::tied;
  if (correlated && D > 1 && D <= most_coordinates) write_correlations(report, to);
  if (is_regularized(r, 0)) {
    to.write("\nadded to the variances:");
    for (std::size_t d = 0; d < D; ++d)
      to.write(
          fmt::format("{} {} {}", d > 0 ? "," : "", excerpt(report.names[d]), readable_number(r.regularization[d])));
    to.write("\n");
  }
  write_likelihood(r, to);
  write_trace(r.log_likelihood_trace, to);
}

}  // namespace

schema describe(const mixture_report& report) {
  const mixture_results& r = report.results;
  const auto D = static_cast<std::size_t>(r.dimensions);
  schema result = begin(report, "gaussian");
  result.about.insert(result.about.end(),
                      {{"covariance", name_of(r.covariance)}, {"device", r.device}, {"precision", report.precision}});
  std::vector<field>& fields = result.fields;

  const axes component = component_axis(r);
  // The same names thrice, since a mean's coordinate and a covariance's row and column are gone through each for
  // itself.
  const axis named{.size = r.dimensions, .labels = report.names, .shown = most_coordinates, .plural = "coordinates"};
  const auto coordinate = make_axis(named), row = make_axis(named), col = make_axis(named);
  add_components(fields, r, component);
  fields.push_back(
      {.one = "coordinate",
       .value = text([&report](const position& where) { return std::string_view(report.names[at(where, 1)]); }),
       .along = {component[0], coordinate}});
  fields.push_back(
      {.json = "means",
       .column = "mean{0}_{1}",
       .many = "mean_{1}",
       .one = "mean",
       .value = number([&r](const position& where) { return r.mean(where.row, component_at(where))[at(where, 1)]; }),
       .along = {component[0], coordinate}});
  fields.push_back({.many = "sd_{1}",
                    .one = "sd",
                    .value = number([&r](const position& where) {
                      return deviation(r, where.row, component_at(where), at(where, 1));
                    }),
                    .along = {component[0], coordinate}});
  fields.push_back({.json = "covariances",
                    .column = "cov{0}_{1}_{2}",
                    .value = number([&r, D](const position& where) {
                      return r.covariance_of(where.row, component_at(where))[at(where, 1) * D + at(where, 2)];
                    }),
                    .along = {component[0], row, col},
                    .lower_triangle = true});
  fields.push_back({.json = "regularization",
                    .column = "regularization_{0}",
                    .value = number([&r, D](const position& where) {
                      return r.regularization[static_cast<std::size_t>(where.row) * D + at(where, 0)];
                    }),
                    .along = {coordinate},
                    .present = [&r](std::int64_t fit) { return is_regularized(r, fit); }});
  add_likelihood(fields, r);
  for (field& each : fields)
    if (each.json == "aic") each.many.reset();
  add_trace(fields, r.log_likelihood_trace);

  result.table_lines = component;
  result.one = [&report, lines = axes{component[0], coordinate}](const schema& what, output& to) {
    write_one(report, what, lines, to);
  };
  return result;
}

schema describe(const family_mixture_report& report) {
  const family_mixture_results& r = report.results;
  const family_info& family = *r.part(0).family;
  schema result = begin(report, family.name);
  result.about.insert(result.about.end(), {{"device", r.device}, {"precision", report.precision}});
  std::vector<field>& fields = result.fields;

  axis parameters{.size = family.parameter_count, .list = false};
  for (int p = 0; p < family.parameter_count; ++p) parameters.labels.push_back(family.parameters[p].name);
  const axes component = component_axis(r);
  add_components(fields, r, component);
  axes lines = component;
  const bool product = r.columns > 1;
  if (product) {
    lines.push_back(make_axis(
        {.size = r.columns, .labels = report.names, .list = false, .shown = most_coordinates, .plural = "columns"}));
    fields.push_back(
        {.one = "column",
         .value = text([&report](const position& where) { return std::string_view(report.names[at(where, 1)]); }),
         .along = lines});
  }
  axes each = lines;
  each.push_back(make_axis(std::move(parameters)));
  fields.push_back({.json = "parameters",
                    .column = product ? "{2}{0}_{1}" : "{1}{0}",
                    .many = product ? "{2}_{1}" : "{1}",
                    .one = product ? "{2}" : "{1}",
                    .value = number([&r, product](const position& where) {
                      return r.parameter(where.row, component_at(where), product ? static_cast<int>(where.at[1]) : 0,
                                         static_cast<int>(where.at[product ? 2 : 1]));
                    }),
                    .along = std::move(each)});
  add_likelihood(fields, r);
  for (field& any : fields)
    if (any.json == "iterations" || any.json == "components" || any.json == "aic") any.many.reset();
  add_trace(fields, r.log_likelihood_trace);

  result.table_lines = component;
  result.one = [&report, &family, lines](const schema& what, output& to) {
    const family_mixture_results& all = report.results;
    write_head(report, fmt::format("mixture of {}{}", all.columns > 1 ? "products of " : "", family.name), to);
    if (all.tried > 1) write_choice(all.fewest_components, all.criteria, {}, all.components[0], report.select, to);
    write_lines(what, table_form::one, lines, 1, to);
    write_likelihood(all, to);
    write_trace(all.log_likelihood_trace, to);
  };
  return result;
}

}  // namespace manyfit::app
