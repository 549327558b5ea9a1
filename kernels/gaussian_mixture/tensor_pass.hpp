// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A resident pass by tensor cores (tensor.hpp). A warp owns 32 components and 64 points of a tile from the log-densities
// to the sums: those of the E step's product lie in a lane's registers as the M step's needs them, so responsibilities
// never go through memory; only a point's largest log-density and its sum of densities are shared between the warps
// that have its other components. Sums begin at 0 in every tile, since the hardware cuts them off: by 12 products a sum
// of one sign becomes 3e-7 of itself too small, no more in however many tiles. They are added up, rounded, in registers
// for tensor_tiles_summed tiles, then in shared memory, and after tensor_tiles_parked tiles in the block's statistics in
// double. A tile:
//   copied | cut into limbs | products, largest | densities, sum | responsibilities, products |
#pragma once

#include "kernels/gaussian_mixture/tensor_tile.hpp"

MF_NAMESPACE_BEGIN

/// Combines x over the 8 lanes with the same pair of points: 16 numbers, of blocks of 8 points two each, of which the
/// lane gets those of the points 2 in_warp and 2 in_warp + 1.
template <class Context, class Combine>
MF_FN two<float> combine_rows(Context& context, int in_warp, float (&x)[16], Combine combine) {
  MF_UNROLL
  for (int half = 8; half >= 2; half /= 2) {
    const int mask = 2 * half;
    const bool upper = (in_warp & mask) != 0;
    MF_UNROLL
    for (int i = 0; i < half; ++i) {
      const float kept = upper ? x[half + i] : x[i], sent = upper ? x[i] : x[half + i];
      x[i] = combine(kept, context.shuffle_xor(sent, mask));
    }
  }
  return {x[0], x[1]};
}

/// A warp's log-densities, in units of log 2: [tile of 16 components][block of 8 points][as sums].
using tensor_densities = float[2][8][4];

template <int Steps, class Context>
MF_FN void find_log_densities(Context& context, const tensor_lane<Steps>& at, tensor_densities& x) {
  const limb_place place(at.in_warp, at.stride, 8 * at.stride, at.limb);
  MF_UNROLL
  for (int step = 0; step < Steps; ++step) {
    const std::uint16_t* const from = at.features + 16 * step * at.stride + at.part * tensor_points;
    limbs_a a[2];
    MF_UNROLL
    for (int i = 0; i < 2; ++i) a[i] = {at.load_factors(i, step, 0), at.load_factors(i, step, 1)};
    MF_UNROLL
    for (int block = 0; block < 8; block += 2) {
      const limbs_b b[2] = {place.template load<false>(from + 8 * block),
                            place.template load<false>(from + 8 * block + 8)};
      if (step == 0) {
        MF_UNROLL
        for (int i = 0; i < 16; ++i) x[i / 8][block + i / 4 % 2][i % 4] = 0;
      }
      const auto sums = [&](int i, int j) -> float(&)[4] { return x[i][block + j]; };
      multiply_limbs(context, at.exchange, a, b, sums);
    }
    if (step != Steps / 2 - 1) continue;
    MF_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float constant = at.constant[32 * at.group + 8 * i + at.row];
      MF_UNROLL
      for (int block = 0; block < 8; ++block) {
        x[i / 2][block][i % 2 * 2] += constant;
        x[i / 2][block][i % 2 * 2 + 1] += constant;
      }
    }
  }
}

/// A lane's four numbers of each of its 16 points combined.
template <class Combine>
MF_FN void combine_components(const tensor_densities& x, float (&out)[16], Combine combine) {
  MF_UNROLL
  for (int p = 0; p < 16; ++p) {
    const int block = p / 2, c = p % 2;
    out[p] = combine(combine(x[0][block][c], x[0][block][2 + c]), combine(x[1][block][c], x[1][block][2 + c]));
  }
}

/// A lane's sums: [tile of 16 components][block of 8 features][as sums of a product].
template <int Steps>
using tensor_sums = float[2][2 * Steps][4];

