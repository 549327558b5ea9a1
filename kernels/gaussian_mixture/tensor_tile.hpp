// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The parts of a tensor pass that are not products: the model's factors in limbs, points read and cut into limbs, those
// that no limb holds, sums brought to double. See tensor_pass.hpp.
#pragma once

#include "kernels/gaussian_mixture/resident_tile.hpp"
#include "kernels/gaussian_mixture/tensor.hpp"
#include "kernels/groups/lane_copy.hpp"

MF_NAMESPACE_BEGIN

template <class T>
struct alignas(8) two {
  T v[2];
};
template <class T>
MF_FN two<T> load_two(const T* from) {
  return *reinterpret_cast<const two<T>*>(from);
}
template <class T>
MF_FN void store_two(T* to, T a, T b) {
  *reinterpret_cast<two<T>*>(to) = two<T>{a, b};
}

/// The state of a pass. It is in memory and loaded where it is used, which leaves all registers to the pass's loops.
template <class Context>
struct tensor_job {
  Context& context;
  const rows_view<float>& rows;
  const mixture_model& m;
  const tensor_layout& layout;
  float* memory;       ///< the block's own, laid out as `layout`
  double mean_weight;  ///< of the fit's rows
  double* to;          ///< [K × features], 0 before the pass: the block's statistics
  double value = 0;    ///< out: this lane's part of the log-likelihood
  // The pass's own.
  float scale = 0;         ///< responsibilities in limbs are so many times as large
  std::int64_t first = 0;  ///< row of the tile at hand
  int tiles = 0;           ///< done

  MF_FN float find_scale() const {
    return rows.weights ? tensor_weight_scale * static_cast<float>(exp2(-floor(log2(mean_weight))))
                        : tensor_normaliser_scale;
  }
};

/// What a lane knows of a pass. Steps: products of 16 features that an E step takes.
template <int Steps>
struct tensor_lane {
  static constexpr int rows = 16 * Steps;   ///< features: every 8 coordinates Y, then their Y²
  static constexpr int blocks = 2 * Steps;  ///< of 8 features
  static constexpr int quads = 2 * blocks;  ///< sums of a lane, by fours
  int lane, lanes, warp, warps;             ///< of the block
  int in_warp, row, pair;                   ///< of the warp: in_warp = 4 row + pair
  int groups, parts, group, part;           ///< of warps; the warp's own
  int D, K, points, stride, limb;           ///< limb: distance of limbs in `features`
  std::uint16_t *factors, *features;
  float *raw, *parked, *parked_weight, *constant, *map, *most, *sum, *own, *weight;
  double* density;
  std::int32_t *missing, *outside, *flags;
  std::uint32_t* exchange;

  template <class Context>
  MF_FN explicit tensor_lane(const tensor_job<Context>& job)
      : lanes(32 * job.context.warps()),
        warps(job.context.warps()),
        groups(job.layout.groups),
        parts(job.layout.parts),
        D(job.m.D),
        K(job.m.K),
        points(job.layout.points),
        stride(job.layout.stride()) {
    const tensor_layout& at = job.layout;
    float* const memory = job.context.in_shared_memory(job.memory, at.place);
    lane = job.context.lane() % lanes;
    warp = lane / 32;
    in_warp = lane % 32;
    row = in_warp / 4;
    pair = in_warp % 4;
    group = warp % groups;
    part = warp / groups;
    limb = rows * stride;
    factors = reinterpret_cast<std::uint16_t*>(memory + at.factors(Steps));
    features = reinterpret_cast<std::uint16_t*>(memory + at.features);
    raw = memory + at.raw;
    parked = memory + at.parked;
    parked_weight = memory + at.parked_weight;
    constant = memory + at.constant;
    map = memory + at.map;
    most = memory + at.most;
    sum = memory + at.sum;
    own = memory + at.own + warp * 2 * tensor_points;
    density = reinterpret_cast<double*>(memory + at.own);
    weight = memory + at.weight;
    missing = reinterpret_cast<std::int32_t*>(memory + at.missing);
    outside = reinterpret_cast<std::int32_t*>(memory + at.outside);
    flags = reinterpret_cast<std::int32_t*>(memory + at.flags);
    exchange = reinterpret_cast<std::uint32_t*>(memory + at.exchange) + warp * limb_exchange_words;
  }
  /// The row of coordinate d, of its square 8 rows on.
  static MF_FN int row_of(int d) { return d / 8 * 16 + d % 8; }
  /// Where a lane's words of A lie: components 16 `tile` on, features 16 `step` on.
  MF_FN limb_words load_factors(int tile, int step, int which) const {
    const int place = (((2 * group + tile) * Steps + step) * 2 + which) * 32 + in_warp;
    return reinterpret_cast<const limb_words*>(factors)[place];
  }
  /// Puts one factor where a lane's word of A has it; the number that its limbs hold.
  MF_FN double store_factor(int k, int feature, double value) const {
    const int column = feature % 16, lane_of = k % 8 * 4 + column % 8 / 2, word = k % 16 / 8 + column / 8 * 2;
    std::uint16_t* const to =
        factors + ((k / 16 * Steps + feature / 16) * 2 * 32 + lane_of) * 8 + 2 * word + column % 2;
    const auto as_float = static_cast<float>(value);
    const std::uint16_t high = to_half(as_float), low = to_half(static_cast<float>(value - from_half(high)));
    to[0] = high;
    to[32 * 8] = low;
    return static_cast<double>(from_half(high)) + static_cast<double>(from_half(low));
  }
};

