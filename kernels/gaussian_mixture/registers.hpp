// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E and M step for mixtures small enough for a lane's registers: each lane reads and sums points by itself, and the
// lanes are reduced once per pass. The number of components is padded up to the next that is compiled; a padded
// component has density 0.
#pragma once

#include "kernels/gaussian_mixture/fit.hpp"
#include "kernels/math/lane_product.hpp"

MF_NAMESPACE_BEGIN

/// Points that a lane sums in T, about, before the sum is added to one in double.
inline constexpr int register_segment = 192;

/// Numbers per component that the pass reads: constant, offset [D], triangular factor.
template <int D>
inline constexpr int register_factors = 1 + D + packed_size(D);
/// Numbers that the pass sums: K times Σ r, Σ r y, Σ r y yᵀ; then the log-likelihood in two parts, the second what the
/// first has lost by rounding to T.
MF_FN constexpr int register_sums(int D, int K) {
  return K * (1 + D + packed_size(D)) + 2;
}

/// The number of components that a mixture is padded to, 0 when it is too large for registers.
MF_FN constexpr int register_components(int D, int K) {
  if (D == 1) return K <= 4 ? (K < 2 ? 2 : K) : K <= 6 ? 6 : K <= 8 ? 8 : 0;
  if (D == 2) return K <= 4 ? (K < 2 ? 2 : K) : 0;
  return D == 3 && K <= 2 ? 2 : 0;
}
/// Capacity for the sums of a pass of any size, one per lane of a warp.
inline constexpr int register_sum_capacity = 32;
static_assert(register_sums(1, 8) <= register_sum_capacity && register_sums(2, 4) <= register_sum_capacity &&
              register_sums(3, 2) <= register_sum_capacity);

/// How points are read: y = ((x − centre) − rest) · scale, all in T.
template <class T>
struct point_map {
  const T* centre = nullptr;
  const T* rest = nullptr;
  const T* scale = nullptr;
};

/// The product of the densities' sums of a few points down to which no responsibility for a point can be lost to
/// underflow, where the largest constant of a component is 0: each sum is at most 8.
template <class T>
inline constexpr T least_product = sizeof(T) == 4 ? T(8.67361738e-19) : T(1e-120);

/// Log-densities are in units of log 2 here, since a GPU has an instruction for 2^x. Its error is below the rounding
/// error of its argument, a difference of log-densities in float.
inline constexpr double log2_e = 1.4426950408889634, sqrt_half_log2_e = 0.8493218002880190;

/// As maximum() where neither is NaN, but one instruction on a GPU.
MF_FN double larger(double a, double b) {
  return ::fmax(a, b);
}
MF_FN float larger(float a, float b) {
  return ::fmaxf(a, b);
}

/// What is known of the points of a pass. Each mode saves work that the next one needs.
enum class register_points {
  ready,      ///< as plain, and in coordinates of the model
  plain,      ///< as scattered, and 16-byte aligned where D is 1 or 2
  scattered,  ///< all count, with weight 1
  checked,    ///< weight 1, or left out
  weighted
};
MF_FN constexpr bool all_count(register_points points) {
  return points <= register_points::scattered;
}

/// Where a warp's sums are stored: its own workspace, and the first `copied` of them in a second place too.
struct register_place {
  double* sums = nullptr;  ///< [register_sums]
  double* copy = nullptr;  ///< [copied]
  int copied = 0;

  MF_FN void keep(int number, double sum) const {
    if (number < 0) return;
    sums[number] = sum;
    if (number < copied) copy[number] = sum;
  }
};

/// The points that a pass goes over.
template <class T>
struct register_rows {
  const T* values = nullptr;   ///< [size × D]
  const T* weights = nullptr;  ///< [size] or null
  std::int64_t size = 0;
  register_points points = register_points::checked;
};

