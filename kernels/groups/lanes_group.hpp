// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// lanes_group: many lanes fit one sample together, on any team: a part of a warp, a warp, a block or a grid of CUDA, or
// threads as lanes (lane_context.hpp) in tests.
//
// Lane l owns the quads (four neighbouring values) l, l + L, l + 2L, ... Their coordinates are in the lane's own slots
// of a buffer, shared memory on a GPU. Where the sample fits there, it stays for all passes; else it is loaded and
// transformed again in every pass, one part of it after another. The additions and their order are the same in both
// cases and for any alignment of the sample. Lanes write into each other's slots only while they copy a sample that is
// not aligned, and never read another lane's slots, so that passes need no barrier. A lane sums a segment of eight
// quads in T, and the segments in double.
//
// A sample without weights whose values are all used is `regular`, which is found while it is read: its passes check no
// value.
#pragma once

#include "kernels/contracts/group.hpp"
#include "kernels/groups/lane_copy.hpp"
#include "kernels/groups/reduce.hpp"
#include "kernels/math/lane_product.hpp"

MF_NAMESPACE_BEGIN

/// Four neighbouring values, read and written at once where they begin at a multiple of 16 bytes.
template <class T>
struct alignas(16) quad {
  T v[4];
};

/// The first used row, where there are columns.
template <class Index, int Columns>
struct used_row {
  Index at = 0;
};
template <class Index>
struct used_row<Index, 0> {};

/// Rows: the rule by which it reads; see contracts/group.hpp. T: float or double.
template <row_rule Rows, class T, class Context>
class lanes_group {
  static constexpr int columns = Rows::columns;
  using row_of_lane = row<T, columns>;
  struct alignas(16) sixteen_bytes {
    T v[16 / sizeof(T)];
  };

 public:
  using scalar = T;
  static constexpr bool multiplies_logs = true;
  static constexpr int pivots_of_a_bracket = sizeof(T) == 8 && Context::spans_blocks ? 2 : 4;

  /// `buffer`: the block's (the warp's, the part's) workspace for `capacity` coordinates, least_capacity(its lanes) or
  /// more, at a multiple of 16 bytes.
  MF_FN lanes_group(Context& context, T* buffer, std::int64_t capacity)
      : context_(context),
        buffer_(buffer),
        place_in_shared_memory_(
            static_cast<int>(Context::place_in_shared_memory(reinterpret_cast<const char*>(buffer)))),
        slots_(static_cast<int>(capacity / (4 * neighbours()))) {}

  static constexpr std::int64_t least_capacity(int lanes) { return std::int64_t{4} * segment_quads * lanes; }

  /// Reads the sample once, twice where it is not regular. Called by all lanes together, as are the sums and minima.
  MF_FN_LARGE sample_summary load(const sample<T, columns>& points) { return load(points, {}); }
  /// The same, and copies of `next`, the sample that will be loaded after this one, are on their way meanwhile where
  /// each of the two leaves space for the other.
  MF_FN_LARGE sample_summary load(const sample<T, columns>& points, const sample<T, columns>& next) {
    arrives_ = ahead_.values && ahead_.values == points.values && ahead_.size == points.size;
    ahead_ = {};
    first_slot_ = arrives_ ? half() - first_slot_ : 0;
    points_ = points;
    next_ = next;
    size_ = static_cast<index>(points.size);
    keeps_ = quads_of(points) <= slots_ * static_cast<index>(context_.lanes());
    aligned_ = is_aligned(points);
    return read_in_frame<Rows>([&](const frame& in) { return read(in); }, *this);
  }

  /// Σ w f(row); f: row → vec<T, K>.
  template <class F>
  MF_FN auto sum(F f) const {
    return sum_with_logs<0>(f);
  }

