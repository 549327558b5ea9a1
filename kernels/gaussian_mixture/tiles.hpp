// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E and M step for a tile of points by the lanes of one block, for mixtures of any size. A tile's responsibilities
// live in the block's own memory and are overwritten by the next tile's. Each step ends before the next begins (the
// caller's barriers), every output has one owner, and owners add in the order of the points. Row lengths are odd, so
// that lanes on different rows of shared memory do not meet in one bank.
//   rows of a tile  0: ones · 1 ... D: coordinates · D + 1: |y|², for spherical covariances
#pragma once

#include "kernels/gaussian_mixture/registers.hpp"

MF_NAMESPACE_BEGIN

/// Products of features staged at a time.
inline constexpr int staged_features = 64;
/// Bytes that a tile may take: two blocks fit on a multiprocessor with 228 KB of shared memory.
inline constexpr std::int64_t tile_bytes = 96 * 1024;

template <class T>
struct mixture_tile {
  int points = 0, stride = 0;
  T* y = nullptr;       ///< [D + 2] rows
  T* moved = nullptr;   ///< [D + 1] rows as y, transformed; tied only
  T* table = nullptr;   ///< [K] rows: log-densities, then weighted responsibilities
  T* staged = nullptr;  ///< [staged_features] rows
  T* weight = nullptr;  ///< one row
  T* most = nullptr;    ///< [parts] rows
  T* sum = nullptr;     ///< [parts] rows

  static MF_FN constexpr std::int64_t rows(int D, int K, int parts) {
    return (D + 2) + (D + 1) + std::int64_t{K} + staged_features + 1 + 2 * parts;
  }
  /// Points per tile: by the mixture's own size and the lanes of a block only, since it decides the order of sums.
  static MF_FN constexpr int points_for(int D, int K, int lanes) {
    for (int points = 128; points > 32; points /= 2)
      if (numbers(D, K, points, lanes) * static_cast<std::int64_t>(sizeof(T)) <= tile_bytes) return points;
    return 32;
  }
  static MF_FN constexpr int parts_for(int points, int lanes) { return lanes > points ? lanes / points : 1; }
  static MF_FN constexpr std::int64_t numbers(int D, int K, int points, int lanes) {
    return rows(D, K, parts_for(points, lanes)) * (points + 1);
  }
  MF_FN_LARGE void bind(int D, int K, int lanes, T* memory) {
    points = points_for(D, K, lanes);
    stride = points + 1;
    const int parts = parts_for(points, lanes);
    const auto take = [&](std::int64_t count) {
      T* const at = memory;
      memory += count * stride;
      return at;
    };
    y = take(D + 2);
    moved = take(D + 1);
    table = take(K);
    staged = take(staged_features);
    weight = take(1);
    most = take(parts);
    sum = take(parts);
  }
};

/// What the E step reads, in the points' own type.
template <class T>
struct tile_factors {
  const T* constant = nullptr;   ///< [K]
  const T* offset = nullptr;     ///< [K × D]
  const T* factor = nullptr;     ///< [K × packed_size(D)] or [K × D]
  const T* transform = nullptr;  ///< [packed_size(D)] or null
  bool triangular = false;
};

/// Lane `t` of `B` reads its part of rows [first, first + count), consecutive lanes consecutive numbers (coalesced).
/// Coordinates that are not finite are kept.
template <class T>
MF_FN_CALL void read_tile(const rows_view<T>& rows, const point_map<T>& map, std::int64_t first, int count,
                          const mixture_tile<T>& tile, int t, int B) {
  const int D = rows.dimensions;
  for (int i = t; i < tile.points * D; i += B) {
    const int p = i / D, d = i - p * D;
    const T x = p < count ? rows.values[(first + p) * D + d] : map.centre[d];
    tile.y[(1 + d) * tile.stride + p] = ((x - map.centre[d]) - map.rest[d]) * map.scale[d];
  }
}

/// Sets the weights of the tile's points; points that are left out are masked: zeros with weight 0.
template <class T>
MF_FN_CALL void weigh_tile(const rows_view<T>& rows, std::int64_t first, int count, const mixture_tile<T>& tile, int t,
                           int B) {
  const int D = rows.dimensions;
  for (int p = t; p < tile.points; p += B) {
    T w = p < count ? (rows.weights ? rows.weights[first + p] : T(1)) : T(0);
    bool usable = is_weight(w);
    T square = 0;
    for (int d = 0; d < D; ++d) {
      const T y = tile.y[(1 + d) * tile.stride + p];
      usable = usable && is_finite(y);
      square += y * y;
    }
    if (!usable) {
      w = square = 0;
      for (int d = 0; d < D; ++d) tile.y[(1 + d) * tile.stride + p] = 0;
    }
    tile.weight[p] = w;
    tile.y[p] = 1;
    tile.y[(D + 1) * tile.stride + p] = square;
  }
}

