// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E and M step of a Gaussian mixture over one tile of at most a few hundred points, on SIMD vectors of T. Vectors
// run along the points (features are rows of a tile); micro-tiles of components and points keep their sums in
// registers:
//   densities   log π_k N(y_p) for every component and point: two FMAs per coordinate, in whitened form
//   normalise   log-sum-exp over components, responsibilities in place of log-densities
//   add_up      statistics += responsibilities × features (mixture_products.hpp)
// All data of a tile stay in L2: its responsibilities are overwritten by the next tile's. With very many components,
// one that is far from all points of a few vectors is masked there: no exponential and no product.
#pragma once

#include "kernels/cpu/mixture_math.hpp"
#include "kernels/gaussian_mixture/model.hpp"

MF_NAMESPACE_BEGIN

/// Points in a tile: enough to hide the sums at its end, few enough for its responsibilities to stay in L2.
inline int tile_points(int K) {
  return K <= 256 ? 256 : K <= 1024 ? 128 : 64;
}

/// Stride between the rows of a tile: a cache line more than the points take, since rows at a power of two would map
/// to the same few sets of L1.
template <class T>
int tile_stride(int K) {
  return tile_points(K) + 64 / static_cast<int>(sizeof(T));
}

/// What the E step reads, in the points' own type.
template <class T>
struct mixture_factors {
  int D = 0, K = 0;
  bool triangular = false;
  const T* constant = nullptr;   ///< [K]
  const T* offset = nullptr;     ///< [K × D]
  const T* factor = nullptr;     ///< [K × packed_size(D)] or [K × D]
  const T* transform = nullptr;  ///< [packed_size(D)] or null
};

/// Distances in scaled form: Components × Vectors sums at once. y: [D × stride].
template <int Components, int Vectors, class T>
MF_FN void scaled_micro_tile(const mixture_factors<T>& m, int k, const T* y, int stride, T* out) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  hn::Vec<mixture_tag<T>> sum[Components][Vectors];
  for (int c = 0; c < Components; ++c)
    for (int v = 0; v < Vectors; ++v) sum[c][v] = hn::Zero(d);
  for (int j = 0; j < m.D; ++j) {
    hn::Vec<mixture_tag<T>> point[Vectors];
    for (int v = 0; v < Vectors; ++v) point[v] = hn::Load(d, y + j * stride + v * lanes);
    for (int c = 0; c < Components; ++c) {
      const auto scale = hn::Set(d, m.factor[(k + c) * m.D + j]), offset = hn::Set(d, m.offset[(k + c) * m.D + j]);
      for (int v = 0; v < Vectors; ++v) {
        const auto z = hn::MulSub(point[v], scale, offset);
        sum[c][v] = hn::MulAdd(z, z, sum[c][v]);
      }
    }
  }
  for (int c = 0; c < Components; ++c)
    for (int v = 0; v < Vectors; ++v)
      hn::Store(hn::NegMulAdd(sum[c][v], hn::Set(d, T(0.5)), hn::Set(d, m.constant[k + c])), d,
                out + (k + c) * stride + v * lanes);
}

/// Rows i ... i + Rows − 1 of W_k y − W_k μ_k, squared and added to `sum`.
template <int Rows, int Vectors, class T, class V>
MF_FN void whitened_rows(const T* W, const T* offset, int i, const T* y, int stride, V (&sum)[Vectors]) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  V z[Rows][Vectors];
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) z[r][v] = hn::Set(d, -offset[i + r]);
  const T* row[Rows];
  for (int r = 0; r < Rows; ++r) row[r] = W + packed(i + r, 0);
  for (int j = 0; j < i; ++j) {
    V point[Vectors];
    for (int v = 0; v < Vectors; ++v) point[v] = hn::Load(d, y + j * stride + v * lanes);
    for (int r = 0; r < Rows; ++r) {
      const auto w = hn::Set(d, row[r][j]);
      for (int v = 0; v < Vectors; ++v) z[r][v] = hn::MulAdd(w, point[v], z[r][v]);
    }
  }
  // Both loops from 0, and unrolled: with r from c the compiler keeps z in memory.
