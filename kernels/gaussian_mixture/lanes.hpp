// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The group that fits one mixture with many lanes: CUDA's warps, blocks and grids, and threads as lanes in tests. The
// kind of pass depends on the mixture's own size (and the number of blocks), never on other fits of the launch:
// clang-format off
//   registers    D and K tiny: each lane takes points by itself (registers.hpp)
//   resident     all data of a pass in shared memory (resident_pass.hpp), where they fit
//   tiles        a block's statistics in its own memory, added over blocks in order (tiles.hpp)
//   grid tiles   grid only, where the statistics are too large for a copy per block: responsibilities of a few thousand
//                points at a time are stored in device memory, then each block sums the statistics that it owns
// clang-format on
// The blocks of a grid each keep a copy of a small model and do the same work on it (private), or share a large one.
// The passes and their bits are the same in both cases.
#pragma once

#include "kernels/gaussian_mixture/component.hpp"
#include "kernels/gaussian_mixture/lane_memory.hpp"
#include "kernels/gaussian_mixture/register_step.hpp"
#include "kernels/gaussian_mixture/resident_pass.hpp"
#include "kernels/gaussian_mixture/tensor_pass.hpp"
#include "kernels/groups/reduce.hpp"

MF_NAMESPACE_BEGIN

template <class T, class Context>
class mixture_lanes_group {
 public:
  MF_FN mixture_lanes_group(Context& context, const rows_view<T>& rows, const mixture_lane_memory<T>& memory)
      : context_(context), rows_(rows), all_rows_(rows), memory_(memory) {}

  // --- what em.hpp, start.hpp and fit.hpp ask of a group ---
  MF_FN std::int64_t rows() const { return all_rows_.size; }
  MF_FN void restrict_to(std::int64_t first, std::int64_t count) {
    rows_ = all_rows_;
    if (count >= 0) {
      rows_.values += first * all_rows_.dimensions;
      if (all_rows_.weights) rows_.weights += first;
      rows_.size = count;
    }
    choose_points(false);
  }
  MF_FN_LARGE double row(std::int64_t i, double* y) const {
    const int D = rows_.dimensions;
    const double weight = weigh_row(rows_, i);
    for (int d = 0; d < D; ++d)
      y[d] = weight > 0 ? (static_cast<double>(rows_.values[i * D + d]) - centre_[d]) * scale_[d] : 0.0;
    return weight;
  }
  MF_FN bool leads() const { return context_.lane() == 0; }
  MF_FN bool uniform(bool value) const { return context_.uniform(value); }
  MF_FN_CALL void prepare_components(const mixture_model& m) {
    narrowed_ = false;
    if constexpr (Context::has_resident_passes) {
      if (uniform(whitens_by_warps(m))) {
        for (int k = scope_lane() / 32; uniform(k < m.K); k += scope_lanes() / 32)
          prepare_by_warp(context_, m, k, own_factor());
        return scope_barrier();
      }
    }
    for_each(m.K, [&](int k) { prepare_component(m, k); });
  }
  MF_FN void maximise_components(const mixture_model& m) {
    const std::int64_t numbers = covariance_numbers(m.structure, m.D, m.K);
    if (uniform(numbers > (1 << 30))) return for_each(m.K, [&](int k) { maximise_component(m, k); });
    for_each(m.K * (1 + m.D), [&](int i) { maximise_mean(m, i); });
    if (uniform(m.structure != covariance_structure::tied))
      for_each(static_cast<int>(numbers), [&](int i) { maximise_covariance(m, i); });
  }
  MF_FN bool all_good(const mixture_model& m) {
    float good = 1;
    for (int k = context_.lane() % 32; k < m.K; k += 32) good = m.good[k] > 0 ? good : 0.0f;
    for (int mask = 16; mask > 0; mask /= 2) {
      const float other = context_.shuffle_xor(good, mask);
      good = other < good ? other : good;
    }
    return good > 0;
  }
  static MF_FN bool distributes_singly(std::int64_t numbers) { return numbers < (1 << 20); }
  template <class F>
  MF_FN void leader(F f) {
    if (scope_lane() == 0) f();
    scope_barrier();
  }
  template <class F>
  MF_FN void for_each(int count, F f) {
    for (int i = scope_lane(); i < count; i += scope_lanes()) f(i);
    scope_barrier();
  }
  template <class F>
  MF_FN void for_answers(int count, F f) {
    for (int i = context_.lane(); i < count; i += context_.lanes()) f(i);
    scope_barrier();
  }

