// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The group that fits one mixture on CPU threads. Rows are cut into partitions by the fit's own size, never by the
// number of threads; every partition sums its tiles in order and the partitions are added in order, so that the bits do
// not depend on the number of threads.
#pragma once

#include <algorithm>

#include "kernels/cpu/mixture_products.hpp"
#include "kernels/cpu/mixture_window.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/gaussian_mixture/start.hpp"

MF_NAMESPACE_BEGIN

/// Points of a partition at least, and partitions of a fit at most: small fits run whole, each on one thread.
inline constexpr std::int64_t partition_points = 32768;
inline constexpr int most_partitions = 64;
/// Doubles that all partitions' statistics may take together (64 MiB).
inline constexpr std::int64_t partition_memory = std::int64_t{1} << 23;

/// How many partitions a fit of `rows` rows is cut into.
inline int partitions_of(std::int64_t rows, std::int64_t statistics) {
  const std::int64_t by_size = rows / partition_points, by_memory = partition_memory / statistics;
  return static_cast<int>(std::clamp<std::int64_t>(std::min(by_size, by_memory), 1, most_partitions));
}

/// A thread's workspace for a tile: reused for all tiles, fits and iterations.
template <class T>
struct mixture_scratch {
  static constexpr int product_rows_at_once = 12;
  aligned_array<T> features, moved, weights, table, products, spare;
  aligned_array<int> list;
  aligned_array<std::uint64_t> vectors;
  row_window<T> window;
  int points = 0, stride = 0;

  void prepare(int D, int K) {
    points = tile_points(K);
    stride = tile_stride<T>(K);
    T* const ones = features.resize(std::int64_t{D + 1} * stride);
    std::fill(ones, ones + points, T(1));
    moved.resize(std::int64_t{D} * stride);
    weights.resize(points);
    table.resize(std::int64_t{K} * stride);
    products.resize(std::int64_t{product_rows_at_once} * stride);
    spare.resize(4 * mixture_vector_lanes<T>);
    list.resize(K);
    vectors.resize(K);
  }
  T* coordinates() const { return features.get() + stride; }
};

/// A tile as a pass sees it.
template <class T>
struct mixture_points {
  const T* features;  ///< [1 + D rows of the scratch's stride]: ones, coordinates
  const T* weights;   ///< [points]
  int padded;         ///< points with padding, a multiple of what `densities` takes
};

/// Largest number of values of a fit whose coordinates are kept from one pass to the next: they and a tile's
/// responsibilities fit into L2.
inline constexpr std::int64_t resident_numbers = std::int64_t{1} << 15;

template <class T>
class mixture_group {
 public:
  /// `threads`: how many work on this fit. The scratch and memory of one call are used again by the next fit.
  mixture_group(const row_fetcher<T>& rows, int threads)
      : all_(rows), size_(rows.size()), threads_(threads), scratch_(static_cast<std::size_t>(threads)) {}

  /// Points are read as the model's centre and scale say from now on.
  void set_map(const mixture_model& m) {
    map_ = {m.centre, m.scale};
    resident_tiles_ = 0;
  }

