// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "options.hpp"
#include "apps/support/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "failures.hpp"
#include "input/arrow_reader.hpp"

namespace manyfit::app {

std::vector<option> output_options(common_options& options) {
  return {
      {"--format",
       &options.format,
       "table, csv, json, or parquet with --out (default: by --out, else table)",
       "",
       {"table", "csv", "json", "parquet"}},
      {"--out", [&options](const std::string& path) { options.out = path == "-" ? "" : path; },
       "Write the results to this file, in place of stdout (-)", "PATH"},
      {"--quiet", &options.quiet, "No progress, warnings or summary on stderr"},
  };
}

std::vector<option> shared_options(common_options& options) {
  std::vector<option> all{
      {"--device", &options.device, "auto (CUDA when there is one, else CPU), cpu, cuda, cuda:N", "DEVICE"},
      {.name = "--threads",
       .to = &options.threads,
       .help = "CPU threads (default: every core this process may use)",
       .value = "N",
       .most = 65536},
      {"--precision", &options.precision, "double or single: how the data are held", "", {"double", "single"}},
      {.name = "--seed",
       .to = &options.seed,
       .help = "Seed of everything random (default 0)",
       .value = "N",
       .least = 0},
  };
  append(all, output_options(options));
  append(all, {{"--fail-on", &options.fail_on, "any: exit with 4 when some fits failed", "", {"any"}}});
  return all;
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
  if (!options.quiet) tell("manyfit: warning: {}\n", message);
}

}  // namespace manyfit::app
