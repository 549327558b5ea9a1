// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/algorithms/posterior_climb.hpp"
#include "manyfit/fit.hpp"

namespace manyfit {

/// A call's priors as climbs take them, by parameters' numbers; empty where none are given. Throws `error` for what
/// cannot be.
std::vector<parameter_prior> priors_from(const family_info& family, const fit_options& options);

}  // namespace manyfit
