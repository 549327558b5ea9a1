// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Reads the rows of one fit on the CPU, tile by tile, transposed (vectors along the points), centred and scaled. Rows
// that are left out and rows past the end are masked: weight 0 and coordinates 0.
#pragma once

#include <cmath>
#include <memory>
#include <new>
#include <vector>

#include "kernels/cpu/mixture_tile.hpp"
#include "kernels/gaussian_mixture/fit.hpp"

MF_NAMESPACE_BEGIN

/// An array at a cache line's boundary; contents are lost when it grows.
template <class T>
class aligned_array {
 public:
  T* resize(std::int64_t count) {
    if (count > size_) {
      memory_.reset(
          static_cast<T*>(::operator new (static_cast<std::size_t>(count) * sizeof(T), std::align_val_t{64})));
      size_ = count;
    }
    return memory_.get();
  }
  T* get() const { return memory_.get(); }

 private:
  struct release {
    void operator()(T* memory) const { ::operator delete (memory, std::align_val_t{64}); }
  };
  std::unique_ptr<T, release> memory_;
  std::int64_t size_ = 0;
};

/// The affine map y = (x − centre) · scale of a model.
struct row_map {
  const double* centre = nullptr;  ///< [D]
  const double* scale = nullptr;   ///< [D]
};

/// Reads rows, at most 256, into y [D × stride] and w [stride], padded with zeros up to `padded`. False when a row
/// among them is not usable.
template <class T>
bool read_rows(const rows_view<T>& rows, const row_map& map, int padded, int stride, T* y, T* w) {
  const int D = rows.dimensions, count = static_cast<int>(rows.size);
  const T* const x = rows.values;
  T doubt[256];  // NaN where a coordinate or the weight is not finite
  for (int p = 0; p < count; ++p) {
    w[p] = rows.weights ? rows.weights[p] : T(1);
    doubt[p] = w[p] - w[p];
  }
  // Rows of many coordinates a few at a time, so that they are still in L1 at the next coordinate.
  const int at_once = count * D * static_cast<int>(sizeof(T)) <= 32768 ? count : 32;
  for (int begin = 0; begin < count; begin += at_once) {
    const int end = count - begin < at_once ? count : begin + at_once;
    for (int j = 0; j < D; ++j) {
      const T centre = static_cast<T>(map.centre[j]), scale = static_cast<T>(map.scale[j]);
      const T rest = static_cast<T>(map.centre[j] - static_cast<double>(centre));
      T* const to = y + j * stride;
      const auto take = [&](int step) {
        for (int p = begin; p < end; ++p) {
          const T v = ((x[p * step + j] - centre) - rest) * scale;
          to[p] = v;
          doubt[p] += v - v;
        }
      };
      if (D == 1)
        take(1);
      else
        take(D);
    }
  }
  for (int j = 0; j < D; ++j)
    for (int p = count; p < padded; ++p) y[j * stride + p] = 0;
  for (int p = count; p < padded; ++p) w[p] = 0;
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  auto good = hn::Eq(hn::Zero(d), hn::Zero(d));
  int p = 0;
  for (; p + lanes <= count; p += lanes) {
    good = hn::And(good, hn::Eq(hn::LoadU(d, doubt + p), hn::Zero(d)));
    good = hn::And(good, hn::Ge(hn::LoadU(d, w + p), hn::Zero(d)));
  }
  bool clean = hn::AllTrue(d, good);
  for (; p < count; ++p) clean = clean && doubt[p] == 0 && w[p] >= 0;
  if (clean) return true;
  for (p = 0; p < count; ++p) {
    if (doubt[p] == 0 && w[p] >= 0) continue;
    w[p] = 0;
    for (int j = 0; j < D; ++j) y[j * stride + p] = 0;
  }
  return false;
}

MF_NAMESPACE_END
