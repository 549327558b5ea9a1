// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// log I₀ and the ratio A = I₁/I₀ of the von Mises distribution, for k ≥ 0. Two ranges meet at 16, above which what is
// left of the asymptotic expansion in 1/k (exp(−2k) ≈ 1e-14) no longer disturbs a polynomial. Sources:
// DLMF 10.25.2, 10.40.1; constants: tests/golden/fit_special_constants.py.
#pragma once

#include "kernels/math/jet.hpp"
#include "kernels/math/polynomial.hpp"

MF_NAMESPACE_BEGIN

/// I₀(k) − 1 for k ≤ 16 and exp(−k) I₀(k) for k ≥ 16; outside its own range each is finite and meaningless.
template <class T>
struct bessel_i0_values {
  T minus_one;
  T scaled;
};
template <class T>
MF_FN bessel_i0_values<T> bessel_i0(const T& k) {
  const T below = minimum(k, T(16));
  const T above = maximum(k, T(16));
  const T t = T(0.25) * below * below;
  const T w = T(1) / above;
  const T series = t * polynomial(t, 1.0000000000000001077, 0.24999999999999851597, 0.027777777777781176573,
                                  0.0017361111111080202958, 0.000069444444445932173393, 1.9290123452409109982e-6,
                                  3.9367598977452669812e-8, 6.1511872075427503106e-10, 7.5940596399837540305e-12,
                                  7.59404914699825961e-14, 6.2761359382222587039e-16, 4.3581400052799681025e-18,
                                  2.579825082708166404e-20, 1.3132521916310356883e-22, 5.9038707046599889783e-25,
                                  2.187829778009816539e-27, 9.1824394419498467501e-30, 1.1716967233141246503e-32,
                                  1.5786708153623315795e-34, -2.579050039891319726e-37, 1.5076743294525727723e-39);
  const T asymptotic =
      polynomial(w, 0.99999999999999999868, 0.12500000000000827141, 0.07031249999144324047, 0.073242190970576999118,
                 0.1121513688961832128, 0.22719958490764169853, 0.56512324208632259348, 2.1270686189307050901,
                 -8.7788655756147763026, 405.80226347546707305, -6555.8316207499859087, 76573.68128934489276,
                 -510975.35193815698591, 1609590.897314702467);
  const T scaled = asymptotic * sqrt(w * T(0.15915494309189533577));  // 1 / (2 pi)
  return {series, scaled};
}

/// log I₀(k): relative error ≤ 3e-15 (float 1e-6), also at small k where it is k²/4.
template <class T>
MF_FN T log_bessel_i0(const T& k) {
  const auto small = k < T(16);
  const bessel_i0_values<T> i0 = bessel_i0(minimum(k, T(is_single<T> ? 1e10 : 1e15)));  // beyond, only k is left
  return select(small, T(0), k) + log1p(select(small, i0.minus_one, i0.scaled - T(1)));
}

/// log(exp(−k) I₀(k)), 0 ≤ k ≤ 1e300 (float 1e36): |error| ≤ 4e-15 (1 + |value|) for any k, where log I₀(k) − k would
/// cancel.
template <class T>
MF_FN T log_bessel_i0_scaled(const T& k) {
  const bessel_i0_values<T> i0 = bessel_i0(k);
  return select(k < T(16), log1p(i0.minus_one) - k, log(i0.scaled));
}

/// A = I₁/I₀, 1 − A and A' = 1 − A/k − A², each formed without cancellation.
template <class T>
struct bessel_ratio_values {
  T ratio;
  T one_minus_ratio;
  T derivative;
};

/// Relative errors ≤ 2e-15 of A, 1e-14 of 1 − A and 3e-13 of A' (float 1e-6, 1e-5, 3e-4), the worst of the latter two
/// just below 16, for 0 ≤ k ≤ 1e150 (float 1e18). Large k: 1 − A = w/2 + w² E(w), w = 1/k, and
/// A' = 2 w² E + w (1 − A) − (1 − A)².
template <class T>
MF_FN bessel_ratio_values<T> bessel_ratio_with_derivative(const T& k) {
  const auto small = k < T(16);
  const T below = minimum(k, T(16));
  const T w = T(1) / maximum(k, T(16));
  const T t = T(0.25) * below * below;
  const T p = polynomial(t, 0.99999999999999995547, 0.44865476784286545424, 0.059057167423597579744,
                         0.0033369610307460647933, 0.000093976216247013146618, 1.4013739551282330281e-6,
                         1.1127294520230597267e-8, 4.4934627536267636533e-11, 8.1980892171240615936e-14,
                         5.1543770275095810149e-17, 4.7197025745935349524e-21);
  const T q = polynomial(t, 1.0, 0.9486547678428647981, 0.20005121801169866858, 0.016310980755637389794,
                         0.00063244488749248354155, 0.000012770192454409546016, 1.3817651156754214566e-7,
                         7.8494053330883443837e-10, 2.1652058508141721646e-12, 2.4287417357137965884e-15,
                         7.1009230658402460203e-19);
  const T half = T(0.5) * p / q;  // A / k
  const T a = below * half;
  const T e = polynomial(w, 0.124999999999999935, 0.12500000000029652374, 0.19531249970580118226,
                         0.40625012254980995903, 1.0478240780323395792, 3.2225067297929910777, 11.131251214577411282,
                         66.768310002381555593, -637.19274053209324701, 25616.539593637623725, -477586.42894715382355,
                         6238386.638669925798, -46809921.098663086685, 164236262.16677942847);
  const T one_minus = T(0.5) * w + w * w * e;
  bessel_ratio_values<T> result;
  result.ratio = select(small, a, T(1) - one_minus);
  result.one_minus_ratio = select(small, T(1) - a, one_minus);
  result.derivative = select(small, (T(1) - a * a) - half, T(2) * w * w * e + w * one_minus - one_minus * one_minus);
  return result;
}

template <class T>
MF_FN T bessel_ratio(const T& k) {
  return bessel_ratio_with_derivative(k).ratio;
}
template <class T>
MF_FN T one_minus_bessel_ratio(const T& k) {
  return bessel_ratio_with_derivative(k).one_minus_ratio;
}
template <class T>
MF_FN T bessel_ratio_derivative(const T& k) {
  return bessel_ratio_with_derivative(k).derivative;
}

template <class S, int P, int Order>
MF_FN jet<S, P, Order> log_bessel_i0(const jet<S, P, Order>& k) {
  const bessel_ratio_values<S> a = bessel_ratio_with_derivative(k.value);
  return chain(k, log_bessel_i0(k.value), a.ratio, a.derivative);
}

template <class S, int P, int Order>
MF_FN jet<S, P, Order> log_bessel_i0_scaled(const jet<S, P, Order>& k) {
  const bessel_ratio_values<S> a = bessel_ratio_with_derivative(k.value);
  return chain(k, log_bessel_i0_scaled(k.value), -a.one_minus_ratio, a.derivative);
}

MF_NAMESPACE_END