/// moved = W y for a tied covariance.
template <class T>
MF_FN_CALL void transform_tile(const T* W, int D, const mixture_tile<T>& tile, int t, int B) {
  for (int i = t; i < tile.points * D; i += B) {
    const int row = i / tile.points, p = i - row * tile.points;
    T sum = 0;
    for (int j = 0; j <= row; ++j) sum += W[packed(row, j)] * tile.y[(1 + j) * tile.stride + p];
    tile.moved[(1 + row) * tile.stride + p] = sum;
  }
}

/// Log-densities of `Components` components from k on at `Points` points, `apart` columns between them.
template <int Components, int Points, class T>
MF_FN void scaled_densities(const tile_factors<T>& f, int D, int K, int k, const T* y, int stride, int apart, T* out) {
  T sum[Components][Points];
  const T *factor[Components], *offset[Components];
  for (int c = 0; c < Components; ++c) {
    const std::int64_t at = std::int64_t{k + c < K ? k + c : K - 1} * D;
    factor[c] = f.factor + at;
    offset[c] = f.offset + at;
    for (int q = 0; q < Points; ++q) sum[c][q] = 0;
  }
  for (int d = 0; d < D; ++d) {
    T point[Points];
    for (int q = 0; q < Points; ++q) point[q] = y[(1 + d) * stride + q * apart];
    for (int c = 0; c < Components; ++c) {
      const T scale = factor[c][d], shift = offset[c][d];
      for (int q = 0; q < Points; ++q) {
        const T z = point[q] * scale - shift;
        sum[c][q] += z * z;
      }
    }
  }
  for (int c = 0; c < Components; ++c)
    if (k + c < K)
      for (int q = 0; q < Points; ++q) out[(k + c) * stride + q * apart] = f.constant[k + c] - T(0.5) * sum[c][q];
}

/// The same of one component with a triangular factor, four of its rows at a time.
template <int Points, class T>
MF_FN void triangular_densities(const tile_factors<T>& f, int D, int k, const T* y, int stride, int apart, T* out) {
  const T* const W = f.factor + std::int64_t{k} * packed_size(D);
  const T* const offset = f.offset + std::int64_t{k} * D;
  T sum[Points];
  for (int q = 0; q < Points; ++q) sum[q] = 0;
  for (int i = 0; i < D; i += 4) {
    T z[4][Points];
    const T* row[4];
    for (int r = 0; r < 4; ++r) {
      const bool there = i + r < D;
      row[r] = W + packed_size(i + r);
      for (int q = 0; q < Points; ++q) z[r][q] = there ? -offset[i + r] : T(0);
    }
    for (int j = 0; j < i + 4 && j < D; ++j) {
      T point[Points];
      for (int q = 0; q < Points; ++q) point[q] = y[(1 + j) * stride + q * apart];
      for (int r = 0; r < 4; ++r) {
        const T w = i + r < D && j <= i + r ? row[r][j] : T(0);
        for (int q = 0; q < Points; ++q) z[r][q] += w * point[q];
      }
    }
    for (int r = 0; r < 4; ++r)
      for (int q = 0; q < Points; ++q) sum[q] += z[r][q] * z[r][q];
  }
  for (int q = 0; q < Points; ++q) out[k * stride + q * apart] = f.constant[k] - T(0.5) * sum[q];
}

/// tile.table = log π_k N(y_p) for all components and points.
template <class T>
MF_FN_CALL void tile_densities(const tile_factors<T>& f, int D, int K, const mixture_tile<T>& tile, int t, int B) {
  const T* const y = f.transform ? tile.moved : tile.y;
  const int quarter = tile.points / 4, quads = (K + 3) / 4;
  if (f.triangular) {
    for (int i = t; i < K * quarter; i += B) {
      const int k = i / quarter, p = i - k * quarter;
      triangular_densities<4>(f, D, k, y + p, tile.stride, quarter, tile.table + p);
    }
  } else if (quads * quarter >= B) {
    for (int i = t; i < quads * quarter; i += B) {
      const int quad = i / quarter, p = i - quad * quarter;
      scaled_densities<4, 4>(f, D, K, 4 * quad, y + p, tile.stride, quarter, tile.table + p);
    }
  } else {
    for (int i = t; i < K * tile.points; i += B) {
      const int k = i / tile.points, p = i - k * tile.points;
      scaled_densities<1, 1>(f, D, K, k, y + p, tile.stride, 0, tile.table + p);
    }
  }
}

