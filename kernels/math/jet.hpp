// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Forward-mode automatic differentiation of first or second order. A jet carries a value, its gradient and, of order 2,
// its Hessian (packed lower triangle) with respect to P parameters; S is double, float or a pack. A formula templated
// on its scalar, evaluated at seeded jets, yields its exact derivatives. Source: Griewank & Walther, Evaluating
// Derivatives (2008), ch. 13.
#pragma once

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

/// The members of a jet.
template <class S, int P, int Order>
struct jet_parts;
template <class S, int P>
struct jet_parts<S, P, 1> {
  S value;
  S gradient[P];
};
template <class S, int P>
struct jet_parts<S, P, 2> {
  S value;
  S gradient[P];
  S hessian[packed_size(P)];
};

template <class S, int P, int Order = 2>
struct jet : jet_parts<S, P, Order> {
  jet() = default;
  /// A constant: derivatives zero.
  MF_FN jet(S constant) {  // NOLINT: implicit on purpose, so that constants mix into formulas
    this->value = constant;
    for (int i = 0; i < P; ++i) this->gradient[i] = S(0);
    if constexpr (Order == 2)
      for (int i = 0; i < packed_size(P); ++i) this->hessian[i] = S(0);
  }
  /// Parameter number `index` at `at`: the seed of a differentiation.
  MF_FN static jet variable(S at, int index) {
    jet result(at);
    result.gradient[index] = S(1);
    return result;
  }

  /// f(a) by the chain rule, from f, f' and f'' at a.value.
  MF_FN friend jet chain(const jet& a, S f, S f1, S f2) {
    jet result;
    result.value = f;
    for (int i = 0; i < P; ++i) result.gradient[i] = f1 * a.gradient[i];
    if constexpr (Order == 2)
      for (int i = 0; i < P; ++i)
        for (int j = 0; j <= i; ++j)
          result.hessian[packed(i, j)] = f1 * a.hessian[packed(i, j)] + f2 * a.gradient[i] * a.gradient[j];
    return result;
  }

  MF_FN friend jet operator-(const jet& a) {
    jet result;
    result.value = -a.value;
    for (int i = 0; i < P; ++i) result.gradient[i] = -a.gradient[i];
    if constexpr (Order == 2)
      for (int i = 0; i < packed_size(P); ++i) result.hessian[i] = -a.hessian[i];
    return result;
  }
  MF_FN friend jet operator+(const jet& a, const jet& b) {
    jet result;
    result.value = a.value + b.value;
    for (int i = 0; i < P; ++i) result.gradient[i] = a.gradient[i] + b.gradient[i];
    if constexpr (Order == 2)
      for (int i = 0; i < packed_size(P); ++i) result.hessian[i] = a.hessian[i] + b.hessian[i];
    return result;
  }
  MF_FN friend jet operator-(const jet& a, const jet& b) { return a + (-b); }
  MF_FN friend jet operator*(const jet& a, const jet& b) {
    jet result;
    result.value = a.value * b.value;
    for (int i = 0; i < P; ++i) result.gradient[i] = a.value * b.gradient[i] + b.value * a.gradient[i];
    if constexpr (Order == 2)
      for (int i = 0; i < P; ++i)
        for (int j = 0; j <= i; ++j)
          result.hessian[packed(i, j)] = a.value * b.hessian[packed(i, j)] + b.value * a.hessian[packed(i, j)] +
                                         a.gradient[i] * b.gradient[j] + a.gradient[j] * b.gradient[i];
    return result;
  }
  MF_FN friend jet operator/(const jet& a, const jet& b) { return a * reciprocal(b); }

  // Mixed with a plain scalar: the same rules with a derivative of zero left out.
  MF_FN friend jet operator+(const jet& a, S b) {
    jet result = a;
    result.value = a.value + b;
    return result;
  }
  MF_FN friend jet operator+(S a, const jet& b) { return b + a; }
  MF_FN friend jet operator-(const jet& a, S b) { return a + (-b); }
  MF_FN friend jet operator-(S a, const jet& b) { return (-b) + a; }
  MF_FN friend jet operator*(const jet& a, S b) { return chain(a, a.value * b, b, S(0)); }
  MF_FN friend jet operator*(S a, const jet& b) { return b * a; }
  MF_FN friend jet operator/(const jet& a, S b) { return a * (S(1) / b); }
  MF_FN friend jet operator/(S a, const jet& b) { return reciprocal(b) * a; }

  MF_FN friend auto operator<(const jet& a, const jet& b) { return a.value < b.value; }
  MF_FN friend auto operator>(const jet& a, const jet& b) { return a.value > b.value; }
  MF_FN friend auto operator<=(const jet& a, const jet& b) { return a.value <= b.value; }
  MF_FN friend auto operator>=(const jet& a, const jet& b) { return a.value >= b.value; }

  MF_FN friend jet reciprocal(const jet& a) {
    const S r = S(1) / a.value;
    return chain(a, r, -r * r, S(2) * r * r * r);
  }
  MF_FN friend jet exp(const jet& a) {
    const S e = exp(a.value);
    return chain(a, e, e, e);
  }
  MF_FN friend jet expm1(const jet& a) {
    const S e = exp(a.value);
    return chain(a, expm1(a.value), e, e);
  }
  MF_FN friend jet log(const jet& a) {
    const S r = S(1) / a.value;
    return chain(a, log(a.value), r, -r * r);
  }
  MF_FN friend jet log1p(const jet& a) {
    const S r = S(1) / (S(1) + a.value);
    return chain(a, log1p(a.value), r, -r * r);
  }
  MF_FN friend jet sqrt(const jet& a) {
    const S root = sqrt(a.value);
    const S half = S(0.5) / root;
    return chain(a, root, half, S(-0.5) * half / a.value);
  }
  MF_FN friend jet sin(const jet& a) {
    const S s = sin(a.value);
    return chain(a, s, cos(a.value), -s);
  }
  MF_FN friend jet cos(const jet& a) {
    const S c = cos(a.value);
    return chain(a, c, -sin(a.value), -c);
  }
  MF_FN friend jet atan(const jet& a) {
    const S r = S(1) / (S(1) + a.value * a.value);
    return chain(a, atan(a.value), r, S(-2) * a.value * r * r);
  }
  MF_FN friend jet abs(const jet& a) {
    const S sign = select(a.value < S(0), S(-1), S(1));
    return chain(a, abs(a.value), sign, S(0));
  }
  MF_FN friend jet floor(const jet& a) { return jet(floor(a.value)); }
  MF_FN friend S value_of(const jet& a) { return a.value; }
};

/// condition ? a : b for jets; Mask is bool or a pack's lane mask.
template <class Mask, class S, int P, int Order>
MF_FN jet<S, P, Order> select(const Mask& condition, const jet<S, P, Order>& a, const jet<S, P, Order>& b) {
  jet<S, P, Order> result;
  result.value = select(condition, a.value, b.value);
  for (int i = 0; i < P; ++i) result.gradient[i] = select(condition, a.gradient[i], b.gradient[i]);
  if constexpr (Order == 2)
    for (int i = 0; i < packed_size(P); ++i) result.hessian[i] = select(condition, a.hessian[i], b.hessian[i]);
  return result;
}

/// A jet of order 2 as one of `Order`.
template <int Order, class S, int P>
MF_FN jet<S, P, Order> of_order(const jet<S, P>& a) {
  if constexpr (Order == 2) {
    return a;
  } else {
    jet<S, P, 1> result;
    result.value = a.value;
    for (int i = 0; i < P; ++i) result.gradient[i] = a.gradient[i];
    return result;
  }
}

MF_NAMESPACE_END
