// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Polynomials with the coefficients in the code, where host and device compilers turn them into immediate operands.
#pragma once

#include <type_traits>

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

/// True for float, whose approximations are shorter; packs are of doubles.
template <class T>
inline constexpr bool is_single = std::is_same_v<T, float>;

template <class T>
MF_FN T polynomial(const T&, double c0) {
  return T(c0);
}
/// c0 + c1 x + c2 x² + ..., by Horner.
template <class T, class... C>
MF_FN T polynomial(const T& x, double c0, C... higher) {
  return polynomial(x, higher...) * x + T(c0);
}

/// A function's value with its first and second derivative.
template <class T>
struct derivatives {
  T value;
  T first;
  T second;
};

MF_NAMESPACE_END
