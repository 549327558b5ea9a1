// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// s = log(1 + k z) / k, the variate that is standard exponential behind a generalised Pareto z of shape k and standard
// Gumbel behind a generalised extreme value; s = z at k = 0, and smooth there in value and derivatives.
#pragma once

#include "kernels/math/jet.hpp"
#include "kernels/math/log1p_minus.hpp"

MF_NAMESPACE_BEGIN

/// s and its derivatives; ∂²s/∂z² = −k by_z² and ∂²s/∂z∂k = −z by_z² follow.
template <class T>
struct log1p_ratio_derivatives {
  T value;
  T by_z;        ///< 1 / (1 + k z)
  T by_k;        ///< ∂s/∂k
  T by_k_twice;  ///< ∂²s/∂k²
};

template <class T>
MF_FN log1p_ratio_derivatives<T> log1p_ratio_with_derivatives(const T& z, const T& k, const T& one_plus);

/// For k z > −1: relative error ≤ 1e-14 of value, by_z and by_k, 1e-12 of by_k_twice, also where k z is tiny. With
/// x = k z, A = (x − log1p x) / x² and r = 1/(1+x): s = z (1 − x A), ∂s/∂k = z² (A − r) and
/// ∂²s/∂k² = z³ (2r − 2A − r²) / x.
template <class T>
MF_FN log1p_ratio_derivatives<T> log1p_ratio_with_derivatives(const T& z, const T& k) {
  return log1p_ratio_with_derivatives(z, k, T(1) + k * z);
}
/// The same where 1 + k z is known better than k and z would tell: near 0, that is.
template <class T>
MF_FN log1p_ratio_derivatives<T> log1p_ratio_with_derivatives(const T& z, const T& k, const T& one_plus) {
  const T x = k * z, r = T(1) / one_plus, by_k = T(1) / k;
  const auto near = abs(x) < T(0.4);
  const T masked = select(near, x, T(0));
  const T a = x_minus_log1p_over_square(masked);
  const T value = select(near, z * (T(1) - masked * a), log(one_plus) * by_k);
  const T first = select(near, z * z * (a - r), (z * r - value) * by_k);
  const auto tiny = abs(x) < T(0.02);
  const T series = polynomial(x, 2.0 / 3, -6.0 / 4, 12.0 / 5, -20.0 / 6, 30.0 / 7, -42.0 / 8, 56.0 / 9, -72.0 / 10);
  const T quotient = -(r * r + T(2) * (a - r)) / select(tiny || !near, T(1), x);
  const T second = select(near, z * z * z * select(tiny, series, quotient), -(z * z * r * r + T(2) * first) * by_k);
  return {value, r, first, second};
}

/// The value alone.
template <class T>
MF_FN T log1p_ratio(const T& z, const T& k) {
  const T x = k * z;
  const auto near = abs(x) < T(0.4);
  const T masked = select(near, x, T(0));
  return select(near, z * (T(1) - masked * x_minus_log1p_over_square(masked)), log(T(1) + x) / k);
}

template <class S, int P, int Order>
MF_FN jet<S, P, Order> log1p_ratio(const jet<S, P, Order>& z, const jet<S, P, Order>& k) {
  const log1p_ratio_derivatives<S> d = log1p_ratio_with_derivatives(z.value, k.value);
  const S by_z_twice = -k.value * d.by_z * d.by_z, by_both = -z.value * d.by_z * d.by_z;
  jet<S, P, Order> result;
  result.value = d.value;
  for (int i = 0; i < P; ++i) result.gradient[i] = d.by_z * z.gradient[i] + d.by_k * k.gradient[i];
  if constexpr (Order == 2)
    for (int i = 0; i < P; ++i)
      for (int j = 0; j <= i; ++j)
        result.hessian[packed(i, j)] = d.by_z * z.hessian[packed(i, j)] + d.by_k * k.hessian[packed(i, j)] +
                                       by_z_twice * z.gradient[i] * z.gradient[j] +
                                       d.by_k_twice * k.gradient[i] * k.gradient[j] +
                                       by_both * (z.gradient[i] * k.gradient[j] + k.gradient[i] * z.gradient[j]);
  return result;
}

MF_NAMESPACE_END