  MF_FN_CALL void measure(const mixture_model& m, bool alike, row_counts& counts) {
    const int D = rows_.dimensions;
    centre_ = m.centre;
    scale_ = m.scale;
    row_counts mine;
    vec<double, 1> first{constants::infinity};
    for (std::int64_t i = context_.lane(); i < rows_.size; i += context_.lanes())
      if (weigh_row(rows_, i, &mine) > 0) first[0] = minimum(static_cast<double>(i), first[0]);
    first = all_reduce<least_value>(context_, first);
    const vec<double, 4> total = all_reduce<add_values>(
        context_, vec<double, 4>{static_cast<double>(mine.observations), static_cast<double>(mine.missing),
                                 static_cast<double>(mine.nonfinite), mine.weight});
    counts.observations = static_cast<std::int64_t>(total[0]);
    counts.missing = static_cast<std::int64_t>(total[1]);
    counts.nonfinite = static_cast<std::int64_t>(total[2]);
    counts.weight = total[3];
    const bool any = counts.weight > 0;
    for_each(D, [&](int d) {
      m.centre[d] = any ? static_cast<double>(rows_.values[static_cast<std::int64_t>(first[0]) * D + d]) : 0.0;
      m.scale[d] = 1;
      m.variance[d] = 0;
    });
    if (!any) return;
    const bool plain = !rows_.weights && counts.observations == rows_.size && counts.nonfinite == 0;
    plain_ = plain;
    for (int d = 0; d < D; ++d) {
      const double shift = sum_of(plain, [&](std::int64_t i) { return value(i, d) - m.centre[d]; });
      const double centre = m.centre[d] + shift / counts.weight;
      const double squares = sum_of(plain, [&](std::int64_t i) { return square(value(i, d) - centre); });
      plain_ = plain_ && squares < (sizeof(T) == 4 ? 1e75 : 1e300);  // no coordinate overflows in T
      if constexpr (is_warp) team_barrier();  // all lanes have read the centre: a warp's sums order no memory
      leader([&] {
        m.centre[d] = centre;
        m.variance[d] = squares / counts.weight;
      });
    }
    double most = 0;
    for (int d = 0; d < D; ++d) most = maximum(most, m.variance[d]);
    for_each(D, [&](int d) { m.scale[d] = scale_for(alike || !(m.variance[d] > 0) ? most : m.variance[d]); });
    const bool staged = is_warp && plain_ && staged_bytes_of<T>(D, m.K, rows_.size) > 0;
    if (uniform(staged)) stage(D);
    choose_points(staged);
  }

  /// Whether renew() applies after this pass: in registers, with a model per block and full covariances.
  MF_FN bool renews(const mixture_model& m) const {
    return padded_ > 0 && !memory_.shares_model && has_own_matrices(m);
  }
  MF_FN_CALL bool renew(const mixture_model& m) {
    bool sound = true;
    if constexpr (Context::has_register_passes) {
      const int k = team_lane();
      if (k < m.K) {
        sound = renew_component_of(context_, m, k, memory_.factors + 3 * m.D);
        m.good[k] = sound;
      }
      team_barrier();
      narrowed_ = true;
      if constexpr (!is_warp) sound = k % 32 >= m.K || m.good[k % 32] > 0;
    }
    return context_.all(sound);
  }

  MF_FN_CALL double accumulate(const mixture_model& m) {
    if constexpr (Context::has_resident_passes) {
      if (uniform(memory_.resident.points > 0 && m.K == memory_.resident.components)) {
        to_ = cleared_destination(m);
        if (!uniform(pass_by_limbs(m))) value_ = pass_on_chip(m);
        return finish(m, value_);
      }
    }
    if constexpr (Context::has_register_passes) {
      if (is_warp || uniform(register_components(m.D, m.K) > 0)) {  // a warp has no other mixtures
        sum_in_registers(m);
        return gather_sums(m);
      }
    }
    if constexpr (!is_warp) {
      padded_ = 0;
      narrow(m, 0);
      if (uniform(context_.blocks() > 1 && std::int64_t{m.K} * m.features_each() > memory_.partial_limit))
        return pass_in_grid_tiles(m);
      return finish(m, pass_in_tiles(m));
    }
    return constants::nan;
  }