  // --- what em.hpp, start.hpp and fit.hpp ask of a group ---
  void measure(const mixture_model& m, bool alike, row_counts& counts) {
    const int D = m.D;
    const std::int64_t N = all_.size();
    set_map(m);
    std::vector<row_counts> counted(static_cast<std::size_t>(partitions_of(N, 1)));
    for (int d = 0; d < D; ++d) {
      m.centre[d] = m.variance[d] = 0;
      m.scale[d] = 1;
    }
    for (std::int64_t first = 0; first < N; ++first) {
      const rows_view<T> row = all_.fetch(scratch().window, first, 1);
      if (!(weigh_row(row, 0) > 0)) continue;
      for (int d = 0; d < D; ++d) m.centre[d] = static_cast<double>(row.values[d]);
      break;
    }
    const std::vector<double> mean = sum_rows([](double y) { return y; }, counted.data());
    for (const row_counts& partition : counted) {
      counts.observations += partition.observations;
      counts.missing += partition.missing;
      counts.nonfinite += partition.nonfinite;
      counts.weight += partition.weight;
    }
    if (!(counts.weight > 0)) return;
    for (int d = 0; d < D; ++d) m.centre[d] += mean[d] / counts.weight;
    const std::vector<double> squares = sum_rows([](double y) { return y * y; }, nullptr);
    double most = 0;
    for (int d = 0; d < D; ++d) most = std::max(most, m.variance[d] = squares[d] / counts.weight);
    for (int d = 0; d < D; ++d) m.scale[d] = scale_for(alike || !(m.variance[d] > 0) ? most : m.variance[d]);
    resident_tiles_ = 0;
  }
  bool leads() const { return true; }
  bool uniform(bool value) const { return value; }
  template <class F>
  void for_answers(int count, F f) {
    for_each(count, f);
  }
  std::int64_t rows() const { return all_.size(); }
  double row(std::int64_t i, double* y) {
    const rows_view<T> row = all_.fetch_one(scratch().window, i);
    const double weight = weigh_row(row, 0);
    for (int d = 0; d < row.dimensions; ++d)  // of a row left out, which may hold a NaN, zeros: 0 times those is 0
      y[d] = weight > 0 ? (static_cast<double>(row.values[d]) - map_.centre[d]) * map_.scale[d] : 0.0;
    return weight;
  }
  void prepare_components(const mixture_model& m) {
    for_each(m.K, [&](int k) { prepare_component(m, k); });
  }
  void maximise_components(const mixture_model& m) {
    for_each(m.K, [&](int k) { maximise_component(m, k); });
  }
  static bool all_good(const mixture_model& m) {
    for (int k = 0; k < m.K; ++k)
      if (!(m.good[k] > 0)) return false;
    return true;
  }
  static constexpr bool distributes_singly(std::int64_t) { return false; }
  static constexpr bool renews(const mixture_model&) { return false; }
  static constexpr bool renew(const mixture_model&) { return false; }
  template <class F>
  void leader(F f) {
    f();
  }
  template <class F>
  void for_each(int count, F f) {
    if (threads_ == 1 || count < 64) {
      for (int i = 0; i < count; ++i) f(i);
      return;
    }
    parallel_for(threads_, count, (count - 1) / threads_ + 1, [&](std::int64_t i) { f(static_cast<int>(i)); });
  }

  void restrict_to(std::int64_t first, std::int64_t count) {
    begin_ = count < 0 ? 0 : first;
    size_ = count < 0 ? all_.size() : count;
  }

  double accumulate(const mixture_model& m) {
    const bool many = some_may_be_far<T>(m.K);
    // Not for a part of the rows, as stepwise EM takes them, where a component without any is nothing unusual.
    const double total = pass(m, many);
    const bool again = many && near_exponent<T> > least_exponent<T> && size_ == all_.size() && some_weigh_little(m);
    return again ? pass(m, false) : total;
  }

  /// Visits every tile with its log-densities and responsibilities: visit(first row, rows, table [K × stride], stride,
  /// log_density [rows]). For scoring: rows left out are visited too.
  template <class Visit>
  void visit_tiles(const mixture_model& m, Visit visit) {
    const mixture_factors<T> factors = narrowed(m);
    const int points_each = tile_points(m.K);
    const std::int64_t tiles = (size_ + points_each - 1) / points_each;
    const auto prepared = [&](int worker) -> mixture_scratch<T>& {
      mixture_scratch<T>& scratch = this->scratch(worker);
      scratch.prepare(m.D, m.K);
      return scratch;
    };
    parallel_for(threads_, tiles, 16, prepared, [&](mixture_scratch<T>& scratch, std::int64_t tile) {
      alignas(64) T value[256];  // written by whole vectors
      const std::int64_t first = tile * points_each;
      const int count = static_cast<int>(std::min<std::int64_t>(points_each, size_ - first));
      const mixture_points<T> points = load(scratch, first, count);
      std::fill(scratch.weights.get(), scratch.weights.get() + points.padded, T(1));
      expect<false>(m, factors, scratch, points, value);
      visit(first, count, scratch.table.get(), scratch.stride, value);
    });
  }

 private:
  mixture_scratch<T>& scratch(int worker = 0) { return scratch_[static_cast<std::size_t>(worker)]; }

  /// run(scratch, partition) for every partition.
  template <class Run>
  void for_partitions(int partitions, Run run) {
    if (partitions == 1) return run(scratch(), 0);
    parallel_for(
        threads_, partitions, 1, [&](int worker) -> mixture_scratch<T>& { return scratch(worker); },
        [&](mixture_scratch<T>& scratch, std::int64_t partition) { run(scratch, static_cast<int>(partition)); });
  }