#pragma GCC unroll 4
  for (int c = 0; c < Rows; ++c) {
    V point[Vectors];
    for (int v = 0; v < Vectors; ++v) point[v] = hn::Load(d, y + (i + c) * stride + v * lanes);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      if (r < c) continue;
      const auto w = hn::Set(d, row[r][i + c]);
      for (int v = 0; v < Vectors; ++v) z[r][v] = hn::MulAdd(w, point[v], z[r][v]);
    }
  }
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) sum[v] = hn::MulAdd(z[r][v], z[r][v], sum[v]);
}

template <int Vectors, class T>
MF_FN void triangular_micro_tile(const mixture_factors<T>& m, int k, const T* y, int stride, T* out) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  hn::Vec<mixture_tag<T>> sum[Vectors];
  for (int v = 0; v < Vectors; ++v) sum[v] = hn::Zero(d);
  const T* W = m.factor + static_cast<std::int64_t>(k) * packed_size(m.D);
  const T* offset = m.offset + k * m.D;
  int i = 0;
  for (; i + 4 <= m.D; i += 4) whitened_rows<4>(W, offset, i, y, stride, sum);
  switch (m.D - i) {
    case 3:
      whitened_rows<3>(W, offset, i, y, stride, sum);
      break;
    case 2:
      whitened_rows<2>(W, offset, i, y, stride, sum);
      break;
    case 1:
      whitened_rows<1>(W, offset, i, y, stride, sum);
      break;
    default:
      break;
  }
  for (int v = 0; v < Vectors; ++v)
    hn::Store(hn::NegMulAdd(sum[v], hn::Set(d, T(0.5)), hn::Set(d, m.constant[k])), d, out + k * stride + v * lanes);
}

/// out[k × stride + p] = log π_k N(y_p; μ_k, Σ_k) for `points` points, a multiple of 4 vectors. y: [D × stride].
template <class T>
void densities(const mixture_factors<T>& m, const T* y, int points, int stride, T* out) {
  constexpr int step = 4 * mixture_vector_lanes<T>;
  for (int p = 0; p < points; p += step) {  // four vectors of all coordinates stay in L1 for all components
    int k = 0;
    if (m.triangular) {
      for (; k < m.K; ++k) triangular_micro_tile<4>(m, k, y + p, stride, out + p);
      continue;
    }
    for (; k + 2 <= m.K; k += 2) scaled_micro_tile<2, 4>(m, k, y + p, stride, out + p);
    for (; k < m.K; ++k) scaled_micro_tile<1, 4>(m, k, y + p, stride, out + p);
  }
}

/// y ← W y for every point: [D × stride] in place, from the last row up.
template <class T>
void transform_points(const T* W, int D, int points, int stride, T* y) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  for (int p = 0; p < points; p += lanes)
    for (int i = D - 1; i >= 0; --i) {
      auto sum = hn::Zero(d);
      for (int j = 0; j <= i; ++j) sum = hn::MulAdd(hn::Set(d, W[packed(i, j)]), hn::Load(d, y + j * stride + p), sum);
      hn::Store(sum, d, y + i * stride + p);
    }
}

/// A component is far from a point where its responsibility is below e^near_exponent. What a pass omits of its sums is
/// at most e^near_exponent times the weight of all points; where a component has less than `enough_weight` of that
/// weight, the omission might be visible in a double, and the pass is repeated with all components.
template <class T>
inline constexpr T near_exponent = sizeof(T) == 8 ? T(-100) : least_exponent<T>;
inline constexpr double enough_weight = 1e-26;

/// Whether a list of near components pays: several components for each of 4 vectors of points, which may all have a
/// different one near; and whether a tile's vectors fit into one bit each.
template <class T>
bool some_may_be_far(int K) {
  return K >= 16 * mixture_vector_lanes<T> && tile_points(K) <= 64 * mixture_vector_lanes<T>;
}

/// Which of many components are near to which points of a tile.
template <class T>
struct near_components {
  int* list = nullptr;               ///< [K] workspace for those near to any of the points that are normalised together
  std::uint64_t* vectors = nullptr;  ///< [K] bits: the tile's vectors with a point that k is near to
  T* spare = nullptr;                ///< [4 vectors] written in place of what is not to be
};