 private:
  static constexpr bool is_warp = Context::is_warp;
  MF_FN int team_lane() const { return 32 * context_.warp() + context_.lane() % 32; }
  MF_FN int team_lanes() const { return 32 * context_.warps(); }
  MF_FN void team_barrier() {
    if constexpr (is_warp)
      context_.warp_barrier();
    else
      context_.block_barrier();
  }
  /// The lanes that work on one copy of the model.
  MF_FN int scope_lane() const { return memory_.shares_model ? context_.lane() : team_lane(); }
  MF_FN int scope_lanes() const { return memory_.shares_model ? context_.lanes() : team_lanes(); }
  MF_FN void scope_barrier() {
    if (memory_.shares_model && context_.blocks() > 1)
      context_.grid_barrier();
    else
      team_barrier();
  }

  /// A warp has capacity for a component's factor in the tile's memory, which is shared memory and holds nothing
  /// between passes.
  MF_FN double* own_factor() const {
    const std::int64_t bytes = memory_.resident.numbers * static_cast<std::int64_t>(sizeof(T)) / context_.warps();
    return reinterpret_cast<double*>(reinterpret_cast<char*>(memory_.tile) + context_.warp() * (bytes / 16 * 16));
  }
  MF_FN bool whitens_by_warps(const mixture_model& m) const {
    const std::int64_t bytes = memory_.resident.numbers * static_cast<std::int64_t>(sizeof(T)) / context_.warps();
    return m.triangular && memory_.resident.points > 0 && packed_size(m.D) * 8 <= bytes / 16 * 16;
  }
  MF_FN double value(std::int64_t i, int d) const {
    return static_cast<double>(rows_.values[i * rows_.dimensions + d]);
  }
  /// Σ w f(i) over the rows that count. `plain`: all do, with weight 1.
  template <class F>
  MF_FN double sum_of(bool plain, F f) {
    double sum = 0;
    for (std::int64_t i = context_.lane(); i < rows_.size; i += context_.lanes()) {
      const double weight = plain ? 1.0 : weigh_row(rows_, i);
      if (weight > 0) sum += weight * f(i);
    }
    return all_reduce<add_values>(context_, vec<double, 1>{sum})[0];
  }

  /// The model's numbers that the pass reads, in T: the map's 3 D, then the factors in the pass's own order.
  MF_FN_CALL void narrow(const mixture_model& m, int padded) {
    const int D = m.D, K = m.K;
    T* const centre = memory_.factors;
    T* const rest = centre + D;
    T* const scale = rest + D;
    T* const constant = scale + D;
    const auto read_map = [&](int d) {
      centre[d] = static_cast<T>(centre_[d]);
      rest[d] = static_cast<T>(centre_[d] - static_cast<double>(centre[d]));
      scale[d] = static_cast<T>(scale_[d]);
    };
    map_ = {centre, rest, scale};
    if (padded > 0) {
      const int each = 1 + D + packed_size(D);
      for_each(D + padded * each, [&](int i) {
        if (i < D)
          read_map(i);
        else
          constant[i - D] = register_factor<T>(m, (i - D) / each, (i - D) % each);
      });
      return;
    }
    const int factors = static_cast<int>(K * m.factor_numbers_each()), transform = m.transform ? packed_size(D) : 0;
    T* const offset = constant + K;
    T* const factor = offset + std::int64_t{K} * D;
    for_each(D + K + K * D + factors + transform, [&](int i) {
      if (i < D) return read_map(i);
      i -= D;
      const double number = i < K                     ? m.constant[i]
                            : i < K + K * D           ? m.offset[i - K]
                            : i < K + K * D + factors ? m.factor[i - K - K * D]
                                                      : m.transform[i - K - K * D - factors];
      constant[i] = static_cast<T>(number);
    });
    factors_ = {constant, offset, factor, m.transform ? factor + factors : nullptr, m.triangular};
  }

