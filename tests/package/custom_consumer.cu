// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The density of custom_consumer.cpp for CUDA.
#include <manyfit/custom.cuh>

#include "lindley.hpp"

template manyfit::cuda_cells manyfit::cuda_cells_of<lindley_on_cuda>();
