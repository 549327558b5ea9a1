// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/gaussian_mixture/functions.hpp"
#include "kernels/registry.hpp"
#include "manyfit/batch.hpp"

namespace manyfit {

/// The family's operations for data of type T and the best instruction set of this processor; throws where there are
/// none. MANYFIT_CPU (baseline, avx2 or avx512) asks for a lower one, for tests and comparisons.
template <class T>
const operations<on_cpu, T>& cpu_table_of(const family_info& family);

/// Its visits, chosen likewise.
const cpu_visits& visits_of(const family_info& family);

/// A cell of a table, unless it is null, which throws.
template <class Function>
Function cell_of(Function function, const family_info& family, const char* operation) {
  if (!function)
    throw error(error::kind::device,
                std::string(family.name) + ": this build of manyfit has no " + operation + " of it");
  return function;
}

/// The table of a mixture's component, of which all is needed.
template <class Table>
const Table& for_mixtures(const Table& table, const family_info& family) {
  return *cell_of(table.fit && table.log_density && table.log_likelihood ? &table : nullptr, family, "fit or score");
}

/// Those for Gaussian mixtures, chosen likewise.
const mixture_cpu_functions& cpu_mixture_functions();

/// Throws when a CPU executor is given device memory.
void require_host_memory(memory_space memory);

/// What a parameter may be, in words: "a positive number".
const char* describe(constraint kind);

}  // namespace manyfit
