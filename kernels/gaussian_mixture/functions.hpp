// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The back ends' functions for Gaussian mixtures, as operations.hpp has them for families.
#pragma once

#include <atomic>

#include "kernels/gaussian_mixture/views.hpp"
#include "kernels/targets.hpp"

namespace manyfit {

struct component_sums;
struct code_rows;

/// The CPU's functions for points of type T; see kernels/cpu/mixture_loop.hpp. All pointers are host memory.
template <class T>
struct mixture_operations {
  void (*run)(const points_view<T>&, const mixture_settings&, mixture_task* tasks, std::int64_t count, int threads,
              std::atomic<std::int64_t>* completed, std::atomic<double>* latest) = nullptr;
  /// Scores the rows of fit `fit` of the points; false where the parameters are no mixture.
  bool (*score)(const points_view<T>&, std::int64_t fit, covariance_structure, int components,
                const mixture_parameters&, int threads, double* log_density, double* responsibilities, int width,
                std::int32_t* labels) = nullptr;
};

/// All of them at one instruction set.
struct mixture_cpu_functions : by_type<mixture_operations> {
  /// The E step of one mixture of families over `count` values, a multiple of 8: kernels/models/responsibilities.hpp.
  double (*find_responsibilities)(int components, std::int64_t count, std::int64_t stride, const double* x,
                                  const double* w, const double* log_weight, double* table,
                                  component_sums* sums) = nullptr;
  /// Sums over coded columns for `width` components, a multiple of 8: kernels/cpu/pattern_sums.hpp.
  void (*add_patterns)(const code_rows& codes, const double* table, int width, double* to) = nullptr;
  void (*add_responsibilities)(const code_rows& codes, const double* responsibilities, int width,
                               double* table) = nullptr;
};

/// Null where this build lacks the instruction set.
const mixture_cpu_functions* mixture_functions(instruction_set set);

/// `size` points of one mixture into out [size × dimensions], row-major; parameters must be a mixture.
void simulate_mixture_points(int dimensions, int components, const mixture_parameters& parameters, std::int64_t size,
                             std::uint64_t seed, std::uint64_t stream, double* out, int threads);

}  // namespace manyfit
