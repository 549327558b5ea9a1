// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Products of small matrices of floats by a warp's tensor cores (compute capability 8.0 on). A factor is the sum of two
// matrices of 16-bit numbers, its limbs (math/half.hpp), and A B = Aₗ Bₕ + Aₕ Bₗ + Aₕ Bₕ: what is left out, Aₗ Bₗ, is
// at most 2⁻²² of a term. Sums are kept in float, and cut off, not rounded, after every 16 terms.
//
// Lane l of a warp is row g = l / 4 and pair t = l % 4. A is 16 by 16, B is 16 by 8, the sums are 16 by 8; a word holds
// two neighbours, the first in its lower half (PTX ISA, "Matrix Fragments for mma.m16n8k16"):
//   A: word 0 (g, 2t), word 1 (g + 8, 2t), word 2 (g, 2t + 8), word 3 (g + 8, 2t + 8); neighbours in a row
//   B: word 0 (2t, g), word 1 (2t + 8, g); neighbours in a column
//   sums: 0 (g, 2t), 1 (g, 2t + 1), 2 (g + 8, 2t), 3 (g + 8, 2t + 1)
// So two sums side by side are, cut into limbs, the A of a product over their columns. Lanes of a CPU pass their words
// on in memory and compute what the instructions do.
#pragma once

#include "kernels/math/half.hpp"

MF_NAMESPACE_BEGIN

#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
inline constexpr bool has_limb_products = __CUDA_ARCH__ >= 800;
#else
inline constexpr bool has_limb_products = true;
#endif

struct alignas(16) limb_words {
  std::uint32_t v[4];
};
struct limbs_a {
  limb_words high, low;
};
struct limbs_b {
  std::uint32_t high[2], low[2];
};

/// Words of memory, shared by the lanes of a warp, through which they pass two A and two B: none on a GPU.
#if defined(__CUDACC__)
inline constexpr int limb_exchange_words = 0;
#else
inline constexpr int limb_exchange_words = 32 * 2 * (8 + 4);
#endif

/// B from memory that holds it and its neighbours: entry (i, j) of the upper limb at from[i * stride + j], or
/// (Transposed) from[j * stride + i], the lower limb `limb` numbers on. Eight numbers from `from` on, and whatever
/// stride and limb move it by, begin at 16 bytes. `distance`: from rows i < 8 to those from 8 on.
struct limb_place {
  int own;  ///< the lane's part of an address: the row of the four matrices that it points at
  MF_FN limb_place(int lane, int stride, int distance, int limb)
      : own(lane / 16 * limb + lane / 8 % 2 * distance + lane % 8 * stride),
        lane_(lane),
        stride_(stride),
        distance_(distance),
        limb_(limb) {}

  template <bool Transposed>
  MF_FN limbs_b load(const std::uint16_t* from) const {
    limbs_b b;
#if defined(__CUDACC__)
#if defined(__CUDA_ARCH__)
    const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(from + own));
    if constexpr (Transposed)
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(b.high[0]), "=r"(b.high[1]), "=r"(b.low[0]), "=r"(b.low[1])
                   : "r"(address)
                   : "memory");
    else
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(b.high[0]), "=r"(b.high[1]), "=r"(b.low[0]), "=r"(b.low[1])
                   : "r"(address)
                   : "memory");
#endif
#else
    const int g = lane_ / 4, t = lane_ % 4;
    for (int i = 0; i < 4; ++i) {
      const std::uint16_t* const matrix = from + i / 2 * limb_ + i % 2 * distance_;
      const std::uint16_t first = Transposed ? matrix[g * stride_ + 2 * t] : matrix[2 * t * stride_ + g];
      const std::uint16_t second = Transposed ? matrix[g * stride_ + 2 * t + 1] : matrix[(2 * t + 1) * stride_ + g];
      // Not (i < 2 ? b.high : b.low)[i % 2]: of that g++ 12 makes a copy under the undefined-behaviour sanitizer.
      std::uint32_t* const to = i < 2 ? b.high : b.low;
      to[i % 2] = first | static_cast<std::uint32_t>(second) << 16;
    }
