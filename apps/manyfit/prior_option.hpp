// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <string>
#include <vector>

#include "manyfit/fit.hpp"

namespace manyfit::app {

/// --prior 'NAME=DIST(a,b)', each text one prior: by the parameter's name. Throws usage_error for bad syntax and for a
/// parameter given twice; what names and numbers may be is the library's to say.
std::map<std::string, prior_distribution> parse_priors(const std::vector<std::string>& texts);

}  // namespace manyfit::app
