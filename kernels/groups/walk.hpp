// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A walk along arrays of doubles that lie side by side, an element or a pack of them at a time: what a pass needs that
// writes a number for every row, as a group does not. A walk W gives
//   W::scalar, w.load(p), w.store(p, v)     what a formula is evaluated on
//   w.each(size, f)                   f(i) for every place i of [0, size), by one lane each
//   w.sum(v)                          Σ over lanes of vec<scalar, K>: vec<double, K>, the same on every lane
//   w.block(size)                     places that are walked together; w.kept: [block], workspace for a number of each,
//                                     read by the lane that wrote it
//   w.leads()                         whether this lane writes what there is one of
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
  MF_FN static std::int64_t block(std::int64_t size) { return size > 0 ? size : 1; }
  MF_FN bool leads() const { return context.lane() == 0; }
};

MF_NAMESPACE_END
