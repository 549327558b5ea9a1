// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "output/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "manyfit/status.hpp"
#include "output/text.hpp"
#include "output/text_table.hpp"

namespace manyfit::app {

void name_keys_apart(std::vector<std::string>& names, std::size_t keys) {
  std::map<std::string, int> taken;
  for (const std::string& name : names) ++taken[name];
  for (std::size_t i = 0; i < keys; ++i) {
    if (taken[names[i]] == 1) continue;
    --taken[names[i]];
    while (taken[names[i]] > 0) names[i].insert(0, "key_");
    ++taken[names[i]];
  }
}

std::string csv_key_names(const std::vector<key_column>& keys, std::string_view others) {
  std::vector<std::string> names;
  for (const key_column& key : keys) names.push_back(key.name);
  while (!others.empty()) {
    const std::size_t end = std::min(others.find_first_of(",\n"), others.size() - 1);
    names.emplace_back(others.substr(0, end));
    others.remove_prefix(end + 1);
  }
  name_keys_apart(names, keys.size());
  std::string text;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    append_csv_text(text, names[i]);
    text += ',';
  }
  return text;
}

column_writer::column_writer(std::size_t fits, const std::vector<key_column>& keys) : keys_(keys.size()) {
  data_.source = "results";
  data_.rows = fits;
  for (const key_column& key : keys) {
    column& each = data_.columns.emplace_back(column{.name = key.name, .kind = column_kind::text});
    each.dictionary = key.texts;
    for (std::size_t fit = 0; fit < fits; ++fit) each.codes.push_back(static_cast<std::int32_t>(fit));
  }
}

void column_writer::statuses(const std::vector<fit_status>& status) {
  column& each = data_.columns.emplace_back(column{.name = "status", .kind = column_kind::text});
  for (int i = 0; i < fit_status_count; ++i) each.dictionary.emplace_back(to_string(static_cast<fit_status>(i)));
  for (const fit_status one : status) each.codes.push_back(static_cast<std::int32_t>(one));
}

table column_writer::take() {
  name_keys_apart(data_.columns, keys_);
  return std::move(data_);
}

void write_csv(const table& data, output& to) {
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

void write_choice(int fewest, const std::vector<double>& criteria, const std::vector<std::uint8_t>& regularized,
                  int taken, information_criterion by, output& to) {
  const double least = std::accumulate(criteria.begin(), criteria.end(), std::nan(""),
                                       [](double a, double b) { return a <= b || std::isnan(b) ? a : b; });
  text_table lines({{"components", true}, {by == information_criterion::bic ? "bic" : "aic", true}, {""}});
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    const int K = fewest + static_cast<int>(i);
    lines.add(fmt::format("{}", K));
    lines.add(readable_number(criteria[i], 8));
    const bool held = !regularized.empty() && regularized[i] != 0;
    std::string note = std::isnan(criteria[i]) ? "no fit" : held ? "regularized" : "";
    if (K == taken && !std::isnan(criteria[i]))
      note = fmt::format("<- {}, taken{}", criteria[i] <= least ? "lowest" : "lowest of those not regularized",
                         held ? " (regularized)" : "");
    lines.add(note);
  }
  lines.write(to);
  to.write("\n");
}

}  // namespace manyfit::app
