// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The passes of models/mixture_of.hpp over ONE attempt's sample on CPU threads, by the families' own tables of
// functions. No bit depends on the threads: values go in partitions of one size, whose sums are added in order.
#pragma once

#include "kernels/cpu/parallel.hpp"
#include "kernels/gaussian_mixture/functions.hpp"
#include "kernels/models/mixture_of.hpp"

MF_NAMESPACE_BEGIN

/// log f_k(x_i) of a component with `parameters` into out [n].
inline void component_log_density(const mixture_part& part, const double* parameters, std::span<const double> x,
                                  double* out) {
  if (!part.family) {
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = point_mass_log_density(x[i], part.at);
    return;
  }
  part.functions->log_density({x.data(), nullptr, nullptr, static_cast<std::int64_t>(x.size()), 1}, {parameters, 0, 1},
                              {out}, 1, nullptr);
}

class cpu_mixture_passes {
 public:
  /// `find_responsibilities`: that of the best instruction set. Memory: K numbers for every value.
  cpu_mixture_passes(std::span<const mixture_part> parts, int parameter_stride, mixture_attempt& attempt,
                     decltype(mixture_cpu_functions::find_responsibilities) find_responsibilities, int threads)
      : parts_(parts),
        parameter_stride_(static_cast<std::size_t>(parameter_stride)),
        attempt_(attempt),
        sample_(*attempt.sample),
        find_responsibilities_(find_responsibilities),
        threads_(threads),
        stride_(sample_.x.size()),
        responsibilities_(stride_ * parts.size()),
        totals_((stride_ + partition - 1) / partition),
        partition_sums_(totals_.size() * parts.size()) {}

  template <class F>
  void for_each(std::span<em_pass> passes, int, F f) {
    f(passes[0]);
  }
  responsibility_table start_responsibilities(int) { return {responsibilities_.data(), stride_}; }
  void take_starts(std::span<em_pass>) {
    for (std::size_t k = 0; k < parts_.size(); ++k)
      attempt_.sums[k] = sums_of_start(sample_.x.data(), responsibilities_of(k), sample_.size());
  }

  void drop_small_responsibilities(std::span<em_pass> passes, std::size_t k) {
    if (!passes[0].wants_m_step()) return;
    double* const own = responsibilities_of(k);
    for (std::size_t i = 0; i < sample_.size(); ++i) own[i] = responsibility_that_counts(own[i], sample_.w[i]);
  }

  void fit(std::span<em_pass> passes, part_fit* found) {
    if (!passes[0].wants_m_step()) return;
    each_of(std::ssize(parts_), [&](std::int64_t at) {
      const auto k = static_cast<std::size_t>(at);
      const mixture_part& part = parts_[k];
      if (!part.family) return;
      double unused_errors[max_parameters];
      std::int32_t iterations;
      std::int64_t observations, missing;
      part.functions->fit(values_with(k), part.settings,
                          {found[k].parameters, unused_errors, &found[k].log_likelihood, &iterations, &found[k].status,
                           &observations, &missing, 1},
                          1, nullptr);
    });
  }

  void log_likelihoods(std::span<const std::size_t> moved, part_fit* found) {
    each_of(std::ssize(moved), [&](std::int64_t i) {
      const std::size_t k = moved[static_cast<std::size_t>(i)];
      parts_[k].functions->log_likelihood(values_with(k), {found[k].parameters, 0, 1}, {&found[k].log_likelihood}, 1,
                                          nullptr);
    });
  }

  void expect(std::span<em_pass> passes) {
    if (!passes[0].wants_e_step()) return;
    const std::size_t K = parts_.size(), n = sample_.size(), partitions = totals_.size();
    each_of(static_cast<std::int64_t>(partitions), [&](std::int64_t at) {
      const auto i = static_cast<std::size_t>(at);
      const std::size_t first = i * partition, size = std::min(partition, stride_ - first),
                        values = std::min(partition, n - first);
      for (std::size_t k = 0; k < K; ++k)
        component_log_density(parts_[k], attempt_.parameters.data() + k * parameter_stride_,
                              {sample_.x.data() + first, values}, responsibilities_of(k) + first);
      component_sums* own = attempt_.sums.data();
      if (partitions > 1) own = std::copy_n(own, K, partition_sums_.data() + i * K) - K;
      totals_[i] =
          find_responsibilities_(static_cast<int>(K), static_cast<std::int64_t>(size),
                                 static_cast<std::int64_t>(stride_), sample_.x.data() + first, sample_.w.data() + first,
                                 attempt_.log_weights.data(), responsibilities_.data() + first, own);
    });
    double total = 0;
    for (std::size_t i = 0; i < partitions; ++i) {
      total += totals_[i];
      for (std::size_t k = 0; k < K && partitions > 1; ++k) {
        const component_sums& each = partition_sums_[i * K + k];
        component_sums& all = attempt_.sums[k];
        all.weight += each.weight;
        all.first += each.first;
        all.second += each.second;
        all.log_density += each.log_density;
      }
    }
    passes[0].log_likelihood = total;
  }

 private:
  static constexpr std::size_t partition = 16384;

  /// f(i) for every i, on this attempt's threads.
  template <class F>
  void each_of(std::int64_t count, F f) {
    if (threads_ > 1) return parallel_for(threads_, count, 1, f);
    for (std::int64_t i = 0; i < count; ++i) f(i);
  }
  double* responsibilities_of(std::size_t k) { return responsibilities_.data() + k * stride_; }
  batch_view<double> values_with(std::size_t k) {
    return {sample_.x.data(), responsibilities_of(k), nullptr, sample_.observations, 1};
  }

  std::span<const mixture_part> parts_;
  std::size_t parameter_stride_;
  mixture_attempt& attempt_;
  const mixture_sample& sample_;
  decltype(mixture_cpu_functions::find_responsibilities) find_responsibilities_;
  int threads_;
  std::size_t stride_;
  std::vector<double> responsibilities_;  ///< [K × stride]: w times the responsibilities
  std::vector<double> totals_;
  std::vector<component_sums> partition_sums_;
};

MF_NAMESPACE_END
