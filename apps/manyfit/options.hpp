// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The options that every command shares, and what they come to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "command.hpp"
#include "manyfit/executor.hpp"
#include "output/output.hpp"

namespace manyfit::app {

struct common_options {
  std::string device = "auto";
  int threads = 0;
  std::string precision = "double";
  std::uint64_t seed = 0;
  std::string format = {};
  std::string out = {};
  bool quiet = false;
  std::string fail_on = {};

  bool single() const { return precision == "single"; }
  bool fail_on_any() const { return fail_on == "any"; }
};

/// work(T{}) in the type of numbers that --precision names.
template <class Work>
auto in_precision(const common_options& options, Work work) {
  return options.single() ? work(float{}) : work(double{});
}

/// --format, --out and --quiet. `options` must outlive the command.
std::vector<option> output_options(common_options& options);
/// Those, --device, --threads, --precision, --seed and --fail-on.
std::vector<option> shared_options(common_options& options);

/// The executor that --device and --threads name.
executor executor_of(const common_options& options);

/// --format; without it what the extension of --out says, else a table. `array`: the command can write .npy.
/// Throws usage_error for parquet without --out or without Apache Arrow.
output_format format_of(const common_options& options, bool array = false);

/// Parts between commas; a part in double quotes may hold commas. Throws usage_error that names the option for an empty
/// part.
std::vector<std::string> split_list(std::string_view text, std::string_view option);

/// NAME=VALUE pairs with numbers, several between commas. Throws usage_error for bad syntax and for a name given twice.
std::map<std::string, double> parse_assignments(const std::vector<std::string>& texts, std::string_view option);

/// A line on stderr, "manyfit: warning: ...", unless --quiet.
void warn(const common_options& options, const std::string& message);

}  // namespace manyfit::app
