// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E and M step for mixtures small enough for a lane's registers: every lane takes points by itself, from reading to
// adding up, and lanes meet once per pass. The number of components is padded up to the next that is compiled; a padded
// component's density is 0.
#pragma once

#include "kernels/gaussian_mixture/fit.hpp"

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

/// Points whose sums of densities, 1 to K each, are multiplied before one logarithm is taken: 8^32 is a float.
inline constexpr int product_run = 32;

/// Log-densities are in units of log 2 here, since 2^x is what a GPU has an instruction for. What it loses is less than
/// what its argument, a difference of log-densities rounded to float, has lost before.
inline constexpr double log2_e = 1.4426950408889634, sqrt_log2_e = 1.2011224087864498,
                        sqrt_half_log2_e = 0.8493218002880190;

/// As maximum() where neither is NaN, but one instruction on a GPU.
MF_FN double larger(double a, double b) {
  return ::fmax(a, b);
}
MF_FN float larger(float a, float b) {
  return ::fmaxf(a, b);
}

/// What a pass reads of the map and the model, in registers. A compiler that cannot know that a loop is entered leaves
/// in it what could be read before, so this is copied by hand.
template <int D, int K, class T>
struct register_model {
  static constexpr int F = register_factors<D>;
  T centre[D], rest[D], scale[D], factor[K][F];

  MF_FN register_model(const point_map<T>& map, const T* factors) {
    for (int d = 0; d < D; ++d) {
      centre[d] = map.centre[d];
      scale[d] = map.scale[d];
      rest[d] = map.rest[d] * scale[d];  // scales are powers of two: (x − centre)·scale − rest is the map, to the bit
    }
    for (int k = 0; k < K; ++k)
      for (int f = 0; f < F; ++f) factor[k][f] = factors[k * F + f];
  }
  /// log_2 of component k's density at y.
  MF_FN T density(int k, const T (&y)[D]) const {
    T distance = 0;
    for (int a = 0; a < D; ++a) {
      T z = -factor[k][1 + a];
      for (int b = 0; b <= a; ++b) z += factor[k][1 + D + packed(a, b)] * y[b];
      distance = a == 0 ? z * z : distance + z * z;
    }
    return factor[k][0] - T(0.5) * distance;
  }
};

/// The points that a lane reads at once; while those of one batch are added up, another's are on their way.
template <int D, int K, class T, bool Weighted>
struct register_points {
  static constexpr int numbers = sizeof(T) == 8 ? 1 : K > 6 ? 2 : 4;  // as far as registers go
  static constexpr int count = numbers <= D ? 1 : numbers / D;
  static_assert(register_run % (2 * count) == 0 && product_run % (2 * count) == 0);
  T x[count][D], weight[count];

  /// The next `count` of `left` points, `step` rows apart, and moves the pointers past them. Those beyond the last are
  /// no numbers and so not used.
  MF_FN void read(const T*& from, const T*& weights, int left, int step) {
    if (left >= count)
      read<true>(from, weights, left, step);
    else
      read<false>(from, weights, left, step);
  }

 private:
  template <bool Whole>
  MF_FN void read(const T*& from, const T*& weights, int left, int step) {
    MF_UNROLL
    for (int q = 0; q < count; ++q, from += step * D) {
      const bool there = Whole || q < left;
      for (int d = 0; d < D; ++d) x[q][d] = there ? read_only(from + d) : static_cast<T>(constants::nan);
      if constexpr (Weighted) {
        weight[q] = there ? read_only(weights) : T(0);
        weights += step;
      }
    }
  }
};

/// One run's sums, in registers.
template <int D, int K, class T>
struct register_run_sums {
  static constexpr int F = register_factors<D>;
  T each[K][F];   ///< Σ r, Σ r y, Σ r y yᵀ
  T most = 0;     ///< Σ w log_2 of the largest component's density
  T log_sum = 0;  ///< Σ w log of the densities' sum beside the largest

  MF_FN register_run_sums() {
    for (int k = 0; k < K; ++k)
      for (int f = 0; f < F; ++f) each[k][f] = 0;
  }
  /// Adds `points` points at x and weight, `step` rows apart. While some are added the next are on their way.
  template <bool Weighted>
  MF_FN void add(const register_model<D, K, T>& model, const T* x, const T* weight, int points, int step) {
    constexpr int batch = register_points<D, K, T, Weighted>::count;
    register_points<D, K, T, Weighted> ahead[2];
    ahead[0].read(x, weight, points, step);
    ahead[1].read(x, weight, points - batch, step);
    for (int begin = 0; begin < points; begin += product_run) {
      T product = 1;
      for (int c = begin; c < begin + product_run && c < points; c += 2 * batch) {
        MF_UNROLL
        for (int h = 0; h < 2; ++h) {
          MF_UNROLL
          for (int q = 0; q < batch; ++q) add_one(model, ahead[h], q, product);
          ahead[h].read(x, weight, points - c - (2 + h) * batch, step);
        }
      }
      if constexpr (!Weighted) log_sum += log(product);
    }
  }

