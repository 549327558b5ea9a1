// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// log Γ and its first two derivatives, for x > 0, branch-free so that they run on SIMD lanes inside data loops.
// Every constant comes from tests/golden/fit_special_constants.py, and tests/math/special_functions_test.cpp enforces
// the accuracies stated here. Outside x > 0 the results mean nothing; supports are guarded by the families.
#pragma once

#include "kernels/math/polynomial.hpp"

MF_NAMESPACE_BEGIN

/// log Γ(x) − (x − ½)(log x − 1) − ½ log 2π + ½ for x ≥ 3: Stirling's remainder, as a rational function of x². The
/// large arguments, where it no longer matters, are clamped to a value whose powers do not overflow. Source:
/// DLMF 5.11.1.
template <class T>
MF_FN void stirling_remainder(const T& x, T& numerator, T& denominator) {
  const T clamped = minimum(x, T(is_single<T> ? 1e6 : 1e20));
  const T u = clamped * clamped;
  if constexpr (is_single<T>) {
    numerator = polynomial(u, 0.019454282798892629077, 0.083333320665780214556);
    denominator = clamped * polynomial(u, 0.2667598527354804078, 1.0);
  } else {
    numerator = polynomial(u, 0.04794904406052365254, 0.74015330796912895162, 1.4475495319656099787,
                           0.69982401640292165961, 0.083333333333333261853);
    denominator = clamped * polynomial(u, 0.77071737980708707876, 9.396755548646806829, 17.642111292055430114,
                                       8.4312215301671293402, 1.0);
  }
}

/// log Γ(x) where log(x) is known already.
template <class T>
MF_FN T log_gamma_given_log(const T& x, const T& log_x) {
  const auto small = x < T(3);
  const auto below_1 = x < T(1);
  // Below 3: log Γ(y) = (y − 1)(y − 2) R(y − 2) on [1, 3], which keeps relative accuracy at both zeros;
  // below 1 at y = x + 1.
  const T a = select(below_1, x, x - T(1));
  const T b = select(below_1, x - T(1), x - T(2));
  const T t = minimum(b, T(1));
  T p, q, numerator, denominator;
  if constexpr (is_single<T>) {
    p = polynomial(t, 0.42278433452256161163, 0.30006358015858020586, 0.053436732803583421151, 0.0011397166253937874099,
                   -0.000028574205443259877753);
    q = polynomial(t, 1.0, 0.94700973499056032049, 0.27312548266668632254, 0.022954884734135537762);
  } else {
    p = polynomial(t, 0.4227843350984671394, 0.70082424647529057468, 0.45341344542876614152, 0.14405240072159208549,
                   0.023118701969457993238, 0.0017125122839534559734, 0.000043739269421668647943,
                   8.6855577518837874623e-8);
    q = polynomial(t, 1.0, 1.8949177669107758952, 1.4440967448254570598, 0.5649180835749070147, 0.11980929787789799808,
                   0.013314167138219529646, 0.00067825915951183726476, 0.00001095906170765142925);
  }
  stirling_remainder(x, numerator, denominator);
  const T quotient = select(small, a * b * p, numerator) / select(small, q, denominator);  // one division serves both
  const T main = (x - T(0.5)) * (log_x - T(1)) + T(constants::half_log_two_pi - 0.5);
  return quotient + select(small, select(below_1, -log_x, T(0)), main);
}

/// log Γ(x) for 0 < x ≤ 1e305 (float 1e36): |error| ≤ 2e-15 (1 + |value|), and within 1e-13 relative at the zeros 1 and
/// 2; float 1e-6. One logarithm and one division.
template <class T>
MF_FN T log_gamma(const T& x) {
  return log_gamma_given_log(x, log(x));
}

/// The argument of an asymptotic series, z = x or x + 6 ≥ 6, with what the shift left behind: Σ 1/(x + i) and
/// Σ 1/(x + i)², i = 0..5, zero without a shift. Source: DLMF 5.5.2. Terms i and 5 − i are paired,
/// (x + i)(x + 5 − i) = x (x + 5) + c with c = 0, 4, 6, which leaves one division.
template <class T>
struct shifted_argument {
  T z;
  T offset;  // 6 or 0
  T first;
  T second;
  decltype(T() < T()) is_shifted;
};