  /// Where this block sums its statistics.
  MF_FN double* destination(const mixture_model& m) {
    if (context_.blocks() == 1) return m.statistics;
    if (!memory_.shares_model) turn_ ^= 1;
    return memory_.partial + (turn_ * context_.blocks() + context_.block()) * memory_.partial_each;
  }
  /// Adds the blocks' statistics and values; ends with them in the model and returns the log-likelihood.
  MF_FN_CALL double finish(const mixture_model& m, double value) {
    value = block_reduce<add_values>(context_, vec<double, 1>{value})[0];
    if (context_.blocks() == 1) {
      team_barrier();
      return value;
    }
    const int numbers = m.K * m.features_each(), blocks = context_.blocks();
    double* const from = memory_.partial + turn_ * blocks * memory_.partial_each;
    if (team_lane() == 0) from[context_.block() * memory_.partial_each + numbers] = value;
    context_.grid_barrier();
    value = add_partials(from + numbers, context_.lane() % 32, 32);
    int each = 1;  // lanes to one number
    while (each < 32 && std::int64_t{2 * each} * numbers <= scope_lanes()) each *= 2;
    const int part = scope_lane() % each;
    for (int i = scope_lane() / each; uniform(i - part_of_warp(each) < numbers); i += scope_lanes() / each) {
      const double sum = add_partials(from + i, i < numbers ? part : blocks, each);
      if (part == 0 && i < numbers) m.statistics[i] = sum;
    }
    scope_barrier();
    return value;
  }
  /// How many numbers a lane's is after that of its warp's first lane.
  MF_FN int part_of_warp(int each) const { return context_.lane() % 32 / each; }
  /// Σ over blocks of one number, by `each` neighbouring lanes of a warp, of which this is number `part`: every each-th
  /// block per lane, then a butterfly. All of these lanes get the sum.
  MF_FN double add_partials(const double* from, int part, int each) {
    double sum = 0;
    for (int b = part; b < context_.blocks(); b += each) sum += from[b * memory_.partial_each];
    for (int mask = each / 2; mask > 0; mask /= 2) sum += context_.shuffle_xor(sum, mask);
    return sum;
  }

