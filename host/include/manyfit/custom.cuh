// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Densities of your own on CUDA, in a file for nvcc with -std=c++20 and --expt-relaxed-constexpr. Their functions are
// marked MF_FN. Such a file can call custom_family and fit as with manyfit/custom.hpp, for executor::cuda() alone; or
// it holds one line,
//   template manyfit::cuda_cells manyfit::cuda_cells_of<my_density>();
// and with `static constexpr bool on_cuda = true;` in the density, files that include manyfit/custom.hpp have it on the
// CPU and on CUDA, in mixtures too. A density takes nvcc as long as a family, about a minute.
#pragma once

#define MF_CUSTOM_ON_CUDA
#include "manyfit/custom.hpp"

namespace manyfit {

template <class Density>
cuda_cells cuda_cells_of() {
  static constexpr auto f64 = operations_of<cuda_loops, Density, double>();
  static constexpr auto f32 = operations_of<cuda_loops, Density, float>();
  return {&f64, &f32};
}

}  // namespace manyfit
