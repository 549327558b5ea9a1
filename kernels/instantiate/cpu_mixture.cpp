// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Gaussian mixtures, and the E step of mixtures of families, for one instruction set; compiled once for each, with
// MF_TARGET set.
#include "kernels/cpu/mixture_loop.hpp"
#include "kernels/cpu/pattern_sums.hpp"
#include "kernels/gaussian_mixture/functions.hpp"
#include "kernels/groups/serial_walk.hpp"
#include "kernels/models/responsibilities.hpp"

#define MF_PASTE(a, b) a##b
#define MF_NAME(prefix, target) MF_PASTE(prefix, target)

MF_NAMESPACE_BEGIN

template <class T>
bool score_fit(const points_view<T>& points, std::int64_t fit, covariance_structure structure, int components,
               const mixture_parameters& parameters, int threads, double* log_density, double* responsibilities,
               int width, std::int32_t* labels) {
  return score_rows(rows_of(points, fit), structure, components, parameters, threads, log_density, responsibilities,
                    width, labels);
}

double find_responsibilities_in_packs(int K, std::int64_t count, std::int64_t stride, const double* x, const double* w,
                                      const double* log_weight, double* table, component_sums* sums) {
  serial_walk walk;
  return find_responsibilities(walk, K, count, stride, x, w, log_weight, table, sums);
}

MF_NAMESPACE_END

namespace manyfit {
extern const mixture_cpu_functions MF_NAME(mixture_cpu_, MF_TARGET);
constinit const mixture_cpu_functions MF_NAME(mixture_cpu_, MF_TARGET) = {
    {.f64 = {.run = &run_mixture_tasks<double>, .score = &score_fit<double>},
     .f32 = {.run = &run_mixture_tasks<float>, .score = &score_fit<float>}},
    &find_responsibilities_in_packs,
    &add_patterns,
    &add_responsibilities};
}  // namespace manyfit
