// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// serial_group: one CPU thread fits one sample, with SIMD lanes inside the sums. The coordinates are in a workspace
// that fits into the thread's L2 cache; a sample larger than that is transformed again in every pass, tile by tile,
// with the same additions in the same order. Lane l of a pack sums the points l, l + L, l + 2L, ...; tiles are added
// to the totals in order.
#pragma once

#include "kernels/contracts/group.hpp"
#include "kernels/math/pack.hpp"
#include "kernels/math/running_product.hpp"

MF_NAMESPACE_BEGIN

/// The workspace of a thread's fits: 128 KiB, on its stack.
struct serial_scratch {
  static constexpr int capacity = 8192;  // multiple of every pack's lanes
  alignas(64) double y[capacity];
  alignas(64) double weight[capacity];
  int ones = 0;  ///< so many weights, from the first, are known to be 1: samples without weights need not write them
};

/// The same for rows with columns: 64 KiB more for each.
template <int Columns>
struct columns_scratch : serial_scratch {
  alignas(64) double column[Columns][capacity];
};
template <class Rows>
using scratch_for =
    std::conditional_t<Rows::columns == 0, serial_scratch, columns_scratch<Rows::columns == 0 ? 1 : Rows::columns>>;

/// For each column: the sample's values, of a type that the group knows, and the value of the spare row, which replaces
/// masked rows.
template <int Columns>
struct column_places {
  const void* of[Columns] = {};
  double spare[Columns] = {};
};
template <>
struct column_places<0> {};

/// Rows: the rule by which it reads; see contracts/group.hpp.
template <row_rule Rows>
class serial_group {
  static constexpr int columns = Rows::columns;
  using row_of_packs = row<pack, columns>;

 public:
  using scalar = pack;
  static constexpr bool multiplies_logs = true;

  explicit serial_group(scratch_for<Rows>& scratch) : scratch_(scratch) {}

  /// Reads the sample once. Values: host memory, unaligned is fine. float is widened here: what follows is one code for
  /// both.
  template <class T>
  sample_summary load(const sample<T, columns>& points) {
    values_ = points.values;
    weights_ = points.weights;
    size_ = points.size;
    if constexpr (columns > 0)
      for (int c = 0; c < columns; ++c) columns_.of[c] = points.columns[c];
    sample_summary summary;
    if (!find_spare(points, summary)) return summary;
    return read_in_frame<Rows>(
        [&](const frame& in) {
          frame_ = in;
          fill_ = &serial_group::fill<T, false>;
          if constexpr (Rows::moves)
            if (in.active()) fill_ = &serial_group::fill<T, true>;
          return read();
        },
        *this);
  }

  /// Σ w f(row); f: row of packs → vec<pack, K>.
  template <class F>
  auto sum(F f) const {
    constexpr int K = decltype(f(row_of_packs()))::size();
    vec<double, K> total{};
    for (std::int64_t begin = 0; begin < size_; begin += serial_scratch::capacity) {
      const int size = prepare(begin);
      pack partial[K];
      for (int k = 0; k < K; ++k) partial[k] = pack(0.0);
      for (int i = 0; i < size; i += pack::lanes) {
        const pack w = pack::load(scratch_.weight + i);
        const vec<pack, K> term = f(row_at(i));
        for (int k = 0; k < K; ++k) partial[k] += w * term[k];
      }
      for (int k = 0; k < K; ++k) total[k] += sum_of_lanes(partial[k]);
    }
    return total;
  }