/// The model's numbers, as the pass reads them, and sums set to 0; false, the same on all lanes and blocks, where the
/// model is beyond the limits of tensor.hpp. Begins before and ends after a barrier.
template <int Steps, class Context>
MF_FN_CALL bool load_tensor(const tensor_job<Context>& job) {
  const tensor_lane<Steps> at(job);
  Context& context = job.context;
  const mixture_model& m = job.m;
  const int D = at.D, K = at.K, all = 32 * at.groups;
  for (int d = at.lane; d < D; d += at.lanes) {
    const auto centre = static_cast<float>(m.centre[d]);
    at.map[d] = centre;
    at.map[D + d] = static_cast<float>(m.centre[d] - static_cast<double>(centre));
    at.map[2 * D + d] = static_cast<float>(m.scale[d]);
  }
  if (at.lane < 4) at.flags[at.lane] = 0;
  for (int p = at.lane; p < at.points; p += at.lanes) at.missing[p] = at.outside[p] = 0;
  for (int i = at.lane; i < at.limb; i += at.lanes) reinterpret_cast<std::uint32_t*>(at.features)[i] = 0;
  for (int i = at.lane; i < at.warps * at.quads * 128; i += at.lanes) at.parked[i] = 0;
  for (int i = at.lane; i < at.warps * 128; i += at.lanes) at.parked_weight[i] = 0;
  context.block_barrier();
  int each = 1;  // lanes to a component
  while (each < 32 && 2 * each * all <= at.lanes) each *= 2;
  for (int k = at.lane / each; k < all; k += at.lanes / each) {  // the same on all lanes of a component
    double peak = 0, far = 0;
    bool fits = true;
    for (int d = at.lane % each; d < 8 * Steps; d += each) {
      double a = 0, b = 0;
      const bool there = k < K && d < D;
      if (there) {
        const double w = m.factor[std::int64_t{k} * D + d] * sqrt_half_log2_e,
                     o = m.offset[std::int64_t{k} * D + d] * sqrt_half_log2_e;
        a = w * w / (tensor_scale * tensor_scale);
        b = 2 * w * o / tensor_scale;
        far += o * o;
        fits = fits && a >= tensor_least && a <= tensor_most && o * o <= tensor_far;
        if (!fits) a = b = 1;  // not used
      }
      const double stored = at.store_factor(k, at.row_of(d) + 8, -a), stored_b = at.store_factor(k, at.row_of(d), b);
      if (there) peak -= stored_b * stored_b / (4 * stored);
    }
    for (int mask = each / 2; mask > 0; mask /= 2) {
      peak += context.shuffle_xor(peak, mask);
      far += context.shuffle_xor(far, mask);
    }
    if (at.lane % each == 0) at.constant[k] = k < K ? static_cast<float>(m.constant[k] * log2_e - peak) : -1e30f;
    if (!fits || !(far <= tensor_far * 0.5 * log2_e)) set_mark(at.flags);
  }
  if (!(job.scale > 0x1p-100f && job.scale < 0x1p100f)) set_mark(at.flags);
  context.block_barrier();
  return at.flags[0] == 0;
}

// --- points ---

