// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// `manyfit score` with a mixture.
#pragma once

#include <string>
#include <vector>

#include "input/model_json.hpp"
#include "options.hpp"
#include "point_samples.hpp"

namespace manyfit::app {

struct score_mixture_arguments {
  common_options common;
  point_request input;
  std::string column, columns, by, model_path;
  bool responsibilities = false, label = false;
};

/// Writes the scores; the exit code.
int score_mixture_model(const score_mixture_arguments& arguments, const model& document, const executor& where,
                        output_format format);

}  // namespace manyfit::app