  /// As sum, but the last `Logs` of f's K terms are what to take the logarithm of, values in [1e-70, 1e70]: Σ w log.
  /// Without weights they are multiplied, and the product has the one logarithm.
  template <int Logs, class F>
  auto sum_with_logs(F f) const {
    constexpr int K = decltype(f(row_of_packs()))::size(), plain = K - Logs;
    const auto with_logs = [&](const row_of_packs& r) {
      vec<pack, K> term = f(r);
      for (int k = plain; k < K; ++k) term[k] = log(term[k]);
      return term;
    };
    if (weights_) return sum(with_logs);
    vec<double, K> total{};
    for (std::int64_t begin = 0; begin < size_; begin += serial_scratch::capacity) {
      const int size = prepare(begin);
      pack partial[K];
      for (int k = 0; k < plain; ++k) partial[k] = pack(0.0);
      running_product product[Logs];
      for (int i = 0; i < size; i += four) {
        pack factor[Logs];
        for (int k = 0; k < Logs; ++k) factor[k] = pack(1.0);
        for (int j = i; j < i + four && j < size; j += pack::lanes) {
          const pack w = pack::load(scratch_.weight + j);
          const vec<pack, K> term = f(row_at(j));
          for (int k = 0; k < plain; ++k) partial[k] += w * term[k];
          for (int k = 0; k < Logs; ++k) factor[k] *= select(w > pack(0.0), term[plain + k], pack(1.0));
        }
        for (int k = 0; k < Logs; ++k) product[k].multiply(factor[k]);
      }
      for (int k = 0; k < plain; ++k) total[k] += sum_of_lanes(partial[k]);
      for (int k = 0; k < Logs; ++k) total[plain + k] += product[k].logarithm();
    }
    return total;
  }

  /// to[j] = Σ w over the points with y = j, for whole numbers y in [0, size), size at most 65.
  void tally(double* to, int size) const {
    constexpr int apart = 4;  // neighbours are often alike: adding to one place would wait for the addition before
    double part[apart][65] = {};
    for (std::int64_t begin = 0; begin < size_; begin += serial_scratch::capacity) {
      const int count = prepare(begin), whole = count / apart * apart;
      for (int i = 0; i < whole; i += apart)
        for (int k = 0; k < apart; ++k) part[k][static_cast<int>(scratch_.y[i + k])] += scratch_.weight[i + k];
      for (int i = whole; i < count; ++i) part[0][static_cast<int>(scratch_.y[i])] += scratch_.weight[i];
    }
    for (int j = 0; j < size; ++j) to[j] = (part[0][j] + part[1][j]) + (part[2][j] + part[3][j]);
  }

  /// min f(row); f: row of packs → pack.
  template <class F>
  double minimum_of(F f) const {
    pack least(constants::infinity);
    for (std::int64_t begin = 0; begin < size_; begin += serial_scratch::capacity) {
      const int size = prepare(begin);
      for (int i = 0; i < size; i += pack::lanes) least = minimum(f(row_at(i)), least);
    }
    return least_lane(least);
  }

 private:
  static constexpr int four = 4 * pack::lanes;  ///< four packs share one addition to a running total

  /// What one tile adds to a summary.
  struct tile_totals {
    sample_summary counts;
    pack weight{0.0}, weighted_sum{0.0}, least{constants::infinity}, greatest{-constants::infinity};
  };

  sample_summary read() {
    sample_summary summary;
    summary.in = frame_;
    pack least(constants::infinity), greatest(-constants::infinity);
    double weighted_sum = 0;
    for (std::int64_t begin = 0; begin < size_; begin += serial_scratch::capacity) {
      tile_totals tile{summary};
      (this->*fill_)(begin, tile_size(begin), tile);
      summary = tile.counts;
      summary.weight += sum_of_lanes(tile.weight);
      weighted_sum += sum_of_lanes(tile.weighted_sum);
      least = minimum(tile.least, least);
      greatest = maximum(tile.greatest, greatest);
    }
    summary.mean = weighted_sum / summary.weight;
    summary.minimum = least_lane(least);
    summary.maximum = -least_lane(-greatest);
    return summary;
  }

  /// The rows from place i of the scratch on.
  MF_FN row_of_packs row_at(int i) const {
    if constexpr (columns == 0) {
      return pack::load(scratch_.y + i);
    } else {
      row_of_packs r;
      r.y = pack::load(scratch_.y + i);
      for (int c = 0; c < columns; ++c) r.column[c] = pack::load(scratch_.column[c] + i);
      return r;
    }
  }