#endif
    return b;
  }

 private:
  int lane_, stride_, distance_, limb_;
};

#if defined(__CUDACC__)
MF_FN void multiply_add(const limb_words& a, const std::uint32_t (&b)[2], float (&sum)[4]) {
#if defined(__CUDA_ARCH__)
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a.v[0]), "r"(a.v[1]), "r"(a.v[2]), "r"(a.v[3]), "r"(b[0]), "r"(b[1]));
#endif
}
#else
/// The float next to x towards 0.
inline float cut_off(double x) {
  const float near = static_cast<float>(x);
  const bool beyond = (near < 0 ? -static_cast<double>(near) : near) > (x < 0 ? -x : x);
  return beyond ? std::bit_cast<float>(std::bit_cast<std::uint32_t>(near) - 1) : near;
}
/// What the instruction does for one lane: words of all lanes' A [4 each] and B [2 each], lanes `step` words apart.
inline void multiply_add(const std::uint32_t* a, const std::uint32_t* b, int step, int lane, float (&sum)[4]) {
  const int g = lane / 4, t = lane % 4;
  const auto half_of = [](std::uint32_t word, int i) { return from_half(static_cast<std::uint16_t>(word >> 16 * i)); };
  for (int i = 0; i < 4; ++i) {
    const int row = g + i / 2 * 8, column = 2 * t + i % 2;
    double total = static_cast<double>(sum[i]);
    for (int k = 0; k < 16; ++k)
      total += static_cast<double>(half_of(a[(row % 8 * 4 + k % 8 / 2) * step + row / 8 + k / 8 * 2], k % 2)) *
               static_cast<double>(half_of(b[(column * 4 + k % 8 / 2) * step + k / 8], k % 2));
    sum[i] = cut_off(total);
  }
}
#endif

/// Two A by two B: adds Aₗ Bₕ, Aₕ Bₗ and Aₕ Bₕ to sums(i, j), a float (&)[4]; i and j: the numbers of A and of B.
/// Products of different matrices come in turns, so that none waits for the one before it. `exchange`: the warp's
/// limb_exchange_words.
template <class Context, class Sums>
MF_FN void multiply_limbs(Context& context, [[maybe_unused]] std::uint32_t* exchange, const limbs_a (&a)[2],
                          const limbs_b (&b)[2], Sums sums) {
#if defined(__CUDACC__)
  static_cast<void>(context);
  MF_UNROLL
  for (int q = 0; q < 4; ++q) multiply_add(a[q % 2].low, b[q / 2].high, sums(q % 2, q / 2));
  MF_UNROLL
  for (int q = 0; q < 4; ++q) multiply_add(a[q % 2].high, b[q / 2].low, sums(q % 2, q / 2));
  MF_UNROLL
  for (int q = 0; q < 4; ++q) multiply_add(a[q % 2].high, b[q / 2].high, sums(q % 2, q / 2));
#else
  constexpr int step = limb_exchange_words / 32;
  const int lane = context.lane() % 32;
  std::uint32_t* const own = exchange + lane * step;
  for (int q = 0; q < 2; ++q) {
    for (int w = 0; w < 4; ++w) own[8 * q + w] = a[q].high.v[w];
    for (int w = 0; w < 4; ++w) own[8 * q + 4 + w] = a[q].low.v[w];
    for (int w = 0; w < 2; ++w) own[16 + 4 * q + w] = b[q].high[w];
    for (int w = 0; w < 2; ++w) own[16 + 4 * q + 2 + w] = b[q].low[w];
  }
  context.warp_barrier();
  for (int q = 0; q < 4; ++q) {
    const std::uint32_t *high_a = exchange + q % 2 * 8, *high_b = exchange + 16 + q / 2 * 4;
    multiply_add(high_a + 4, high_b, step, lane, sums(q % 2, q / 2));
    multiply_add(high_a, high_b + 2, step, lane, sums(q % 2, q / 2));
    multiply_add(high_a, high_b, step, lane, sums(q % 2, q / 2));
  }
  context.warp_barrier();
#endif
}

MF_NAMESPACE_END