/// Components near to any of 4 vectors of points, whose log-densities are in `table` and of which the largest are
/// `most`, into the list; responsibilities of the others become 0. Returns how many they are.
template <class T>
MF_FN int list_near(int K, int stride, const mixture_vector<T> (&most)[4], T* table, const near_components<T>& near) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  mixture_vector<T> bound[4];
  for (int v = 0; v < 4; ++v) bound[v] = hn::Add(most[v], hn::Set(d, near_exponent<T>));
  int count = 0;
  for (int k = 0; k < K; ++k) {
    T* const at = table + k * stride;
    auto any = hn::Gt(hn::Load(d, at), bound[0]);
    for (int v = 1; v < 4; ++v) any = hn::Or(any, hn::Gt(hn::Load(d, at + v * lanes), bound[v]));
    const bool far = hn::AllFalse(d, any);
    T* const zeros = far ? at : near.spare;  // no branch: it would be mispredicted
    for (int v = 0; v < 4; ++v) hn::Store(hn::Zero(d), d, zeros + v * lanes);
    near.list[count] = k;
    count += far ? 0 : 1;
  }
  return count;
}

/// Turns log π_k N(y_p) into w_p times the responsibilities, in place, and gives log f(y_p) (not weighted) to
/// `log_density` [points] where it is not null. `table` begins `first` vectors into the tile; `near` is read and
/// written with Near only. Returns Σ w log f.
template <bool Near, class T>
double normalise(int K, int points, int stride, const T* weights, T* table, T* log_density,
                 const near_components<T>& near, int first) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  const auto lowest = hn::Set(d, sizeof(T) == 8 ? T(-1e300) : T(-1e37));
  using V = hn::Vec<mixture_tag<T>>;
  // Four vectors at once: exp, log and the division each wait long for their results.
  constexpr int at_once = 4;
  auto total = hn::Zero(d);
  for (int p = 0; p < points; p += at_once * lanes) {
    T* const column = table + p;
    V most[at_once], sum[at_once], normaliser[at_once];
    for (int v = 0; v < at_once; ++v) {
      most[v] = lowest;
      sum[v] = hn::Zero(d);
    }
    for (int k = 0; k < K; ++k)
      for (int v = 0; v < at_once; ++v) most[v] = hn::Max(most[v], hn::Load(d, column + k * stride + v * lanes));
    const int terms = Near ? list_near(K, stride, most, column, near) : K;
    for (int i = 0; i < terms; ++i) {
      const int k = Near ? near.list[i] : i;
      V term[at_once];
      for (int v = 0; v < at_once; ++v) {
        const auto exponent = hn::Sub(hn::Load(d, column + k * stride + v * lanes), most[v]);
        term[v] = exp_negative(d, exponent);
        if constexpr (Near) {
          const bool some = !hn::AllFalse(d, hn::Gt(exponent, hn::Set(d, near_exponent<T>)));
          near.vectors[k] |= std::uint64_t{some} << (first + p / lanes + v);
        }
      }
      for (int v = 0; v < at_once; ++v) {
        hn::Store(term[v], d, column + k * stride + v * lanes);
        sum[v] = hn::Add(sum[v], term[v]);
      }
    }
    V weight[at_once];
    auto all_one = hn::Eq(hn::Zero(d), hn::Zero(d));
    for (int v = 0; v < at_once; ++v) {
      sum[v] = hn::Max(sum[v], hn::Set(d, T(0.5)));  // at least 1, but where every density underflowed
      weight[v] = hn::Load(d, weights + p + v * lanes);
      normaliser[v] = hn::Mul(weight[v], reciprocal(d, sum[v]));
      all_one = hn::And(all_one, hn::Eq(weight[v], hn::Set(d, T(1))));
    }
    for (int i = 0; i < terms; ++i)
      for (int v = 0; v < at_once; ++v) {
        T* const at = column + (Near ? near.list[i] : i) * stride + v * lanes;
        hn::Store(hn::Mul(hn::Load(d, at), normaliser[v]), d, at);
      }
    if (!log_density && hn::AllTrue(d, all_one)) {
      // The sum of logarithms is the logarithm of the product, which K^4 cannot make overflow.
      static_assert(at_once == 4);
      total = hn::Add(total, hn::Add(hn::Add(most[0], most[1]), hn::Add(most[2], most[3])));
      total = hn::Add(total, log_above_one(d, hn::Mul(hn::Mul(sum[0], sum[1]), hn::Mul(sum[2], sum[3]))));
      continue;
    }
    for (int v = 0; v < at_once; ++v) {
      const auto value = hn::Add(most[v], log_above_one(d, sum[v]));
      if (log_density) hn::Store(value, d, log_density + p + v * lanes);
      total = hn::MulAdd(weight[v], value, total);
    }
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, total)));
}

MF_NAMESPACE_END