 private:
  template <bool Weighted>
  MF_FN void add_one(const register_model<D, K, T>& model, const register_points<D, K, T, Weighted>& points, int q,
                     T& product) {
    T w = 1, y[D], yy[packed_size(D)];
    bool usable = true;
    if constexpr (Weighted) {
      w = points.weight[q];
      usable = is_weight(w);
    }
    for (int d = 0; d < D; ++d) {
      y[d] = (points.x[q][d] - model.centre[d]) * model.scale[d] - model.rest[d];
      usable = usable && is_finite(y[d]);
    }
    w = usable ? w : T(0);
    for (int d = 0; d < D; ++d) y[d] = usable ? y[d] : T(0);
    T share[K], largest = 0, sum = 0;
    for (int k = 0; k < K; ++k) {
      share[k] = model.density(k, y);
      largest = k == 0 ? share[k] : larger(share[k], largest);
    }
    for (int k = 0; k < K; ++k) {
      share[k] = exp2(share[k] - largest);
      sum = k == 0 ? share[k] : sum + share[k];
    }
    most += w * largest;
    if constexpr (Weighted)
      log_sum += w * log(sum);
    else
      product *= usable ? sum : T(1);
    const T by_sum = w * inverse(sum);
    for (int a = 0; a < D; ++a)
      for (int b = 0; b <= a; ++b) yy[packed(a, b)] = y[a] * y[b];
    for (int k = 0; k < K; ++k) {
      const T r = share[k] * by_sum;
      each[k][0] += r;
      for (int a = 0; a < D; ++a) each[k][1 + a] += r * y[a];
      for (int j = 0; j < packed_size(D); ++j) each[k][1 + D + j] += r * yy[j];
    }
  }
};

/// Adds to a sum, or begins it.
MF_FN void add_to(double& sum, double x, bool begins) {
  sum = begins ? x : sum + x;
}

/// Lane `lane` of `lanes` sums its points into `sums` [register_sums], its own: shared memory, so that registers hold
/// one run's sums only. factors: [K × register_factors].
template <int D, int K, class T>
MF_FN_CALL void register_pass(const rows_view<T>& rows, const point_map<T>& map, const T* factors, int lane, int lanes,
                              double* sums) {
  constexpr int F = register_factors<D>, numbers = register_sums<D, K>;
  for (int j = 0; j < numbers && lane >= rows.size; ++j) sums[j] = 0;
  const register_model<D, K, T> model(map, factors);
  for (std::int64_t i = lane; i < rows.size; i += std::int64_t{register_run} * lanes) {
    const std::int64_t left = rows.size - i;
    const int points =
        left > std::int64_t{register_run - 1} * lanes ? register_run : (static_cast<int>(left) - 1) / lanes + 1;
    register_run_sums<D, K, T> run;
    if (rows.weights)
      run.template add<true>(model, rows.values + i * D, rows.weights + i, points, lanes);
    else
      run.template add<false>(model, rows.values + i * D, nullptr, points, lanes);
    for (int k = 0; k < K; ++k) {
      for (int f = 0; f < F; ++f) add_to(sums[k * F + f], static_cast<double>(run.each[k][f]), i == lane);
      read_in_order();
    }
    add_to(sums[numbers - 1], static_cast<double>(run.most) * constants::log_2 + static_cast<double>(run.log_sum),
           i == lane);
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

/// Number i of component k of the padded factors, from the model, for log-densities in units of log 2.
template <class T>
MF_FN_CALL T register_factor(const mixture_model& m, int k, int i) {
  const int D = m.D;
  if (k >= m.K) return i == 0 ? T(-1e30) : T(0);
  if (i == 0) return static_cast<T>(m.constant[k] * log2_e);
  if (i <= D) return static_cast<T>(m.offset[k * D + i - 1] * sqrt_log2_e);
  const int element = i - 1 - D;
  if (m.triangular) return static_cast<T>(m.factor[k * packed_size(D) + element] * sqrt_log2_e);
  if (m.transform) return static_cast<T>(m.transform[element] * sqrt_log2_e);
  for (int d = 0; d < D; ++d)
    if (packed(d, d) == element) return static_cast<T>(m.factor[k * D + d] * sqrt_log2_e);
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
