// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The passes of models/mixture_of.hpp over ONE attempt's sample of several columns on CPU threads. The rows go through
// the E step a tile at a time, and what the M step needs of a coded column, the weight of each of its values, is
// summed up while a tile's responsibilities are in the cache: a quarter of the additions of a matrix product
// (cpu/pattern_sums.hpp). A family's own weighted fit to these few values is then the M step; of a column that is not
// coded, its fit to all cells. No bit depends on the threads: rows go in partitions that depend on their number only,
// whose sums are added in order.
#pragma once

#include "kernels/cpu/product_densities.hpp"
#include "kernels/groups/walk.hpp"

MF_NAMESPACE_BEGIN

class cpu_product_passes {
 public:
  /// `functions`: those of the best instruction set. Memory: K numbers for every row, and in each of up to 16
  /// partitions K for every pattern of the coded columns.
  cpu_product_passes(std::span<const mixture_part> parts, int parameter_stride, mixture_attempt& attempt,
                     const mixture_cpu_functions& functions, int threads)
      : parts_(parts),
        parameter_stride_(static_cast<std::size_t>(parameter_stride)),
        attempt_(attempt),
        sample_(*attempt.sample),
        codes_(sample_.codes),
        functions_(functions),
        threads_(threads),
        densities_(sample_, parts, parameter_stride, functions),
        stride_(sample_.w.size() + (sample_.w.size() % 512 == 0 ? 8 : 0)),
        responsibilities_(stride_ * parts.size()),
        coded_(sample_.columns.size(), none) {
    const std::size_t K = parts.size(), C = codes_.columns().size(), n = sample_.size();
    for (std::size_t c = 0; c < C; ++c) coded_[codes_.columns()[c].number] = c;
    partition_rows_ = std::max<std::size_t>(1024, (n + most_partitions - 1) / most_partitions);
    partition_rows_ = (partition_rows_ + 7) / 8 * 8;
    partitions_.resize((n + partition_rows_ - 1) / partition_rows_);
    for (partition& each : partitions_) {
      each.totals.resize(K);
      each.patterns.resize(C > 0 ? codes_.patterns() * densities_.width() : 0);
      each.sums.resize(C < sample_.columns.size() ? K * sample_.columns.size() : 0);
    }
    for (int t = 0; t < threads_; ++t) workers_.emplace_back(densities_.make_worker());
    weight_of_value_.resize(densities_.values() * densities_.width());
    weights_.resize(K * densities_.values());
    fitted_.resize(K * C * (2 * parameter_stride_ + 1));
    iterations_.resize(K * C);
    counts_.resize(2 * K * C);
    status_.resize(K * C);
  }

  template <class F>
  void for_each(std::span<em_pass> passes, int, F f) {
    f(passes[0]);
  }
  responsibility_table start_responsibilities(int) { return {responsibilities_.data(), stride_}; }
  void take_starts(std::span<em_pass> passes) {
    if (!passes[0].wants_start() || !passes[0].wants_m_step()) return;
    each_partition([&](thread_worker& own, partition& to, std::size_t first, std::size_t count) {
      for (std::size_t k = 0; k < parts_.size(); ++k)
        to.totals[k] =
            std::accumulate(responsibilities_of(k) + first, responsibilities_of(k) + first + count, to.totals[k]);
      add_patterns_of(own, first, count, to);
    });
    const std::size_t K = parts_.size(), D = sample_.columns.size();
    for_indices(K * D, [&](std::size_t i) {
      const std::size_t d = i % D;
      attempt_.sums[i] = {};
      if (!densities_.is_coded(d))
        attempt_.sums[i] = sums_of_start(sample_.columns[d].x.data(), responsibilities_of(i / D), sample_.size());
    });
    finish_sums();
    for (component_sums& each : attempt_.sums) each.log_density = -constants::infinity;
  }

  void drop_small_responsibilities(std::span<em_pass> passes, std::size_t k) {
    if (!passes[0].wants_m_step()) return;
    double* const own = responsibilities_of(k);
    for (std::size_t i = 0; i < sample_.size(); ++i) own[i] = responsibility_that_counts(own[i], sample_.w[i]);
  }

  void fit(std::span<em_pass> passes, part_fit* found) {
    if (!passes[0].wants_m_step()) return;
    const std::size_t D = sample_.columns.size(), C = codes_.columns().size();
    for_indices(C > 0 ? parts_.size() : 0, [&](std::size_t k) {
      double *const parameters = fitted_.data() + k * C * (2 * parameter_stride_ + 1),
                    *const errors = parameters + C * parameter_stride_,
                    *const log_likelihood = errors + C * parameter_stride_;
      parts_[k].functions->fit(
          {codes_.values().data(), weights_.data() + k * densities_.values(), codes_.value_offsets().data(), 0,
           static_cast<std::int64_t>(C)},
          parts_[k].settings,
          {parameters, errors, log_likelihood, iterations_.data() + k * C, status_.data() + k * C,
           counts_.data() + 2 * k * C, counts_.data() + (2 * k + 1) * C, static_cast<std::int64_t>(C)},
          1, nullptr);
      for (std::size_t c = 0; c < C; ++c) {
        part_fit& to = found[k * D + codes_.columns()[c].number];
        for (int p = 0; p < parts_[k].parameter_count(); ++p)
          to.parameters[p] = parameters[static_cast<std::size_t>(p) * C + c];
        to.log_likelihood = log_likelihood[c];
        to.status = status_[k * C + c];
      }
    });
    if (C == D) return;
    for_indices(parts_.size() * D, [&](std::size_t i) {
      if (densities_.is_coded(i % D)) return;
      const mixture_part& part = parts_[i / D];
      double unused_errors[max_parameters];
      std::int32_t iterations;
      std::int64_t observations, missing;
      part.functions->fit(values_of(i), part.settings,
                          {found[i].parameters, unused_errors, &found[i].log_likelihood, &iterations, &found[i].status,
                           &observations, &missing, 1},
                          1, nullptr);
    });
  }

