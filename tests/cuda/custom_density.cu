// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The density of custom_test.cpp for CUDA.
#include "manyfit/custom.cuh"

#include "../package/lindley.hpp"

template manyfit::cuda_cells manyfit::cuda_cells_of<lindley_on_cuda>();

manyfit::fit_results fit_lindley_in_a_file_for_cuda(const manyfit::executor& where,
                                                    const manyfit::batch<double>& data) {
  return manyfit::fit<lindley_on_cuda>(where, data);
}