/// log-sum-exp over components, in three steps with a barrier after each of the first two: the largest of each part,
/// the parts' sums, then w times the responsibilities in place of the log-densities. Lane (part, p) sees every
/// parts-th component of point p.
template <class T, class Barrier>
MF_FN_CALL double normalise_tile(int K, const mixture_tile<T>& tile, int t, int B, Barrier barrier) {
  const int parts = mixture_tile<T>::parts_for(tile.points, B), stride = tile.stride;
  const int lanes = parts * tile.points;
  for (int i = t; i < lanes; i += B) {
    const int part = i / tile.points, p = i - part * tile.points;
    T most = T(-1e37);
    for (int k = part; k < K; k += parts) most = maximum(tile.table[k * stride + p], most);
    tile.most[part * stride + p] = most;
  }
  barrier();
  for (int i = t; i < lanes; i += B) {
    const int part = i / tile.points, p = i - part * tile.points;
    T most = tile.most[p], sum = 0;
    for (int j = 1; j < parts; ++j) most = maximum(tile.most[j * stride + p], most);
    for (int k = part; k < K; k += parts) {
      const T term = exp(tile.table[k * stride + p] - most);
      tile.table[k * stride + p] = term;
      sum += term;
    }
    tile.sum[part * stride + p] = sum;
  }
  barrier();
  double value = 0;
  for (int i = t; i < lanes; i += B) {
    const int part = i / tile.points, p = i - part * tile.points;
    T most = tile.most[p], sum = tile.sum[p];
    for (int j = 1; j < parts; ++j) {
      most = maximum(tile.most[j * stride + p], most);
      sum += tile.sum[j * stride + p];
    }
    const T weight = tile.weight[p], responsibility = weight / sum;
    for (int k = part; k < K; k += parts) tile.table[k * stride + p] *= responsibility;
    if (part == 0) value += static_cast<double>(weight) * static_cast<double>(most + log(sum));
  }
  return value;
}

/// The two rows of a tile whose product is feature f: (0, 0) for Σ r, (0, d) for means, then the structure's products.
struct row_pair {
  int a, b;
};
MF_FN_LARGE row_pair rows_of_feature(covariance_structure structure, int D, int f) {
  if (f <= D) return {0, f};
  const int product = f - 1 - D;
  if (structure == covariance_structure::diagonal) return {1 + product, 1 + product};
  if (structure == covariance_structure::spherical) return {0, D + 1};
  int i = static_cast<int>((sqrt(8.0f * static_cast<float>(product) + 1.0f) - 1.0f) * 0.5f);
  while (packed_size(i) > product) --i;
  while (packed_size(i + 1) <= product) ++i;
  return {1 + i, 1 + product - packed_size(i)};
}

/// staged[j] = feature first + j at every point, for `count` features. y: [D + 2] rows of `from_stride`.
template <class T>
MF_FN_CALL void stage_features(covariance_structure structure, int D, int first, int count, const T* y,
                               std::int64_t from_stride, int points, T* staged, int stride, int t, int B) {
  for (int i = t; i < count * points; i += B) {
    const int j = i / points, p = i - j * points;
    const row_pair rows = rows_of_feature(structure, D, first + j);
    staged[j * stride + p] = y[rows.a * from_stride + p] * y[rows.b * from_stride + p];
  }
}

/// Σ_p r[k][p] φ[f][p] for 4 × 4 outputs; rows past the end are read as the last and not used. `points` is a multiple
/// of 4: pointers move four points at a time, since the address of every number by itself is work for two.
template <class T>
MF_FN void product_quad(const T* r, int r_last, const T* phi, int phi_last, int points, int stride, T (&sum)[4][4]) {
  const T *responsibility[4], *feature[4];
  for (int a = 0; a < 4; ++a) {
    responsibility[a] = r + (a < r_last ? a : r_last) * stride;
    feature[a] = phi + (a < phi_last ? a : phi_last) * stride;
    for (int b = 0; b < 4; ++b) sum[a][b] = 0;
  }
  for (int p = 0; p < points; p += 4) {
    for (int q = 0; q < 4; ++q) {
      T x[4], w[4];
      for (int a = 0; a < 4; ++a) {
        w[a] = responsibility[a][q];
        x[a] = feature[a][q];
      }
      for (int a = 0; a < 4; ++a)
        for (int b = 0; b < 4; ++b) sum[a][b] += w[a] * x[b];
    }
    for (int a = 0; a < 4; ++a) {
      responsibility[a] += 4;
      feature[a] += 4;
    }
  }
}

/// total [16] += the same, in double.
template <class T>
MF_FN_CALL void add_product_quad(const T* r, int r_last, const T* phi, int phi_last, int points, int stride,
                                 double* total) {
  T sum[4][4];
  product_quad(r, r_last, phi, phi_last, points, stride, sum);
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < 4; ++b) total[4 * a + b] += static_cast<double>(sum[a][b]);
    limit_load_hoisting();
  }
}

/// statistics[k × each + first + j] += Σ_p r[k][p] staged[j][p], for K components and `count` staged features.
template <class T>
MF_FN_CALL void add_tile_products(const T* table, int K, const T* staged, int first, int count, int points, int stride,
                                  double* statistics, int each, int t, int B) {
  const int features = (count + 3) / 4, quads = (K + 3) / 4;
  for (int i = t; i < features * quads; i += B) {
    const int k = 4 * (i / features), f = 4 * (i - i / features * features);
    T sum[4][4];
    product_quad(table + k * stride, K - 1 - k, staged + f * stride, count - 1 - f, points, stride, sum);
    for (int a = 0; a < 4 && k + a < K; ++a)
      for (int b = 0; b < 4 && f + b < count; ++b)
        statistics[std::int64_t{k + a} * each + first + f + b] += static_cast<double>(sum[a][b]);
  }
}

MF_NAMESPACE_END
