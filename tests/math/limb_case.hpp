// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Matrices for a warp's products of limbs, what its lanes do with them, and what should come out.
#pragma once

#include <cmath>
#include <random>

#include "kernels/groups/limb_products.hpp"

MF_NAMESPACE_BEGIN

/// Two A by two B.
struct limb_case {
  static constexpr int stride = 24, limb = 16 * stride;
  static constexpr int halves = 2 * limb;  ///< of memory that the lanes share, where it begins at 16 bytes
  float a[2][16][16], b[2][16][8], sums[2][2][16][8];

  void draw(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    for (int i = 0; i < 2 * 16 * 16; ++i) a[i / 256][i / 16 % 16][i % 16] = normal(random);
    for (int i = 0; i < 2 * 16 * 8; ++i) b[i / 128][i / 8 % 16][i % 8] = normal(random);
  }
  /// The lanes' work. Transposed: B is in memory with its columns as rows.
  template <bool Transposed, class Context>
  MF_FN void multiply(Context& context, std::uint16_t* memory, std::uint32_t* exchange) {
    const int lane = context.lane() % 32, g = lane / 4, t = lane % 4;
    for (int i = lane; i < 2 * 16 * 8; i += 32) {
      const int j = i / 128, k = i / 8 % 16, n = i % 8 + 8 * j;
      std::uint16_t* const to = memory + (Transposed ? n * stride + k : k * stride + n);
      to[0] = to_half(b[j][k][n % 8]);
      to[limb] = to_half(b[j][k][n % 8] - from_half(to[0]));
    }
    context.warp_barrier();
    limbs_a words[2];
    MF_UNROLL
    for (int i = 0; i < 8; ++i) {
      const float* const from = &a[i / 4][g + i % 2 * 8][2 * t + i / 2 % 2 * 8];
      to_limbs(from[0], from[1], words[i / 4].high.v[i % 4], words[i / 4].low.v[i % 4]);
    }
    const limb_place place(lane, stride, Transposed ? 8 : 8 * stride, limb);
    const limbs_b columns[2] = {place.template load<Transposed>(memory),
                                place.template load<Transposed>(memory + 8 * (Transposed ? stride : 1))};
    float sum[2][2][4] = {};
    multiply_limbs(context, exchange, words, columns, [&](int i, int j) -> float(&)[4] { return sum[i][j]; });
    for (int i = 0; i < 16; ++i)
      sums[i / 8][i / 4 % 2][g + i / 2 % 2 * 8][2 * t + i % 2] = sum[i / 8][i / 4 % 2][i % 4];
    context.warp_barrier();
  }
  /// The largest error of a sum, in units of 2⁻²² of its terms' sizes.
  double worst() const {
    double most = 0;
    for (int i = 0; i < 2 * 2 * 16 * 8; ++i) {
      const int p = i / 256, q = i / 128 % 2, row = i / 8 % 16, n = i % 8;
      double wanted = 0, size = 0;
      for (int k = 0; k < 16; ++k) {
        const double term = static_cast<double>(a[p][row][k]) * static_cast<double>(b[q][k][n]);
        wanted += term;
        size += std::abs(term);
      }
      const double error = std::abs(static_cast<double>(sums[p][q][row][n]) - wanted) / size * 0x1p22;
      most = error <= most ? most : error;  // NaN stays
    }
    return most;
  }
};

MF_NAMESPACE_END
