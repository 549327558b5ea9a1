// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// log Γ(r + x) − log Γ(r) and its derivatives in r without cancellation at large r: the negative binomial near its
// Poisson limit, where both terms are of order r log r and their difference is of order x log r.
#pragma once

#include "kernels/math/gamma.hpp"
#include "kernels/math/jet.hpp"

MF_NAMESPACE_BEGIN

/// log Γ(r + x) − log Γ(r) for 1e-290 ≤ r ≤ 1e300 and 0 ≤ x ≤ 1e300 (float r ≥ 1e-27): |error| ≤ 4e-15 (1 + |value|),
/// float 2e-6; zero exactly at x = 0. One logarithm, if the compiler hoists what depends on r alone. Source: above
/// r = 8, DLMF 5.11.1 at both arguments with the terms in log r taken apart by hand.
template <class T>
MF_FN T log_gamma_ratio(const T& r, const T& x) {
  const auto small = r < T(8);
  const T log_r = log(r);
  const T y = r + x;
  const T q = x / r;
  const T u = T(1) + q;
  const T logarithm = log(select(small, y, u));
  T direct = T(0), apart = T(0);
  if (is_needed(small, true)) direct = log_gamma_given_log(y, logarithm) - log_gamma_given_log(r, log_r);
  if (is_needed(small, false)) {
    const T log1p_q = logarithm + (q - (u - T(1))) / u;  // the rounding of 1 + q, put back
    T numerator_y, denominator_y, numerator_r, denominator_r;
    stirling_remainder(y, numerator_y, denominator_y);
    stirling_remainder(r, numerator_r, denominator_r);
    const T remainders = numerator_y / denominator_y - numerator_r / denominator_r;
    apart = (y - T(0.5)) * log1p_q + x * (log_r - T(1)) + remainders;
  }
  return select(small, direct, apart);
}

/// log_gamma_ratio with ψ(r + x) − ψ(r) and ψ'(r + x) − ψ'(r), for x = 0 or x ≥ 0.1: relative error ≤ 2e-14 of both
/// differences (float 1e-5) for any r.
template <class T>
MF_FN derivatives<T> log_gamma_ratio_derivatives(const T& r, const T& x) {
  const T y = r + x;
  const shifted_argument<T> sr = shift_argument(r);
  const shifted_argument<T> sy = shift_argument(y);
  const T wr = T(1) / sr.z;
  const T wy = T(1) / sy.z;
  const T distance = x + (sy.offset - sr.offset);  // of the shifted arguments; x itself, exactly, when both or none is
  derivatives<T> result;
  result.value = log_gamma_ratio(r, x);
  result.first = log1p(distance * wr) - (digamma_remainder(wy) - digamma_remainder(wr)) - (sy.first - sr.first);
  result.second = (trigamma_remainder(wy) - trigamma_remainder(wr)) - distance * wr * wy + (sy.second - sr.second);
  return result;
}

template <class S, int P, int Order>
MF_FN jet<S, P, Order> log_gamma(const jet<S, P, Order>& x) {
  const derivatives<S> d = log_gamma_derivatives(x.value);
  return chain(x, d.value, d.first, d.second);
}

/// For a parameter r and an observation x, of which no derivative is taken.
template <class S, int P, int Order>
MF_FN jet<S, P, Order> log_gamma_ratio(const jet<S, P, Order>& r, const S& x) {
  const derivatives<S> d = log_gamma_ratio_derivatives(r.value, x);
  return chain(r, d.value, d.first, d.second);
}

MF_NAMESPACE_END
