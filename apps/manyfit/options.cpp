// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "options.hpp"
#include "at_least.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "failures.hpp"
#include "input/arrow_reader.hpp"

namespace manyfit::app {

void add_output_options(CLI::App& command, common_options& options) {
  command
      .add_option("--format", options.format, "table, csv, json, or parquet with --out (default: by --out, else table)")
      ->check(CLI::IsMember({"table", "csv", "json", "parquet"}))
      ->type_name("FORMAT");
  command
      .add_option_function<std::string>(
          "--out", [&options](const std::string& path) { options.out = path == "-" ? "" : path; },
          "Write the results to this file, in place of stdout (-)")
      ->type_name("PATH");
  command.add_flag("--quiet", options.quiet, "No progress, warnings or summary on stderr");
}

void add_common_options(CLI::App& command, common_options& options) {
  command.add_option("--device", options.device, "auto (CUDA when there is one, else CPU), cpu, cuda, cuda:N")
      ->type_name("DEVICE");
  command.add_option("--threads", options.threads, "CPU threads (default: every core this process may use)")
      ->check(CLI::Range(1, 65536))
      ->type_name("N");
  command.add_option("--precision", options.precision, "double or single: how the data are held")
      ->check(CLI::IsMember({"double", "single"}))
      ->type_name("PRECISION");
  command.add_option("--seed", options.seed, "Seed of everything random (default 0)")
      ->check(at_least(0))
      ->type_name("N");
  add_output_options(command, options);
  command.add_option("--fail-on", options.fail_on, "any: exit with 4 when some fits failed")
      ->check(CLI::IsMember({"any"}))
      ->type_name("any");
}

void add_unsupported_options(CLI::App& command, const std::map<std::string, std::string>& each) {
  for (const auto& [name, purpose] : each)
    command
        .add_option_function<std::vector<std::string>>(
            name,
            [name = name, purpose = purpose](const std::vector<std::string>&) {
              throw usage_error(fmt::format("{} ({}) is not supported yet\nleave it out", name, purpose));
            },
            "")
        ->expected(0, 1)
        ->group("");
}

executor executor_of(const common_options& options) {
  const std::string_view device = options.device;
  if (device == "cpu") return executor::cpu(options.threads);
  if (device == "auto") {
    const executor best = executor::best();
    return best.is_cuda() ? best : executor::cpu(options.threads);
  }
  if (device == "cuda") return executor::cuda(0);
  if (device.starts_with("cuda:")) {
    int number = -1;
    const auto [end, failure] = std::from_chars(device.data() + 5, device.data() + device.size(), number);
    if (failure == std::errc{} && end == device.data() + device.size() && number >= 0) return executor::cuda(number);
  }
  throw usage_error(
      fmt::format("--device: '{}' given; auto, cpu, cuda or cuda:N expected\n"
                  "manyfit devices lists what there is",
                  excerpt(device)));
}

output_format format_of(const common_options& options, bool array) {
  std::string extension = std::filesystem::path(options.out).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const std::string name = options.format.empty() ? extension : options.format;
  // Text in a file that says it is an array or a table of another kind would be found out much later.
  for (const char* other : {".npy", ".npz", ".feather", ".arrow", ".tsv", ".tab", ".parquet", ".pq"}) {
    const bool meant = (name == ".npy" && array) || extension != other ||
                       (extension.starts_with(".p") && (name == "parquet" || options.format.empty()));
    if (meant) continue;
    throw usage_error(fmt::format("--out: {} is not what {} would be written as\n{}.csv, .json{} or .parquet expected",
                                  excerpt(options.out, 300), options.format.empty() ? "a table" : options.format,
                                  array ? ".npy (without --format), " : "", options.format.empty() ? ", .txt" : ""));
  }
  if (name == "csv" || name == ".csv") return output_format::csv;
  if (name == "json" || name == ".json") return output_format::json;
  if (name == ".npy" && array) return output_format::npy;
  if (name == "parquet" || name == ".parquet" || name == ".pq") {
    if (options.out.empty())
      throw usage_error("--format parquet writes a file, and no --out is given\ngive --out PATH, or --format csv");
    if (!has_arrow())
      throw usage_error(
          "parquet: this manyfit was built without Apache Arrow, which Parquet needs\n"
          "use --format csv or json, or install Arrow C++ or the Python package pyarrow and build again");
    return output_format::parquet;
  }
  return output_format::table;
}

std::vector<std::string> split_list(std::string_view text, std::string_view option) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  // Blanks about a name are no part of it, unless they stand in quotes.
  std::size_t least = 0;
  const auto end_part = [&] {
    while (parts.back().size() > least && parts.back().back() == ' ') parts.back().pop_back();
    least = 0;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"')
      parts.back() += text[++i];
    else if (text[i] == '"' && (quoted || parts.back().empty()))
      quoted = !quoted, least = parts.back().size();
    else if (text[i] == ',' && !quoted)
      end_part(), parts.emplace_back();
    else if (text[i] != ' ' || quoted || !parts.back().empty())
      parts.back() += text[i];
  }
  end_part();
  if (quoted || std::find(parts.begin(), parts.end(), "") != parts.end())
    throw usage_error(
        fmt::format("{}: '{}' given; names between commas expected, as in {} a,b", option, excerpt(text, 80), option));
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (std::find(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i), parts[i]) !=
        parts.begin() + static_cast<std::ptrdiff_t>(i))
      throw usage_error(fmt::format("{}: '{}' is given twice\ngive each name once", option, excerpt(parts[i])));
  return parts;
}

std::map<std::string, double> parse_assignments(const std::vector<std::string>& texts, std::string_view option) {
  std::map<std::string, double> result;
  for (const std::string& text : texts)
    for (const std::string& part : split_list(text, option)) {
      const auto equals = part.find('=');
      std::string_view name(part), number;
      if (equals != part.npos) {
        name = std::string_view(part).substr(0, equals);
        number = std::string_view(part).substr(equals + 1);
        if (number.starts_with('+')) number.remove_prefix(1);
      }
      double value = 0;
      const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
      if (name.empty() || failure != std::errc{} || end != number.data() + number.size() || !std::isfinite(value))
        throw usage_error(fmt::format("{}: '{}' given; NAME=VALUE with a finite number expected, as in {} rate=0.5",
                                      option, excerpt(part, 80), option));
      if (!result.try_emplace(std::string(name), value).second)
        throw usage_error(fmt::format("{}: '{}' is given twice\ngive each parameter once", option, excerpt(name)));
    }
  return result;
}

void warn(const common_options& options, const std::string& message) {
  if (!options.quiet) fmt::print(stderr, "manyfit: warning: {}\n", message);
}

}  // namespace manyfit::app