/// The arguments of a pass. They are in memory and loaded where they are used, which leaves registers to the loops.
template <class T>
struct register_job {
  register_rows<T> rows;
  point_map<T> map;
  const T* factors = nullptr;  ///< [K × register_factors]
  register_place place;        ///< the warp's own
};

/// The map and the model in registers, copied by hand: the compiler does not hoist these loads out of a loop that may
/// have no iteration.
template <int D, int K, class T>
struct register_model {
  static constexpr int F = register_factors<D>;
  T centre[D], rest[D], scale[D], factor[K][F];
  T top = 0;  ///< what has been taken off all constants

  MF_FN register_model(const point_map<T>& map, const T* factors, bool levelled) {
    for (int d = 0; d < D; ++d) {
      centre[d] = map.centre[d];
      scale[d] = map.scale[d];
      rest[d] = map.rest[d] * scale[d];  // scales are powers of two: (x − centre)·scale − rest is the map, to the bit
    }
    for (int k = 0; k < K; ++k)
      for (int f = 0; f < F; ++f) factor[k][f] = factors[k * F + f];
    if (!levelled) return;
    for (int k = 0; k < K; ++k) top = k == 0 ? factor[k][0] : larger(factor[k][0], top);
    for (int k = 0; k < K; ++k) factor[k][0] -= top;
  }
  /// log_2 of component k's density at y, less the top. Offsets and factors are in units that make it the constant less
  /// a sum of squares.
  MF_FN T density(int k, const T (&y)[D]) const {
    T value = factor[k][0];
    for (int a = 0; a < D; ++a) {
      T z = -factor[k][1 + a];
      for (int b = 0; b <= a; ++b) z += factor[k][1 + D + packed(a, b)] * y[b];
      value -= z * z;
    }
    return value;
  }
};

/// Neighbouring points that a lane reads at once: 16 bytes of D = 1 and 2.
template <int D, class T>
inline constexpr int register_load = D == 3              ? 1
                                     : D * sizeof(T) > 8 ? 1
                                                         : 16 / (D * sizeof(T));

template <class T>
struct alignas(16) sixteen_bytes {
  T v[16 / sizeof(T)];
};
template <class T>
MF_FN sixteen_bytes<T> read_only(const sixteen_bytes<T>* from) {
#if defined(__CUDA_ARCH__) && defined(__CUDACC__)
  if constexpr (sizeof(T) == 4) {
    const float4 read = __ldg(reinterpret_cast<const float4*>(from));
    return {{read.x, read.y, read.z, read.w}};
  } else {
    const double2 read = __ldg(reinterpret_cast<const double2*>(from));
    return {{read.x, read.y}};
  }
#else
  return *from;
#endif
}

/// One load of points, on its way or there.
template <int D, class T, register_points Points>
struct register_flight {
  static constexpr int count = register_load<D, T>, numbers = count * D;
  static constexpr bool whole = numbers * sizeof(T) == 16;
  T x[numbers] = {}, weight[count] = {};  // initialised: else compilers assume that a caller did

  /// `aligned`: to 16 bytes.
  MF_FN void read(const T* from, const T* weights, bool aligned) {
    if constexpr (whole && Points == register_points::ready) {
      const auto read = *reinterpret_cast<const sixteen_bytes<T>*>(from);
      MF_UNROLL
      for (int i = 0; i < numbers; ++i) x[i] = read.v[i];
    } else if (whole && (Points == register_points::plain || (!all_count(Points) && aligned))) {
      const sixteen_bytes<T> read = read_only(reinterpret_cast<const sixteen_bytes<T>*>(from));
      MF_UNROLL
      for (int i = 0; i < numbers; ++i) x[i] = read.v[i];
    } else {
      MF_UNROLL
      for (int i = 0; i < numbers; ++i) x[i] = number(from + i);
    }
    if constexpr (Points == register_points::weighted) {
      MF_UNROLL
      for (int q = 0; q < count; ++q) weight[q] = read_only(weights + q);
    }
  }
  /// The one point at `from`.
  MF_FN void read_single(const T* from, const T* weights) {
    for (int d = 0; d < D; ++d) x[d] = number(from + d);
    if constexpr (Points == register_points::weighted) weight[0] = read_only(weights);
  }