  int tile_size(std::int64_t begin) const {
    const std::int64_t left = size_ - begin;
    return static_cast<int>(left < serial_scratch::capacity ? left : serial_scratch::capacity);
  }
  template <class T>
  static double weight_of(const sample<T, columns>& points, std::int64_t i) {
    return points.weights ? static_cast<double>(points.weights[i]) : 1.0;
  }
  template <class T>
  sample<T, columns> points() const {
    sample<T, columns> all;
    all.values = static_cast<const T*>(values_);
    all.weights = static_cast<const T*>(weights_);
    all.size = size_;
    if constexpr (columns > 0)
      for (int c = 0; c < columns; ++c) all.columns[c] = static_cast<const T*>(columns_.of[c]);
    return all;
  }

  /// Finds the first used value, the spare that replaces masked ones. Without any, counts all rows and returns false.
  template <class T>
  bool find_spare(const sample<T, columns>& points, sample_summary& summary) {
    for (std::int64_t i = 0; i < size_; ++i) {
      const row_class row = classify<Rows>(points, i);
      if (row == row_class::used) {
        spare_ = static_cast<double>(points.values[i]);
        if constexpr (columns > 0)
          for (int c = 0; c < columns; ++c) columns_.spare[c] = static_cast<double>(points.columns[c][i]);
        return true;
      }
      count(summary, row);
    }
    return false;
  }

  /// Makes sure that the scratch holds the tile that starts at `begin`; its size.
  int prepare(std::int64_t begin) const {
    const int size = tile_size(begin);
    tile_totals ignored;
    if (size_ > serial_scratch::capacity) (this->*fill_)(begin, size, ignored);
    return size;
  }

  template <bool Framed>
  MF_FN pack coordinate(const pack& x) const {
    if constexpr (Framed)
      return Rows::coordinate(x, frame_);
    else
      return Rows::coordinate(x);
  }

  // Out of line: inlined, every sum's loop would be emitted twice.
  template <class T, bool Framed>
  __attribute__((noinline)) void fill(std::int64_t begin, int size, tile_totals& totals) const {
    const sample<T, columns> all_points = points<T>();
    const T* values = all_points.values + begin;
    const T* weights = all_points.weights ? all_points.weights + begin : nullptr;
    pack weight(0.0), weighted_sum(0.0), least(constants::infinity), greatest(-constants::infinity);
    std::int64_t used = 0;
    const int ones = scratch_.ones;
    int irregular = serial_scratch::capacity;  // the first pack that was filled one by one
    // Packs from i on: coordinates and weights into the scratch and into y and w.
    const auto take = [&](int i, pack& y, pack& w) {
      bool whole = i + pack::lanes <= size;
      w = pack(1.0);
      if (whole) {
        const pack x = pack::load(values + i);
        if (weights) w = pack::load(weights + i);
        whole = all(Rows::support::contains(x) && is_finite(x)) && (!weights || all((w > pack(0.0)) && is_finite(w)));
        y = coordinate<Framed>(x);
        if constexpr (columns > 0) whole = whole && take_columns(all_points, begin, i, x);
      }
      if (whole) {
        y.store(scratch_.y + i);
        if (weights || i + pack::lanes > ones) w.store(scratch_.weight + i);
        used += pack::lanes;
      } else {
        irregular = irregular < i ? irregular : i;
        fill_one_by_one<T, Framed>(all_points, begin, i, size, totals.counts);
        y = pack::load(scratch_.y + i);
        w = pack::load(scratch_.weight + i);
      }
    };
    int i = 0;
    for (; i + four <= size; i += four) {
      pack y[4], w[4];
      bool whole = columns == 0 && !weights && i + four <= ones;
      if (whole) {
        for (int j = 0; j < 4; ++j) {
          const pack x = pack::load(values + i + j * pack::lanes);
          whole = whole && all(Rows::support::contains(x) && is_finite(x));
          y[j] = coordinate<Framed>(x);
          w[j] = pack(1.0);
        }
      }
      if (whole) {
        for (int j = 0; j < 4; ++j) y[j].store(scratch_.y + i + j * pack::lanes);
        used += four;
      } else {
        for (int j = 0; j < 4; ++j) take(i + j * pack::lanes, y[j], w[j]);
      }
      weight += (w[0] + w[1]) + (w[2] + w[3]);
      weighted_sum += (w[0] * y[0] + w[1] * y[1]) + (w[2] * y[2] + w[3] * y[3]);
      least = minimum(minimum(minimum(y[0], y[1]), minimum(y[2], y[3])), least);
      greatest = maximum(maximum(maximum(y[0], y[1]), maximum(y[2], y[3])), greatest);
    }
    for (; i < size; i += pack::lanes) {
      pack y, w;
      take(i, y, w);
      weight += w;
      weighted_sum += w * y;
      least = minimum(y, least);
      greatest = maximum(y, greatest);
    }
    const int whole_packs = size / pack::lanes * pack::lanes, known = ones > whole_packs ? ones : whole_packs;
    scratch_.ones = weights ? 0 : known < irregular ? known : irregular;
    totals.counts.observations += used;
    totals.weight = weight;
    totals.weighted_sum = weighted_sum;
    totals.least = least;
    totals.greatest = greatest;
  }