  /// Copies the points into the tile's memory, in the model's coordinates.
  MF_FN_CALL void stage(int D) {
    const auto number = [&](int i) {
      const int d = i % D;
      const T centre = static_cast<T>(centre_[d]), rest = static_cast<T>(centre_[d] - static_cast<double>(centre));
      return ((read_only(rows_.values + i) - centre) - rest) * static_cast<T>(scale_[d]);
    };
    for (int i = team_lane(); i < static_cast<int>(rows_.size) * D; i += team_lanes()) memory_.tile[i] = number(i);
    team_barrier();
  }
  /// Which points the next passes in registers read. `staged`: the copy that stage() made. Plain and scattered points
  /// are summed in the same order, so that their alignment changes no bit.
  MF_FN void choose_points(bool staged) {
    const bool aligned = rows_.dimensions > 2 || reinterpret_cast<std::uintptr_t>(rows_.values) % 16 == 0;
    job_.rows = {rows_.values, rows_.weights, rows_.size,
                 rows_.weights ? register_points::weighted
                 : !plain_     ? register_points::checked
                 : aligned     ? register_points::plain
                               : register_points::scattered};
    if (staged) job_.rows = {memory_.tile, nullptr, rows_.size, register_points::ready};
  }
  /// Every lane for itself, then each warp.
  MF_FN_CALL void sum_in_registers(const mixture_model& m) {
    if (!uniform(narrowed_)) begin_passes(m);
    narrowed_ = false;
    register_pass_of(context_, m.D, padded_, job_);
  }
  /// Sets up the passes of a model; renew() keeps this. The total goes behind the warps' own sums, and into the
  /// model's statistics too where the two are laid out alike. A group of one warp has its own sums only.
  MF_FN_CALL void begin_passes(const mixture_model& m) {
    padded_ = register_components(m.D, m.K);
    narrow(m, padded_);
    job_.map = map_;
    job_.factors = map_.scale + m.D;
    total_.sums = memory_.sums + team_lanes();
    total_.copy = m.statistics;
    total_.copied = memory_.shares_model || !has_own_matrices(m) ? 0 : m.K * (1 + m.D + packed_size(m.D));
    job_.place = total_;
    if constexpr (!is_warp) {
      job_.place.sums = memory_.sums + team_lane() / 32 * register_sum_capacity;
      job_.place.copied = 0;
    }
  }
  /// Adds the warps' sums over blocks and the grid in order.
  MF_FN_CALL double gather_sums(const mixture_model& m) {
    const int numbers = register_sums(m.D, padded_);
    team_barrier();
    if constexpr (!is_warp) {
      if (uniform(context_.blocks() > 1))
        add_blocks(numbers);
      else
        add_rows(memory_.sums, register_sum_capacity, context_.warps(), numbers, total_);
    }
    if (uniform(total_.copied == 0)) {
      for (int i = scope_lane(); i < m.K * m.features_each(); i += scope_lanes())
        m.statistics[i] = register_statistic(m, total_.sums, i);
      scope_barrier();
    }
    const double* const logs = total_.sums + numbers - 2;
    return logs[0] + logs[1];
  }
  /// Adds `count` rows of numbers, `step` apart.
  MF_FN void add_rows(const double* from, int step, int count, int numbers, const register_place& to) {
    if (const int i = team_lane(); i < numbers) {
      double sum = from[i];
      MF_ROLLED
      for (int r = 1; r < count; ++r) sum += from[r * step + i];
      to.keep(i, sum);
    }
    team_barrier();
  }
  /// Adds the warps' sums over all blocks: neighbouring lanes take the numbers of a block, and blocks are distributed.
  MF_FN_CALL void add_blocks(int numbers) {
    constexpr int flight = 8;  // loads
    if (!memory_.shares_model) turn_ ^= 1;
    const std::int64_t each = memory_.partial_each;
    const int blocks = context_.blocks();
    double* const all = memory_.partial + turn_ * blocks * each;
    add_rows(memory_.sums, register_sum_capacity, context_.warps(), numbers, {all + context_.block() * each});
    context_.grid_barrier();
    const int shift = numbers <= 16 ? 4 : 5, width = 1 << shift, number = team_lane() % width,
              part = team_lane() >> shift, parts = team_lanes() >> shift, step = parts * static_cast<int>(each);
    const double* from = all + part * each + number;
    double sum = 0;
    MF_ROLLED
    for (int left = number < numbers ? blocks - part : 0; left > 0; left -= flight * parts) {
      double x[flight];
      MF_UNROLL
      for (int q = 0; q < flight; ++q) x[q] = left > q * parts ? from[q * step] : 0.0;
      MF_UNROLL
      for (int q = 0; q < flight; ++q) sum += x[q];
      from += flight * step;
    }
    memory_.sums[team_lane()] = sum;
    team_barrier();
    add_rows(memory_.sums, width, parts, numbers, total_);
  }

  /// The E step of the tile that begins at row `first`; this lane's part of its log-likelihood.
  MF_FN_CALL double expect(const mixture_model& m, const mixture_tile<T>& tile, std::int64_t first) {
    const int t = team_lane(), B = team_lanes();
    const std::int64_t left = rows_.size - first;
    const int count = left < tile.points ? static_cast<int>(left < 0 ? 0 : left) : tile.points;
    read_tile(rows_, map_, first, count, tile, t, B);
    team_barrier();
    weigh_tile(rows_, first, count, tile, t, B);
    team_barrier();
    if (factors_.transform) {
      transform_tile(factors_.transform, m.D, tile, t, B);
      team_barrier();
    }
    tile_densities(factors_, m.D, m.K, tile, t, B);
    team_barrier();
    const double value = normalise_tile(m.K, tile, t, B, [&] { team_barrier(); });
    team_barrier();
    return value;
  }

