// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/data/rows.hpp"

MF_NAMESPACE_BEGIN

/// The weight of a sample of small counts above each value: Σ_i w_i Σ_{j < x_i} f(j) is Σ_j f(j) times the weight of
/// all counts above j, so that after one pass a sum over thousands of points has as many terms as the largest count.
struct tail_weights {
  static constexpr int most = 64;
  int count = 0;        ///< the largest count of the sample
  double weight[most];  ///< weight[j]: the fraction of the sample's weight above j, for j < count

  MF_FN static bool suit(const sample_summary& s) { return s.maximum <= most; }

  template <class Points>
  MF_FN_LARGE tail_weights(const Points& points, const sample_summary& s) : count(static_cast<int>(s.maximum)) {
    using S = typename Points::scalar;
    if constexpr (requires { points.tally(weight, most); }) {
      double weight_at[most + 1];
      points.tally(weight_at, count + 1);
      double above = 0;
      for (int j = count; j > 0; --j) {
        above += weight_at[j];
        weight[j - 1] = above / s.weight;
      }
    } else {
      constexpr int at_once = 8;
      for (int j = 0; j < count; j += at_once) {
        const auto above = points.sum([=](const S& x) {
          vec<S, at_once> is_above;
          for (int k = 0; k < at_once; ++k) is_above[k] = select(x > S(static_cast<double>(j + k)), S(1.0), S(0.0));
          return is_above;
        });
        for (int k = 0; k < at_once && j + k < count; ++k) weight[j + k] = above[k] / s.weight;
      }
    }
  }
};

MF_NAMESPACE_END
