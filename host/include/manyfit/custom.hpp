// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Densities of your own. A density is a struct as kernels/contracts/family.hpp describes: a name, parameters with a
// constraint and a typical value each (where the search starts unless there is a `start`), a support, and log_density
// templated on its scalar. Derivatives, steps, standard errors, statuses and threads are manyfit's. It is compiled in
// your own translation unit, for the instruction set that unit is compiled for, and runs on the CPU; with
// manyfit/custom.cuh in a file for nvcc it runs on CUDA too. Needs Highway's headers (Debian: libhwy-dev).
#pragma once

#if defined(MF_CUSTOM_ON_CUDA)
#include "kernels/cuda/operations.cuh"
#elif defined(__CUDACC__) || defined(__CUDA_ARCH__)
#error "in a file that is compiled for CUDA include manyfit/custom.cuh"
#else
#include "kernels/cpu/operations.hpp"
#include "kernels/cpu/visit_loop.hpp"
#endif
#include "kernels/contracts/family_traits.hpp"
#include "manyfit/fit.hpp"

namespace manyfit {

/// A density's tables for CUDA, from the file that includes manyfit/custom.cuh and instantiates this.
using cuda_cells = by_type<cuda_cell>;
template <class Density>
cuda_cells cuda_cells_of();

}  // namespace manyfit

MF_NAMESPACE_BEGIN

/// The density as log_density(), log_likelihood(), fit() and fit_mixture() take a family. Lives as long as the program.
template <family Density>
const family_info& custom_family() {
  static_assert(!is_registered<Density>, "a registered family: use find_family");
  static_assert(parameter_count<Density> <= max_parameters,
                "a density may have at most manyfit::max_parameters parameters");
  static const family_info info = [] {
    static constexpr family_traits traits = traits_of<Density>();
    family_info of_density = description_of<Density>();
    of_density.traits = &traits;
#if defined(MF_CUSTOM_ON_CUDA)
    of_density.cuda = cuda_cells_of<Density>();
#else
    static constexpr auto f64 = operations_of<cpu_loops, Density, double>();
    static constexpr auto f32 = operations_of<cpu_loops, Density, float>();
    static constexpr cpu_visits visits = {&visit_batch<Density, double>, &visit_batch<Density, float>};
    of_density.cpu[0] = {&f64, &f32};
    of_density.visits[0] = &visits;
    if constexpr (requires { Density::on_cuda; }) of_density.cuda = cuda_cells_of<Density>();
#endif
    return of_density;
  }();
  return info;
}

/// Fits every sample of `data` by maximum likelihood of your own density; see fit() for a registered family. An
/// executor that the density was not compiled for is refused with error::kind::device.
template <family Density, class T>
requires(!is_registered<Density>) fit_results
    fit(const executor& where, const batch<T>& data, const fit_options& options = {}) {
  return fit(where, custom_family<Density>(), data, options);
}

MF_NAMESPACE_END
