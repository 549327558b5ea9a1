// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The elementary functions under one set of names for every scalar that a formula can be written for. This file has
// them for double and float; pack.hpp has them for SIMD vectors and jet.hpp for jets of either. A formula calls log(x),
// select(x > 0, a, b) and so on unqualified, inside namespace manyfit.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/core.hpp"

MF_NAMESPACE_BEGIN

#define MF_UNARY(name)          \
  MF_FN double name(double x) { \
    return ::name(x);           \
  }                             \
  MF_FN float name(float x) {   \
    return ::name##f(x);        \
  }
MF_UNARY(expm1)
MF_UNARY(log)
MF_UNARY(log1p)
MF_UNARY(sqrt)
MF_UNARY(sin)
MF_UNARY(cos)
MF_UNARY(tan)
MF_UNARY(atan)
MF_UNARY(floor)
#undef MF_UNARY

/// 2^x. On a GPU in float by the hardware's function: 2 units in the last place, 0 below 2⁻¹²⁶.
MF_FN double exp2(double x) {
  return ::exp2(x);
}
MF_FN float exp2(float x) {
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return ::exp2f(x);
#endif
}

MF_FN double exp(double x) {
  return ::exp(x);
}
/// On a GPU 2^(x log₂ e): relative error (1 + |x|) 2⁻²³ or so; two instructions for eight.
MF_FN float exp(float x) {
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
  return exp2(x * 1.44269504f);
#else
  return ::expf(x);
#endif
}

/// 1/x for 2⁻¹²⁶ ≤ |x| ≤ 2¹²⁶. On a GPU in float by the hardware's function, 1 ulp off at most; one instruction for
/// eight.
MF_FN double inverse(double x) {
  return 1 / x;
}
MF_FN float inverse(float x) {
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return 1 / x;
#endif
}

MF_FN double abs(double x) {
  return ::fabs(x);
}
MF_FN float abs(float x) {
  return ::fabsf(x);
}

/// condition ? a : b, without a branch in SIMD scalars: both sides are evaluated and must be safe to evaluate.
MF_FN double select(bool condition, double a, double b) {
  return condition ? a : b;
}
MF_FN float select(bool condition, float a, float b) {
  return condition ? a : b;
}

/// Whether what select(condition, a, b) takes where the condition is `side` must be evaluated: on a GPU's lane one of
/// the two, elsewhere both.
template <class Mask>
MF_FN bool is_needed(const Mask&, bool) {
  return true;
}
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
MF_FN bool is_needed(bool condition, bool side) {
  return condition == side;
}
#endif

/// Larger and smaller of two; b where a is NaN.
template <class T>
MF_FN T maximum(T a, T b) {
  return select(a > b, a, b);
}
template <class T>
MF_FN T minimum(T a, T b) {
  return select(a < b, a, b);
}

template <class T>
MF_FN T square(const T& x) {
  return x * x;
}

/// a b − c, rounded once.
MF_FN double multiply_subtract(double a, double b, double c) {
  return ::fma(a, b, -c);
}
MF_FN float multiply_subtract(float a, float b, float c) {
  return ::fmaf(a, b, -c);
}

/// What a mask of comparison results is for each scalar: bool here, a lane mask for packs.
MF_FN bool is_finite(double x) {
  return ::fabs(x) <= 1.7976931348623157e308;
}
MF_FN bool is_finite(float x) {
  return ::fabsf(x) <= 3.40282347e38f;
}
MF_FN bool is_missing(double x) {
  return x != x;
}
MF_FN bool is_missing(float x) {
  return x != x;
}

/// The plain number behind a scalar: itself for double and float; a jet gives its value.
MF_FN double value_of(double x) {
  return x;
}
MF_FN float value_of(float x) {
  return x;
}

namespace constants {
inline constexpr double pi = 3.14159265358979323846;
inline constexpr double log_2 = 0.69314718055994530942;
inline constexpr double log_pi = 1.14472988584940017414;
inline constexpr double half_log_two_pi = 0.91893853320467274178;
inline constexpr double euler_gamma = 0.57721566490153286061;
inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
}  // namespace constants

MF_NAMESPACE_END
