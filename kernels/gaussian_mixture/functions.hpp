// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The back ends' functions for Gaussian mixtures, as registry.hpp has them for families.
#pragma once

#include <atomic>

#include "kernels/gaussian_mixture/views.hpp"
#include "kernels/registry.hpp"

namespace manyfit {

struct component_sums;

/// The CPU's functions at one instruction set; see kernels/cpu/mixture_loop.hpp. All pointers are host memory.
struct mixture_cpu_functions {
  template <class T>
  using run = void (*)(const points_view<T>&, const mixture_settings&, mixture_task* tasks, std::int64_t count,
                       int threads, std::atomic<std::int64_t>* completed, std::atomic<double>* latest);
  /// Scores the rows of fit `fit` of the points; false where the parameters are no mixture.
  template <class T>
  using score = bool (*)(const points_view<T>&, std::int64_t fit, covariance_structure, int components,
                         const mixture_parameters&, int threads, double* log_density, double* responsibilities,
                         int width, std::int32_t* labels);
  run<double> run_f64;
  run<float> run_f32;
  score<double> score_f64;
  score<float> score_f32;
  /// The E step of one mixture of families over `count` values, a multiple of 8: kernels/models/share_out.hpp.
  double (*share_out)(int components, std::int64_t count, std::int64_t stride, const double* x, const double* w,
                      const double* log_weight, double* table, component_sums* sums);
};

/// Null where this build lacks the instruction set.
const mixture_cpu_functions* mixture_functions(instruction_set set);

/// `size` points of one mixture into out [size × dimensions], row-major; parameters must be a mixture.
void simulate_mixture_points(int dimensions, int components, const mixture_parameters& parameters, std::int64_t size,
                             std::uint64_t seed, std::uint64_t stream, double* out, int threads);

}  // namespace manyfit
