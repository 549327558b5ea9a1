// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/gaussian_mixture/functions.hpp"
#include "kernels/registry.hpp"
#include "manyfit/batch.hpp"

namespace manyfit {

/// The family's CPU functions for the best instruction set of this processor. MANYFIT_CPU (baseline, avx2 or avx512)
/// asks for a lower one, for tests and comparisons.
const cpu_functions& functions_of(const family_info& family);

/// The same for Gaussian mixtures.
const mixture_cpu_functions& cpu_mixture_functions();

/// Throws when a CPU executor is given device memory.
void require_host_memory(memory_space memory);

/// What a parameter may be, in words: "a positive number".
const char* describe(constraint kind);

}  // namespace manyfit
