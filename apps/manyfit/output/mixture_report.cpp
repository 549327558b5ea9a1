// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/mixture_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manyfit/manyfit.hpp"
#include "output/columns.hpp"
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

}  // namespace

bool is_regularized(const mixture_results& results, std::int64_t fit) {
  const auto first = results.regularization.begin() + fit * results.dimensions;
  return std::any_of(first, first + results.dimensions, [](double added) { return added > 0; });
}

namespace {

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
  text += fmt::format(
      "\"n\": {}, \"missing\": {}, \"left_out\": {}, \"status\": \"{}\", \"iterations\": {}, \"components\": {}",
      results.observations[at], results.missing[at], results.left_out[at], to_string(results.status[at]),
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
  if (is_regularized(results, fit)) {
    text += ", \"regularization\": ";
    append_array(text, D, [&](std::int64_t d) {
      append_json_number(text, results.regularization[static_cast<std::size_t>(fit * D + d)]);
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
  column_writer data(static_cast<std::size_t>(results.count), report.keys);
  data.numbers("n", results.observations);
  data.numbers("missing", results.missing);
  data.numbers("left_out", results.left_out);
  data.statuses(results.status);
  data.numbers("iterations", results.iterations);
  data.numbers("components", results.components);
  const int D = results.dimensions;
  const auto name = [&](int d) { return report.names[static_cast<std::size_t>(d)]; };
  for (int k = 0; k < results.max_components; ++k) {
    const auto own = [&results, k](auto number) {  // NaN beyond the fit's own components, of which it may have fewer
      return [&results, k, number](std::int64_t fit) {
        return k < results.components[static_cast<std::size_t>(fit)] ? number(fit) : std::nan("");
      };
    };
    data.numbers(fmt::format("weight{}", k), own([&](std::int64_t fit) { return results.weight(fit, k); }));
    for (int i = 0; i < D; ++i)
      data.numbers(fmt::format("mean{}_{}", k, name(i)),
                   own([&](std::int64_t fit) { return results.mean(fit, k)[static_cast<std::size_t>(i)]; }));
    for (int i = 0; i < D; ++i)
      for (int j = 0; j <= i; ++j)
        data.numbers(fmt::format("cov{}_{}_{}", k, name(i), name(j)), own([&](std::int64_t fit) {
                       return results.covariance_of(fit, k)[static_cast<std::size_t>(i * D + j)];
                     }));
  }
  for (int i = 0; i < D; ++i)
    data.numbers(fmt::format("regularization_{}", name(i)),
                 [&](std::int64_t fit) { return results.regularization[static_cast<std::size_t>(fit * D + i)]; });
  data.numbers("log_likelihood", results.log_likelihood);
  data.numbers("aic", [&](std::int64_t fit) { return results.aic(fit); });
  data.numbers("bic", [&](std::int64_t fit) { return results.bic(fit); });
  return data.take();
}

void write_mixture_csv(const mixture_report& report, output& to) {
  write_csv(mixture_columns(report), to);
}

}  // namespace manyfit::app
