// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The preparation of one component with a full covariance by a whole warp: on a single lane the factor of 16
// coordinates is a chain of thousands of dependent loads.
#pragma once

#include "kernels/gaussian_mixture/model.hpp"

MF_NAMESPACE_BEGIN

/// prepare_component for a full covariance by the lanes of a warp: the same numbers by the same sums, a column of the
/// Cholesky factor and then a row of its inverse at a time. L: [packed_size(D)], the warp's own.
template <class Context>
MF_FN_CALL void prepare_by_warp(Context& context, const mixture_model& m, int k, double* L) {
  const int D = m.D, lane = context.lane() % 32;
  const double* const A = m.covariance(k);
  double half_log_determinant = 0;
  for (int j = 0; j < D; ++j) {
    for (int i = j + lane; i < D; i += 32) {
      double sum = A[packed(i, j)];
      for (int l = 0; l < j; ++l) sum -= L[packed(i, l)] * L[packed(j, l)];
      const bool sound = i > j || (sum > m.collapse * A[packed(j, j)] && is_finite(sum));
      L[packed(i, j)] = i > j ? sum : sound ? sqrt(sum) : constants::nan;
    }
    context.warp_barrier();
    const double pivot = L[packed(j, j)];
    half_log_determinant += log(pivot);
    for (int i = j + 1 + lane; i < D; i += 32) L[packed(i, j)] /= pivot;
    context.warp_barrier();
  }
  for (int i = 0; i < D; ++i) {
    const double inverse = 1 / L[packed(i, i)];
    for (int begin = 0; begin < i; begin += 32) {
      const int j = begin + lane;
      double sum = 0;
      for (int l = j; l < i; ++l) sum += L[packed(i, l)] * L[packed(l, j)];
      context.warp_barrier();
      if (j < i) L[packed(i, j)] = sum * -inverse;
    }
    context.warp_barrier();
    if (lane == 0) L[packed(i, i)] = inverse;
    context.warp_barrier();
  }
  double* const W = m.factor + k * m.factor_numbers_each();
  for (int e = lane; e < packed_size(D); e += 32) W[e] = L[e];
  for (int i = lane; i < D; i += 32) {
    double sum = 0;
    for (int j = 0; j <= i; ++j) sum += L[packed(i, j)] * m.mean(k)[j];
    m.offset[std::int64_t{k} * D + i] = sum;
  }
  if (lane == 0)
    conclude_component(m, k, has_sound_mean(m, k) && has_sound_diagonal(m, k) && is_finite(half_log_determinant),
                       half_log_determinant);
  context.warp_barrier();
}

MF_NAMESPACE_END
