// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The families that are built in, by name: what they are, and their tables of operations. families.def is the list;
// tables come from generated translation units (instantiate/), and models.def, which CMake writes, says which there
// are.
#pragma once

#include "kernels/contracts/parameter.hpp"
#include "kernels/targets.hpp"

namespace manyfit {

/// The CPU's functions that show a family's fits to a visitor, one objective each; see contracts/wide_objective.hpp.
struct cpu_visits {
  void (*f64)(const batch_view<double>&, const struct fit_visitor&, int threads);
  void (*f32)(const batch_view<float>&, const struct fit_visitor&, int threads);
  template <class T>
  auto of() const {
    if constexpr (std::is_same_v<T, double>)
      return f64;
    else
      return f32;
  }
};
/// The same on CUDA, a pass over all fits at a time; see cuda/functions.hpp.
struct cuda_passes {
  int (*f64)(const batch_view<double>&, const struct pass_view&, const struct launch_plan&, void* stream);
  int (*f32)(const batch_view<float>&, const struct pass_view&, const struct launch_plan&, void* stream);
  template <class T>
  auto of() const {
    if constexpr (std::is_same_v<T, double>)
      return f64;
    else
      return f32;
  }
};

/// What a family is, and what it can do, without its types.
struct family_info {
  const char* name;
  const parameter* parameters;
  int parameter_count;
  const char* support;
  bool discrete;
  moving_support ends;                                ///< of the support, where they depend on parameters
  bool uses_sufficient_statistics;                    ///< fitted from sufficient statistics: two passes over the data
  by_type<cpu_cell> cpu[instruction_set_count] = {};  ///< tables are null where this build lacks them
  by_type<cuda_cell> cuda = {};
  const cpu_simulate* simulate = nullptr;
  const cuda_simulate* simulate_on_cuda = nullptr;
  const struct family_traits* traits = nullptr;
  const cpu_visits* visits[instruction_set_count] = {};
  const cuda_passes* passes = nullptr;
};

/// All registered families, in the order of families.def.
const family_info* registered_families(int& count);

}  // namespace manyfit
