// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/fit_report.hpp"

#include <cmath>
#include <limits>

#include "manyfit/manyfit.hpp"
#include "output/columns.hpp"
#include "output/text.hpp"

namespace manyfit::app {

estimate estimate_of(const fit_report& report, int parameter, std::int64_t fit) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const fit_results& results = report.results;
  estimate result{results.parameter(parameter, fit), none, none, none};
  const double error = results.std_error(parameter, fit);
  if (((results.fixed >> parameter) & 1u) || !std::isfinite(error)) return result;
  const auto bounds = results.interval(parameter, fit, report.level);
  return {result.value, error, bounds.lower, bounds.upper};
}

namespace {

/// Texts that are the same for every fit, made once.
std::vector<std::string> quoted_names(const fit_results& results) {
  std::vector<std::string> names;
  for (int p = 0; p < results.parameter_count(); ++p) {
    append_json_text(names.emplace_back(), results.family->parameters[p].name);
    names.back() += ": ";
  }
  return names;
}

void append_json_fit(std::string& text, const fit_report& report, std::int64_t fit,
                     const std::vector<std::string>& key_names, const std::vector<std::string>& names) {
  const fit_results& results = report.results;
  const auto at = static_cast<std::size_t>(fit);
  text += '{';
  for (std::size_t i = 0; i < key_names.size(); ++i) {
    text += i == 0 ? "\"key\": {" : ", ";
    text += key_names[i];
    append_json_text(text, report.keys[i].texts[at]);
  }
  if (!key_names.empty()) text += "}, ";
  text += "\"n\": ";
  append_number(text, results.observations[at]);
  text += ", \"missing\": ";
  append_number(text, results.missing[at]);
  text += ", \"left_out\": ";
  append_number(text, results.left_out[at]);
  text += ", \"status\": \"";
  text += to_string(results.status[at]);
  text += '"';
  if (results.outside[at] > 0) {
    text += ", \"outside\": ";
    append_number(text, results.outside[at]);
  }
  text += ", \"iterations\": ";
  append_number(text, results.iterations[at]);

  const int count = results.parameter_count();
  estimate estimates[max_parameters];
  for (int p = 0; p < count; ++p) estimates[p] = estimate_of(report, p, fit);
  const auto members = [&](const char* name, auto append_value) {
    text += name;
    for (int p = 0; p < count; ++p) {
      if (p > 0) text += ", ";
      text += names[static_cast<std::size_t>(p)];
      append_value(estimates[p]);
    }
    text += '}';
  };
  members(", \"parameters\": {", [&](const estimate& each) { append_json_number(text, each.value); });
  members(", \"std_errors\": {", [&](const estimate& each) { append_json_number(text, each.std_error); });
  members(", \"interval\": {", [&](const estimate& each) {
    if (!std::isfinite(each.std_error)) {
      text += "null";
      return;
    }
    text += '[';
    append_json_number(text, each.lower);
    text += ", ";
    append_json_number(text, each.upper);
    text += ']';
  });
  text += ", \"log_likelihood\": ";
  append_json_number(text, results.log_likelihood[at]);
  text += ", \"aic\": ";
  append_json_number(text, results.aic(fit));
  text += ", \"bic\": ";
  append_json_number(text, results.bic(fit));
  text += '}';
}

}  // namespace

void write_fit_json(const fit_report& report, output& to) {
  const fit_results& results = report.results;
  std::vector<std::string> key_names;
  for (const key_column& key : report.keys) {
    append_json_text(key_names.emplace_back(), key.name);
    key_names.back() += ": ";
  }
  const std::vector<std::string> names = quoted_names(results);
  std::string& text = to.text();
  text += "{\"manyfit\": \"" + std::string(version()) + "\", \"command\": \"fit\", \"family\": \"" +
          results.family->name + "\", \"device\": \"" + results.device + "\", \"precision\": \"" + report.precision +
          "\",\n \"fits\": [";
  for (std::int64_t fit = 0; fit < results.count; ++fit) {
    if (fit > 0) text += ",\n          ";
    append_json_fit(text, report, fit, key_names, names);
    to.flush_when_full();
  }
  text += "]}\n";
}