  void log_likelihoods(std::span<const std::size_t> moved, part_fit* found) {
    constexpr std::int64_t at_a_time = 64;
    parallel_for(threads_, std::ssize(moved), at_a_time, [&](std::int64_t at) {
      const std::size_t i = moved[static_cast<std::size_t>(at)];
      parts_[i / sample_.columns.size()].functions->log_likelihood(values_of(i), {found[i].parameters, 0, 1},
                                                                   {&found[i].log_likelihood}, 1, nullptr);
    });
  }

  void expect(std::span<em_pass> passes) {
    if (!passes[0].wants_e_step()) return;
    const std::size_t K = parts_.size(), D = sample_.columns.size();
    densities_.set(attempt_.parameters.data(), threads_);
    each_partition([&](thread_worker& own, partition& to, std::size_t first, std::size_t count) {
      const std::size_t padded = (count + 7) / 8 * 8;
      densities_.of_rows(first, count, own, responsibilities_.data() + first, stride_);
      for (std::size_t k = 0; k < K; ++k) std::fill_n(responsibilities_of(k) + first + count, padded - count, 0.0);
      own.sums.assign(K, {});
      // What find_responsibilities() says of x is of no use here: of weights, which are finite.
      to.log_likelihood += functions_.find_responsibilities(
          static_cast<int>(K), static_cast<std::int64_t>(padded), static_cast<std::int64_t>(stride_),
          sample_.w.data() + first, sample_.w.data() + first, attempt_.log_weights.data(),
          responsibilities_.data() + first, own.sums.data());
      for (std::size_t k = 0; k < K; ++k) to.totals[k] += own.sums[k].weight;
      for (std::size_t i = 0; i < to.sums.size(); ++i)
        if (!densities_.is_coded(i % D)) add_column(own, i, first, count, to.sums[i]);
      add_patterns_of(own, first, count, to);
    });
    passes[0].log_likelihood = 0;
    for (const partition& each : partitions_) {
      passes[0].log_likelihood += each.log_likelihood;
      for (std::size_t i = 0; i < each.sums.size(); ++i) {
        const component_sums& from = each.sums[i];
        component_sums& to = attempt_.sums[i];
        to.weight += from.weight;
        to.first += from.first;
        to.second += from.second;
        to.log_density += from.log_density;
      }
    }
    finish_sums();
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1), most_partitions = 16;

  struct thread_worker : product_densities::worker {
    std::vector<component_sums> sums;
    explicit thread_worker(worker made) : worker(std::move(made)) {}
  };
  /// Sums over some rows.
  struct partition {
    double log_likelihood = 0;
    std::vector<double> totals;        ///< [K]
    std::vector<double> patterns;      ///< [patterns × width], responsibilities of the rows with a pattern
    std::vector<component_sums> sums;  ///< [K × D], of columns that are not coded
  };

  /// f(i) for every i on this attempt's threads.
  template <class F>
  void for_indices(std::size_t count, F f) {
    parallel_for(threads_, static_cast<std::int64_t>(count), 1,
                 [&](std::int64_t i) { f(static_cast<std::size_t>(i)); });
  }
  /// f(worker, the partition, its sums 0; first row, rows) for every tile of every partition.
  template <class F>
  void each_partition(F f) {
    parallel_for(
        threads_, std::ssize(partitions_), 1,
        [&](int worker) -> thread_worker& { return workers_[static_cast<std::size_t>(worker)]; },
        [&](thread_worker& own, std::int64_t at) {
          partition& to = partitions_[static_cast<std::size_t>(at)];
          to.log_likelihood = 0;
          std::fill(to.totals.begin(), to.totals.end(), 0.0);
          std::fill(to.patterns.begin(), to.patterns.end(), 0.0);
          std::fill(to.sums.begin(), to.sums.end(), component_sums{});
          const std::size_t begin = static_cast<std::size_t>(at) * partition_rows_,
                            end = std::min(begin + partition_rows_, sample_.size()), tile = densities_.tile_rows();
          for (std::size_t first = begin; first < end; first += tile) f(own, to, first, std::min(tile, end - first));
        });
  }

