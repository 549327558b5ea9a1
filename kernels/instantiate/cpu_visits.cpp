// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Visits of every registered family, for the instruction set that this is compiled for. All in one unit: what they have
// in common takes longer to compile than they do.
#include "kernels/cpu/visit_loop.hpp"
#include "kernels/families/all.hpp"
#include "kernels/registry.hpp"

namespace manyfit {
using namespace families;  // gamma too

#define MF_JOINED(family, target) family##_##target##_visits
#define MF_NAMED(family, target) MF_JOINED(family, target)
#define MF_FAMILY(family)                              \
  extern const cpu_visits MF_NAMED(family, MF_TARGET); \
  constinit const cpu_visits MF_NAMED(family, MF_TARGET) = {&visit_batch<family, double>, &visit_batch<family, float>};
#include "kernels/families/families.def"
#undef MF_FAMILY

}  // namespace manyfit