  /// As sum, but the last `Logs` of f's K terms are what to take the logarithm of, positive values in
  /// [1/largest_log_argument, largest_log_argument]: Σ w log. Without weights they are multiplied four by four, and
  /// each lane takes one logarithm.
  template <int Logs, class F>
  MF_FN auto sum_with_logs(F f) const {
    constexpr int K = decltype(f(row_of_lane()))::size(), plain = K - Logs;
    vec<T, K> partial{};
    vec<double, K> total{};
    lane_product<T> product[Logs > 0 ? Logs : 1];
    walk(
        [&](const auto& y) {
          T factor[Logs > 0 ? Logs : 1] = {};
          for (int i = 0; i < 4; ++i) {
            const vec<T, K> term = f(y.v[i]);
            for (int k = 0; k < plain; ++k) partial[k] += term[k];
            for (int k = 0; k < Logs; ++k) factor[k] = i == 0 ? term[plain + k] : factor[k] * term[plain + k];
          }
          for (int k = 0; k < Logs; ++k) product[k].multiply(factor[k]);
        },
        [&](const row_of_lane& r, T w) {
          const vec<T, K> term = f(r);
          for (int k = 0; k < plain; ++k) partial[k] += w * term[k];
          for (int k = plain; k < K; ++k) partial[k] += w * log(term[k]);
        },
        [&] {
          for (int k = 0; k < K; ++k) {
            total[k] += static_cast<double>(partial[k]);
            partial[k] = 0;
          }
        });
    for (int k = 0; k < Logs; ++k) total[plain + k] += product[k].logarithm();
    return reduced<add_values>(total);
  }

  /// min f(row); f: row → T.
  template <class F>
  MF_FN double minimum_of(F f) const {
    const least_value smaller;
    vec<T, 1> least{static_cast<T>(constants::infinity)};
    walk(
        [&](const auto& y) {
          for (int i = 0; i < 4; ++i) least[0] = smaller(least[0], f(y.v[i]));
        },
        [&](const row_of_lane& r, T) { least[0] = smaller(least[0], f(r)); }, [] {});
    return reduced<least_value>(least)[0];
  }

 private:
  /// Indices are of 32 bits up to a block, which saves a third of the loops' address arithmetic.
  using index = std::conditional_t<Context::spans_blocks, std::int64_t, std::int32_t>;
  static constexpr int segment_quads = 8;

  /// One reading, in a frame. A frame is rare: such a sample is read value by value, and then passed through as any.
  MF_FN_LARGE sample_summary read(const frame& in) {
    in_ = in;
    sample_summary summary;
    if constexpr (columns == 0) regular_ = !points_.weights && !in.active() && read_regular(summary);
    if (!regular_) {
      read_any(summary);
      if (summary.observations > 0) spare_ = static_cast<T>(summary.minimum);
      if constexpr (columns == 0) regular_ = !points_.weights && summary.observations == size_;
    }
    summary.in = in;
    return summary;
  }
  MF_FN T coordinate(T x) const {
    if constexpr (Rows::moves)
      if (in_.active()) return Rows::coordinate(x, in_);
    return Rows::coordinate(x);
  }

  /// Lanes with which this one shares its buffer.
  MF_FN int neighbours() const { return Context::width * context_.warps(); }
  MF_FN index lanes() const { return context_.lanes(); }
  MF_FN index whole_quads() const { return size_ / 4; }
  /// Whether this lane owns the last quad and that one has less than four values.
  MF_FN bool owns_rest() const {
    using natural = std::make_unsigned_t<index>;
    return size_ % 4 != 0 && static_cast<natural>(whole_quads()) % static_cast<natural>(context_.lanes()) ==
                                 static_cast<natural>(context_.lane());
  }
  MF_FN T weight_of(index i) const { return points_.weights ? points_.weights[i] : T(1); }

  MF_FN int place() const { return Context::is_warp ? context_.lane() : context_.lane() % neighbours(); }
  /// Not by an assumption that buffer_ is shared memory: from one nvcc 13.0 concluded that Weibull's first pass is
  /// never reached, and left it out.
  MF_FN T* buffer() const { return Context::in_shared_memory(buffer_, place_in_shared_memory_); }
  /// This lane's slot number `slot`.
  MF_FN quad<T>& own(int slot) const {
    return reinterpret_cast<quad<T>*>(buffer())[(first_slot_ + slot) * neighbours() + place()];
  }

  /// Quads of all lanes that are in the buffer at once; whole segments, so that parts do not change what is added to
  /// what.
  MF_FN index part_quads() const { return (keeps_ ? slots_ : slots_ / segment_quads * segment_quads) * lanes(); }

  /// Where the whole quads of a part end that begins at quad `part`.
  MF_FN index end_of_part(index part) const {
    return whole_quads() - part < part_quads() ? whole_quads() : part + part_quads();
  }