void write_fit_csv(const fit_report& report, output& to) {
  const fit_results& results = report.results;
  std::string& text = to.text();
  const std::size_t header = text.size();
  text += "n,missing,left_out,status,iterations,";
  for (int p = 0; p < results.parameter_count(); ++p)
    for (const char* suffix : {"", "_se", "_lo", "_hi"}) {
      text += results.family->parameters[p].name;
      text += suffix;
      text += ',';
    }
  text += "log_likelihood,aic,bic\n";
  text.insert(header, csv_key_names(report.keys, std::string_view(text).substr(header)));
  for (std::int64_t fit = 0; fit < results.count; ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    for (const key_column& key : report.keys) {
      append_csv_text(text, key.texts[at]);
      text += ',';
    }
    append_number(text, results.observations[at]);
    text += ',';
    append_number(text, results.missing[at]);
    text += ',';
    append_number(text, results.left_out[at]);
    text += ',';
    text += to_string(results.status[at]);
    text += ',';
    append_number(text, results.iterations[at]);
    for (int p = 0; p < results.parameter_count(); ++p) {
      const estimate each = estimate_of(report, p, fit);
      for (const double number : {each.value, each.std_error, each.lower, each.upper}) {
        text += ',';
        append_csv_number(text, number);
      }
    }
    for (const double number : {results.log_likelihood[at], results.aic(fit), results.bic(fit)}) {
      text += ',';
      append_csv_number(text, number);
    }
    text += '\n';
    to.flush_when_full();
  }
}

table fit_columns(const fit_report& report) {
  const fit_results& results = report.results;
  const auto count = static_cast<std::size_t>(results.count);
  table data{.source = "results", .rows = count};
  const auto texts = [&](std::string name) -> column& {
    return data.columns.emplace_back(column{.name = std::move(name), .kind = column_kind::text});
  };
  const auto numbers = [&](std::string name, auto value_of) {
    column& each = data.columns.emplace_back(column{.name = std::move(name)});
    each.numbers.reserve(count);
    for (std::size_t fit = 0; fit < count; ++fit) each.numbers.push_back(value_of(fit));
  };
  for (const key_column& key : report.keys) {
    column& each = texts(key.name);
    each.dictionary = key.texts;
    for (std::size_t fit = 0; fit < count; ++fit) each.codes.push_back(static_cast<std::int32_t>(fit));
  }
  numbers("n", [&](std::size_t fit) { return static_cast<double>(results.observations[fit]); });
  numbers("missing", [&](std::size_t fit) { return static_cast<double>(results.missing[fit]); });
  numbers("left_out", [&](std::size_t fit) { return static_cast<double>(results.left_out[fit]); });
  column& status = texts("status");
  for (int i = 0; i < fit_status_count; ++i) status.dictionary.emplace_back(to_string(static_cast<fit_status>(i)));
  for (const fit_status each : results.status) status.codes.push_back(static_cast<std::int32_t>(each));
  numbers("iterations", [&](std::size_t fit) { return static_cast<double>(results.iterations[fit]); });
  for (int p = 0; p < results.parameter_count(); ++p) {
    const std::string name = results.family->parameters[p].name;
    const auto one = [&](const char* suffix, double estimate::*member) {
      numbers(name + suffix,
              [&](std::size_t fit) { return estimate_of(report, p, static_cast<std::int64_t>(fit)).*member; });
    };
    one("", &estimate::value);
    one("_se", &estimate::std_error);
    one("_lo", &estimate::lower);
    one("_hi", &estimate::upper);
  }
  numbers("log_likelihood", [&](std::size_t fit) { return results.log_likelihood[fit]; });
  numbers("aic", [&](std::size_t fit) { return results.aic(static_cast<std::int64_t>(fit)); });
  numbers("bic", [&](std::size_t fit) { return results.bic(static_cast<std::int64_t>(fit)); });
  name_keys_apart(data.columns, report.keys.size());
  return data;
}

}  // namespace manyfit::app
