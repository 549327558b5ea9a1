// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/views.hpp"

namespace manyfit {

/// The status's name as it stands in output, e.g. "converged". Throws error::kind::argument for a number that is none.
const char* to_string(fit_status status);

/// One sentence on what the status means and whether the fit's parameters may be used.
const char* describe(fit_status status);

/// Whether parameters and log-likelihood of a fit with this status may be used: converged, boundary,
/// singular_information and regularized; max_iterations only as an approximation, hence not.
bool usable(fit_status status);

}  // namespace manyfit