 private:
  /// Points that are ready have been written by the kernel itself.
  static MF_FN T number(const T* from) { return Points == register_points::ready ? *from : read_only(from); }
};

/// One segment's sums, in registers.
template <int D, int K, class T, register_points Points>
class register_segment_sums {
 public:
  static constexpr int F = register_factors<D>, most = K * F, logs = most + 1, numbers = register_sums(D, K);
  static constexpr bool weighted = Points == register_points::weighted, checked = !all_count(Points);
  static constexpr int load_points = register_load<D, T>;
  T sum[numbers];  ///< as register_sums has them, in the end

  MF_FN register_segment_sums() {
    MF_UNROLL
    for (int i = 0; i < numbers; ++i) sum[i] = 0;
  }
  /// Adds `loads` loads, the first at x and weight, each `step` points after the one before. While one is added
  /// others are on their way.
  MF_FN void add(const register_model<D, K, T>& model, const T* x, const T* weight, int loads, int step, bool aligned) {
    register_flight<D, T, Points> ahead[depth];
    MF_UNROLL
    for (int h = 0; h < depth; ++h)
      if (loads > h) ahead[h].read(x + h * step * D, after(weight, h * step), aligned);
    MF_ROLLED
    for (int c = 0; c < loads; c += depth) {
      MF_UNROLL
      for (int h = 0; h < depth; ++h) {
        if (c + h >= loads) break;
        MF_UNROLL
        for (int q = 0; q < load_points; q += group) add_group(model, ahead[h], q);
        if (c + h + depth < loads) ahead[h].read(x + depth * step * D, after(weight, depth * step), aligned);
        x += step * D;
        weight = after(weight, step);
      }
    }
    points_ += loads * load_points;
  }
  /// There are weights in one mode only.
  static MF_FN const T* after(const T* weight, std::int64_t points) { return weighted ? weight + points : nullptr; }
  /// Adds the one point at x and weight.
  MF_FN void add_single(const register_model<D, K, T>& model, const T* x, const T* weight) {
    register_flight<D, T, Points> point;
    point.read_single(x, weight);
    T product = 1;
    add_one(model, point, 0, product);
    product_.multiply(product);
    ++points_;
  }
  /// After the last point: the log-likelihood in its two parts.
  MF_FN void settle(const register_model<D, K, T>& model) {
    double value = static_cast<double>(sum[most]) * constants::log_2;
    if constexpr (weighted) value += static_cast<double>(sum[logs]);
    if constexpr (!weighted) value += product_.logarithm();
    if constexpr (!checked) value += static_cast<double>(model.top) * constants::log_2 * points_;
    sum[most] = static_cast<T>(value);
    sum[logs] = static_cast<T>(value - static_cast<double>(sum[most]));
  }

 private:
  static constexpr int depth = weighted && most >= 18 ? 1 : 2;  ///< loads on their way, as far as registers go
  static constexpr int group =
      K > 4 || most > 18 ? 1 : load_points;  ///< points that share a product, as far as registers go
  static_assert(load_points % group == 0);

