// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Where a sample is read from, and in which unit. Data far from 0 for their spread are read about a pivot, data whose
// squares or sums would leave the doubles' range in a power of two. Neither rounds: x − pivot is exact where all x lie
// within a factor 2 of the pivot (Sterbenz, Floating-Point Computation (1974), theorem 4.3.1). Most samples need none.
#pragma once

#include <bit>

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

/// Coordinates are x / unit − pivot, the unit being a power of two. For families on the logarithm log(x / unit); or,
/// with a pivot of 1, stretch · log(1 + (x − unit) / unit), the stretch being a power of two and the unit a number in
/// the middle of a narrow sample.
struct frame {
  double unit = 1, pivot = 0, stretch = 1;
  MF_FN bool active() const { return unit != 1 || pivot != 0 || stretch != 1; }
};

/// The power of two at or below |x|, for finite x other than 0; within 2^±1022, so that its inverse is a double too.
MF_FN_LARGE double power_of_two_below(double x) {
  const std::int64_t exponent = std::bit_cast<std::int64_t>(x) >> 52 & 0x7ff;
  const std::int64_t clamped = exponent < 1 ? 1 : exponent > 2045 ? 2045 : exponent;
  return std::bit_cast<double>(clamped << 52);
}

MF_NAMESPACE_END
