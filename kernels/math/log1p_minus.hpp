// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// log(1 + x) − x without the cancellation at small x: what is left of a gamma, generalised extreme value or Student-t
// density near its limit.
#pragma once

#include "kernels/math/jet.hpp"
#include "kernels/math/polynomial.hpp"

MF_NAMESPACE_BEGIN

/// 2 (atanh(s) − s) / s³ at v = s², for |s| ≤ 0.25; constants: tests/golden/fit_special_constants.py.
template <class T>
MF_FN T atanh_tail(const T& v) {
  if constexpr (is_single<T>)
    return polynomial(v, 0.66666664251715940891, 0.40001234405557353399, 0.28473559435008518934,
                      0.24671471116519635188);
  else
    return polynomial(v, 0.66666666666666668042, 0.39999999999996436891, 0.28571428572946107644, 0.22222221973794499748,
                      0.18181838510838509053, 0.15383683824167399182, 0.13358279409890728959, 0.11379287308577631624,
                      0.13657464523813941888);
}

/// log(1 + x) − x for |x| < 0.4, where the subtraction would cancel; finite garbage elsewhere.
/// Source: log1p(x) = 2 atanh(s), s = x / (2 + x) (DLMF 4.6.5 with 4.37.24), hence
/// log1p(x) − x = 2 atanh(s) − 2 s − x s.
template <class T>
MF_FN T log1p_minus_near_zero(const T& x) {
  const T s = x / (T(2) + x);
  const T v = s * s;
  return s * (v * atanh_tail(v) - x);
}

/// (x − log1p(x)) / x² for |x| < 0.4, ½ at x = 0, to 4e-15 relative: log1p_minus_near_zero with x² taken out.
template <class T>
MF_FN T x_minus_log1p_over_square(const T& x) {
  const T inverse = T(1) / (T(2) + x);
  const T s = x * inverse;
  return inverse * (T(1) - s * inverse * atanh_tail(s * s));
}

/// log1p(x) − x for −1 < x < 1e300; relative error ≤ 4e-15 (float 2e-6) at every x, also where the value is −x²/2.
template <class T>
MF_FN T log1p_minus(const T& x) {
  return select(abs(x) < T(0.4), log1p_minus_near_zero(x), log1p(x) - x);
}

/// log(a/b) − (a − b)/b for a, b > 0: log1p_minus of (a − b)/b, right also where that rounds to −1 (a far below b).
/// Never positive, and of second order where a is near b: what is left of a likelihood about a fitted mean.
template <class T>
MF_FN T log_ratio_minus(const T& a, const T& b) {
  const T d = (a - b) * (T(1) / b);  // leaves a loop where b is the same for all points
  return select(abs(d) < T(0.4), log1p_minus_near_zero(d), log(a) - log(b) - d);
}

/// The same where d = (a − b)/b is known better than a and b would tell.
template <class T>
MF_FN T log_ratio_minus(const T& a, const T& b, const T& d) {
  return select(abs(d) < T(0.4), log1p_minus_near_zero(d), log(a) - log(b) - d);
}

template <class S, int P, int Order>
MF_FN jet<S, P, Order> log1p_minus(const jet<S, P, Order>& x) {
  const S r = S(1) / (S(1) + x.value);
  return chain(x, log1p_minus(x.value), -x.value * r, -r * r);
}

template <class S, int P, int Order>
MF_FN jet<S, P, Order> log_ratio_minus(const jet<S, P, Order>& a, const jet<S, P, Order>& b) {
  const jet<S, P, Order> d = (a - b) / b;
  const S ratio = b.value / a.value;  // 1 / (1 + d)
  return chain(d, log_ratio_minus(a.value, b.value), -d.value * ratio, -ratio * ratio);
}

MF_NAMESPACE_END
