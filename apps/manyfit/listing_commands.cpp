// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit families` and `manyfit devices`.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "constraints.hpp"
#include "failures.hpp"
#include "manyfit/manyfit.hpp"
#include "options.hpp"
#include "output/result_writer.hpp"

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

/// What each form says of item i.
using text_of = std::function<std::string(std::size_t i)>;

/// Builds a listing: a few rows of texts.
class listing {
 public:
  listing(const char* command, std::size_t rows) : rows_(rows) {
    result_ = {.command = command, .name = command, .rows = static_cast<std::int64_t>(rows), .indented = true};
  }
  /// A member of JSON, from `value`, which is JSON.
  void member(const char* name, const std::function<json(std::size_t i)>& value) {
    const text_of dumped = [&](std::size_t i) { return value(i).dump(-1, ' ', false, json::error_handler_t::replace); };
    result_.fields.push_back({.json = name, .value = texts(dumped), .literal = true});
  }
  /// A column of CSV and tables; `shown` in tables, where that differs.
  void column(const char* name, const text_of& value, const text_of& shown = {}) {
    const auto cell = texts(shown ? shown : value);
    result_.fields.push_back(
        {.column = name, .many = name, .value = texts(value), .shown = [cell](const position& where) {
           return std::string(std::get<2>(cell)(where));
         }});
  }
  int write(const common_options& common) const {
    const output_format format = format_of(common);
    output to(common.out);
    write_result(result_, format, to);
    to.finish();
    return exit_done;
  }

 private:
  value_at texts(const text_of& value) const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < rows_; ++i) all.push_back(value(i));
    return text([all = std::make_shared<const std::vector<std::string>>(std::move(all))](const position& where) {
      return std::string_view((*all)[static_cast<std::size_t>(where.row)]);
    });
  }

  std::size_t rows_;
  schema result_;
};

int list_families(const common_options& common) {
  const std::vector<const family_info*> families = all_families();
  const auto parameters = [&](std::size_t i) {
    json all = json::array();
    for (int p = 0; p < families[i]->parameter_count; ++p) {
      const parameter& each = families[i]->parameters[p];
      all.push_back({{"name", each.name},
                     {"constraint", constraint_text(each.kind)},
                     {"meaning", each.meaning},
                     {"example", each.example}});
    }
    return all;
  };
  const text_of method = [&](std::size_t i) {
    return families[i]->uses_sufficient_statistics ? "sufficient statistics" : "passes over the values";
  };
  listing all("families", families.size());
  all.member("name", [&](std::size_t i) { return families[i]->name; });
  all.column("family", [&](std::size_t i) { return families[i]->name; });
  all.member("parameters", parameters);
  all.column("parameters", [&](std::size_t i) { return list_parameters(*families[i]); });
  all.member("support", [&](std::size_t i) { return families[i]->support; });
  all.column("support", [&](std::size_t i) { return families[i]->support; });
  all.member("discrete", [&](std::size_t i) { return families[i]->discrete; });
  all.column("values", [&](std::size_t i) { return families[i]->discrete ? "discrete" : "continuous"; });
  all.member("method", method);
  all.column("method", method);
  all.member("commands", [](std::size_t) { return json::array({"fit", "score", "simulate"}); });
  all.column("commands", [](std::size_t) { return "fit score simulate"; });
  all.member("devices", [&](std::size_t i) {
    return families[i]->cuda.f64 ? json::array({"cpu", "cuda"}) : json::array({"cpu"});
  });
  all.column("devices", [&](std::size_t i) { return families[i]->cuda.f64 ? "cpu cuda" : "cpu"; });
  return all.write(common);
}

int list_devices(const common_options& common) {
  const std::vector<device_info> known = devices();
  listing all("devices", known.size());
  all.member("id", [&](std::size_t i) { return known[i].id; });
  all.column("device", [&](std::size_t i) { return known[i].id; });
  all.member("name", [&](std::size_t i) { return known[i].name; });
  all.column("name", [&](std::size_t i) { return known[i].name; });
  all.member("memory", [&](std::size_t i) { return known[i].memory == 0 ? json(nullptr) : json(known[i].memory); });
  all.column(
      "memory", [&](std::size_t i) { return known[i].memory == 0 ? "" : fmt::format("{}", known[i].memory); },
      [&](std::size_t i) {
        const double gibibytes = static_cast<double>(known[i].memory) / (1 << 30);
        return known[i].memory == 0 ? "-" : fmt::format("{:.1f} GiB", gibibytes);
      });
  all.member("usable", [&](std::size_t i) { return known[i].usable; });
  all.column(
      "usable", [&](std::size_t i) { return known[i].usable ? "true" : "false"; },
      [&](std::size_t i) { return known[i].usable ? "yes" : "no"; });
  all.member("note", [&](std::size_t i) { return known[i].note; });
  all.column("note", [&](std::size_t i) { return known[i].note; });
  return all.write(common);
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