template <class T>
MF_FN shifted_argument<T> shift_argument(const T& x) {
  shifted_argument<T> result;
  result.is_shifted = x < T(6);
  const T clamped = minimum(x, T(6));
  const T a = clamped * (clamped + T(5));
  const T b = a + T(4);
  const T c = a + T(6);
  const T bc = b * c;
  const T inverse = T(1) / (a * bc);
  const T ra = bc * inverse;
  const T rb = a * c * inverse;
  const T rc = a * b * inverse;
  const T sum = T(2) * clamped + T(5);
  const T reciprocals = ra + rb + rc;
  result.offset = select(result.is_shifted, T(6), T(0));
  result.z = x + result.offset;
  result.first = select(result.is_shifted, sum * reciprocals, T(0));
  result.second = select(result.is_shifted, sum * sum * (ra * ra + rb * rb + rc * rc) - T(2) * reciprocals, T(0));
  return result;
}

/// With w = 1/z, z ≥ 6: log z − ψ(z), positive terms only. Source: DLMF 5.11.2, its tail refitted in 1/z².
template <class T>
MF_FN T digamma_remainder(const T& w) {
  const T v = w * w;
  return T(0.5) * w + v * polynomial(v, 0.083333333333332946634, -0.008333333331966730271, 0.0039682531741967777098,
                                     -0.0041664921338011457182, 0.0075572403498267601351, -0.020057813199279286372,
                                     0.0527835788011919035);
}

/// With w = 1/z, z ≥ 6: ψ'(z) − 1/z. Source: DLMF 5.15.8, its tail refitted in 1/z².
template <class T>
MF_FN T trigamma_remainder(const T& w) {
  const T v = w * w;
  return T(0.5) * v + v * w *
                          polynomial(v, 0.16666666666666087359, -0.033333333312856303668, 0.023809511899145679017,
                                     -0.033330710015282089742, 0.075478218012434935893, -0.23739189872882110068,
                                     0.69589137400046774006);
}

/// ψ(x) and ψ'(x) together, for 0 < x ≤ 1e305: one logarithm, two divisions. |error of ψ| ≤ 2e-15 (1 + |value|), ψ'
/// relative 3e-15; ψ' is infinite below 1e-154. Float: 2e-6 and below 1e-18.
template <class T>
MF_FN void polygamma01(const T& x, T& digamma_of_x, T& trigamma_of_x) {
  const shifted_argument<T> s = shift_argument(x);
  const T w = T(1) / s.z;
  digamma_of_x = log(s.z) - (digamma_remainder(w) + s.first);
  trigamma_of_x = w + trigamma_remainder(w) + s.second;
}

/// ψ(x), as polygamma01.
template <class T>
MF_FN T digamma(const T& x) {
  const shifted_argument<T> s = shift_argument(x);
  return log(s.z) - (digamma_remainder(T(1) / s.z) + s.first);
}

/// ψ'(x), as polygamma01; no logarithm.
template <class T>
MF_FN T trigamma(const T& x) {
  const shifted_argument<T> s = shift_argument(x);
  const T w = T(1) / s.z;
  return w + trigamma_remainder(w) + s.second;
}

/// log Γ, ψ and ψ' at x.
template <class T>
MF_FN derivatives<T> log_gamma_derivatives(const T& x) {
  derivatives<T> result;
  result.value = log_gamma(x);
  polygamma01(x, result.first, result.second);
  return result;
}

/// A function's value with its derivative, where the two share their work and a solve wants both.
template <class T>
struct value_and_derivative {
  T value;
  T derivative;
};

/// log x − ψ(x) and its derivative 1/x − ψ'(x), for x > 0: relative error ≤ 2e-14 (float 1e-5) however large x is,
/// where they are 1/(2x) and −1/(2x²). One logarithm, two divisions.
template <class T>
MF_FN value_and_derivative<T> log_minus_digamma(const T& x) {
  const shifted_argument<T> s = shift_argument(x);
  const T w = T(1) / s.z;
  const T log_of_shift = log(select(s.is_shifted, x * w, T(1)));
  const T reciprocals = select(s.is_shifted, T(1) / minimum(x, T(6)) - w, T(0));
  return {digamma_remainder(w) + select(s.is_shifted, s.first + log_of_shift, T(0)),
          (reciprocals - s.second) - trigamma_remainder(w)};
}

MF_NAMESPACE_END