  /// Points q to q + group − 1. Where all points count, densities are summed without dividing by the largest one,
  /// unless the product of the sums would underflow.
  MF_FN void add_group(const register_model<D, K, T>& model, const register_flight<D, T, Points>& points, int q) {
    T product = 1;
    if constexpr (!checked) {
      T y[group][D], density[group][K], all[group];
      MF_UNROLL
      for (int g = 0; g < group; ++g) {
        coordinates(model, points, q + g, y[g]);
        all[g] = density[g][0] = exp2(model.density(0, y[g]));
        for (int k = 1; k < K; ++k) all[g] += density[g][k] = exp2(model.density(k, y[g]));
        product = g == 0 ? all[g] : product * all[g];
      }
      if (product > least_product<T>) {
        product_.multiply(product);
        MF_UNROLL
        for (int g = 0; g < group; ++g) add_responsibilities(y[g], density[g], inverse(all[g]));
        return;
      }
      product = 1;
    }
    MF_UNROLL
    for (int g = 0; g < group; ++g) add_one(model, points, q + g, product);
    if constexpr (!weighted) product_.multiply(product);
  }
  /// Whether all of them are numbers.
  static MF_FN bool coordinates(const register_model<D, K, T>& model, const register_flight<D, T, Points>& points,
                                int q, T (&y)[D]) {
    bool usable = true;
    for (int d = 0; d < D; ++d) {
      y[d] = points.x[q * D + d];
      if constexpr (Points != register_points::ready) y[d] = (y[d] - model.centre[d]) * model.scale[d] - model.rest[d];
      if constexpr (checked) usable = usable && is_finite(y[d]);
    }
    return usable;
  }
  MF_FN void add_one(const register_model<D, K, T>& model, const register_flight<D, T, Points>& points, int q,
                     T& product) {
    T w = 1, y[D];
    bool usable = coordinates(model, points, q, y);
    if constexpr (weighted) {
      w = points.weight[q];
      usable = usable && is_weight(w);
    }
    if constexpr (checked) {
      w = usable ? w : T(0);
      for (int d = 0; d < D; ++d) y[d] = usable ? y[d] : T(0);
    }
    T density[K], largest = 0, all = 0;
    for (int k = 0; k < K; ++k) {
      density[k] = model.density(k, y);
      largest = k == 0 ? density[k] : larger(density[k], largest);
    }
    for (int k = 0; k < K; ++k) {
      density[k] = exp2(density[k] - largest);
      all = k == 0 ? density[k] : all + density[k];
    }
    sum[most] += w * largest;
    if constexpr (weighted)
      sum[logs] += w * log(all);
    else
      product *= checked && !usable ? T(1) : all;
    add_responsibilities(y, density, w * inverse(all));
  }
  MF_FN void add_responsibilities(const T (&y)[D], const T (&density)[K], T by_sum) {
    T yy[packed_size(D)];
    for (int a = 0; a < D; ++a)
      for (int b = 0; b <= a; ++b) yy[packed(a, b)] = y[a] * y[b];
    for (int k = 0; k < K; ++k) {
      const T r = density[k] * by_sum;
      T* const each = sum + k * F;
      each[0] += r;
      for (int a = 0; a < D; ++a) each[1 + a] += r * y[a];
      for (int j = 0; j < packed_size(D); ++j) each[1 + D + j] += r * yy[j];
    }
  }

  lane_product<T> product_;  ///< of the densities' sums
  int points_ = 0;
};

/// Sums N numbers per lane over the lanes of a warp (a reduce-scatter): at every exchange a lane sends half of its
/// numbers and keeps the other half, in double. Lane l ends with the sum of number folded_number<N>(l).
template <int N, int Mask = 16, class Context, class T>
MF_FN double fold_over_warp(Context& context, const T (&v)[N]) {
  constexpr int half = (N + 1) / 2;
  const bool upper = (context.lane() & Mask) != 0;
  double kept[half];
  MF_UNROLL
  for (int i = 0; i < half; ++i) {
    const T low = v[i], high = half + i < N ? v[half + i < N ? half + i : 0] : T(0);
    const T mine = upper ? high : low, other = upper ? low : high;
    kept[i] = static_cast<double>(mine) + static_cast<double>(context.shuffle_xor(other, Mask));
  }
  if constexpr (Mask > 1)
    return fold_over_warp<half, Mask / 2>(context, kept);
  else
    return kept[0];
}
/// −1 where the lane has none. `first`, `own`: of the numbers that it may still have, the first and how many.
template <int N, int Mask = 16>
MF_FN int folded_number(int lane, int first = 0, int own = N) {
  constexpr int half = (N + 1) / 2;
  const bool upper = (lane & Mask) != 0;
  first += upper ? half : 0;
  own = upper ? own - half : own < half ? own : half;
  if constexpr (Mask > 1)
    return folded_number<half, Mask / 2>(lane, first, own);
  else
    return own > 0 ? first : -1;
}

