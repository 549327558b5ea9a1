// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// lanes_group: many lanes run one fit together. With a CUDA context it is the warp_group, block_group and grid_group of
// the design, with threads as lanes (lane_context.hpp) it is the lane_group that proves them. Lane l owns the points l,
// l + L, l + 2L, ...; it keeps their coordinates in its own slots of a resident buffer when the sample fits there, and
// reads and transforms them again in every pass when it does not: the same additions in the same order either way. No
// lane ever reads another lane's slots, so that passes need no barrier.
#pragma once

#include "kernels/groups/group.hpp"
#include "kernels/groups/reduce.hpp"

MF_NAMESPACE_BEGIN

/// A lane's running sum. In float it is carried in two floats (Knuth's TwoSum, The Art of Computer Programming vol. 2,
/// 4.2.2), as good as double for a lane's share and far cheaper where doubles are slow.
template <class T>
struct lane_sum;
template <>
struct lane_sum<double> {
  double total = 0;
  MF_FN void add(double x) { total += x; }
  MF_FN double value() const { return total; }
};
template <>
struct lane_sum<float> {
  float total = 0, error = 0;
  MF_FN void add(float x) {
    const float sum = total + x, back = sum - total;
    error += (total - (sum - back)) + (x - back);
    total = sum;
  }
  MF_FN double value() const { return static_cast<double>(total) + static_cast<double>(error); }
};

template <class Family, class T, class Context>
class lanes_group {
 public:
  using scalar = T;

  /// `resident`: room for `capacity` coordinates, shared by the lanes; null and 0 when there is none.
  MF_FN lanes_group(Context& context, T* resident, std::int64_t capacity)
      : context_(context), resident_(resident), capacity_(capacity) {}

  /// Reads the sample once. Called by all lanes together, as are sum and minimum_of.
  MF_FN_LARGE sample_summary load(const sample<T>& points) {
    points_ = points;
    keeps_ = points.size <= capacity_;
    return read_in_frame<Family>([&](const frame& in) { return read(in); }, *this);
  }

  /// Σ w f(y); f: T → vec<T, K>.
  template <class F>
  MF_FN auto sum(F f) const {
    constexpr int K = decltype(f(T()))::size();
    lane_sum<T> share[K];
    for (std::int64_t i = context_.lane(); i < points_.size; i += context_.lanes()) {
      const T y = coordinate_at(i);
      const bool used = !is_missing(y);
      const T w = used ? weight_of(i) : T(0);
      const vec<T, K> term = f(used ? y : spare_);
      for (int k = 0; k < K; ++k) share[k].add(w * term[k]);
    }
    vec<double, K> total;
    for (int k = 0; k < K; ++k) total[k] = share[k].value();
    return all_reduce<add_values>(context_, total);
  }

  /// min f(y); f: T → T.
  template <class F>
  MF_FN double minimum_of(F f) const {
    vec<double, 1> least{constants::infinity};
    for (std::int64_t i = context_.lane(); i < points_.size; i += context_.lanes()) {
      const T y = coordinate_at(i);
      least[0] = minimum(static_cast<double>(f(is_missing(y) ? spare_ : y)), least[0]);
    }
    return all_reduce<least_value>(context_, least)[0];
  }

 private:
  /// One pass, in a frame.
  MF_FN_LARGE sample_summary read(const frame& in) {
    in_ = in;
    vec<double, 3> least{constants::infinity, constants::infinity, constants::infinity};
    lane_sum<T> w_sum, y_sum;
    std::int64_t observations = 0, missing = 0, outside = 0, nonfinite = 0, left_out = 0;
    for (std::int64_t i = context_.lane(); i < points_.size; i += context_.lanes()) {
      const T x = points_.values[i], w = weight_of(i);
      const standing value = standing_of<Family>(x, w);
      const bool used = value == standing::used;
      const T y = used ? coordinate(x) : static_cast<T>(constants::nan);
      if (keeps_) resident_[i] = y;
      observations += used;
      missing += value == standing::missing;
      outside += value == standing::outside;
      nonfinite += value == standing::nonfinite;
      left_out += value == standing::left_out;
      if (used) {
        w_sum.add(w);
        y_sum.add(w * y);
        least[0] = minimum(static_cast<double>(y), least[0]);
        least[1] = minimum(-static_cast<double>(y), least[1]);
        least[2] = minimum(static_cast<double>(i), least[2]);
      }
    }
    const vec<double, 7> total =
        all_reduce<add_values>(context_, vec<double, 7>{w_sum.value(), y_sum.value(), static_cast<double>(observations),
                                                        static_cast<double>(missing), static_cast<double>(outside),
                                                        static_cast<double>(nonfinite), static_cast<double>(left_out)});
    least = all_reduce<least_value>(context_, least);
    sample_summary s;
    s.observations = static_cast<std::int64_t>(total[2]);
    s.missing = static_cast<std::int64_t>(total[3]);
    s.outside = static_cast<std::int64_t>(total[4]);
    s.nonfinite = static_cast<std::int64_t>(total[5]);
    s.left_out = static_cast<std::int64_t>(total[6]);
    s.in = in;
    s.weight = total[0];
    s.mean = total[1] / total[0];
    s.minimum = least[0];
    s.maximum = -least[1];
    if (s.observations > 0) spare_ = coordinate(points_.values[static_cast<std::int64_t>(least[2])]);
    return s;
  }

  MF_FN T coordinate(T x) const {
    if constexpr (has_frame<Family>)
      if (in_.active()) return coordinate_in<Family>(x, in_);
    return coordinate_of<Family>(x);
  }
  MF_FN T weight_of(std::int64_t i) const { return points_.weights ? points_.weights[i] : T(1); }

  /// The coordinate of point i, NaN when it is not used.
  MF_FN T coordinate_at(std::int64_t i) const {
    if (keeps_) return resident_[i];
    const T x = points_.values[i];
    const bool used = standing_of<Family>(x, weight_of(i)) == standing::used;
    return used ? coordinate(x) : static_cast<T>(constants::nan);
  }

  Context& context_;
  T* resident_;
  std::int64_t capacity_;
  sample<T> points_{};
  frame in_;
  T spare_ = 0;  ///< a used coordinate, in place of every unused one
  bool keeps_ = false;
};

MF_NAMESPACE_END
