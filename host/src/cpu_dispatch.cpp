// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "cpu_dispatch.hpp"

#include <cstdlib>
#include <string_view>

namespace manyfit {

const cpu_functions& functions_of(const family_info& family) {
  int set = static_cast<int>(best_instruction_set());
  if (const char* wanted = std::getenv("MANYFIT_CPU")) {
    static constexpr std::string_view names[] = {"baseline", "avx2", "avx512"};
    for (int i = 0; i < set; ++i)
      if (names[i] == wanted && family.cpu[i]) set = i;
  }
  while (set > 0 && !family.cpu[set]) --set;
  if (!family.cpu[set])
    throw error(error::kind::device, "this build of manyfit has no code for this processor's instruction set");
  return *family.cpu[set];
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
