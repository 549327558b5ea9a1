// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Which function stands in which cell of a table of operations: one list for the CPU's instruction sets, CUDA, and
// densities of a user's own on both.
#pragma once

#include "kernels/algorithms/mle.hpp"
#include "kernels/algorithms/score.hpp"

MF_NAMESPACE_BEGIN

/// A sample operation's function, null where there is none for the family.
template <class Loops, class Operation, class Family, class T>
constexpr auto sample_cell() {
  if constexpr (Operation::template exists<Family>)
    return Loops::template sample<Operation, Family, T>;
  else
    return nullptr;
}

/// The table of a family for data of type T. `Loops` says how a target goes through a batch: cpu_loops
/// (cpu/operations.hpp) or cuda_loops (cuda/operations.cuh).
template <class Loops, class Family, class T>
constexpr operations<typename Loops::target, T> operations_of() {
  return {
      .fit = sample_cell<Loops, fit_operation, Family, T>(),
      .log_density = Loops::template log_density<Family, T>,
      .log_likelihood = sample_cell<Loops, log_likelihood_operation, Family, T>(),
  };
}

MF_NAMESPACE_END
