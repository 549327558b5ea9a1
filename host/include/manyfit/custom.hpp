// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Densities of your own. A density is a struct as kernels/contracts/family.hpp describes: a name, parameters with a
// constraint and a typical value each (where the search starts unless there is a `start`), a support, and log_density
// templated on its scalar. Derivatives, steps, standard errors, statuses and threads are manyfit's. It is compiled in
// your own translation unit, for the instruction set that unit is compiled for, and runs on the CPU. Needs Highway's
// headers (Debian: libhwy-dev).
#pragma once

#include "kernels/cpu/fit_loop.hpp"
#include "kernels/cpu/score_loop.hpp"
#include "manyfit/fit.hpp"

namespace manyfit {

/// The density as log_density(), log_likelihood() and fit() take a family. Lives as long as the program.
template <family Density>
const family_info& custom_family() {
  static_assert(!is_registered<Density>, "a registered family: use find_family");
  static_assert(parameter_count<Density> <= max_parameters,
                "a density may have at most manyfit::max_parameters parameters");
  static const cpu_functions functions = {
      .fit_f64 = &fit_batch<Density, double>,
      .fit_f32 = &fit_batch<Density, float>,
      .log_density_f64 = &log_density_batch<Density, double>,
      .log_density_f32 = &log_density_batch<Density, float>,
      .log_likelihood_f64 = &log_likelihood_batch<Density, double>,
      .log_likelihood_f32 = &log_likelihood_batch<Density, float>,
  };
  static const family_info info = {
      .name = Density::name,
      .parameters = Density::parameters,
      .parameter_count = parameter_count<Density>,
      .support = Density::support::text,
      .discrete = Density::support::discrete,
      .ends = ends_of<Density>(),
      .closed_form = has_statistics<Density>,
      .cpu = {&functions, nullptr, nullptr},
      .simulate = nullptr,
      .cuda = nullptr,
  };
  return info;
}

/// Fits every sample of `data` by maximum likelihood of your own density; see fit() for a registered family. A CUDA
/// executor is refused with error::kind::device.
template <family Density, class T>
requires(!is_registered<Density>) fit_results
    fit(const executor& where, const batch<T>& data, const fit_options& options = {}) {
  return fit(where, custom_family<Density>(), data, options);
}

}  // namespace manyfit
