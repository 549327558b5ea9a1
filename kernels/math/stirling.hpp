// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Gamma functions and factorials with Stirling's leading terms x log x − x taken out. Log-likelihoods of narrow samples
// (gamma, beta) and of large counts (Poisson, binomial) are what remains when those terms cancel, so they are cancelled
// by hand. Source: Loader, Fast and accurate computation of binomial probabilities (2000); DLMF 5.11.1.
#pragma once

#include "kernels/math/gamma.hpp"
#include "kernels/math/log1p_minus.hpp"

MF_NAMESPACE_BEGIN

/// log Γ(x) − (x log x − x), x > 0: about ½ log(2π/x). |error| ≤ 4e-15 (1 + |value|) however large x is.
template <class T>
MF_FN T log_gamma_remainder(const T& x) {
  const T log_x = log(x);
  const T large = maximum(x, T(3));
  T numerator, denominator;
  stirling_remainder(large, numerator, denominator);
  const T above = T(constants::half_log_two_pi) - T(0.5) * log_x + numerator / denominator;
  const T below = log_gamma_given_log(minimum(x, T(3)), log_x) - x * (log_x - T(1));
  return select(x < T(3), below, above);
}
template <class S, int P, int Order>
MF_FN jet<S, P, Order> log_gamma_remainder(const jet<S, P, Order>& x) {
  const auto [value, derivative] = log_minus_digamma(x.value);
  return chain(x, log_gamma_remainder(x.value), -value, -derivative);
}

/// log k! − (k log k − k) for whole k ≥ 0: 0 at 0, about ½ log(2πk) above.
template <class T>
MF_FN T log_factorial_remainder(const T& k) {
  const T large = maximum(k, T(3));
  T numerator, denominator;
  stirling_remainder(large, numerator, denominator);
  const T above = T(constants::half_log_two_pi) + T(0.5) * log(maximum(k, T(1))) + numerator / denominator;
  const T below = select(k < T(1), T(0), select(k < T(2), T(1), T(2 - constants::log_2)));
  return select(k < T(3), below, above);
}

/// k log(mean/k) − (mean − k) for whole k ≥ 0 (−mean at k = 0): minus half a count's Poisson deviance.
/// log P(k) = minus_half_deviance(k, mean) − log_factorial_remainder(k).
template <class T, class S>
MF_FN T minus_half_deviance(const S& k, const T& mean) {
  const S positive = maximum(k, S(1));
  return select(k > S(0), positive * log_ratio_minus(mean, T(positive)), -mean);
}

MF_NAMESPACE_END