/// The lanes of the context's warps sum the points, each warp into its own place.
template <int D, int K, register_points Points, class Context, class T>
MF_FN void register_pass_over(Context& context, const register_job<T>& job) {
  constexpr int load_points = register_load<D, T>, segment_loads = register_segment / load_points;
  using segment_sums = register_segment_sums<D, K, T, Points>;
  const int lane = context.lane(), lanes = context.lanes();
  const std::int64_t whole = job.rows.size / load_points;
  double total = 0;
  std::int64_t first = lane / 32 * 32;  // the warp's first load: all lanes of a warp make the same segments
  do {
    const T *factors = job.factors, *values = job.rows.values;
    if constexpr (Context::is_warp) factors = context.in_shared_memory(factors);
    if constexpr (Points == register_points::ready) values = context.in_shared_memory(values);
    const register_model<D, K, T> model(job.map, factors, all_count(Points));
    segment_sums segment;
    if (first == lane / 32 * 32 && lane < job.rows.size - whole * load_points) {  // beside whole loads
      const std::int64_t i = whole * load_points + lane;
      segment.add_single(model, values + i * D, segment_sums::after(job.rows.weights, i));
    }
    const std::int64_t own = first + lane % 32, left = whole - own;
    const int loads =
        left <= 0 ? 0
        : left > std::int64_t{segment_loads - 1} * lanes
            ? segment_loads
            : static_cast<int>(static_cast<std::uint32_t>(left - 1) / static_cast<std::uint32_t>(lanes)) + 1;
    const bool aligned = reinterpret_cast<std::uintptr_t>(values) % 16 == 0;
    segment.add(model, values + own * load_points * D, segment_sums::after(job.rows.weights, own * load_points), loads,
                lanes * load_points, aligned);
    segment.settle(model);
    total += fold_over_warp(context, segment.sum);
    first += std::int64_t{segment_loads} * lanes;
  } while (context.uniform(first < whole));
  job.place.keep(folded_number<segment_sums::numbers>(lane % 32), total);
}

/// The same for what is known of the points. Only a warp has points that are ready.
template <int D, int K, class Context, class T>
MF_FN_CALL void register_pass(Context& context, const register_job<T>& job) {
  switch (job.rows.points) {
    case register_points::ready:
      if constexpr (Context::is_warp) register_pass_over<D, K, register_points::ready>(context, job);
      break;
    case register_points::plain:
      register_pass_over<D, K, register_points::plain>(context, job);
      break;
    case register_points::scattered:
      register_pass_over<D, K, register_points::scattered>(context, job);
      break;
    case register_points::checked:
      register_pass_over<D, K, register_points::checked>(context, job);
      break;
    default:
      register_pass_over<D, K, register_points::weighted>(context, job);
  }
}

/// register_pass for run-time D and padded K.
template <class Context, class T>
MF_FN void register_pass_of(Context& context, int D, int K, const register_job<T>& job) {
  switch (D * 16 + K) {
#define MF_CASE(D, K)                  \
  case D * 16 + K:                     \
    register_pass<D, K>(context, job); \
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
  if (i <= D) return static_cast<T>(m.offset[k * D + i - 1] * sqrt_half_log2_e);
  const int element = i - 1 - D;
  if (m.triangular) return static_cast<T>(m.factor[k * packed_size(D) + element] * sqrt_half_log2_e);
  if (m.transform) return static_cast<T>(m.transform[element] * sqrt_half_log2_e);
  for (int d = 0; d < D; ++d)
    if (packed(d, d) == element) return static_cast<T>(m.factor[k * D + d] * sqrt_half_log2_e);
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
