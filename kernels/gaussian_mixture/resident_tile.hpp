// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The parts of a resident pass that are not products: loading the model and the points, weights, features and their
// normalisation. See resident_pass.hpp.
#pragma once

#include "kernels/gaussian_mixture/resident.hpp"
#include "kernels/gaussian_mixture/tiles.hpp"

MF_NAMESPACE_BEGIN

/// Four numbers that are read and written at once.
template <class T>
struct alignas(16) four {
  T v[4];
};
template <class T>
MF_FN four<T> load_four(const T* from) {
  return *reinterpret_cast<const four<T>*>(from);
}
template <class T>
MF_FN void store_four(T* to, const four<T>& x) {
  *reinterpret_cast<four<T>*>(to) = x;
}

/// Prefetches memory into L2.
MF_FN void fetch_ahead(const void* from) {
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
  asm volatile("prefetch.global.L2 [%0];" ::"l"(from));
#else
  static_cast<void>(from);
#endif
}
/// Sets a mark that several lanes may set at once.
MF_FN void set_mark(std::int32_t* mark) {
#if defined(__CUDA_ARCH__)
  *static_cast<volatile std::int32_t*>(mark) = 1;
#else
  __atomic_store_n(mark, 1, __ATOMIC_RELAXED);
#endif
}

/// What a lane knows of a pass. `Points` of a tile are known to the compiler, so that rows lie at constant distances.
template <class T, int Points>
struct resident_lane {
  static constexpr int stride = Points + resident_row_padding;
  int lane, lanes, warp, warps;  ///< of the block
  int octet, quartet;            ///< of the warp
  int D, K;
  T *features, *densities_of, *table, *most, *sum, *weight, *normaliser, *factors, *constant, *map, *parked,
      *parked_weight;
  std::int32_t *marks, *pairs, *partials;
  int products;  ///< features but Σ r
  bool triangular;

  MF_FN resident_lane(int t, int count, const mixture_model& m, const resident_layout& at, T* memory)
      : lane(t), lanes(count), warp(t / 32), warps(count / 32), D(m.D), K(m.K) {
    octet = (t & 1) | (t >> 1 & 2) | (t >> 2 & 4);
    quartet = (t >> 1 & 1) | (t >> 2 & 2);
    features = memory + at.features;
    densities_of = m.transform ? memory + at.moved : features;
    table = memory + at.table;
    most = memory + at.most;
    sum = memory + at.sum;
    weight = memory + at.weight;
    normaliser = memory + at.normaliser;
    factors = memory + at.factors;
    constant = memory + at.constant;
    map = memory + at.map;
    parked = memory + at.parked;
    parked_weight = memory + at.parked_weight;
    marks = reinterpret_cast<std::int32_t*>(memory + at.marks);
    pairs = reinterpret_cast<std::int32_t*>(memory + at.pairs);
    partials = reinterpret_cast<std::int32_t*>(memory + at.partials);
    products = m.features_each() - 1;
    triangular = m.triangular;
  }
  MF_FN int weight_parts() const { return resident_weight_parts(K, Points, lanes); }
  MF_FN resident_units units() const { return {resident_tiles(K, products), warps}; }
};

// --- what a pass reads of the model ---

