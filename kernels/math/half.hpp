// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Numbers of 16 bits (IEEE 754 binary16: 11 significant bits, largest 65504, multiples of 2⁻²⁴), two to a word, and
// floats as sums of two of them. high = half(x), low = half(x - high): x to within |x| 2⁻²² or 2⁻²⁵, whichever is
// larger, for |x| ≤ 65504. By the hardware's conversions on a GPU, which these agree with bit by bit.
#pragma once

#include <bit>

#include "kernels/core.hpp"

MF_NAMESPACE_BEGIN

/// The nearest number of 16 bits, ties to even. x: no NaN.
MF_FN std::uint16_t to_half(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x), sign = bits >> 16 & 0x8000u;
  std::uint32_t size = bits & 0x7fffffffu;
  if (size >= 0x47800000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 2¹⁶ and more
  if (size < 0x38800000u) {  // below 2⁻¹⁴ the sum with ½, whose last place is 2⁻²⁴, rounds
    const float sum = std::bit_cast<float>(size) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(sum) - 0x3f000000u));
  }
  size += 0xfffu + (size >> 13 & 1u);
  return static_cast<std::uint16_t>(sign | (size - 0x38000000u) >> 13);
}
MF_FN float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, size = half & 0x7fffu;
  const float x = size < 0x400u    ? static_cast<float>(size) * 0x1p-24f
                  : size < 0x7c00u ? std::bit_cast<float>((size << 13) + 0x38000000u)
                                   : std::bit_cast<float>(0x7f800000u | (size & 0x3ffu) << 13);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) | sign);
}

/// Two floats rounded into one word, `first` in its lower half.
MF_FN std::uint32_t to_halves(float first, float second) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  std::uint32_t word;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  return word;
#else
  return to_half(first) | static_cast<std::uint32_t>(to_half(second)) << 16;
#endif
}
MF_FN void from_halves(std::uint32_t word, float& first, float& second) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  asm("{.reg .b16 a, b;\n mov.b32 {a, b}, %2;\n cvt.f32.f16 %0, a;\n cvt.f32.f16 %1, b;}"
      : "=f"(first), "=f"(second)
      : "r"(word));
#else
  first = from_half(static_cast<std::uint16_t>(word));
  second = from_half(static_cast<std::uint16_t>(word >> 16));
#endif
}

/// Two floats as words of their upper and of their lower limbs.
MF_FN void to_limbs(float first, float second, std::uint32_t& high, std::uint32_t& low) {
  float a, b;
  high = to_halves(first, second);
  from_halves(high, a, b);
  low = to_halves(first - a, second - b);
}

MF_NAMESPACE_END
