// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A density of someone else's, for CPU and CUDA.
#pragma once

#include "kernels/contracts/family.hpp"

/// Lindley's distribution, f(x) = θ² (1 + x) exp(−θx) / (1 + θ), x > 0 (Lindley 1958). Its maximum is known in closed
/// form: θ = (1 − m + √((m − 1)² + 8m)) / (2m) for the sample mean m.
struct lindley {
  static constexpr const char* name = "lindley";
  static constexpr manyfit::parameter parameters[] = {{"theta", manyfit::constraint::positive, 1.0, "rate"}};
  using support = manyfit::supports::positive_reals;
  template <class T>
  struct params {
    T theta;
  };
  template <class T, class S>
  MF_FN static T log_density(const params<T>& p, const S& x) {
    return 2.0 * log(p.theta) - log(1.0 + p.theta) + log1p(x) - p.theta * x;
  }
};

/// The same where a file for nvcc has manyfit::cuda_cells_of<lindley_on_cuda>().
struct lindley_on_cuda : lindley {
  static constexpr bool on_cuda = true;
};