/// Starts the asynchronous copy of rows [first, first + count) to shared memory.
template <int Steps>
MF_FN void start_points(const tensor_lane<Steps>& at, const rows_view<float>& rows, std::int64_t first, int count) {
  const float* const from = rows.values + first * at.D;
  const int numbers = count * at.D;
  if (reinterpret_cast<std::uintptr_t>(from) % 16 == 0 && numbers % 4 == 0) {
    for (int i = 4 * at.lane; i < numbers; i += 4 * at.lanes)
      start_copy(reinterpret_cast<four<float>*>(at.raw + i), reinterpret_cast<const four<float>*>(from + i));
  } else {
    for (int i = at.lane; i < numbers; i += at.lanes) start_copy(at.raw + i, from + i);
  }
}
/// Coordinate d of a point of the tile, centred and scaled.
template <int Steps>
MF_FN float coordinate(const tensor_lane<Steps>& at, int p, int d) {
  return ((at.raw[p * at.D + d] - at.map[d]) - at.map[at.D + d]) * at.map[2 * at.D + d];
}
/// Cuts the tile's points into limbs, `count` of them, and weighs them. `scale`: of responsibilities.
template <int Steps>
MF_FN void cut_points(const tensor_lane<Steps>& at, const rows_view<float>& rows, std::int64_t first, int count,
                      float scale) {
  int d = at.lane % at.D, p = at.lane / at.D * 4;
  const int columns = at.lanes % at.D, lines = at.lanes / at.D * 4;
  while (p < at.points) {
    const float centre = at.map[d], rest = at.map[at.D + d], unit = at.map[2 * at.D + d];
    float y[4];
    std::uint32_t high[2], low[2], square_high[2], square_low[2];
    bool good = true;
    MF_UNROLL
    for (int q = 0; q < 4; ++q) {
      y[q] = p + q < count ? ((at.raw[(p + q) * at.D + d] - centre) - rest) * unit : 0.0f;
      good = good && abs(y[q]) <= tensor_largest / tensor_scale;
    }
    if (!good) {
      for (int q = 0; q < 4; ++q) {
        if (abs(y[q]) <= tensor_largest / tensor_scale) continue;
        set_mark((is_finite(y[q]) ? at.outside : at.missing) + p + q);
        set_mark(at.flags + 1);
        y[q] = 0;
      }
    }
    MF_UNROLL
    for (int h = 0; h < 2; ++h) {
      float a, b, c, e;
      to_limbs(tensor_scale * y[2 * h], tensor_scale * y[2 * h + 1], high[h], low[h]);
      from_halves(high[h], a, b);
      from_halves(low[h], c, e);
      to_limbs((a + c) * (a + c), (b + e) * (b + e), square_high[h], square_low[h]);
    }
    std::uint16_t* const to = at.features + at.row_of(d) * at.stride + p;
    store_two(reinterpret_cast<std::uint32_t*>(to), high[0], high[1]);
    store_two(reinterpret_cast<std::uint32_t*>(to + at.limb), low[0], low[1]);
    store_two(reinterpret_cast<std::uint32_t*>(to + 8 * at.stride), square_high[0], square_high[1]);
    store_two(reinterpret_cast<std::uint32_t*>(to + 8 * at.stride + at.limb), square_low[0], square_low[1]);
    d += columns;
    p += lines;
    if (d >= at.D) {
      d -= at.D;
      p += 4;
    }
  }
  for (int j = at.lane; j < at.points; j += at.lanes) {
    const float w = j < count ? (rows.weights ? rows.weights[first + j] : 1.0f) : 0.0f;
    const bool counts = w > 0 && is_weight(w);
    at.weight[j] = counts ? w : 0.0f;
    if (!counts || !rows.weights) continue;
    const float part = w * scale / tensor_weight_scale;  // of the mean weight
    if (part >= tensor_least_weight && part <= tensor_most_weight) continue;
    set_mark(at.outside + j);
    set_mark(at.flags + 1);
  }
}
/// Masks the marked points (weight 0) and clears the marks.
template <int Steps>
MF_FN void settle_weights(const tensor_lane<Steps>& at) {
  for (int p = at.lane; p < at.points; p += at.lanes) {
    if (at.missing[p] == 0 && at.outside[p] == 0) continue;
    at.weight[p] = 0;
    at.missing[p] = at.outside[p] = 0;
  }
}

