// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Rows and a model for one pass of a mixture, and what the pass should give.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "kernels/gaussian_mixture/model.hpp"
#include "kernels/gaussian_mixture/point_rows.hpp"

namespace manyfit {

/// Rows and a model of arbitrary factors; what the pass should give, by plain loops in double.
template <class T>
struct pass_case {
  mixture_model m;
  std::vector<double> memory;
  std::vector<T> values, weights;
  std::int64_t size;
  std::vector<double> sums;
  double value = 0;

  pass_case(covariance_structure structure, int D, int K, std::int64_t rows, bool weighted, std::uint64_t seed)
      : memory(static_cast<std::size_t>(mixture_model::memory(structure, D, K))), size(rows) {
    m.D = D;
    m.K = K;
    m.structure = structure;
    m.bind(memory.data());
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    const double apart = 1 / std::sqrt(static_cast<double>(D));
    for (int d = 0; d < D; ++d) {
      m.centre[d] = 20 + d;
      m.scale[d] = d % 2 ? 0.5 : 1;
    }
    for (int k = 0; k < K; ++k) m.constant[k] = normal(random);
    for (int i = 0; i < K * D; ++i) m.offset[i] = apart * normal(random);
    for (std::int64_t i = 0; i < K * m.factor_numbers_each(); ++i) m.factor[i] = apart * normal(random);
    for (int i = 0; m.transform && i < packed_size(D); ++i) m.transform[i] = apart * normal(random);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (int d = 0; d < D; ++d) values.push_back(static_cast<T>(20 + d + 2 * normal(random)));
      if (weighted) weights.push_back(i % 9 == 4 ? T(0) : static_cast<T>(0.5 + std::abs(normal(random))));
      if (i % 17 == 3) values[static_cast<std::size_t>(i * D + i % D)] = static_cast<T>(constants::nan);
      if (i % 17 == 3 && D > 1) values[static_cast<std::size_t>(i * D + (i + 1) % D)] = T(1e37);  // must not matter
    }
    if (weighted) weights[5] = static_cast<T>(constants::nan);
    by_plain_loops();
  }
  void by_plain_loops() {
    const int D = m.D, K = m.K, each = m.features_each();
    sums.assign(static_cast<std::size_t>(K * each), 0.0);
    value = 0;
    std::vector<double> y(D), moved(D), r(K);
    for (std::int64_t i = 0; i < size; ++i) {
      double w = weights.empty() ? 1 : weights[static_cast<std::size_t>(i)];
      for (int d = 0; d < D; ++d) {
        y[d] = (static_cast<double>(values[static_cast<std::size_t>(i * D + d)]) - m.centre[d]) * m.scale[d];
        if (std::isnan(y[d])) w = 0;
      }
      if (!(w > 0)) continue;
      moved = y;
      if (m.transform)
        for (int a = 0; a < D; ++a) {
          moved[a] = 0;
          for (int b = 0; b <= a; ++b) moved[a] += m.transform[packed(a, b)] * y[b];
        }
      double most = -1e300, total = 0;
      for (int k = 0; k < K; ++k) {
        double square = 0;
        for (int a = 0; a < D; ++a) {
          double z = -m.offset[k * D + a];
          if (m.triangular)
            for (int b = 0; b <= a; ++b) z += m.factor[k * packed_size(D) + packed(a, b)] * y[b];
          else
            z += m.factor[k * D + a] * moved[a];
          square += z * z;
        }
        r[k] = m.constant[k] - 0.5 * square;
        most = std::max(most, r[k]);
      }
      for (int k = 0; k < K; ++k) total += r[k] = std::exp(r[k] - most);
      value += w * (most + std::log(total));
      for (int k = 0; k < K; ++k)
        for (int f = 0; f < each; ++f) {
          double x = f == 0 ? 1 : f <= D ? y[f - 1] : 0;
          if (f > D && m.structure == covariance_structure::spherical)
            for (int d = 0; d < D; ++d) x += y[d] * y[d];
          if (f > D && m.structure == covariance_structure::diagonal) x = y[f - 1 - D] * y[f - 1 - D];
          if (f > D && m.structure == covariance_structure::full)
            for (int a = 0; a < D; ++a)
              for (int b = 0; b <= a; ++b)
                if (packed(a, b) == f - 1 - D) x = y[a] * y[b];
          sums[static_cast<std::size_t>(k * each + f)] += w * r[k] / total * x;
        }
    }
  }
  rows_view<T> rows() const { return {values.data(), weights.empty() ? nullptr : weights.data(), size, m.D}; }
};

}  // namespace manyfit