  /// The columns of a whole pack of rows, whose values are x, into the scratch; false where not all may be used.
  template <class T>
  MF_FN bool take_columns(const sample<T, columns>& points, std::int64_t begin, int i, const pack& x) const {
    pack column[columns];
    for (int c = 0; c < columns; ++c) {
      column[c] = pack::load(points.columns[c] + begin + i);
      column[c].store(scratch_.column[c] + i);
    }
    return all(Rows::columns_are_finite(column) && Rows::columns_are_inside(column, x));
  }

  /// Fills the lanes from i on one by one, where some are masked; lanes past the end are masked.
  template <class T, bool Framed>
  __attribute__((noinline)) void fill_one_by_one(const sample<T, columns>& points, std::int64_t begin, int i, int size,
                                                 sample_summary& counts) const {
    double xs[pack::lanes];
    for (int lane = 0; lane < pack::lanes; ++lane) {
      const bool inside = i + lane < size;
      const double x = inside ? static_cast<double>(points.values[begin + i + lane]) : constants::nan;
      const double w = inside ? weight_of(points, begin + i + lane) : 0.0;
      const row_class row = inside ? classify<Rows>(points, begin + i + lane) : row_class::left_out;
      if (inside) count(counts, row);
      xs[lane] = row == row_class::used ? x : spare_;
      if constexpr (columns > 0)
        for (int c = 0; c < columns; ++c)
          scratch_.column[c][i + lane] =
              row == row_class::used ? static_cast<double>(points.columns[c][begin + i + lane]) : columns_.spare[c];
      scratch_.weight[i + lane] = row == row_class::used ? w : 0.0;
    }
    coordinate<Framed>(pack::load(xs)).store(scratch_.y + i);
  }

  static double least_lane(const pack& p) {
    double lane[pack::lanes];
    p.store(lane);
    for (int i = 1; i < pack::lanes; ++i) lane[0] = lane[i] < lane[0] ? lane[i] : lane[0];
    return lane[0];
  }

  scratch_for<Rows>& scratch_;
  const void* values_ = nullptr;  ///< the sample's, of the type that fill_ knows
  const void* weights_ = nullptr;
  std::int64_t size_ = 0;
  void (serial_group::*fill_)(std::int64_t begin, int size, tile_totals& totals) const = nullptr;
  frame frame_;
  double spare_ = 0;  ///< a used value, in place of every masked one
  column_places<columns> columns_;
};

MF_NAMESPACE_END