  /// Copies the part of the sample that begins at quad `part` into the buffer, with the values behind the last whole
  /// quad. Called by all lanes together.
  MF_FN void copy(index part) const {
    start_copies(points_.values, aligned_, part,
                 4 * part_quads() < size_ - 4 * part ? 4 * (part + part_quads()) : size_, first_slot_);
    end_copies();
  }
  /// Starts copying values [4 part, end) to the slots from number `first` on.
  MF_FN void start_copies(const T* values, bool aligned, index part, index end, int first) const {
    const index stride = lanes();
    const int near = neighbours();
    if (aligned) {
      index q = part + context_.lane();
      quad<T>* to = reinterpret_cast<quad<T>*>(buffer()) + first * near + place();
      MF_ROLLED
      for (; 4 * q + 4 <= end; q += stride, to += near)
        for (int i = 0; i < static_cast<int>(sizeof(quad<T>) / 16); ++i)
          start_copy(reinterpret_cast<sixteen_bytes*>(to) + i,
                     reinterpret_cast<const sixteen_bytes*>(values + 4 * q) + i);
      MF_ROLLED
      for (index i = 4 * q; i < end; ++i) start_copy(to->v + i % 4, values + i);
    } else {
      // Coalesced: neighbouring lanes copy neighbouring values, into each other's slots.
      barrier();
      index i = 4 * part + 4 * (context_.lane() - place()) + place();
      T* to = buffer() + 4 * first * near + place();
      MF_ROLLED
      for (; i + 3 * near < end; i += 4 * stride, to += 4 * near)
        for (int k = 0; k < 4; ++k) start_copy(to + k * near, values + i + k * near);
      for (int k = 0; k < 3; ++k)
        if (i + k * near < end) start_copy(to + k * near, values + i + k * near);
    }
  }
  /// Waits until the sample's copies are there, for all lanes.
  MF_FN void end_copies() const {
    wait_for_copies();
    if (!aligned_) barrier();
  }

  MF_FN static bool is_aligned(const sample<T, columns>& points) {
    return reinterpret_cast<std::uintptr_t>(points.values) % alignof(quad<T>) == 0;
  }
  MF_FN static index quads_of(const sample<T, columns>& points) { return (static_cast<index>(points.size) + 3) / 4; }
  /// Where the half of the buffer begins in which the next sample arrives while this one is in the other.
  MF_FN int half() const { return slots_ / 2; }
  /// Starts copying the next sample where each of the two fits into a half.
  MF_FN void copy_ahead() {
    const index capacity = half() * lanes();
    if (!next_.values || quads_of(points_) > capacity || quads_of(next_) > capacity) return;
    start_copies(next_.values, is_aligned(next_), 0, static_cast<index>(next_.size), half() - first_slot_);
    ahead_ = next_;
  }
  /// The reduction of v over all lanes. Over a grid it is out of line: inlined loops over blocks would take registers
  /// from the passes.
  template <class Operation, class V, int K>
  MF_FN vec<V, K> reduced(vec<V, K> v) const {
    if constexpr (Context::spans_blocks)
      reduce_in_place<Operation>(context_, v);
    else
      v = all_reduce<Operation>(context_, v);
    return v;
  }
  /// Waits for the lanes that share the buffer.
  MF_FN void barrier() const {
    if constexpr (Context::is_warp)
      context_.warp_barrier();
    else
      context_.block_barrier();
  }
  /// Makes coordinates of the values in this lane's slots for [q, end).
  MF_FN void transform(index q, index end) const {
    if constexpr (Rows::transforms || Rows::moves) {
      if (!Rows::transforms && !in_.active()) return;
      MF_ROLLED
      for (int slot = 0; q < end; q += lanes(), ++slot) {
        quad<T> x = own(slot);
        for (int i = 0; i < 4; ++i) x.v[i] = coordinate(x.v[i]);
        own(slot) = x;
      }
    }
  }

  /// The coordinate of point i of quad number `slot` of this lane, NaN when it is not used.
  MF_FN T coordinate_at(index i, int slot) const {
    if (keeps_) return own(slot).v[i % 4];
    const bool used = classify<Rows>(points_, i) == row_class::used;
    return used ? coordinate(points_.values[i]) : static_cast<T>(constants::nan);
  }
  /// Row i, whose coordinate is y; its columns are read where they are.
  MF_FN row_of_lane row_at(T y, index i) const {
    if constexpr (columns == 0) {
      return y;
    } else {
      row_of_lane r;
      r.y = y;
      for (int c = 0; c < columns; ++c) r.column[c] = points_.columns[c][i];
      return r;
    }
  }
  /// A used row, in place of one that is not.
  MF_FN row_of_lane spare() const {
    if constexpr (columns == 0)
      return spare_;
    else
      return row_at(coordinate(points_.values[spare_row_.at]), spare_row_.at);
  }