/// Takes the tile's points that no limb holds, one after the other by all lanes, in double, to the block's statistics;
/// this lane's part of their log-likelihood. Ends after a barrier.
template <int Steps, class Context>
MF_FN_CALL double take_outside(const tensor_job<Context>& job, int count) {
  const tensor_lane<Steps> at(job);
  Context& context = job.context;
  const mixture_model& m = job.m;
  double* const to = job.to;
  const int D = at.D, K = at.K, each = m.features_each();
  double value = 0;
  for (int p = 0; p < count; ++p) {
    if (at.outside[p] == 0 || at.missing[p] != 0 || !(at.weight[p] > 0)) continue;
    for (int k = at.lane; k < K; k += at.lanes) {
      double square = 0;
      for (int d = 0; d < D; ++d) {
        const double z = static_cast<double>(coordinate(at, p, d)) * m.factor[std::int64_t{k} * D + d] -
                         m.offset[std::int64_t{k} * D + d];
        square += z * z;
      }
      at.density[k] = m.constant[k] - 0.5 * square;
    }
    context.block_barrier();
    double most = at.density[0], sum = 0;
    for (int k = 1; k < K; ++k) most = larger(at.density[k], most);
    context.block_barrier();
    for (int k = at.lane; k < K; k += at.lanes) at.density[k] = exp(at.density[k] - most);
    context.block_barrier();
    for (int k = 0; k < K; ++k) sum += at.density[k];
    const double weight = static_cast<double>(at.weight[p]), normaliser = weight / sum;
    if (at.lane == 0) value += weight * (most + log(sum));
    for (int i = at.lane; i < K * each; i += at.lanes) {
      const int k = i / each, f = i - k * each;
      const double y = f == 0 ? 1.0 : static_cast<double>(coordinate(at, p, f <= D ? f - 1 : f - 1 - D));
      to[i] += normaliser * at.density[k] * (f > D ? y * y : y);
    }
    context.block_barrier();
  }
  context.block_barrier();
  if (at.lane == 0) at.flags[1] = 0;
  return value;
}

// --- sums ---

/// Adds the parked sums to the block's statistics, parts in order, and sets them to 0. Begins and ends with a barrier.
template <int Steps, class Context>
MF_FN_CALL void unpark(const tensor_job<Context>& job) {
  const tensor_lane<Steps> at(job);
  double* const to = job.to;
  job.context.block_barrier();
  constexpr int quads = tensor_lane<Steps>::quads, blocks = tensor_lane<Steps>::blocks;
  const int each = 1 + 2 * at.D;
  const double unit = 1 / static_cast<double>(job.scale);
  for (int k = at.lane; k < at.K; k += at.lanes) {
    double sum = 0;
    for (int part = 0; part < at.parts; ++part)
      for (int pair = 0; pair < 4; ++pair) {
        float& x = at.parked_weight[((part * at.groups + k / 32) * 32 + k % 8 * 4 + pair) * 4 + k % 32 / 8];
        sum += static_cast<double>(x);
        x = 0;
      }
    to[std::int64_t{k} * each] += sum * unit;
  }
  for (int u = at.warp; u < at.groups * quads; u += at.warps) {
    const int group = u / quads, quad = u - group * quads, block = quad % blocks;
    double sum[4] = {};
    for (int part = 0; part < at.parts; ++part) {
      float* const own = at.parked + (((part * at.groups + group) * quads + quad) * 32 + at.in_warp) * 4;
      const four<float> x = load_four(own);
      for (int q = 0; q < 4; ++q) sum[q] += static_cast<double>(x.v[q]);
      store_four(own, four<float>{});
    }
    const int k = 32 * group + quad / blocks * 16 + at.row, d = block / 2 * 8 + 2 * at.pair;
    const bool square = block % 2 != 0;
    const double by = square ? unit / (tensor_scale * tensor_scale) : unit / tensor_scale;
    double* const place = to + std::int64_t{k} * each + 1 + (square ? at.D : 0) + d;
    MF_UNROLL
    for (int q = 0; q < 4; ++q)
      if (k + q / 2 * 8 < at.K && d + q % 2 < at.D) sum[q] = place[q / 2 * 8 * each + q % 2] + sum[q] * by;
    MF_UNROLL
    for (int q = 0; q < 4; ++q)
      if (k + q / 2 * 8 < at.K && d + q % 2 < at.D) place[q / 2 * 8 * each + q % 2] = sum[q];
  }
  job.context.block_barrier();
}

MF_NAMESPACE_END
