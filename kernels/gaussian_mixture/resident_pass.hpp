// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A pass over the points, E step and sums of the M step, by the lanes of one block with all data in shared memory: the
// model's factors, a tile of points, its responsibilities and the sums, which are added to the block's statistics in
// double every few hundred additions. Between the five barriers of a tile every number has one owner, and owners add in
// the order of the points. The normaliser of a point multiplies its features, of which there are fewer than components:
//   read | products of coordinates, densities | exponentials | features normalised | sums |
// Log-densities are in units of log 2. resident.hpp has the layout and the work of each lane.
#pragma once

#include "kernels/gaussian_mixture/resident_tile.hpp"

MF_NAMESPACE_BEGIN

// --- E step: a warp's fragments are 64 points by resident_components() components ---

/// Takes one coordinate's part, half a squared distance, from 8 points' log-densities in 8 components, or from their
/// constants.
template <bool First, class T>
MF_FN void take_coordinate(const T* y, const T* factor, const four<T> (&constant)[2], T (&out)[8][8]) {
  const four<T> points[2] = {load_four(y), load_four(y + 32)};
  MF_UNROLL
  for (int h = 0; h < 2; ++h) {
    const four<T> scale = load_four(factor + 32 * h), offset = load_four(factor + 32 * h + 4);
    MF_UNROLL
    for (int c = 0; c < 4; ++c) {
      MF_UNROLL
      for (int p = 0; p < 8; ++p) {
        const T z = points[p / 4].v[p % 4] * scale.v[c] - offset.v[c];
        out[4 * h + c][p] = (First ? constant[h].v[c] : out[4 * h + c][p]) - z * z;
      }
    }
  }
}

/// Log-densities of 8 points in 8 components with a scale per coordinate.
template <class T, int Points>
MF_FN void find_log_densities(const resident_lane<T, Points>& at, int point, int component, T (&out)[8][8]) {
  const T* y = at.densities_of + point;
  const T* factor = at.factors + 2 * component;
  const four<T> constant[2] = {load_four(at.constant + component), load_four(at.constant + component + 16)};
  const int step = 2 * static_cast<int>(round_up(at.K, 32));
  take_coordinate<true>(y, factor, constant, out);
  for (int d = 1; d < at.D; ++d) {
    y += at.stride;
    factor += step;
    take_coordinate<false>(y, factor, constant, out);
  }
}

/// Adds column `w` of two components' factors, at 8 points, to the rows from `first` on.
template <int First, class T>
MF_FN void add_column(const T* y, const T* a, const T* b, T (&z)[2][4][8]) {
  const four<T> points[2] = {load_four(y), load_four(y + 32)}, w[2] = {load_four(a), load_four(b)};
  MF_UNROLL
  for (int c = 0; c < 2; ++c) {
    MF_UNROLL
    for (int r = First; r < 4; ++r) {
      MF_UNROLL
      for (int p = 0; p < 8; ++p) z[c][r][p] += w[c].v[r] * points[p / 4].v[p % 4];
    }
  }
}

/// Log-densities of 8 points in 2 components, 4 apart, with triangular factors, four of their rows at a time.
template <class T, int Points>
MF_FN void find_log_densities(const resident_lane<T, Points>& at, int point, int component, T (&out)[2][8]) {
  const int each = triangle_numbers(at.D);
  const T *a = at.factors + component * each, *b = a + 4 * each;
  MF_UNROLL
  for (int c = 0; c < 2; ++c) {
    MF_UNROLL
    for (int p = 0; p < 8; ++p) out[c][p] = at.constant[component + 4 * c];
  }
  for (int row = 0; row < at.D; row += 4) {
    T z[2][4][8];
    const four<T> offset[2] = {load_four(a), load_four(b)};
    MF_UNROLL
    for (int c = 0; c < 2; ++c) {
      MF_UNROLL
      for (int r = 0; r < 4; ++r) {
        MF_UNROLL
        for (int p = 0; p < 8; ++p) z[c][r][p] = offset[c].v[r];
      }
    }
    const T* y = at.densities_of + row * at.stride + point;
    add_column<0>(y, a + 4, b + 4, z);
    if (row + 1 < at.D) add_column<1>(y + at.stride, a + 8, b + 8, z);
    if (row + 2 < at.D) add_column<2>(y + 2 * at.stride, a + 12, b + 12, z);
    if (row + 3 < at.D) add_column<3>(y + 3 * at.stride, a + 16, b + 16, z);
    a += 20;
    b += 20;
    y = at.densities_of + point;
    for (int j = 0; j < row; ++j, y += at.stride, a += 4, b += 4) add_column<0>(y, a, b, z);
    MF_UNROLL
    for (int c = 0; c < 2; ++c) {
      MF_UNROLL
      for (int r = 0; r < 4; ++r) {
        MF_UNROLL
        for (int p = 0; p < 8; ++p) out[c][p] -= z[c][r][p] * z[c][r][p];
      }
    }
  }
}