  /// Visits this lane's points: whole(quad) where four are known to be used with weight 1, else one(row, w), where a
  /// row that is not used is masked: w = 0 and the spare in its place; flush() after every segment of eight quads.
  template <class Whole, class One, class Flush>
  MF_FN void walk(Whole whole, One one, Flush flush) const {
    index q = context_.lane();
    int slot = 0;
    if constexpr (columns == 0)
      if (regular_) {
        for (index part = 0; part < whole_quads(); part += part_quads()) {
          const index end = end_of_part(part);
          q = part + context_.lane();
          const quad<T>* at = &own(0);
          if (!keeps_) {
            copy(part);
            transform(q, end);
          }
          while (q < end) {
            const index end_here = end_of_segment(q, end);
            MF_ROLLED
            for (; q < end_here; q += lanes(), at += neighbours()) {
              const quad<T> y = *at;  // one read of 16 bytes
              whole(y);
            }
            flush();
          }
          slot = static_cast<int>(at - &own(0)) / neighbours();
        }
        if (!owns_rest()) return;
      }
    for (int length = 0; 4 * q < size_; q += lanes(), ++slot) {
      MF_ROLLED
      for (index i = 4 * q; i < 4 * q + 4 && i < size_; ++i) {
        const T y = coordinate_at(i, slot);
        const bool used = !is_missing(y);
        one(used ? row_at(y, i) : spare(), used ? weight_of(i) : T(0));
      }
      if (++length == segment_quads) {
        flush();
        length = 0;
      }
    }
    flush();
  }
  MF_FN index end_of_segment(index q, index end) const {
    const index length = segment_quads * lanes();
    return end - q < length ? end : q + length;
  }

  /// What a lane finds out about its part of a sample.
  struct lane_summary {
    double weight = 0, sum = 0;
    T least = static_cast<T>(constants::infinity), least_negative = least;  ///< of y and of −y
  };

  /// Reads a sample without weights as if it were regular; false on all lanes when it is not.
  MF_FN bool read_regular(sample_summary& summary) {
    lane_summary mine;
    bool regular = true;
    index q = context_.lane();
    int slot = 0;
    for (index part = 0; 4 * part < size_; part += part_quads()) {
      const index end = end_of_part(part);
      q = part + context_.lane();
      slot = 0;
      if (arrives_) {
        end_copies();
        arrives_ = false;
      } else {
        copy(part);
      }
      if (part == 0) copy_ahead();
      while (q < end) {
        const index end_here = end_of_segment(q, end);
        regular = read_segment(q, end_here, slot, mine) && regular;
      }
    }
    if (owns_rest()) {
      MF_ROLLED
      for (index i = 4 * q; i < size_; ++i) {
        const T x = own(slot).v[i % 4], y = Rows::coordinate(x);
        regular = classify<typename Rows::support>(x, T(1)) == row_class::used && regular;
        own(slot).v[i % 4] = y;
        take(y, mine);
        mine.sum += static_cast<double>(y);
      }
    }
    const double sum = reduced<add_values>(vec<double, 1>{regular ? mine.sum : constants::nan})[0];
    if (is_missing(sum)) return false;
    summary.observations = size_;
    summary.weight = static_cast<double>(size_);
    conclude(summary, sum, mine);
    return true;
  }

  /// Reads a segment of quads, [q, end), that begins at `slot`, and advances both. Sums deviations from a value of the
  /// segment, so that the error is relative to the spread. False when not every value is used.
  MF_FN bool read_segment(index& q, index end, int& slot, lane_summary& mine) {
    const least_value smaller;
    const quad<T> first = coordinates_of(own(slot));
    const T low = smaller(first.v[0], first.v[1]), high = -smaller(-first.v[0], -first.v[1]);
    const T center = -smaller(-low, -smaller(high, first.v[2]));  // the middle one of three: outliers are rare
    T deviation = 0, broken = 0;
    int count = 0;
    lane_summary outer;  // extremes of x, where they are not those of y
    bool inside = true;
    quad<T>* at = &own(slot);
    MF_ROLLED
    for (; q < end; q += lanes(), at += neighbours()) {
      const quad<T> x = *at, y = coordinates_of(x);
      deviation += ((y.v[0] - center) + (y.v[1] - center)) + ((y.v[2] - center) + (y.v[3] - center));
      count += 4;
      for (int i = 0; i < 4; ++i) {
        take(y.v[i], mine);
        if constexpr (Rows::transforms) {
          take(x.v[i], outer);
          broken += x.v[i] * T(0);  // NaN when x is not finite, whatever its coordinate is
        }
        if constexpr (Rows::support::discrete) inside = Rows::support::contains(x.v[i]) && inside;
      }
      if constexpr (Rows::transforms)
        if (keeps_) *at = y;
    }
    slot = static_cast<int>(at - &own(0)) / neighbours();
    mine.sum += static_cast<double>(count) * static_cast<double>(center) + static_cast<double>(deviation);
    // NaN and infinity show in the sum. A continuous support is an interval.
    inside = inside && is_finite(deviation) && broken == 0;
    if constexpr (!Rows::support::discrete) {
      const lane_summary& extremes = Rows::transforms ? outer : mine;
      inside = inside && Rows::support::contains(extremes.least) && Rows::support::contains(-extremes.least_negative);
    }
    return inside;
  }