/// Adds the sums of responsibilities times features at the warp's points, which are summed apart first.
template <int Steps, class Context>
MF_FN void add_products(Context& context, const tensor_lane<Steps>& at, const tensor_densities& r,
                        tensor_sums<Steps>& sums) {
  const limb_place place(at.in_warp, at.stride, 8, at.limb);
  const std::uint16_t* const from = at.features + at.part * tensor_points;
  limbs_a a[4][2];  // of 16 points each
  MF_UNROLL
  for (int i = 0; i < 32; ++i) {
    const int column = i / 8, tile = i / 4 % 2, w = i % 4;
    const float* const x = &r[tile][2 * column + w / 2][w % 2 * 2];
    to_limbs(x[0], x[1], a[column][tile].high.v[w], a[column][tile].low.v[w]);
  }
  MF_UNROLL
  for (int block = 0; block < 2 * Steps; block += 2) {
    float part[2][2][4];
    MF_UNROLL
    for (int i = 0; i < 16; ++i) part[i / 8][i / 4 % 2][i % 4] = 0;
    MF_UNROLL
    for (int column = 0; column < 4; ++column) {
      const limbs_b b[2] = {place.template load<true>(from + 8 * block * at.stride + 16 * column),
                            place.template load<true>(from + 8 * (block + 1) * at.stride + 16 * column)};
      multiply_limbs(context, at.exchange, a[column], b, [&](int i, int j) -> float(&)[4] { return part[i][j]; });
    }
    MF_UNROLL
    for (int i = 0; i < 16; ++i) sums[i / 8][block + i / 4 % 2][i % 4] += part[i / 8][i / 4 % 2][i % 4];
  }
}

/// Adds a lane's sums to those in shared memory, which are its own, and sets them to 0.
template <int Steps>
MF_FN void park(const tensor_lane<Steps>& at, tensor_sums<Steps>& sums, float (&weight)[4]) {
  constexpr int blocks = 2 * Steps;
  float* const own = at.parked + (at.warp * 2 * blocks * 32 + at.in_warp) * 4;
  MF_UNROLL
  for (int i = 0; i < 2 * blocks; ++i) {
    four<float> x = load_four(own + i * 128);
    MF_UNROLL
    for (int q = 0; q < 4; ++q) {
      x.v[q] += sums[i / blocks][i % blocks][q];
      sums[i / blocks][i % blocks][q] = 0;
    }
    store_four(own + i * 128, x);
  }
  float* const weights = at.parked_weight + (at.warp * 32 + at.in_warp) * 4;
  four<float> x = load_four(weights);
  MF_UNROLL
  for (int q = 0; q < 4; ++q) {
    x.v[q] += weight[q];
    weight[q] = 0;
  }
  store_four(weights, x);
}