/// A warp's fragment of the E step: components from `component` on, and this lane's 8 points, 4 and 4.
template <bool Triangular>
struct resident_fragment {
  static constexpr int count = Triangular ? 2 : 8;  ///< components of a lane
  int component, part, point;

  template <class T, int Points>
  MF_FN resident_fragment(const resident_lane<T, Points>& at, int number) {
    constexpr int groups = Points / 64;
    part = number / groups;
    component = part * resident_components(Triangular) + (Triangular ? 1 : 4) * at.quartet;
    point = number % groups * 64 + 4 * at.octet;
  }
  template <class T, int Points>
  static MF_FN int number_of(const resident_lane<T, Points>& at) {
    const int per = resident_components(Triangular);
    return (at.K + per - 1) / per * (Points / 64);
  }
  /// How far the lane's component c is from its first.
  static MF_FN constexpr int beyond(int c) { return Triangular ? 4 * c : c < 4 ? c : c + 12; }
};

/// Combines x over the four lanes that have the same points.
template <class T, class Context, class Combine>
MF_FN void combine_quartets(Context& context, T (&x)[8], Combine combine) {
  MF_UNROLL
  for (int p = 0; p < 8; ++p) x[p] = combine(x[p], context.shuffle_xor(x[p], 2));
  MF_UNROLL
  for (int p = 0; p < 8; ++p) x[p] = combine(x[p], context.shuffle_xor(x[p], 8));
}
template <class T>
MF_FN void store_eight(T* to, const T (&x)[8]) {
  store_four(to, four<T>{x[0], x[1], x[2], x[3]});
  store_four(to + 32, four<T>{x[4], x[5], x[6], x[7]});
}

/// Log-densities, and the largest of every fragment's.
template <bool Triangular, class T, int Points, class Context>
MF_FN void density_fragments(Context& context, const resident_lane<T, Points>& at) {
  using lane_fragment = resident_fragment<Triangular>;
  for (int i = at.warp; i < lane_fragment::number_of(at); i += at.warps) {
    const lane_fragment mine(at, i);
    T density[lane_fragment::count][8], most[8];
    find_log_densities(at, mine.point, mine.component, density);
    MF_UNROLL
    for (int c = 0; c < lane_fragment::count; ++c) {
      MF_UNROLL
      for (int p = 0; p < 8; ++p) most[p] = c == 0 ? density[c][p] : larger(density[c][p], most[p]);
      store_eight(at.table + (mine.component + lane_fragment::beyond(c)) * at.stride + mine.point, density[c]);
    }
    combine_quartets(context, most, [](T a, T b) { return larger(a, b); });
    if (at.quartet == 0) store_eight(at.most + mine.part * Points + mine.point, most);
  }
}

/// Densities over the largest of all components, in place of log-densities, and every fragment's sum. Lanes take the
/// numbers that they wrote.
template <bool Triangular, class T, int Points, class Context>
MF_FN void exponential_fragments(Context& context, const resident_lane<T, Points>& at) {
  using lane_fragment = resident_fragment<Triangular>;
  const int parts = lane_fragment::number_of(at) / (Points / 64);
  for (int i = at.warp; i < lane_fragment::number_of(at); i += at.warps) {
    const lane_fragment mine(at, i);
    T most[8], sum[8];
    MF_UNROLL
    for (int p = 0; p < 8; ++p) most[p] = T(-1e37);
    for (int j = 0; j < parts; ++j) {
      const four<T> a = load_four(at.most + j * Points + mine.point),
                    b = load_four(at.most + j * Points + mine.point + 32);
      MF_UNROLL
      for (int p = 0; p < 4; ++p) {
        most[p] = larger(most[p], a.v[p]);
        most[4 + p] = larger(most[4 + p], b.v[p]);
      }
    }
    T* const row = at.table + mine.component * at.stride + mine.point;
    four<T> x[lane_fragment::count][2];
    MF_UNROLL
    for (int c = 0; c < lane_fragment::count; ++c) {
      MF_UNROLL
      for (int h = 0; h < 2; ++h) x[c][h] = load_four(row + lane_fragment::beyond(c) * at.stride + 32 * h);
    }
    MF_UNROLL
    for (int c = 0; c < lane_fragment::count; ++c) {
      MF_UNROLL
      for (int p = 0; p < 8; ++p) {
        T& term = x[c][p / 4].v[p % 4];
        term = exp2(term - most[p]);
        sum[p] = c == 0 ? term : sum[p] + term;
      }
      MF_UNROLL
      for (int h = 0; h < 2; ++h) store_four(row + lane_fragment::beyond(c) * at.stride + 32 * h, x[c][h]);
    }
    combine_quartets(context, sum, [](T a, T b) { return a + b; });
    if (at.quartet == 0) store_eight(at.sum + mine.part * Points + mine.point, sum);
  }
}