/// The model's numbers, narrowed to T and put in the order in which the E step reads them; sums are set to 0.
template <class T, int Points>
MF_FN void load_resident(const resident_lane<T, Points>& at, const mixture_model& m, T* transform) {
  const int D = at.D, K = at.K, t = at.lane, B = at.lanes;
  for (int k = t; k < static_cast<int>(round_up(K, 32)); k += B)
    at.constant[k] = k < K ? static_cast<T>(m.constant[k] * log2_e) : T(-1e30);
  for (int d = t; d < D; d += B) {
    const T centre = static_cast<T>(m.centre[d]);
    at.map[d] = centre;
    at.map[D + d] = static_cast<T>(m.centre[d] - static_cast<double>(centre));
    at.map[2 * D + d] = static_cast<T>(m.scale[d]);
  }
  for (int f = t; f < at.products; f += B) {
    const row_pair rows = rows_of_feature(m.structure, D, 1 + f);
    at.pairs[f] = 65536 * (rows.a - 1) + rows.b - 1;
  }
  for (int i = t; m.transform && i < packed_size(D); i += B) transform[i] = static_cast<T>(m.transform[i]);
  for (int p = t; p <= Points; p += B) at.marks[p] = 0;
  for (int i = t; i < at.weight_parts() * K; i += B) at.parked_weight[i] = 0;
  const resident_units units = at.units();
  for (int i = t; i <= units.tiles; i += B)
    at.partials[i] = i < units.tiles ? units.partial(i * resident_slices) : units.partials();
  for (int i = t; i < units.partials() * resident_sums * 32; i += B) at.parked[i] = 0;
  if (!at.triangular) {
    const int width = static_cast<int>(round_up(K, 32));
    for (int i = t; i < D * width; i += B) {  // every four components: four scales, four offsets
      const int d = i / width, k = i - d * width;
      T* const to = at.factors + 2 * d * width + k / 4 * 8 + k % 4;
      to[0] = k < K ? static_cast<T>(m.factor[std::int64_t{k} * D + d] * sqrt_half_log2_e) : T(0);
      to[4] = k < K ? static_cast<T>(m.offset[std::int64_t{k} * D + d] * sqrt_half_log2_e) : T(0);
    }
    return;
  }
  const int each = triangle_numbers(D), blocks = (D + 3) / 4, rows = 4 * blocks;
  for (int i = t; i < static_cast<int>(round_up(K, 8)) * rows; i += B) {
    const int k = i / rows, a = i - k * rows, block = a / 4;
    T* const to = at.factors + k * each + 4 * block + 8 * block * (block + 1) + a % 4;
    const bool there = k < K && a < D;
    to[0] = there ? static_cast<T>(-m.offset[std::int64_t{k} * D + a] * sqrt_half_log2_e) : T(0);
    const double* const row = m.factor + std::int64_t{k} * packed_size(D) + packed_size(a);
    for (int j = 0; j < 4 * (block + 1); ++j) {
      const int place = j >= 4 * block ? j - 4 * block : j + 4;
      to[4 + 4 * place] = there && j <= a ? static_cast<T>(row[j] * sqrt_half_log2_e) : T(0);
    }
  }
}

// --- the parts of a tile ---

/// Reads Flight points of one coordinate, `step` apart, those from `count` on as 0. A value that is not finite becomes
/// 0 and its point is marked.
template <int Flight, class T, int Points>
MF_FN void read_points(const resident_lane<T, Points>& at, const T (&map)[3], const T* from, std::int64_t distance,
                       int point, int step, int count, T* to) {
  T y[Flight];
  bool good = true;
  MF_UNROLL
  for (int q = 0; q < Flight; ++q) {
    const bool there = Flight > 1 || point < count;
    y[q] = there ? read_only(from) : map[0];
    from += distance;
  }
  MF_UNROLL
  for (int q = 0; q < Flight; ++q) {
    y[q] = Flight > 1 || point < count ? ((y[q] - map[0]) - map[1]) * map[2] : T(0);
    good = good && is_finite(y[q]);
    to[point + q * step] = y[q];
  }
  if (good) return;
  for (int q = 0; q < Flight; ++q)
    if (!is_finite(y[q])) {
      to[point + q * step] = 0;
      set_mark(at.marks + point + q * step);
      set_mark(at.marks + Points);
    }
}

/// Brings rows [first, first + count) into the tile, every lane one coordinate of some of them.
template <class T, int Points>
MF_FN void read_resident(const resident_lane<T, Points>& at, const rows_view<T>& rows, std::int64_t first, int count) {
  constexpr int flight = 8;
  const int D = at.D;
  for (int begin = 0; begin < D; begin += at.lanes) {
    const int width = D - begin < at.lanes ? D - begin : at.lanes;
    const int step = at.lanes / width, row = at.lane / width, d = begin + at.lane - row * width;
    if (row >= step) continue;
    const T map[3] = {at.map[d], at.map[D + d], at.map[2 * D + d]};
    const std::int64_t distance = step * D;
    const T* from = rows.values + (first + row) * D + d;
    T* const to = at.features + d * at.stride;
    int p = row;
    for (; p + (flight - 1) * step < count; p += flight * step, from += flight * distance)
      read_points<flight>(at, map, from, distance, p, step, count, to);
    for (; p + 3 * step < count; p += 4 * step, from += 4 * distance)
      read_points<4>(at, map, from, distance, p, step, count, to);
    for (; p < Points; p += step, from += distance) read_points<1>(at, map, from, distance, p, step, count, to);
  }
  for (int j = at.lane; j < Points; j += at.lanes) {
    const T w = j < count ? (rows.weights ? rows.weights[first + j] : T(1)) : T(0);
    const bool counts = w > 0 && is_weight(w);
    at.weight[j] = counts ? w : T(0);
    if (j < count && !counts) {
      set_mark(at.marks + j);
      set_mark(at.marks + Points);
    }
  }
}
/// Marked points become zeros of weight zero.
template <class T, int Points>
MF_FN void clear_marked(const resident_lane<T, Points>& at) {
  for (int p = at.lane; p < Points; p += at.lanes)
    if (at.marks[p] != 0) at.weight[p] = 0;
  for (int i = at.lane; i < at.D * Points; i += at.lanes) {
    const int d = i / Points, p = i - d * Points;
    if (at.marks[p] != 0) at.features[d * at.stride + p] = 0;
  }
}