/// Tiles [block, block + blocks, ...] of the rows, by one block's lanes, to `to` [K × features], which is 0. `own`: the
/// block's memory, laid out as `layout`. `mean_weight`: of the fit's rows. This lane's share of the log-likelihood;
/// false, the same on all lanes and blocks, and nothing done where the model is beyond what limbs hold.
template <int Steps, class Context>
MF_FN_CALL bool tensor_pass(Context& context, const rows_view<float>& rows, const mixture_model& m,
                       const tensor_layout& layout, float* own, double mean_weight, double* to, double& value) {
  const int warps = context.warps();
  const tensor_lane<Steps> at(context.lane() % (32 * warps), 32 * warps, m, layout,
                              context.in_shared_memory(own, layout.place));
  const std::int64_t step = std::int64_t{context.blocks()} * at.points, size = rows.size;
  const auto count_from = [&](std::int64_t first) {
    return size - first < at.points ? static_cast<int>(size - first) : at.points;
  };
  std::int64_t first = std::int64_t{context.block()} * at.points;
  if (first < size) start_points(at, rows, first, count_from(first));
  const float scale = rows.weights ? tensor_weight_scale * static_cast<float>(exp2(-floor(log2(mean_weight))))
                                   : tensor_share_scale;
  const bool fits = load_tensor(context, at, m) && scale > 0x1p-100f && scale < 0x1p100f;
  if (!fits) {
    wait_for_copies();
    context.block_barrier();
    return false;
  }
  tensor_sums<Steps> sums = {};
  float weight[4] = {};
  float* const own_most = at.own;
  float* const own_share = at.own + tensor_points;
  const int own_points = at.part * tensor_points + 2 * at.in_warp;
  int tiles = 0;
  value = 0;
  for (; first < size; first += step) {
    const int count = count_from(first);
    wait_for_copies();
    context.block_barrier();
    cut_points(at, rows, first, count, scale);
    context.block_barrier();
    if (at.flags[1] != 0) {
      value += take_outside(context, at, m, count, to);
      settle_weights(at);
    }
    if (first + step < size) start_points(at, rows, first + step, count_from(first + step));

    tensor_densities x;
    float of_points[16];
    find_log_densities(context, at, x);
    combine_components(x, of_points, [](float a, float b) { return larger(a, b); });
    two<float> mine = combine_rows(context, at.in_warp, of_points, [](float a, float b) { return larger(a, b); });
    store_two(at.most + at.group * at.points + own_points, mine.v[0], mine.v[1]);
    context.block_barrier();

    two<float> most = load_two(at.most + own_points);
    for (int g = 1; g < at.groups; ++g) {
      const two<float> other = load_two(at.most + g * at.points + own_points);
      most = {larger(most.v[0], other.v[0]), larger(most.v[1], other.v[1])};
    }
    store_two(own_most + 2 * at.in_warp, most.v[0], most.v[1]);
    context.warp_barrier();
    MF_UNROLL
    for (int block = 0; block < 8; ++block) {
      const two<float> reference = load_two(own_most + 8 * block + 2 * at.pair);
      MF_UNROLL
      for (int i = 0; i < 8; ++i) {
        float& density = x[i / 4][block][i % 4];
        density = exp2(density - reference.v[i % 2]);
      }
    }
    combine_components(x, of_points, [](float a, float b) { return a + b; });
    mine = combine_rows(context, at.in_warp, of_points, [](float a, float b) { return a + b; });
    store_two(at.sum + at.group * at.points + own_points, mine.v[0], mine.v[1]);
    context.block_barrier();

    two<float> total = load_two(at.sum + own_points);
    for (int g = 1; g < at.groups; ++g) {
      const two<float> other = load_two(at.sum + g * at.points + own_points);
      total = {total.v[0] + other.v[0], total.v[1] + other.v[1]};
    }
    const two<float> counts = load_two(at.weight + own_points);
    float share[2];
    MF_UNROLL
    for (int i = 0; i < 2; ++i) {
      share[i] = counts.v[i] > 0 ? counts.v[i] * scale * inverse(total.v[i]) : 0.0f;
      if (at.group == 0 && counts.v[i] > 0)
        value += static_cast<double>(counts.v[i]) *
                 (static_cast<double>(most.v[i]) * constants::log_2 + static_cast<double>(log(total.v[i])));
    }
    store_two(own_share + 2 * at.in_warp, share[0], share[1]);
    context.warp_barrier();
    MF_UNROLL
    for (int block = 0; block < 8; ++block) {
      const two<float> by = load_two(own_share + 8 * block + 2 * at.pair);
      MF_UNROLL
      for (int i = 0; i < 8; ++i) {
        float& r = x[i / 4][block][i % 4];
        r *= by.v[i % 2];
        weight[i / 2] += r;
      }
    }
    add_products(context, at, x, sums);
    if (++tiles % tensor_tiles_summed == 0) park(at, sums, weight);
    if (tiles % tensor_tiles_parked != 0) continue;
    context.block_barrier();
    unpark(at, scale, to);
  }
  park(at, sums, weight);
  context.block_barrier();
  unpark(at, scale, to);
  return true;
}

/// The same for any number of coordinates that has a tensor pass.
template <class Context>
MF_FN bool tensor_pass_of(Context& context, const rows_view<float>& rows, const mixture_model& m,
                               const tensor_layout& layout, float* own, double mean_weight, double* to,
                               double& value) {
  if (layout.steps == 2) return tensor_pass<2>(context, rows, m, layout, own, mean_weight, to, value);
  return tensor_pass<4>(context, rows, m, layout, own, mean_weight, to, value);
}

MF_NAMESPACE_END
