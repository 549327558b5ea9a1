// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Cholesky factorisation of small symmetric matrices in registers, packed lower triangle. Source: Golub & Van Loan,
// Matrix Computations (4th ed.), algorithm 4.2.1; the scaling to unit diagonal makes "positive definite" independent of
// the parameters' units.
#pragma once

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

template <int N>
struct cholesky {
  double factor[packed_size(N)];  ///< of the matrix scaled to unit diagonal
  double scale[N];                ///< 1/√diagonal
  bool positive_definite;

  /// Factors `matrix`; pivots of the scaled matrix at or below `threshold` count as not positive definite.
  MF_FN_LARGE explicit cholesky(const vec<double, packed_size(N)>& matrix, double threshold = 1e-13) {
    positive_definite = true;
    for (int i = 0; i < N; ++i) {
      const double diagonal = matrix[packed(i, i)];
      positive_definite = positive_definite && diagonal > 0 && is_finite(diagonal);
      scale[i] = 1.0 / sqrt(diagonal);
    }
    for (int j = 0; j < N; ++j) {
      for (int i = j; i < N; ++i) {
        double sum = i == j ? 1.0 : matrix[packed(i, j)] * scale[i] * scale[j];
        for (int k = 0; k < j; ++k) sum -= factor[packed(i, k)] * factor[packed(j, k)];
        if (i == j) {
          positive_definite = positive_definite && sum > threshold;
          factor[packed(j, j)] = sqrt(sum);
        } else {
          factor[packed(i, j)] = sum / factor[packed(j, j)];
        }
      }
    }
  }

  /// Solution of matrix · x = b.
  MF_FN_LARGE vec<double, N> solve(const vec<double, N>& b) const {
    vec<double, N> x;
    for (int i = 0; i < N; ++i) {
      double sum = b[i] * scale[i];
      for (int k = 0; k < i; ++k) sum -= factor[packed(i, k)] * x[k];
      x[i] = sum / factor[packed(i, i)];
    }
    for (int i = N - 1; i >= 0; --i) {
      double sum = x[i];
      for (int k = i + 1; k < N; ++k) sum -= factor[packed(k, i)] * x[k];
      x[i] = sum / factor[packed(i, i)];
    }
    for (int i = 0; i < N; ++i) x[i] *= scale[i];
    return x;
  }
};

MF_NAMESPACE_END
