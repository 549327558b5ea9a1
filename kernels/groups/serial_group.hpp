// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// serial_group: one CPU thread runs one fit, SIMD lanes inside the sums. The coordinates are kept in a scratch that stays
// in the thread's L2 cache; a sample larger than the scratch is transformed again in every pass, block by block, with the
// same additions in the same order. Lane l of a pack adds the points l, l + L, l + 2L, ...; blocks add to totals in order.
#pragma once

#include "kernels/groups/group.hpp"
#include "kernels/math/pack.hpp"

MF_NAMESPACE_BEGIN

/// What a thread lends to its fits: 128 KiB, on its stack.
struct serial_scratch {
  static constexpr int capacity = 8192;  // multiple of every pack's lanes
  alignas(64) double y[capacity];
  alignas(64) double weight[capacity];
};

template <class Family, class T>
class serial_group {
 public:
  using scalar = pack;

  explicit serial_group(serial_scratch& scratch) : scratch_(scratch) {}

  /// Reads the sample once. Values: host memory, unaligned is fine.
  sample_summary load(const sample<T>& points) {
    points_ = points;
    resident_ = points.size <= serial_scratch::capacity;
    sample_summary summary;
    if (!find_spare(summary)) return summary;
    pack least(constants::infinity), greatest(-constants::infinity);
    double weighted_sum = 0;
    for (std::int64_t begin = 0; begin < points.size; begin += serial_scratch::capacity) {
      const int size = block_size(begin);
      fill(begin, size, &summary);
      pack w_sum(0.0), y_sum(0.0);
      for (int i = 0; i < size; i += pack::lanes) {
        const pack y = pack::load(scratch_.y + i), w = pack::load(scratch_.weight + i);
        w_sum += w;
        y_sum += w * y;
        least = minimum(y, least);
        greatest = maximum(y, greatest);
      }
      summary.weight += sum_of_lanes(w_sum);
      weighted_sum += sum_of_lanes(y_sum);
    }
    summary.mean = weighted_sum / summary.weight;
    summary.minimum = least_lane(least);
    summary.maximum = -least_lane(-greatest);
    return summary;
  }

  /// Σ w f(y); f: pack → vec<pack, K>.
  template <class F>
  auto sum(F f) const {
    constexpr int K = decltype(f(pack()))::size();
    vec<double, K> total{};
    for (std::int64_t begin = 0; begin < points_.size; begin += serial_scratch::capacity) {
      const int size = prepare(begin);
      pack partial[K];
      for (int k = 0; k < K; ++k) partial[k] = pack(0.0);
      for (int i = 0; i < size; i += pack::lanes) {
        const pack w = pack::load(scratch_.weight + i);
        const vec<pack, K> term = f(pack::load(scratch_.y + i));
        for (int k = 0; k < K; ++k) partial[k] += w * term[k];
      }
      for (int k = 0; k < K; ++k) total[k] += sum_of_lanes(partial[k]);
    }
    return total;
  }

  /// min f(y); f: pack → pack.
  template <class F>
  double minimum_of(F f) const {
    pack least(constants::infinity);
    for (std::int64_t begin = 0; begin < points_.size; begin += serial_scratch::capacity) {
      const int size = prepare(begin);
      for (int i = 0; i < size; i += pack::lanes) least = minimum(f(pack::load(scratch_.y + i)), least);
    }
    return least_lane(least);
  }

 private:
  int block_size(std::int64_t begin) const {
    const std::int64_t left = points_.size - begin;
    return static_cast<int>(left < serial_scratch::capacity ? left : serial_scratch::capacity);
  }
  double weight_of(std::int64_t i) const { return points_.weights ? static_cast<double>(points_.weights[i]) : 1.0; }

  /// Finds the first used value, the spare that stands in for unused ones. When there is none, counts all and says false.
  bool find_spare(sample_summary& summary) {
    for (std::int64_t i = 0; i < points_.size; ++i) {
      const double x = static_cast<double>(points_.values[i]);
      const standing value = standing_of<Family>(x, weight_of(i));
      if (value == standing::used) {
        spare_ = x;
        summary = {};
        return true;
      }
      count(summary, value);
    }
    return false;
  }

  /// Makes sure that the scratch holds the block that starts at `begin`; its size.
  int prepare(std::int64_t begin) const {
    const int size = block_size(begin);
    if (!resident_) fill(begin, size, nullptr);
    return size;
  }

  // Kept out of line: inlined, it would make the compiler emit every sum's loop twice.
  __attribute__((noinline)) void fill(std::int64_t begin, int size, sample_summary* summary) const {
    const T* values = points_.values + begin;
    const T* weights = points_.weights ? points_.weights + begin : nullptr;
    for (int i = 0; i < size; i += pack::lanes) {
      if (i + pack::lanes <= size) {
        const pack x = pack::load(values + i), w = weights ? pack::load(weights + i) : pack(1.0);
        if (all(Family::support::contains(x) && is_finite(x) && is_finite(w) && (w > pack(0.0)))) {
          coordinate_of<Family>(x).store(scratch_.y + i);
          w.store(scratch_.weight + i);
          if (summary) summary->observations += pack::lanes;
          continue;
        }
      }
      fill_one_by_one(begin, i, size, summary);
    }
  }

  /// The lanes from i on, where not all are used; lanes past the end become unused.
  __attribute__((noinline)) void fill_one_by_one(std::int64_t begin, int i, int size, sample_summary* summary) const {
    double xs[pack::lanes];
    for (int lane = 0; lane < pack::lanes; ++lane) {
      const bool inside = i + lane < size;
      const double x = inside ? static_cast<double>(points_.values[begin + i + lane]) : constants::nan;
      const double w = inside ? weight_of(begin + i + lane) : 0.0;
      const standing value = standing_of<Family>(x, w);
      if (summary && inside) count(*summary, value);
      xs[lane] = value == standing::used ? x : spare_;
      scratch_.weight[i + lane] = value == standing::used ? w : 0.0;
    }
    coordinate_of<Family>(pack::load(xs)).store(scratch_.y + i);
  }

  static double least_lane(const pack& p) {
    double lane[pack::lanes];
    p.store(lane);
    for (int i = 1; i < pack::lanes; ++i) lane[0] = lane[i] < lane[0] ? lane[i] : lane[0];
    return lane[0];
  }

  serial_scratch& scratch_;
  sample<T> points_{};
  double spare_ = 0;  ///< a used value, in place of every unused one
  bool resident_ = true;
};

MF_NAMESPACE_END