// --- M step ---

/// Σ r of every component, its points distributed.
template <class T, int Points>
MF_FN void add_weights(const resident_lane<T, Points>& at) {
  const int parts = at.weight_parts(), size = Points / parts;
  for (int i = at.lane; i < parts * at.K; i += at.lanes) {
    const int part = i / at.K, k = i - part * at.K;
    const T *row = at.table + k * at.stride + part * size, *normaliser = at.normaliser + part * size;
    T sum[4] = {};
    MF_UNROLL
    for (int q = 0; q < 4; ++q) sum[q] = 0;
    for (int p = 0; p < size; p += 4) {
      const four<T> r = load_four(row + p), w = load_four(normaliser + p);
      MF_UNROLL
      for (int q = 0; q < 4; ++q) sum[q] += r.v[q] * w.v[q];
    }
    at.parked_weight[i] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
}

/// Adds slices [begin, end) of a tile of outputs to a partial's parked sums.
template <class T, int Points>
MF_FN void add_partial(const resident_lane<T, Points>& at, int tile, int begin, int end, T* parked) {
  constexpr int slice = Points / resident_slices;
  const int columns = (at.products + 31) / 32, k = tile / columns * 64, f = tile % columns * 32;
  const T* r = at.table + (k + at.octet) * at.stride + begin * slice;
  const T* x = at.features + (f + at.quartet) * at.stride + begin * slice;
  T* const mine = parked + at.lane % 32 * 4;
  T sum[8][8];
  MF_UNROLL
  for (int c = 0; c < 8; ++c) {
    MF_UNROLL
    for (int h = 0; h < 2; ++h) {
      const four<T> before = load_four(mine + (2 * c + h) * 128);
      MF_UNROLL
      for (int q = 0; q < 4; ++q) sum[c][4 * h + q] = before.v[q];
    }
  }
  for (int p = begin * slice; p < end * slice; p += 4, r += 4, x += 4) {
    four<T> feature[8];
    MF_UNROLL
    for (int j = 0; j < 8; ++j) feature[j] = load_four(x + 4 * j * at.stride);
    MF_UNROLL
    for (int c = 0; c < 8; ++c) {
      const four<T> density = load_four(r + 8 * c * at.stride);
      MF_UNROLL
      for (int q = 0; q < 4; ++q) {
        MF_UNROLL
        for (int j = 0; j < 8; ++j) sum[c][j] += density.v[q] * feature[j].v[q];
      }
    }
  }
  MF_UNROLL
  for (int c = 0; c < 8; ++c) {
    MF_UNROLL
    for (int h = 0; h < 2; ++h)
      store_four(mine + (2 * c + h) * 128,
                 four<T>{sum[c][4 * h], sum[c][4 * h + 1], sum[c][4 * h + 2], sum[c][4 * h + 3]});
  }
}

/// The warp's range of units, [unit, end), whose partials are parked from `parked` on.
template <class T, int Points>
MF_FN void add_products(const resident_lane<T, Points>& at, int unit, int end, T* parked) {
  while (unit < end) {
    const int tile = unit / resident_slices, first = unit % resident_slices, left = end - unit;
    const int slices = left < resident_slices - first ? left : resident_slices - first;
    add_partial(at, tile, first, first + slices, parked);
    unit += slices;
    parked += resident_sums * 32;
  }
}

/// Adds the parked sums to the block's statistics, partials in order, and sets them to 0.
template <class T, int Points>
MF_FN void unpark(const resident_lane<T, Points>& at, double* to) {
  const int tiles = at.units().tiles, each = 1 + at.products, parts = at.weight_parts(),
            columns = (at.products + 31) / 32;
  for (int k = at.lane; k < at.K; k += at.lanes) {
    double sum = 0;
    for (int part = 0; part < parts; ++part) {
      sum += static_cast<double>(at.parked_weight[part * at.K + k]);
      at.parked_weight[part * at.K + k] = 0;
    }
    to[std::int64_t{k} * each] += sum;
  }
  for (int tile = 0; tile < tiles; ++tile) {
    const int first = at.partials[tile], last = at.partials[tile + 1] - 1;
    for (int row = at.warp; row < resident_sums / 4; row += at.warps) {
      double sum[4] = {};
      for (int s = first; s <= last; ++s) {
        T* const own = at.parked + s * resident_sums * 32 + row * 128 + at.lane % 32 * 4;
        const four<T> x = load_four(own);
        for (int q = 0; q < 4; ++q) sum[q] += static_cast<double>(x.v[q]);
        store_four(own, four<T>{});
      }
      const int k = tile / columns * 64 + at.octet + row / 2 * 8;
      const int f = tile % columns * 32 + at.quartet + row % 2 * 16;
      double* const place = to + std::int64_t{k} * each + 1 + f;
      MF_UNROLL
      for (int q = 0; q < 4; ++q)
        if (k < at.K && f + 4 * q < at.products) sum[q] += place[4 * q];  // all four on their way at once
      MF_UNROLL
      for (int q = 0; q < 4; ++q)
        if (k < at.K && f + 4 * q < at.products) place[4 * q] = sum[q];
    }
  }
}

// --- the pass ---

/// Tiles [block, block + blocks, ...] of the rows, by one block's lanes, to `to` [K × features], which is 0. `own`: the
/// block's memory, laid out as `layout`. This lane's part of the log-likelihood.
template <int Points, class T, class Context>
MF_FN_CALL double resident_pass(Context& context, const rows_view<T>& rows, const mixture_model& m,
                                const resident_layout& layout, T* own, double* to) {
  const int warps = context.warps();
  T* const memory = context.in_shared_memory(own, layout.place);
  const resident_lane<T, Points> at(context.lane() % (32 * warps), 32 * warps, m, layout, memory);
  T* const transform = memory + layout.transform;
  const covariance_structure structure = m.structure;
  const int D = at.D, most_tiles = resident_additions * resident_slices / (at.units().longest() * Points);
  const std::int64_t step = std::int64_t{context.blocks()} * Points, size = rows.size;
  const bool moves = m.transform != nullptr;
  const int unit = at.units().begin(at.warp), end = at.units().begin(at.warp + 1);
  T* const partials = at.parked + at.units().partial(unit) * resident_sums * 32;
  load_resident(at, m, transform);
  context.block_barrier();
  double value = 0;
  int parked = 0;
  for (std::int64_t first = std::int64_t{context.block()} * Points; first < size; first += step) {
    const int count = size - first < Points ? static_cast<int>(size - first) : Points;
    read_resident(at, rows, first, count);
    context.block_barrier();
    if (at.marks[Points] != 0) {
      clear_marked(at);
      context.block_barrier();
    }
    multiply_resident(at, structure);
    if (moves) {
      move_resident(at, transform);
      context.block_barrier();
    }
    if (at.triangular)
      density_fragments<true>(context, at);
    else
      density_fragments<false>(context, at);
    context.block_barrier();
    if (at.triangular)
      exponential_fragments<true>(context, at);
    else
      exponential_fragments<false>(context, at);
    context.block_barrier();
    value += normalise_resident(at);
    for (std::int64_t i = (first + step) * D + 8 * at.lane; i < size * D && i < (first + step + Points) * D;
         i += 8 * at.lanes)
      fetch_ahead(rows.values + i);
    context.block_barrier();
    for (int p = at.lane; p <= Points; p += at.lanes) at.marks[p] = 0;
    add_weights(at);
    add_products(at, unit, end, partials);
    context.block_barrier();
    if (++parked == most_tiles) {
      unpark(at, to);
      parked = 0;
    }
  }
  if (parked > 0) unpark(at, to);
  return value;
}

/// The same for tiles of a size known at run time.
template <class T, class Context>
MF_FN double resident_pass_of(Context& context, const rows_view<T>& rows, const mixture_model& m,
                              const resident_layout& layout, T* own, double* to) {
  switch (layout.points) {
    case 256:
      return resident_pass<256>(context, rows, m, layout, own, to);
    case 128:
      return resident_pass<128>(context, rows, m, layout, own, to);
    default:
      return resident_pass<64>(context, rows, m, layout, own, to);
  }
}

MF_NAMESPACE_END
