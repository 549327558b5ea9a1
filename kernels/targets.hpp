// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What kernels are compiled for, and how they are called there.
#pragma once

#include <atomic>
#include <type_traits>

#include "kernels/views.hpp"

namespace manyfit {

/// The instruction sets a CPU build has, best last.
enum class instruction_set { baseline, avx2, avx512 };
inline constexpr int instruction_set_count = 3;

/// The best instruction set that this build has and this processor runs.
instruction_set best_instruction_set();

/// How an operation is called on a CPU, where all pointers are host memory; `completed`, unless it is null, counts
/// samples that are done.
struct on_cpu {
  template <class T, class Given, class Results>
  using function = void (*)(const batch_view<T>&, const Given&, const Results&, int threads,
                            std::atomic<std::int64_t>* completed);
};
/// How on CUDA, where all pointers are device memory and nothing is allocated; returns cudaError_t.
struct on_cuda {
  template <class T, class Given, class Results>
  using function = int (*)(const batch_view<T>&, const Given&, const Results&, const struct launch_plan&, void* stream);
};

/// Draws into out [count × size]; streams: [count] or null. One CPU build serves every instruction set, so that draws
/// repeat everywhere.
using cpu_simulate = void (*)(const parameters_view&, std::int64_t count, std::int64_t size, std::uint64_t seed,
                              const std::uint64_t* streams, double* out, int threads);
/// The same on CUDA: device memory, returns cudaError_t.
using cuda_simulate = int (*)(const parameters_view&, std::int64_t count, std::int64_t size, std::uint64_t seed,
                              const std::uint64_t* streams, double* out, void* stream);

/// A family's table for data of type T: kernels/operations.hpp.
template <class Target, class T>
struct operations;
template <class T>
using cpu_cell = const operations<on_cpu, T>*;
template <class T>
using cuda_cell = const operations<on_cuda, T>*;

/// One of each type of data.
template <template <class> class Each>
struct by_type {
  Each<double> f64;
  Each<float> f32;
  template <class T>
  constexpr const Each<T>& of() const {
    if constexpr (std::is_same_v<T, double>)
      return f64;
    else
      return f32;
  }
};

}  // namespace manyfit