  /// Every partition's statistics and their sum; with `left_out`, without components where they are far from the
  /// points.
  double pass(const mixture_model& m, bool left_out) {
    const std::int64_t numbers = std::int64_t{m.K} * m.features_each();
    const int partitions = partitions_of(size_, numbers);
    const mixture_factors<T> factors = narrowed(m);
    partition_values_.resize(static_cast<std::size_t>(partitions));
    partial_.resize(partitions > 1 ? numbers * partitions : 0);
    for_partitions(partitions, [&](mixture_scratch<T>& scratch, int partition) {
      double* const statistics = partitions > 1 ? partial_.get() + partition * numbers : m.statistics;
      partition_values_[static_cast<std::size_t>(partition)] =
          accumulate_partition(m, factors, scratch, partition, partitions, left_out, statistics);
    });
    double total = 0;
    for (const double value : partition_values_) total += value;
    if (partitions > 1)
      for (std::int64_t i = 0; i < numbers; ++i) {
        double sum = 0;
        for (int partition = 0; partition < partitions; ++partition) sum += partial_.get()[partition * numbers + i];
        m.statistics[i] = sum;
      }
    return total;
  }

  /// Whether what a pass left out could show in a component's sums: see near_exponent.
  static bool some_weigh_little(const mixture_model& m) {
    const int row = m.features_each();
    double all = 0;
    for (int k = 0; k < m.K; ++k) all += m.statistics[std::int64_t{k} * row];
    for (int k = 0; k < m.K; ++k)
      if (m.constant[k] > -1e30 && m.statistics[std::int64_t{k} * row] < enough_weight * all) return true;
    return false;
  }

  /// Σ w f(y_d) per coordinate, and the rows' counts by partition.
  template <class F>
  std::vector<double> sum_rows(F f, row_counts* counted) {
    const int D = all_.dimensions(), partitions = partitions_of(size_, 1), points_each = tile_points(1);
    std::vector<double> partial(static_cast<std::size_t>(D) * partitions, 0.0), total(static_cast<std::size_t>(D), 0.0);
    const std::int64_t tiles = (size_ + points_each - 1) / points_each;
    for_partitions(partitions, [&](mixture_scratch<T>& scratch, int partition) {
      scratch.prepare(D, 1);
      for (std::int64_t tile = tiles * partition / partitions; tile < tiles * (partition + 1) / partitions; ++tile) {
        const std::int64_t first = tile * points_each;
        const int count = static_cast<int>(std::min<std::int64_t>(points_each, size_ - first));
        const rows_view<T> rows = all_.fetch(scratch.window, begin_ + first, count);
        const bool clean = read_rows(rows, map_, count, scratch.stride, scratch.coordinates(), scratch.weights.get());
        const T* const w = scratch.weights.get();
        for (int d = 0; d < D; ++d) {
          const T* const y = scratch.coordinates() + d * scratch.stride;
          double sum = 0;
          for (int p = 0; p < count; ++p) sum += static_cast<double>(w[p]) * f(static_cast<double>(y[p]));
          partial[partition * D + d] += sum;
        }
        if (!counted) continue;
        if (clean && !rows.weights) {
          counted[partition].observations += count;
          counted[partition].weight += count;
        } else {
          for (int p = 0; p < count; ++p) weigh_row(rows, p, &counted[partition]);
        }
      }
    });
    for (int partition = 0; partition < partitions; ++partition)
      for (int d = 0; d < D; ++d) total[d] += partial[partition * D + d];
    return total;
  }

  /// The E step's numbers in the points' own type.
  mixture_factors<T> narrowed(const mixture_model& m) {
    const std::int64_t factor = m.K * m.factor_numbers_each(), transform = m.transform ? packed_size(m.D) : 0;
    const std::int64_t KD = std::int64_t{m.K} * m.D;
    T* to = factors_.resize(m.K + KD + factor + transform);
    const auto narrow = [&to](const double* from, std::int64_t count) {
      T* const at = to;
      for (std::int64_t i = 0; i < count; ++i) at[i] = static_cast<T>(from[i]);
      to += count;
      return at;
    };
    mixture_factors<T> f{m.D, m.K, m.triangular};
    f.constant = narrow(m.constant, m.K);
    f.offset = narrow(m.offset, KD);
    f.factor = narrow(m.factor, factor);
    f.transform = m.transform ? narrow(m.transform, transform) : nullptr;
    return f;
  }