  MF_FN static quad<T> coordinates_of(quad<T> x) {
    for (int i = 0; i < 4; ++i) x.v[i] = Rows::coordinate(x.v[i]);
    return x;
  }
  MF_FN static void take(T y, lane_summary& mine) {
    const least_value smaller;
    mine.least = smaller(mine.least, y);
    mine.least_negative = smaller(mine.least_negative, -y);
  }

  /// Reads a sample value by value: weights, values that are missing or bad.
  MF_FN void read_any(sample_summary& summary) {
    lane_summary mine;
    if constexpr (columns > 0) spare_row_.at = size_;
    index counts[5] = {};
    int slot = 0;
    MF_ROLLED
    for (index q = context_.lane(); 4 * q < size_; q += lanes(), ++slot) {
      MF_ROLLED
      for (index i = 4 * q; i < 4 * q + 4 && i < size_; ++i) {
        const T x = points_.values[i], w = weight_of(i);
        const row_class row = classify<Rows>(points_, i);
        const bool used = row == row_class::used;
        const T y = used ? coordinate(x) : static_cast<T>(constants::nan);
        if (keeps_) own(slot).v[i % 4] = y;
        counts[0] += used;
        counts[1] += row == row_class::missing;
        counts[2] += row == row_class::outside;
        counts[3] += row == row_class::nonfinite;
        counts[4] += row == row_class::left_out;
        if constexpr (columns > 0)
          if (used) spare_row_.at = i < spare_row_.at ? i : spare_row_.at;
        if (used) {
          take(y, mine);
          mine.weight += static_cast<double>(w);
          mine.sum += static_cast<double>(w) * static_cast<double>(y);
        }
      }
    }
    const vec<double, 7> total = reduced<add_values>(
        vec<double, 7>{mine.weight, mine.sum, static_cast<double>(counts[0]), static_cast<double>(counts[1]),
                       static_cast<double>(counts[2]), static_cast<double>(counts[3]), static_cast<double>(counts[4])});
    summary.weight = total[0];
    summary.observations = static_cast<std::int64_t>(total[2]);
    summary.missing = static_cast<std::int64_t>(total[3]);
    summary.outside = static_cast<std::int64_t>(total[4]);
    summary.nonfinite = static_cast<std::int64_t>(total[5]);
    summary.left_out = static_cast<std::int64_t>(total[6]);
    if constexpr (columns > 0)
      spare_row_.at = static_cast<index>(reduced<least_value>(vec<double, 1>{static_cast<double>(spare_row_.at)})[0]);
    conclude(summary, total[1], mine);
  }

  MF_FN void conclude(sample_summary& summary, double sum, const lane_summary& mine) {
    const vec<T, 2> least = reduced<least_value>(vec<T, 2>{mine.least, mine.least_negative});
    summary.mean = sum / summary.weight;
    summary.minimum = static_cast<double>(least[0]);
    summary.maximum = -static_cast<double>(least[1]);
  }

  Context& context_;
  T* buffer_;
  int place_in_shared_memory_;                      ///< of the buffer, in bytes, where there is such memory
  int slots_;                                       ///< quads that each lane has capacity for
  sample<T, columns> points_{}, next_{}, ahead_{};  ///< this one, the one after it, the one whose copies were started
  int first_slot_ = 0;                              ///< where the sample begins in the buffer
  index size_ = 0;
  frame in_;
  T spare_ = 0;  ///< a used coordinate, in place of every masked one
  used_row<index, columns> spare_row_;
  bool keeps_ = false, aligned_ = false, regular_ = false;
  bool arrives_ = false;  ///< the sample's copies are on their way already
};

MF_NAMESPACE_END