  MF_FN double* cleared_destination(const mixture_model& m) {
    double* const to = destination(m);
    for (std::int64_t i = team_lane(); i < std::int64_t{m.K} * m.features_each(); i += team_lanes()) to[i] = 0;
    return to;
  }
  /// A pass by tensor cores, where the fit and its model have one.
  MF_FN_CALL bool pass_by_limbs(const mixture_model& m) {
    if constexpr (sizeof(T) == 4 && has_limb_products) {
      if (!uniform(memory_.tensor.points > 0 && m.structure == covariance_structure::diagonal)) return false;
      tensor_job<Context> job{
          context_, rows_, m, memory_.tensor, memory_.tile, m.total_weight / static_cast<double>(all_rows_.size), to_};
      const bool done = tensor_pass_of(job);
      value_ = job.value;
      return done;
    }
    return false;
  }
  MF_FN_CALL double pass_on_chip(const mixture_model& m) {
    return resident_pass_of(context_, rows_, m, memory_.resident, memory_.tile, to_);
  }
  MF_FN_CALL double pass_in_tiles(const mixture_model& m) {
    double* const to = cleared_destination(m);
    mixture_tile<T> tile;
    tile.bind(m.D, m.K, team_lanes(), memory_.tile);
    double value = 0;
    for (std::int64_t i = context_.block(); i * tile.points < rows_.size; i += context_.blocks()) {
      value += expect(m, tile, i * tile.points);
      add_tile(m, tile, to);
    }
    return value;
  }
  /// The M step's sums of a tile, some features of all components at a time.
  MF_FN_CALL void add_tile(const mixture_model& m, const mixture_tile<T>& tile, double* to) {
    const int t = team_lane(), B = team_lanes(), each = m.features_each();
    for (int f = 0; f < each; f += staged_features) {
      const int count = each - f < staged_features ? each - f : staged_features;
      stage_features(m.structure, m.D, f, count, tile.y, tile.stride, tile.points, tile.staged, tile.stride, t, B);
      team_barrier();
      add_tile_products(tile.table, m.K, tile.staged, f, count, tile.points, tile.stride, to, each, t, B);
      team_barrier();
    }
  }