/// Products of coordinates, in the rows after them.
template <class T, int Points>
MF_FN void multiply_resident(const resident_lane<T, Points>& at, covariance_structure structure) {
  constexpr int columns = Points / 4;
  for (int i = at.lane; i < (at.products - at.D) * columns; i += at.lanes) {
    const int f = at.D + i / columns, p = 4 * (i % columns);
    four<T> x{};
    if (structure == covariance_structure::spherical) {
      for (int d = 0; d < at.D; ++d) {
        const four<T> y = load_four(at.features + d * at.stride + p);
        for (int q = 0; q < 4; ++q) x.v[q] += y.v[q] * y.v[q];
      }
    } else {
      const int pair = at.pairs[f];
      const four<T> a = load_four(at.features + (pair >> 16) * at.stride + p),
                    b = load_four(at.features + (pair & 65535) * at.stride + p);
      for (int q = 0; q < 4; ++q) x.v[q] = a.v[q] * b.v[q];
    }
    store_four(at.features + f * at.stride + p, x);
  }
}
/// Whitened coordinates for a tied covariance.
template <class T, int Points>
MF_FN void move_resident(const resident_lane<T, Points>& at, const T* transform) {
  constexpr int columns = Points / 4;
  for (int i = at.lane; i < at.D * columns; i += at.lanes) {
    const int row = i / columns, p = 4 * (i % columns);
    four<T> x{};
    for (int j = 0; j <= row; ++j) {
      const four<T> y = load_four(at.features + j * at.stride + p);
      const T w = transform[packed_size(row) + j];
      for (int q = 0; q < 4; ++q) x.v[q] += w * y.v[q];
    }
    store_four(at.densities_of + row * at.stride + p, x);
  }
}

/// Weighs every point's features by its weight over the sum of its densities; this lane's part of the log-likelihood.
template <class T, int Points>
MF_FN double normalise_resident(const resident_lane<T, Points>& at) {
  constexpr int columns = Points / 4;
  const int per = resident_components(at.triangular), parts = (at.K + per - 1) / per;
  const int rounds = at.lanes > columns ? at.lanes / columns : 1;
  double value = 0;
  for (int i = at.lane; i < columns * rounds; i += at.lanes) {
    const int round = i / columns, p = 4 * (i % columns);
    four<T> total = load_four(at.sum + p), normaliser;
    for (int j = 1; j < parts; ++j) {
      const four<T> sum = load_four(at.sum + j * Points + p);
      for (int q = 0; q < 4; ++q) total.v[q] += sum.v[q];
    }
    const four<T> weight = load_four(at.weight + p);
    for (int q = 0; q < 4; ++q) normaliser.v[q] = weight.v[q] > 0 ? weight.v[q] * inverse(total.v[q]) : T(0);
    if (round == 0) {
      four<T> most = load_four(at.most + p);
      for (int j = 1; j < parts; ++j) {
        const four<T> other = load_four(at.most + j * Points + p);
        for (int q = 0; q < 4; ++q) most.v[q] = larger(most.v[q], other.v[q]);
      }
      store_four(at.normaliser + p, normaliser);
      for (int q = 0; q < 4; ++q)
        if (weight.v[q] > 0)
          value += static_cast<double>(weight.v[q]) *
                   (static_cast<double>(most.v[q]) * constants::log_2 + static_cast<double>(log(total.v[q])));
    }
    for (int f = round; f < at.products; f += rounds) {
      T* const row = at.features + f * at.stride + p;
      four<T> x = load_four(row);
      for (int q = 0; q < 4; ++q) x.v[q] *= normaliser.v[q];
      store_four(row, x);
    }
  }
  return value;
}

MF_NAMESPACE_END
