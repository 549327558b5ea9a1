// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// running_product.hpp for one lane of a GPU: a sum of logarithms as the logarithm of a product whose exponent is
// carried apart. A multiplication and three integer instructions for several values, in place of a logarithm for each.
// Relative rounding of a product of n factors: n 2⁻²⁴ in float at most, as an absolute error of the sum.
#pragma once

#include <bit>

#include "kernels/math/polynomial.hpp"

MF_NAMESPACE_BEGIN

template <class T>
class lane_product {
 public:
  /// factor: positive, in [2⁻¹²⁰, 2¹²⁰] in float, [2⁻¹⁰⁰⁰, 2¹⁰⁰⁰] in double.
  MF_FN void multiply(T factor) {
    const bits_type bits = std::bit_cast<bits_type>(mantissa_ * factor);
    exponent_ += static_cast<std::int32_t>(bits >> fraction_bits) - bias;
    mantissa_ = std::bit_cast<T>((bits & ((bits_type{1} << fraction_bits) - 1)) | (bits_type{bias} << fraction_bits));
  }
  /// The logarithm of the product so far.
  MF_FN double logarithm() const {
    return static_cast<double>(exponent_) * constants::log_2 + static_cast<double>(log(mantissa_));
  }

 private:
  using bits_type = std::conditional_t<is_single<T>, std::uint32_t, std::uint64_t>;
  static constexpr int fraction_bits = is_single<T> ? 23 : 52, bias = is_single<T> ? 127 : 1023;
  T mantissa_ = 1;
  std::int32_t exponent_ = 0;  ///< 2³¹ is reached after 17 million factors at the ends of the range
};

MF_NAMESPACE_END