  /// The responsibilities of a tile, added up by pattern.
  void add_patterns_of(thread_worker& own, std::size_t first, std::size_t count, partition& to) {
    if (codes_.empty()) return;
    const std::size_t width = densities_.width();
    transpose(responsibilities_.data() + first, parts_.size(), count, stride_, own.rows.data(), width);
    functions_.add_responsibilities(codes_.rows(first, count), own.rows.data(), static_cast<int>(width),
                                    to.patterns.data());
  }
  /// What a tile's responsibilities say of distribution i of [K × D], whose column is not coded.
  void add_column(thread_worker& own, std::size_t i, std::size_t first, std::size_t count, component_sums& to) {
    const std::size_t D = sample_.columns.size(), k = i / D;
    const double *const x = sample_.columns[i % D].x.data() + first, *const responsibilities =
                                                                         responsibilities_of(k) + first;
    component_sums tile{.centre = attempt_.sums[i].centre};
    plain_walk walk;
    column_sums(walk, static_cast<std::int64_t>(count), x, responsibilities, tile);
    to.weight += tile.weight;
    to.first += tile.first;
    to.second += tile.second;
    densities_.of_column(i % D, k, first, count, own);
    for (std::size_t r = 0; r < count; ++r)
      if (x[r] == x[r] && responsibilities[r] > 0) to.log_density += responsibilities[r] * own.cells[r];
  }

  /// Adds the partitions' patterns up to the weight of every value, and makes the coded columns' sums of it.
  void finish_sums() {
    const std::size_t K = parts_.size(), D = sample_.columns.size(), width = densities_.width(),
                      S = densities_.values();
    std::fill(attempt_.totals.begin(), attempt_.totals.end(), 0.0);
    for (const partition& each : partitions_)
      for (std::size_t k = 0; k < K; ++k) attempt_.totals[k] += each.totals[k];
    if (codes_.empty()) return;
    std::vector<double>& all = partitions_[0].patterns;
    for_indices(codes_.groups(), [&](std::size_t g) {
      const std::size_t begin = codes_.first_pattern(g) * width, end = codes_.first_pattern(g + 1) * width;
      for (std::size_t p = 1; p < partitions_.size(); ++p)
        for (std::size_t i = begin; i < end; ++i) all[i] += partitions_[p].patterns[i];
    });
    std::fill(weight_of_value_.begin(), weight_of_value_.end(), 0.0);
    for (const coded_columns::column& column : codes_.columns()) {
      std::size_t value;
      for (std::size_t c = 0; c < codes_.patterns_of(column.group); ++c) {
        if (!column.tells(c, value)) continue;
        const double* const from = all.data() + (codes_.first_pattern(column.group) + c) * width;
        double* const to = weight_of_value_.data() + (column.first_value + value) * width;
        for (std::size_t k = 0; k < K; ++k) to[k] += from[k];
      }
    }
    transpose(weight_of_value_.data(), S, K, width, weights_.data(), S);
    for_indices(K, [&](std::size_t k) {
      for (const coded_columns::column& column : codes_.columns()) {
        component_sums& to = attempt_.sums[k * D + column.number];
        for (int v = 0; v < column.values; ++v) {
          const std::size_t s = column.first_value + static_cast<std::size_t>(v);
          const double weight = weights_[k * S + s], d = codes_.values()[s] - to.centre;
          to.weight += weight;
          to.first += weight * d;
          to.second += weight * d * d;
          if (weight > 0) to.log_density += weight * densities_.log_of_value()[s * width + k];
        }
      }
    });
  }

  double* responsibilities_of(std::size_t k) { return responsibilities_.data() + k * stride_; }
  /// The data of distribution i of [K × D], with its component's responsibilities as weights.
  batch_view<double> values_of(std::size_t i) {
    const std::size_t D = sample_.columns.size(), c = coded_[i % D];
    if (c == none)
      return {sample_.columns[i % D].x.data(), responsibilities_of(i / D), nullptr, sample_.observations, 1};
    const coded_columns::column& column = codes_.columns()[c];
    return {codes_.values().data() + column.first_value,
            weights_.data() + i / D * densities_.values() + column.first_value, nullptr, column.values, 1};
  }

  std::span<const mixture_part> parts_;
  std::size_t parameter_stride_;
  mixture_attempt& attempt_;
  const mixture_sample& sample_;
  const coded_columns& codes_;
  const mixture_cpu_functions& functions_;
  int threads_;
  product_densities densities_;
  std::size_t stride_, partition_rows_ = 0;
  std::vector<double> responsibilities_;  ///< [K × stride]: w times the responsibilities
  std::vector<std::size_t> coded_;        ///< [D], the column's number among those that are coded, or none
  std::vector<partition> partitions_;
  std::vector<thread_worker> workers_;
  std::vector<double> weight_of_value_;  ///< [values × width]
  std::vector<double> weights_;          ///< [K × values]: the same for each component's fits
  std::vector<double>
      fitted_;  ///< [K × (2 × parameter_stride + 1) × coded columns]: parameters, errors, log-likelihoods
  std::vector<std::int32_t> iterations_;
  std::vector<std::int64_t> counts_;
  std::vector<fit_status> status_;
};

MF_NAMESPACE_END
