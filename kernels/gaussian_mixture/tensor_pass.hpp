// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A resident pass by tensor cores (tensor.hpp). A warp owns 32 components and 64 points of a tile from the
// log-densities to the sums: those of the E step's product lie in a lane's registers as the M step's needs them, so
// responsibilities never go through memory; only a point's largest log-density and its sum of densities are shared
// between the warps that have its other components. Sums begin at 0 in every tile, since the hardware cuts them off: by
// 12 products a sum of one sign becomes 3e-7 of itself too small, no more in however many tiles. They are added up,
// rounded, in registers for tensor_tiles_summed tiles, then in shared memory, and after tensor_tiles_parked tiles in
// the block's statistics in double. A tile:
//   copied | cut into limbs | products, largest | densities, sum | responsibilities, products |
#pragma once

#include "kernels/gaussian_mixture/tensor_tile.hpp"

MF_NAMESPACE_BEGIN

/// One of two numbers, on a GPU always by a select instruction, never through local memory.
MF_FN float choose(bool first, float a, float b) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  float x;
  asm("{.reg .pred p;\n setp.ne.s32 p, %3, 0;\n selp.f32 %0, %1, %2, p;}" : "=f"(x) : "f"(a), "f"(b), "r"(int{first}));
  return x;
#else
  return first ? a : b;
#endif
}

/// Combines x over the 8 lanes with the same pair of points: 16 numbers, of blocks of 8 points two each, of which the
/// lane gets those of the points 2 in_warp and 2 in_warp + 1. Half: how many a lane gives away first.
template <int Half = 8, class Context, class Combine>
MF_FN two<float> combine_rows(Context& context, int in_warp, const float (&x)[2 * Half], Combine combine) {
  const bool upper = (in_warp & 2 * Half) != 0;
  float own[Half];
  MF_UNROLL
  for (int i = 0; i < Half; ++i) {
    const float sent = choose(upper, x[i], x[Half + i]);
    own[i] = combine(choose(upper, x[Half + i], x[i]), context.shuffle_xor(sent, 2 * Half));
  }
  if constexpr (Half > 2)
    return combine_rows<Half / 2>(context, in_warp, own, combine);
  else
    return {own[0], own[1]};
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

/// Rows of the tile that begins at row `first`.
template <class Context>
MF_FN int rows_from(const tensor_job<Context>& job, std::int64_t first) {
  const std::int64_t left = job.rows.size - first;
  return left < job.layout.points ? static_cast<int>(left) : job.layout.points;
}
/// Cuts the current tile into limbs and starts the copy of the block's next one. The pass's state is loaded again here,
/// so that it takes no registers during the products.
template <int Steps, class Context>
MF_FN void begin_tile(tensor_job<Context>& job) {
  const tensor_lane<Steps> at(job);
  const int count = rows_from(job, job.first);
  wait_for_copies();
  job.context.block_barrier();
  cut_points(at, job.rows, job.first, count, job.scale);
  job.context.block_barrier();
  if (at.flags[1] != 0) {
    job.value += take_outside<Steps>(job, count);
    settle_weights(at);
  }
  const std::int64_t next = job.first + std::int64_t{job.context.blocks()} * job.layout.points;
  if (next < job.rows.size) start_points(at, job.rows, next, rows_from(job, next));
}

/// Tiles [block, block + blocks, ...] of the rows, by one block's lanes. False, the same on all lanes and blocks, and
/// nothing done where the model is beyond what limbs hold.
template <int Steps, class Context>
MF_FN_CALL bool tensor_pass(tensor_job<Context>& job) {
  Context& context = job.context;
  job.first = std::int64_t{context.block()} * job.layout.points;
  job.scale = job.find_scale();
  if (job.first < job.rows.size) start_points(tensor_lane<Steps>(job), job.rows, job.first, rows_from(job, job.first));
  if (!load_tensor<Steps>(job)) {
    wait_for_copies();
    context.block_barrier();
    return false;
  }
  tensor_sums<Steps> sums = {};
  float weight[4] = {};
  for (; job.first < job.rows.size; job.first += std::int64_t{context.blocks()} * job.layout.points) {
    begin_tile<Steps>(job);
    const tensor_lane<Steps> at(job);
    float* const own_most = at.own;
    float* const own_normalisers = at.own + tensor_points;
    const int own_points = at.part * tensor_points + 2 * at.in_warp;
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
    float normaliser[2];
    MF_UNROLL
    for (int i = 0; i < 2; ++i) {
      normaliser[i] = counts.v[i] > 0 ? counts.v[i] * job.scale * inverse(total.v[i]) : 0.0f;
      if (at.group == 0 && counts.v[i] > 0)
        job.value += static_cast<double>(counts.v[i]) *
                     (static_cast<double>(most.v[i]) * constants::log_2 + static_cast<double>(log(total.v[i])));
    }
    store_two(own_normalisers + 2 * at.in_warp, normaliser[0], normaliser[1]);
    context.warp_barrier();
    MF_UNROLL
    for (int block = 0; block < 8; ++block) {
      const two<float> by = load_two(own_normalisers + 8 * block + 2 * at.pair);
      MF_UNROLL
      for (int i = 0; i < 8; ++i) {
        float& r = x[i / 4][block][i % 4];
        r *= by.v[i % 2];
        weight[i / 2] += r;
      }
    }
    add_products(context, tensor_lane<Steps>(job), x, sums);
    if (++job.tiles % tensor_tiles_summed == 0) park(tensor_lane<Steps>(job), sums, weight);
    if (job.tiles % tensor_tiles_parked == 0) unpark<Steps>(job);
  }
  park(tensor_lane<Steps>(job), sums, weight);
  unpark<Steps>(job);
  return true;
}

/// The same for any number of coordinates that has a tensor pass.
template <class Context>
MF_FN bool tensor_pass_of(tensor_job<Context>& job) {
  return job.layout.steps == 2 ? tensor_pass<2>(job) : tensor_pass<4>(job);
}

MF_NAMESPACE_END
