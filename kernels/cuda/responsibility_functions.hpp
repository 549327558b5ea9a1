// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// CUDA's launchers for mixtures of families, beside those of the families (cuda/functions.hpp), which they take turns
// with. Every pointer is device memory; they return cudaError_t.
#pragma once

#include "kernels/cuda/functions.hpp"
#include "kernels/cuda/responsibility_work.hpp"

namespace manyfit {

/// The E step of the attempts that a plan lists.
int launch_find_responsibilities(const responsibility_batch&, const launch_plan&, void* stream);
/// responsibility_that_counts() of one component: responsibilities, w [values].
int launch_drop_small_responsibilities(double* responsibilities, const double* w, std::int64_t values, void* stream);
/// point_mass_log_density() of x [values].
int launch_point_mass(const double* x, std::int64_t values, double at, double* out, void* stream);
/// column_sums() of the components and attempts that a plan lists.
int launch_column_sums(const column_batch&, const launch_plan&, void* stream);
/// x [values] `times` times end to end.
int launch_repeat(const double* x, std::int64_t values, std::int64_t times, double* out, void* stream);
/// table[i] += added[i] where x[i] is not missing.
int launch_add_present(const double* x, const double* added, std::int64_t values, double* table, void* stream);

}  // namespace manyfit
