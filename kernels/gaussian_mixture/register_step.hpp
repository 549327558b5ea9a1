// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The step between two passes in registers, by one lane per component and without intermediate results in memory: a
// fused maximise_component and prepare_component for small full covariances, with one reciprocal in place of several
// divisions. On a GPU this step's latency is its longest dependency chain, and a division in double has the latency of
// ten additions.
#pragma once

#include "kernels/gaussian_mixture/registers.hpp"

MF_NAMESPACE_BEGIN

/// Whether every component's covariance is a whole matrix of its own, as registers sum it.
MF_FN bool has_own_matrices(const mixture_model& m) {
  return m.structure == covariance_structure::full || (m.D == 1 && m.structure != covariance_structure::tied);
}

/// 1 / √x.
MF_FN double reciprocal_root(double x) {
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
  return ::rsqrt(x);
#else
  return 1 / sqrt(x);
#endif
}

/// Component k of a mixture with matrices of its own: weight, mean and covariance to the model's state, what they were
/// to the state before, and its factors for the next pass. False when it has collapsed. factors: [K ×
/// register_factors].
template <int D, class Context, class T>
MF_FN bool renew_component(const Context& context, const mixture_model& m, int k, T* factors) {
  const auto here = [&](auto* at) {  // a warp has all of it in shared memory
    if constexpr (Context::is_warp) return context.in_shared_memory(at);
    return at;
  };
  const double* const s = here(m.statistics) + k * register_factors<D>;
  const double* const ridge = here(m.ridge);
  double mean[D], covariance[packed_size(D)], L[packed_size(D)], W[packed_size(D)], pivot[D];
  const double per_weight = 1 / s[0], weight = s[0] / m.total_weight;
  bool sound = weight > 0 && is_finite(weight);
  for (int i = 0; i < D; ++i) {
    mean[i] = s[1 + i] * per_weight;
    sound = sound && is_finite(mean[i]);
    for (int j = 0; j <= i; ++j)
      covariance[packed(i, j)] = s[1 + D + packed(i, j)] * per_weight - mean[i] * mean[j] + (i == j ? ridge[i] : 0.0);
    sound = sound && !has_collapsed(m, covariance[packed(i, i)], mean[i]);
  }
  double root_of_inverse = weight;  // π_k |Σ_k|^−½
  for (int i = 0; i < D; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = covariance[packed(i, j)];
      for (int l = 0; l < j; ++l) sum -= L[packed(i, l)] * L[packed(j, l)];
      if (j < i) {
        L[packed(i, j)] = sum * pivot[j];
      } else {
        sound = sound && sum > m.collapse * covariance[packed(i, i)] && is_finite(sum);
        pivot[i] = reciprocal_root(sum);
        root_of_inverse *= pivot[i];
      }
    }
  for (int i = 0; i < D; ++i) {
    for (int j = 0; j < i; ++j) {
      double sum = 0;
      for (int l = j; l < i; ++l) sum += L[packed(i, l)] * W[packed(l, j)];
      W[packed(i, j)] = sum * -pivot[i];
    }
    W[packed(i, i)] = pivot[i];
  }
  double* const state = here(m.state);
  double* const before = here(m.before);
  const auto keep = [&](int i, double value) {
    before[i] = state[i];
    state[i] = value;
  };
  T* const to = here(factors) + k * register_factors<D>;
  keep(k, weight);
  to[0] = static_cast<T>((log(root_of_inverse) - D * constants::half_log_two_pi) * log2_e);
  for (int i = 0; i < D; ++i) {
    double offset = 0;
    for (int j = 0; j <= i; ++j) offset += W[packed(i, j)] * mean[j];
    keep(m.K + k * D + i, mean[i]);
    to[1 + i] = static_cast<T>(offset * sqrt_half_log2_e);
  }
  for (int e = 0; e < packed_size(D); ++e) {
    keep(m.K * (1 + D) + k * packed_size(D) + e, covariance[e]);
    to[1 + D + e] = static_cast<T>(W[e] * sqrt_half_log2_e);
  }
  return sound;
}

/// The same for run-time D.
template <class Context, class T>
MF_FN_CALL bool renew_component_of(const Context& context, const mixture_model& m, int k, T* factors) {
  return m.D == 1   ? renew_component<1>(context, m, k, factors)
         : m.D == 2 ? renew_component<2>(context, m, k, factors)
                    : renew_component<3>(context, m, k, factors);
}

MF_NAMESPACE_END
