// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A walk along parallel arrays of doubles, an element or a pack of them at a time, for passes that write a number for
// every row, which a group cannot do. A walk W gives
// clang-format off
//   W::scalar, w.load(p), w.store(p, v)    the type of an element, its load and store
//   w.each(size, f)                        f(i) for every place i of [0, size), by one lane each
//   w.sum(v)                               Σ over lanes of vec<scalar, K>: vec<double, K>, the same on every lane
//   w.tile(size)                           places that are walked together
//   w.kept                                 [tile]: workspace, a number for each place, read by the lane that wrote it
//   w.leads()                              true on one lane, which writes results
// clang-format on
#pragma once

#include "kernels/groups/reduce.hpp"
#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

/// Any team's lanes. The order of a sum depends on the number of lanes and the size alone.
template <class Context>
struct lanes_walk {
  using scalar = double;
  Context& context;
  double* kept;  ///< [size]

  MF_FN static double load(const double* from) { return *from; }
  MF_FN static void store(double* to, double value) { *to = value; }
  template <class F>
  MF_FN void each(std::int64_t size, F f) const {
    MF_ROLLED
    for (std::int64_t i = context.lane(); i < size; i += context.lanes()) f(i);
  }
  template <int K>
  MF_FN vec<double, K> sum(const vec<double, K>& v) const {
    return all_reduce<add_values>(context, v);
  }
  MF_FN static std::int64_t tile(std::int64_t size) { return size > 0 ? size : 1; }
  MF_FN bool leads() const { return context.lane() == 0; }
};

/// One lane, an element at a time.
struct plain_walk {
  using scalar = double;

  static double load(const double* from) { return *from; }
  template <class F>
  void each(std::int64_t size, F f) const {
    for (std::int64_t i = 0; i < size; ++i) f(i);
  }
  template <int K>
  vec<double, K> sum(const vec<double, K>& v) const {
    return v;
  }
  static constexpr bool leads() { return true; }
};

MF_NAMESPACE_END
