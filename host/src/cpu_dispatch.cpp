// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "cpu_dispatch.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

namespace manyfit {

namespace {

constexpr std::string_view names[] = {"baseline", "avx2", "avx512"};

/// functions[set] of the best set that this processor runs and this build has, or of the one that MANYFIT_CPU names.
/// `may_choose`: a density of the caller's own is there once, for whatever its translation unit was compiled.
template <class Functions>
const Functions& best_of(const Functions* const (&functions)[instruction_set_count], const char* what,
                         bool may_choose = true) {
  int set = static_cast<int>(best_instruction_set());
  const char* const wanted = std::getenv("MANYFIT_CPU");
  if (may_choose && wanted && *wanted) {
    std::string usable;
    for (int i = 0; i <= set; ++i) {
      if (!functions[i]) continue;
      if (names[i] == wanted) return *functions[i];
      usable += std::string(usable.empty() ? "" : ", ") + std::string(names[i]);
    }
    throw error(error::kind::argument, "MANYFIT_CPU=" + std::string(wanted) +
                                           ": not built, or not run by this processor; give one of " + usable);
  }
  while (set > 0 && !functions[set]) --set;
  if (!functions[set])
    throw error(error::kind::device, std::string(what) +
                                         ": this build of manyfit has no code for this processor's "
                                         "instruction set and data of this type");
  return *functions[set];
}

}  // namespace

template <class T>
const operations<on_cpu, T>& cpu_table_of(const family_info& family) {
  const auto& cpu = family.cpu;
  return best_of<operations<on_cpu, T>>({cpu[0].of<T>(), cpu[1].of<T>(), cpu[2].of<T>()}, family.name,
                                        family.simulate != nullptr);
}
template const operations<on_cpu, double>& cpu_table_of(const family_info&);
template const operations<on_cpu, float>& cpu_table_of(const family_info&);

const cpu_visits& visits_of(const family_info& family) {
  return best_of(family.visits, family.name, family.simulate != nullptr);
}

const mixture_cpu_functions& cpu_mixture_functions() {
  static const mixture_cpu_functions* const functions[instruction_set_count] = {
      mixture_functions(instruction_set::baseline), mixture_functions(instruction_set::avx2),
      mixture_functions(instruction_set::avx512)};
  return best_of(functions, "mixtures");
}

void require_host_memory(memory_space memory) {
  if (memory != memory_space::host)
    throw error(error::kind::argument,
                "the batch is in device memory and the executor is a CPU; copy it to the host, or "
                "use executor::cuda");
}

const char* describe(constraint kind) {
  switch (kind) {
    case constraint::positive:
      return "a positive number";
    case constraint::probability:
      return "a number between 0 and 1";
    case constraint::count:
      return "a positive whole number";
    default:
      return "a finite number";
  }
}

}  // namespace manyfit
