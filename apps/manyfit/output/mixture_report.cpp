// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/mixture_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>

#include "manyfit/manyfit.hpp"
#include "output/text.hpp"

namespace manyfit::app {

const char* name_of(covariance_structure structure) {
  static constexpr const char* names[covariance_structure_count] = {"full", "diagonal", "tied", "spherical"};
  return names[static_cast<int>(structure)];
}

namespace {

bool has_parameters(const mixture_results& results, std::int64_t fit) {
  return results.components[static_cast<std::size_t>(fit)] > 0 && results.weight(fit, 0) >= 0;
}

/// [a, b, ...] of what append(i) writes.
template <class Append>
void append_array(std::string& text, std::int64_t count, Append append) {
  text += '[';
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    append(i);
  }
  text += ']';
}

void append_json_fit(std::string& text, const mixture_report& report, std::int64_t fit,
                     const std::vector<std::string>& key_names) {
  const mixture_results& results = report.results;
  const auto at = static_cast<std::size_t>(fit);
  const std::int64_t K = results.components[at], D = results.dimensions;
  text += '{';
  for (std::size_t i = 0; i < key_names.size(); ++i) {
    text += i == 0 ? "\"key\": {" : ", ";
    text += key_names[i];
    append_json_text(text, report.keys[i].texts[at]);
  }
  if (!key_names.empty()) text += "}, ";
  text += fmt::format("\"n\": {}, \"missing\": {}, \"status\": \"{}\", \"iterations\": {}, \"components\": {}",
                      results.observations[at], results.missing[at], to_string(results.status[at]),
                      results.iterations[at], K);
  if (!has_parameters(results, fit)) {
    text += ", \"weights\": null, \"means\": null, \"covariances\": null";
  } else {
    text += ", \"weights\": ";
    append_array(text, K, [&](std::int64_t k) { append_json_number(text, results.weight(fit, static_cast<int>(k))); });
    text += ", \"means\": ";
    append_array(text, K, [&](std::int64_t k) {
      const auto mean = results.mean(fit, static_cast<int>(k));
      append_array(text, D, [&](std::int64_t d) { append_json_number(text, mean[static_cast<std::size_t>(d)]); });
    });
    text += ", \"covariances\": ";
    append_array(text, K, [&](std::int64_t k) {
      const auto covariance = results.covariance_of(fit, static_cast<int>(k));
      append_array(text, D, [&](std::int64_t row) {
        append_array(text, D, [&](std::int64_t d) {
          append_json_number(text, covariance[static_cast<std::size_t>(row * D + d)]);
        });
      });
    });
  }
  text += ", \"log_likelihood\": ";
  append_json_number(text, results.log_likelihood[at]);
  text += ", \"aic\": ";
  append_json_number(text, results.aic(fit));
  text += ", \"bic\": ";
  append_json_number(text, results.bic(fit));
  if (!results.log_likelihood_trace.empty()) {
    text += ", \"log_likelihood_trace\": ";
    const std::vector<double>& trace = results.log_likelihood_trace[at];
    append_array(text, static_cast<std::int64_t>(trace.size()),
                 [&](std::int64_t t) { append_json_number(text, trace[static_cast<std::size_t>(t)]); });
  }
  text += '}';
}

}  // namespace

void write_mixture_json(const mixture_report& report, output& to) {
  const mixture_results& results = report.results;
  std::vector<std::string> key_names;
  for (const key_column& key : report.keys) {
    append_json_text(key_names.emplace_back(), key.name);
    key_names.back() += ": ";
  }
  std::string& text = to.text();
  text += fmt::format(
      "{{\"manyfit\": \"{}\", \"command\": \"mixture\", \"family\": \"gaussian\", \"covariance\": \"{}\", "
      "\"device\": \"{}\", \"precision\": \"{}\",\n \"fits\": [",
      version(), name_of(results.covariance), results.device, report.precision);
  for (std::int64_t fit = 0; fit < results.count; ++fit) {
    if (fit > 0) text += ",\n          ";
    append_json_fit(text, report, fit, key_names);
    to.flush_when_full();
  }
  text += "]}\n";
}

table mixture_columns(const mixture_report& report) {
  const mixture_results& results = report.results;
  const auto count = static_cast<std::size_t>(results.count);
  table data{.source = "results", .rows = count};
  const auto texts = [&](std::string name) -> column& {
    return data.columns.emplace_back(column{.name = std::move(name), .kind = column_kind::text});
  };
  const auto numbers = [&](std::string name, auto value_of) {
    column& each = data.columns.emplace_back(column{.name = std::move(name)});
    each.numbers.reserve(count);
    for (std::int64_t fit = 0; fit < results.count; ++fit) each.numbers.push_back(static_cast<double>(value_of(fit)));
  };
  for (const key_column& key : report.keys) {
    column& each = texts(key.name);
    each.dictionary = key.texts;
    for (std::size_t fit = 0; fit < count; ++fit) each.codes.push_back(static_cast<std::int32_t>(fit));
  }
  numbers("n", [&](std::int64_t fit) { return results.observations[static_cast<std::size_t>(fit)]; });
  numbers("missing", [&](std::int64_t fit) { return results.missing[static_cast<std::size_t>(fit)]; });
  column& status = texts("status");
  for (int i = 0; i < fit_status_count; ++i) status.dictionary.emplace_back(to_string(static_cast<fit_status>(i)));
  for (const fit_status each : results.status) status.codes.push_back(static_cast<std::int32_t>(each));
  numbers("iterations", [&](std::int64_t fit) { return results.iterations[static_cast<std::size_t>(fit)]; });
  numbers("components", [&](std::int64_t fit) { return results.components[static_cast<std::size_t>(fit)]; });
  const int D = results.dimensions;
  for (int k = 0; k < results.max_components; ++k) {
    numbers(fmt::format("weight{}", k), [&](std::int64_t fit) { return results.weight(fit, k); });
    for (int i = 0; i < D; ++i)
      numbers(fmt::format("mean{}_{}", k, report.names[static_cast<std::size_t>(i)]),
              [&](std::int64_t fit) { return results.mean(fit, k)[static_cast<std::size_t>(i)]; });
    for (int i = 0; i < D; ++i)
      for (int j = 0; j <= i; ++j)
        numbers(fmt::format("cov{}_{}_{}", k, report.names[static_cast<std::size_t>(i)],
                            report.names[static_cast<std::size_t>(j)]),
                [&](std::int64_t fit) { return results.covariance_of(fit, k)[static_cast<std::size_t>(i * D + j)]; });
  }
  numbers("log_likelihood", [&](std::int64_t fit) { return results.log_likelihood[static_cast<std::size_t>(fit)]; });
  numbers("aic", [&](std::int64_t fit) { return results.aic(fit); });
  numbers("bic", [&](std::int64_t fit) { return results.bic(fit); });
  return data;
}

void write_mixture_csv(const mixture_report& report, output& to) {
  const table data = mixture_columns(report);
  std::string& text = to.text();
  for (std::size_t i = 0; i < data.columns.size(); ++i) {
    if (i > 0) text += ',';
    append_csv_text(text, data.columns[i].name);
  }
  text += '\n';
  for (std::size_t row = 0; row < data.rows; ++row) {
    for (std::size_t i = 0; i < data.columns.size(); ++i) {
      const column& each = data.columns[i];
      if (i > 0) text += ',';
      if (each.kind == column_kind::text)
        append_csv_text(text, each.dictionary[static_cast<std::size_t>(each.codes[row])]);
      else
        append_csv_number(text, each.numbers[row]);
    }
    text += '\n';
    to.flush_when_full();
  }
}

}  // namespace manyfit::app
