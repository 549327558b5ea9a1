// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What this processor can do at most, one thread: the ceilings from which report.py computes floors. Built once per
// instruction set. exp and log are manyfit's own vector functions, on data in the first-level cache.
#pragma once

#include <cstddef>

struct ceilings {
  /// Adds up `count` values; returns the sum.
  double (*read_double)(const double* values, std::size_t count);
  double (*read_float)(const float* values, std::size_t count);
  /// At least `count` fused multiply-adds in independent chains; how many it was.
  std::size_t (*fma_double)(std::size_t count);
  std::size_t (*fma_float)(std::size_t count);
  /// At least `count` exponentials (logarithms); how many it was.
  std::size_t (*exp_double)(std::size_t count);
  std::size_t (*exp_float)(std::size_t count);
  std::size_t (*log_double)(std::size_t count);
};
