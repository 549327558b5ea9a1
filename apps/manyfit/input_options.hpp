// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The options of every command that reads data, and which files a command may not write.
#pragma once

#include <string>
#include <vector>

#include "input/input_format.hpp"
#include "options.hpp"

namespace manyfit::app {

/// --missing, --delimiter, --decimal and --array. `format` must outlive the command.
std::vector<option> reading_options(input_format& format);

/// What every --help says of inputs, with an example.
extern const char* const input_help;

/// Throws usage_error where --out or --plot (empty: not given) names one of the inputs, or both name one file: whatever
/// the path is called, through links too, and for "-" what stdin is redirected from.
void check_files(const std::vector<std::string>& inputs, const common_options& options, const std::string& plot = {});

}  // namespace manyfit::app
