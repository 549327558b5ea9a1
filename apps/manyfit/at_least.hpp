// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string>

namespace manyfit::app {

/// A check of CLI11 for numbers; its own ones print the largest double in full. What is no number is left to it.
inline CLI::Validator at_least(int least) {
  return {[least](std::string& text) {
            double value = 0;
            if (!CLI::detail::lexical_cast(text, value) || value >= least) return std::string();
            return fmt::format("{} given; {} or more expected", text, least);
          },
          ""};
}

}  // namespace manyfit::app
