// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E and M step for mixtures small enough for a lane's registers: every lane takes points by itself, from reading to
// adding up, and lanes meet once per pass. The number of components is padded up to the next that is compiled; a padded
// component's density is 0.
#pragma once

#include "kernels/algorithms/mixture_fit.hpp"

MF_NAMESPACE_BEGIN

/// Points that a lane adds in T before it goes on in double.
inline constexpr int register_run = 64;

/// Numbers per component that the pass reads: constant, offset [D], triangular factor.
template <int D>
inline constexpr int register_factors = 1 + D + packed_size(D);
/// Numbers that the pass sums: K times Σ r, Σ r y, Σ r y yᵀ, and the log-likelihood.
template <int D, int K>
inline constexpr int register_sums = K*(1 + D + packed_size(D)) + 1;

/// The number of components that a mixture is padded to, 0 when it is too large for registers.
MF_FN constexpr int register_components(int D, int K) {
  if (D == 1) return K <= 4 ? (K < 2 ? 2 : K) : K <= 6 ? 6 : K <= 8 ? 8 : 0;
  if (D == 2) return K <= 4 ? (K < 2 ? 2 : K) : 0;
  return D == 3 && K <= 2 ? 2 : 0;
}
/// Most sums of a pass over all sizes.
inline constexpr int most_register_sums = register_sums<2, 4>;
static_assert(most_register_sums >= register_sums<1, 8> && most_register_sums >= register_sums<3, 2>);

/// How points are read: y = ((x − centre) − rest) · scale, all in T.
template <class T>
struct point_map {
  const T* centre = nullptr;
  const T* rest = nullptr;
  const T* scale = nullptr;
};

/// Lane `lane` of `lanes` sums its points into `sums` [register_sums], its own: shared memory, so that registers hold
/// one run's sums only. factors: [K × register_factors].
template <int D, int K, class T>
MF_FN_CALL void register_pass(const rows_view<T>& rows, const point_map<T>& map, const T* factors, int lane, int lanes,
                              double* sums) {
  constexpr int F = 1 + D + packed_size(D), numbers = register_sums<D, K>;
  for (int j = 0; j < numbers; ++j) sums[j] = 0;
  for (std::int64_t i = lane; i < rows.size;) {
    T run[K][F], run_value = 0;
    for (int k = 0; k < K; ++k)
      for (int f = 0; f < F; ++f) run[k][f] = 0;
    for (int c = 0; c < register_run && i < rows.size; ++c, i += lanes) {
      T w = rows.weights ? rows.weights[i] : T(1);
      bool usable = w >= 0 && is_finite(w);
      T y[D];
      for (int d = 0; d < D; ++d) {
        y[d] = ((rows.values[i * D + d] - map.centre[d]) - map.rest[d]) * map.scale[d];
        usable = usable && is_finite(y[d]);
      }
      if (!usable) {
        w = 0;
        for (int d = 0; d < D; ++d) y[d] = 0;
      }
      T density[K], most = 0;
      for (int k = 0; k < K; ++k) {
        const T* const f = factors + k * register_factors<D>;
        T distance = 0;
        for (int a = 0; a < D; ++a) {
          T z = -f[1 + a];
          for (int b = 0; b <= a; ++b) z += f[1 + D + packed(a, b)] * y[b];
          distance += z * z;
        }
        density[k] = f[0] - T(0.5) * distance;
        most = k == 0 ? density[k] : maximum(density[k], most);
      }
      T sum = 0;
      for (int k = 0; k < K; ++k) sum += density[k] = exp(density[k] - most);
      const T share = w / sum;
      run_value += w * (most + log(sum));
      for (int k = 0; k < K; ++k) {
        const T r = density[k] * share;
        run[k][0] += r;
        for (int a = 0; a < D; ++a) {
          const T ry = r * y[a];
          run[k][1 + a] += ry;
          for (int b = 0; b <= a; ++b) run[k][1 + D + packed(a, b)] += ry * y[b];
        }
      }
    }
    for (int k = 0; k < K; ++k) {
      for (int f = 0; f < F; ++f) sums[k * F + f] += static_cast<double>(run[k][f]);
      read_in_order();
    }
    sums[numbers - 1] += static_cast<double>(run_value);
  }
}

/// register_pass for run-time D and padded K.
template <class T>
MF_FN void register_pass_of(int D, int K, const rows_view<T>& rows, const point_map<T>& map, const T* factors, int lane,
                            int lanes, double* sums) {
  switch (D * 16 + K) {
#define MF_CASE(D, K)                                           \
  case D * 16 + K:                                              \
    register_pass<D, K>(rows, map, factors, lane, lanes, sums); \
    break;
    MF_CASE(1, 2)
    MF_CASE(1, 3)
    MF_CASE(1, 4)
    MF_CASE(1, 6)
    MF_CASE(1, 8)
    MF_CASE(2, 2)
    MF_CASE(2, 3)
    MF_CASE(2, 4)
    MF_CASE(3, 2)
#undef MF_CASE
    default:
      break;
  }
}

/// Number i of component k of the padded factors, from the model.
template <class T>
MF_FN_CALL T register_factor(const mixture_model& m, int k, int i) {
  const int D = m.D;
  if (k >= m.K) return i == 0 ? T(-1e30) : T(0);
  if (i == 0) return static_cast<T>(m.constant[k]);
  if (i <= D) return static_cast<T>(m.offset[k * D + i - 1]);
  const int element = i - 1 - D;
  if (m.triangular) return static_cast<T>(m.factor[k * packed_size(D) + element]);
  if (m.transform) return static_cast<T>(m.transform[element]);
  for (int d = 0; d < D; ++d)
    if (packed(d, d) == element) return static_cast<T>(m.factor[k * D + d]);
  return T(0);
}

/// Statistic i (of K × features of the model's structure) from the pass's sums.
MF_FN_CALL double register_statistic(const mixture_model& m, const double* sums, int i) {
  const int D = m.D, each = m.features_each(), k = i / each, f = i - k * each;
  const double* const s = sums + k * (1 + D + packed_size(D));
  if (f <= D || m.structure == covariance_structure::full) return s[f];
  if (m.structure == covariance_structure::diagonal) return s[1 + D + packed(f - 1 - D, f - 1 - D)];
  double square = 0;
  for (int d = 0; d < D; ++d) square += s[1 + D + packed(d, d)];
  return square;
}

MF_NAMESPACE_END