  /// Rows [first, first + count) into the scratch.
  mixture_points<T> load(mixture_scratch<T>& scratch, std::int64_t first, int count) const {
    constexpr int step = 4 * mixture_vector_lanes<T>;
    const int padded = (count + step - 1) / step * step;
    read_rows(all_.fetch(scratch.window, begin_ + first, count), map_, padded, scratch.stride, scratch.coordinates(),
              scratch.weights.get());
    return {scratch.features.get(), scratch.weights.get(), padded};
  }

  /// The same for a tile of a small fit, which stays where it was put the first time.
  mixture_points<T> load_once(mixture_scratch<T>& scratch, std::int64_t tile, int count) {
    const std::int64_t features = (all_.dimensions() + std::int64_t{1}) * scratch.stride;
    const std::int64_t tiles = (size_ + scratch.points - 1) / scratch.points;
    T* const at = resident_.resize(tiles * (features + scratch.points)) + tile * (features + scratch.points);
    if (tile < resident_tiles_) {
      constexpr int step = 4 * mixture_vector_lanes<T>;
      return {at, at + features, (count + step - 1) / step * step};
    }
    const mixture_points<T> read = load(scratch, tile * scratch.points, count);
    std::copy(read.features, read.features + features, at);
    std::copy(read.weights, read.weights + scratch.points, at + features);
    resident_tiles_ = tile + 1;
    return {at, at + features, read.padded};
  }

  /// One tile's log-likelihood; its responsibilities are in the scratch then.
  template <bool Near>
  double expect(const mixture_model& m, const mixture_factors<T>& factors, mixture_scratch<T>& scratch,
                const mixture_points<T>& points, T* log_density) const {
    const int stride = scratch.stride, padded = points.padded;
    const T* y = points.features + stride;
    if (factors.transform) {
      T* const moved = scratch.moved.get();
      for (int d = 0; d < m.D; ++d) std::copy(y + d * stride, y + d * stride + padded, moved + d * stride);
      transform_points(factors.transform, m.D, padded, stride, moved);
      y = moved;
    }
    T* const table = scratch.table.get();
    // Many components a few points at a time, so that log-densities are still near when they are normalised.
    const int at_once = m.K < 16 ? padded : 4 * mixture_vector_lanes<T>;
    const near_components<T> near{scratch.list.get(), scratch.vectors.get(), scratch.spare.get()};
    if (Near) std::fill(near.vectors, near.vectors + m.K, std::uint64_t{0});
    double total = 0;
    for (int p = 0; p < padded; p += at_once) {
      densities(factors, y + p, at_once, stride, table + p);
      total += normalise<Near>(m.K, at_once, stride, points.weights + p, table + p,
                               log_density ? log_density + p : nullptr, near, p / mixture_vector_lanes<T>);
    }
    return total;
  }

  double accumulate_partition(const mixture_model& m, const mixture_factors<T>& factors, mixture_scratch<T>& scratch,
                              int partition, int partitions, bool left_out, double* statistics) {
    scratch.prepare(m.D, m.K);
    const int stride = scratch.stride, row = m.features_each();
    const std::int64_t tiles = (size_ + scratch.points - 1) / scratch.points;
    const bool resident = partitions == 1 && size_ == all_.size() && scratch.points == tile_points(1) &&
                          tiles * (m.D + 2) * stride <= resident_numbers;
    std::fill(statistics, statistics + std::int64_t{m.K} * row, 0.0);
    double total = 0;
    for (std::int64_t tile = tiles * partition / partitions; tile < tiles * (partition + 1) / partitions; ++tile) {
      const std::int64_t first = tile * scratch.points;
      const int count = static_cast<int>(std::min<std::int64_t>(scratch.points, size_ - first));
      const mixture_points<T> points = resident ? load_once(scratch, tile, count) : load(scratch, first, count);
      total += left_out ? expect<true>(m, factors, scratch, points, nullptr)
                        : expect<false>(m, factors, scratch, points, nullptr);
      const std::uint64_t* const near = left_out ? scratch.vectors.get() : nullptr;
      add_statistics(scratch.table.get(), m.K, near, m.structure, points.features, m.D, points.padded, stride,
                     scratch.products.get(), mixture_scratch<T>::product_rows_at_once, statistics, row);
    }
    return total;
  }

  row_fetcher<T> all_;
  std::int64_t begin_ = 0, size_;  ///< the rows that passes go over
  row_map map_;
  int threads_;
  std::vector<mixture_scratch<T>> scratch_;
  aligned_array<T> factors_, resident_;
  std::int64_t resident_tiles_ = 0;  ///< that stand in resident_
  aligned_array<double> partial_;
  std::vector<double> partition_values_;
};

MF_NAMESPACE_END
