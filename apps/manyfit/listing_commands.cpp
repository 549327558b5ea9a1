// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit families` and `manyfit devices`.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "constraints.hpp"
#include "failures.hpp"
#include "input/arrow_reader.hpp"
#include "manyfit/manyfit.hpp"
#include "options.hpp"
#include "output/text.hpp"
#include "output/text_table.hpp"

namespace manyfit::app {

const char* constraint_text(constraint kind) {
  switch (kind) {
    case constraint::positive:
      return "positive";
    case constraint::probability:
      return "probability";
    case constraint::count:
      return "count, to be fixed";
    default:
      return "real";
  }
}

std::string list_parameters(const family_info& family) {
  std::string text;
  for (int p = 0; p < family.parameter_count; ++p)
    text += fmt::format("{}{} ({})", p == 0 ? "" : ", ", family.parameters[p].name,
                        constraint_text(family.parameters[p].kind));
  return text;
}

namespace {

using json = nlohmann::ordered_json;

/// A listing in every form: rows of named texts, numbers and booleans. `for_people` says how a member stands in a
/// table.
struct listing {
  std::string command;
  json rows = json::array();
  std::vector<std::string> names = {};                     ///< of the members in tables and CSV
  std::vector<std::vector<std::string>> table_cells = {};  ///< [rows][names]
  std::vector<std::vector<std::string>> csv_cells = {};    ///< [rows][names]
};

void write(const listing& all, const common_options& common) {
  const output_format format = format_of(common);
  output to(common.out);
  if (format == output_format::json) {
    const json document = {{"manyfit", version()}, {"command", all.command}, {all.command, all.rows}};
    to.write(document.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  } else if (format == output_format::csv) {
    const auto line = [&](const std::vector<std::string>& cells) {
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) to.text() += ',';
        append_csv_text(to.text(), cells[i]);
      }
      to.text() += '\n';
    };
    line(all.names);
    for (const auto& cells : all.csv_cells) line(cells);
  } else if (format == output_format::parquet) {
    table data{.source = all.command, .rows = all.csv_cells.size()};
    for (std::size_t i = 0; i < all.names.size(); ++i) {
      column& each = data.columns.emplace_back(column{.name = all.names[i], .kind = column_kind::text});
      for (std::size_t row = 0; row < data.rows; ++row) {
        each.codes.push_back(static_cast<std::int32_t>(row));
        each.dictionary.push_back(all.csv_cells[row][i]);
      }
    }
    write_parquet(data, to.file_to_write());
  } else {
    std::vector<text_table::heading> headings;
    for (const std::string& name : all.names) headings.push_back({name});
    text_table lines(std::move(headings));
    for (const auto& cells : all.table_cells)
      for (const std::string& cell : cells) lines.add(cell);
    lines.write(to);
  }
  to.finish();
}

const char* yes_or_no(bool value) {
  return value ? "yes" : "no";
}

int list_families(const common_options& common) {
  listing all{.command = "families"};
  all.names = {"family", "parameters", "support", "values", "method", "commands", "devices"};
  for (const family_info* family : all_families()) {
    json parameters = json::array();
    for (int p = 0; p < family->parameter_count; ++p) {
      const parameter& each = family->parameters[p];
      parameters.push_back({{"name", each.name},
                            {"constraint", constraint_text(each.kind)},
                            {"meaning", each.meaning},
                            {"example", each.example}});
    }
    const std::string method = family->closed_form ? "sufficient statistics" : "passes over the values";
    json devices = json::array({"cpu"});
    if (family->cuda.f64) devices.push_back("cuda");
    all.rows.push_back({{"name", family->name},
                        {"parameters", parameters},
                        {"support", family->support},
                        {"discrete", family->discrete},
                        {"method", method},
                        {"commands", {"fit", "score", "simulate"}},
                        {"devices", devices}});
    std::vector<std::string> cells = {family->name,
                                      list_parameters(*family),
                                      family->support,
                                      family->discrete ? "discrete" : "continuous",
                                      method,
                                      "fit score simulate",
                                      family->cuda.f64 ? "cpu cuda" : "cpu"};
    all.table_cells.push_back(cells);
    all.csv_cells.push_back(std::move(cells));
  }
  write(all, common);
  return exit_done;
}

int list_devices(const common_options& common) {
  listing all{.command = "devices"};
  all.names = {"device", "name", "memory", "usable", "note"};
  for (const device_info& device : devices()) {
    const double gibibytes = static_cast<double>(device.memory) / (1 << 30);
    all.rows.push_back({{"id", device.id},
                        {"name", device.name},
                        {"memory", device.memory == 0 ? json(nullptr) : json(device.memory)},
                        {"usable", device.usable},
                        {"note", device.note}});
    all.table_cells.push_back({device.id, device.name, device.memory == 0 ? "-" : fmt::format("{:.1f} GiB", gibibytes),
                               yes_or_no(device.usable), device.note});
    all.csv_cells.push_back({device.id, device.name, device.memory == 0 ? "" : fmt::format("{}", device.memory),
                             device.usable ? "true" : "false", device.note});
  }
  write(all, common);
  return exit_done;
}

command listing_command(const char* name, const char* help, int (*list)(const common_options&)) {
  const auto options = std::make_shared<common_options>();
  return {.name = name,
          .help = help,
          .options = output_options(*options),
          .footer = "Example:\n  manyfit " + std::string(name) + " --format json",
          .run = [options, list] { return list(*options); }};
}

}  // namespace

command families_command() {
  return listing_command("families", "What can be fitted: parameters, support, what each supports", list_families);
}

command devices_command() {
  return listing_command("devices", "What fits can run on: name, memory, usable or why not", list_devices);
}

}  // namespace manyfit::app
