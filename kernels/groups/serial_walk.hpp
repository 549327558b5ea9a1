// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The walk of one CPU thread, a pack at a time, in tiles that fit into its L1 cache. Arrays are padded to whole packs.
#pragma once

#include "kernels/math/pack.hpp"

MF_NAMESPACE_BEGIN

struct serial_walk {
  using scalar = pack;
  alignas(64) double kept[1024];

  static pack load(const double* from) { return pack::load(from); }
  static void store(double* to, const pack& value) { value.store(to); }
  template <class F>
  MF_FN void each(std::int64_t size, F f) const {
    for (std::int64_t i = 0; i < size; i += pack::lanes) f(i);
  }
  template <int K>
  MF_FN vec<double, K> sum(const vec<pack, K>& v) const {
    vec<double, K> total;
    for (int k = 0; k < K; ++k) total[k] = sum_of_lanes(v[k]);
    return total;
  }
  static constexpr std::int64_t tile(std::int64_t) { return 1024; }
  static constexpr bool leads() { return true; }
};

MF_NAMESPACE_END