  /// Where a pass in grid tiles is.
  struct grid_tile_place {
    std::int64_t begin = 0;  ///< first row
    int tiles = 0;
    double value = 0;  ///< this lane's part of the log-likelihood
  };
  /// A grid with one copy of the statistics.
  MF_FN_CALL double pass_in_grid_tiles(const mixture_model& m) {
    for (std::int64_t i = context_.lane(); i < std::int64_t{m.K} * m.features_each(); i += context_.lanes())
      m.statistics[i] = 0;  // the first grid tile's barrier comes before anything is added
    mixture_tile<T> tile;
    tile.bind(m.D, m.K, team_lanes(), memory_.tile);
    grid_tile_place at;
    for (; uniform(at.begin < rows_.size); at.begin += memory_.grid_tile_points) {
      fill_grid_tile(m, tile, at);
      context_.grid_barrier();
      add_grid_tile(m, tile, at);
      context_.grid_barrier();
    }
    return all_reduce<add_values>(context_, vec<double, 1>{at.value})[0];
  }
  /// The E step of a grid tile.
  MF_FN_CALL void fill_grid_tile(const mixture_model& m, const mixture_tile<T>& tile, grid_tile_place& at) {
    const std::int64_t left = rows_.size - at.begin,
                       points = left < memory_.grid_tile_points ? left : memory_.grid_tile_points;
    at.tiles = static_cast<int>((points + tile.points - 1) / tile.points);
    for (int i = context_.block(); i < at.tiles; i += context_.blocks()) {
      at.value += expect(m, tile, at.begin + std::int64_t{i} * tile.points);
      keep_tile(m, tile, std::int64_t{i} * tile.points);
    }
  }
  /// The M step's sums of a grid tile: every block adds up the parts that it owns.
  MF_FN_CALL void add_grid_tile(const mixture_model& m, const mixture_tile<T>& tile, const grid_tile_place& at) {
    const int owned = (m.K + owned_components() - 1) / owned_components() * feature_groups(m);
    for (int o = context_.block(); o < owned; o += context_.blocks()) add_owned(m, tile, at.tiles, o);
  }
  /// Components and groups of features that a block adds up at a time: 16 lanes in a row own 64 features of 4.
  MF_FN int owned_components() const { return team_lanes() / 16 * 4; }
  MF_FN static int feature_groups(const mixture_model& m) {
    return (m.features_each() + staged_features - 1) / staged_features;
  }
  /// Stores the tile's coordinates and responsibilities in the grid tile, from its point `at` on.
  MF_FN_CALL void keep_tile(const mixture_model& m, const mixture_tile<T>& tile, std::int64_t at) {
    const int D = m.D;
    for (std::int64_t j = team_lane(); j < (D + 2 + std::int64_t{m.K}) * tile.points; j += team_lanes()) {
      const std::int64_t row = j / tile.points, p = j - row * tile.points;
      const T* const from = row < D + 2 ? tile.y + row * tile.stride : tile.table + (row - D - 2) * tile.stride;
      memory_.grid_tile[row * memory_.grid_tile_points + at + p] = from[p];
    }
    team_barrier();
  }
  /// The statistics that a block adds up at a time: features [f, f + count) of components [k, k + components).
  struct owned_part {
    int k, components, f, count;
  };
  /// Loads what `part` needs of tile `i` of the grid tile into the block's own memory.
  MF_FN_CALL void fetch_owned(const mixture_model& m, const mixture_tile<T>& tile, const owned_part& part, int i) {
    const int t = team_lane(), B = team_lanes();
    const std::int64_t C = memory_.grid_tile_points, at = std::int64_t{i} * tile.points;
    const T* const responsibilities = memory_.grid_tile + (m.D + 2 + part.k) * C + at;
    for (int j = t; j < part.components * tile.points; j += B) {
      const int row = j / tile.points, p = j - row * tile.points;
      tile.table[row * tile.stride + p] = responsibilities[row * C + p];
    }
    stage_features(m.structure, m.D, part.f, part.count, memory_.grid_tile + at, C, tile.points, tile.staged,
                   tile.stride, t, B);
    team_barrier();
  }
  /// Adds what the grid tile's tiles give to part number `o` of the statistics.
  MF_FN void add_owned(const mixture_model& m, const mixture_tile<T>& tile, int tiles, int o) {
    owned_part part;
    part.k = o / feature_groups(m) * owned_components();
    part.f = o % feature_groups(m) * staged_features;
    part.components = m.K - part.k < owned_components() ? m.K - part.k : owned_components();
    part.count = m.features_each() - part.f < staged_features ? m.features_each() - part.f : staged_features;
    double total[16] = {};
    for (int i = 0; i < tiles; ++i) {
      fetch_owned(m, tile, part, i);
      const int k = 4 * (team_lane() / 16), f = 4 * (team_lane() % 16);
      if (k < part.components && f < part.count)
        add_product_quad(tile.table + k * tile.stride, part.components - 1 - k, tile.staged + f * tile.stride,
                         part.count - 1 - f, tile.points, tile.stride, total);
      team_barrier();
    }
    const int k = 4 * (team_lane() / 16), f = 4 * (team_lane() % 16);
    for (int a = 0; a < 4 && k + a < part.components; ++a) {
      double* const to = m.statistics + std::int64_t{part.k + k + a} * m.features_each() + part.f + f;
      for (int b = 0; b < 4 && f + b < part.count; ++b) to[b] += total[4 * a + b];
    }
  }

  Context& context_;
  rows_view<T> rows_;  ///< that passes go over
  rows_view<T> all_rows_;
  mixture_lane_memory<T> memory_;
  const double* centre_ = nullptr;
  const double* scale_ = nullptr;
  point_map<T> map_;
  tile_factors<T> factors_;
  int turn_ = 0;
  bool plain_ = false;     ///< all rows count, with weight 1
  register_job<T> job_;    ///< of the next pass in registers
  register_place total_;   ///< where the sums of all warps go
  int padded_ = 0;         ///< components of the last of them; 0: it was another pass
  bool narrowed_ = false;  ///< the model's numbers stand where the next one reads them
  double* to_ = nullptr;   ///< of a pass on chip: where the block's statistics go
  double value_ = 0;       ///< and its lane's part of the log-likelihood
};

MF_NAMESPACE_END
