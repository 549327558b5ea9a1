// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The M step's sums over one tile: responsibilities × features, a matrix product in micro-tiles of components and
// features whose sums stay in registers for all points and end in double.
#pragma once

#include <bit>

#include "kernels/cpu/mixture_tile.hpp"

MF_NAMESPACE_BEGIN

/// Σ_p r[k + a][p] φ[f + b][p] for a micro-tile, added to statistics in double. With Near, over the vectors of `near`
/// only.
template <int Components, int Features, bool Near, class T>
MF_FN void product_micro_tile(const T* r, const T* phi, int points, int stride, std::uint64_t near, double* statistics,
                              int row) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  hn::Vec<mixture_tag<T>> sum[Components][Features];
  for (int a = 0; a < Components; ++a)
    for (int b = 0; b < Features; ++b) sum[a][b] = hn::Zero(d);
  // Without Near, every vector in order; with it, those whose bits are set.
  for (int p = 0; Near ? near != 0 : p < points; p += lanes) {
    if constexpr (Near) {
      p = std::countr_zero(near) * lanes;
      near &= near - 1;
    }
    hn::Vec<mixture_tag<T>> feature[Features];
    for (int b = 0; b < Features; ++b) feature[b] = hn::Load(d, phi + b * stride + p);
    for (int a = 0; a < Components; ++a) {
      const auto responsibility = hn::Load(d, r + a * stride + p);
      for (int b = 0; b < Features; ++b) sum[a][b] = hn::MulAdd(responsibility, feature[b], sum[a][b]);
    }
  }
  hn::Vec<mixture_tag<T>> all[Components * Features];
  T totals[Components * Features];
  for (int i = 0; i < Components * Features; ++i) all[i] = sum[i / Features][i % Features];
  lane_sums<Components * Features, T>(all, totals);
  for (int a = 0; a < Components; ++a)
    for (int b = 0; b < Features; ++b) statistics[a * row + b] += static_cast<double>(totals[a * Features + b]);
}

template <int Components, bool Near, class T>
MF_FN void product_rows(const T* r, const T* phi, int count, int points, int stride, std::uint64_t near,
                        double* statistics, int row) {
  int f = 0;
  for (; f + 4 <= count; f += 4)
    product_micro_tile<Components, 4, Near>(r, phi + f * stride, points, stride, near, statistics + f, row);
  switch (count - f) {
    case 3:
      product_micro_tile<Components, 3, Near>(r, phi + f * stride, points, stride, near, statistics + f, row);
      break;
    case 2:
      product_micro_tile<Components, 2, Near>(r, phi + f * stride, points, stride, near, statistics + f, row);
      break;
    case 1:
      product_micro_tile<Components, 1, Near>(r, phi + f * stride, points, stride, near, statistics + f, row);
      break;
    default:
      break;
  }
}

/// statistics[k × row + f] += Σ_p r[k × stride + p] φ[f × stride + p] for K components and `count` features.
template <class T>
void add_up(const T* r, int K, const T* phi, int count, int points, int stride, double* statistics, int row) {
  int k = 0;
  for (; k + 4 <= K; k += 4)
    product_rows<4, false>(r + k * stride, phi, count, points, stride, 0, statistics + std::int64_t{k} * row, row);
  const T* const rest = r + k * stride;
  double* const to = statistics + std::int64_t{k} * row;
  switch (K - k) {
    case 3:
      product_rows<3, false>(rest, phi, count, points, stride, 0, to, row);
      break;
    case 2:
      product_rows<2, false>(rest, phi, count, points, stride, 0, to, row);
      break;
    case 1:
      product_rows<1, false>(rest, phi, count, points, stride, 0, to, row);
      break;
    default:
      break;
  }
}

/// The same, when vectors without a bit in near[k] need not be added.
template <class T>
void add_up_near(const T* r, int K, const std::uint64_t* near, const T* phi, int count, int points, int stride,
                 double* statistics, int row) {
  for (int k = 0; k < K; k += 4) {
    const int components = K - k < 4 ? K - k : 4;
    std::uint64_t any = 0;
    for (int a = 0; a < components; ++a) any |= near[k + a];
    const T* const from = r + k * stride;
    double* const to = statistics + std::int64_t{k} * row;
    if (components < 4 || 2 * std::popcount(any) > points / mixture_vector_lanes<T>)  // many are as fast as all
      add_up(from, components, phi, count, points, stride, to, row);
    else if (any)
      product_rows<4, true>(from, phi, count, points, stride, any, to, row);
  }
}

/// A tile's part of all statistics. `features`: [1 + D rows], 1 and the coordinates; what the covariances need is
/// made from them a few rows at a time, so that D² of them never leave L1. `near` as above, or null.
template <class T>
void add_statistics(const T* r, int K, const std::uint64_t* near, covariance_structure structure, const T* features,
                    int D, int points, int stride, T* buffer, int buffer_rows, double* statistics, int row) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  const auto multiply = [&](const T* a, const T* b, T* to) {
    for (int p = 0; p < points; p += lanes) hn::Store(hn::Mul(hn::Load(d, a + p), hn::Load(d, b + p)), d, to + p);
  };
  double* to = statistics;
  const auto add = [&](const T* some, int rows) {
    if (near)
      add_up_near(r, K, near, some, rows, points, stride, to, row);
    else
      add_up(r, K, some, rows, points, stride, to, row);
    to += rows;
  };
  add(features, 1 + D);
  const T* const y = features + stride;
  if (structure == covariance_structure::spherical) {
    for (int p = 0; p < points; p += lanes) {
      auto sum = hn::Zero(d);
      for (int j = 0; j < D; ++j) {
        const auto v = hn::Load(d, y + j * stride + p);
        sum = hn::MulAdd(v, v, sum);
      }
      hn::Store(sum, d, buffer + p);
    }
    add(buffer, 1);
    return;
  }
  if (structure == covariance_structure::tied) return;
  int filled = 0;
  const auto flush = [&] {
    add(buffer, filled);
    filled = 0;
  };
  for (int i = 0; i < D; ++i)
    for (int j = structure == covariance_structure::full ? 0 : i; j <= i; ++j) {
      multiply(y + i * stride, y + j * stride, buffer + filled * stride);
      if (++filled == buffer_rows) flush();
    }
  if (filled > 0) flush();
}

MF_NAMESPACE_END
