// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The passes of mixtures of products on CUDA, many attempts in step. A column at a time is laid out once for each
// component, beside the components' responsibilities: a launch of the family's kernels then serves all components of
// all attempts. Data are doubles here, as on the CPU.
#pragma once

#include "cuda_attempts.hpp"
#include "cuda_backend.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cuda/responsibility_functions.hpp"

namespace manyfit::cuda {

class cuda_product_passes {
 public:
  /// Doubles that a row of an attempt takes on the device.
  static constexpr std::size_t numbers_of_a_row(std::size_t components, std::size_t columns) {
    return 3 * components + columns + 2;
  }

  cuda_product_passes(const executor& where, std::span<const mixture_part> parts, int parameter_stride,
                      std::span<mixture_attempt> attempts)
      : stream_(static_cast<cudaStream_t>(where.stream())),
        threads_(executor::cpu().threads()),
        parts_(parts),
        attempts_(attempts),
        K_(parts.size()),
        A_(attempts.size()),
        D_(attempts[0].sample->column_count()),
        F_(K_ * A_),
        parameter_stride_(static_cast<std::size_t>(parameter_stride)),
        plans_(attempts, K_, stream_),
        step_plans_(attempts, 1, stream_),
        N_(static_cast<std::size_t>(plans_.values())),
        host_table_(K_ * N_),
        device_offsets_(F_ + 1),
        x_(D_ * N_),
        w_(N_),
        kept_(N_),
        column_(K_ * N_),
        logs_(K_ * N_),
        table_(K_ * N_),
        parameters_(D_ * parameter_stride_ * F_),
        std_errors_(parameter_stride_ * F_),
        constants_(F_),
        found_(D_ * F_),
        log_weights_(F_),
        totals_(A_),
        totals_of_components_(F_),
        sums_(D_ * F_),
        status_(D_ * F_),
        iterations_(F_),
        counts_(2 * F_) {
    std::vector<std::int64_t> offsets;
    for (std::size_t k = 0; k < K_; ++k)
      for (std::size_t a = 0; a < A_; ++a) offsets.push_back(plans_.offsets()[a] + static_cast<std::int64_t>(k * N_));
    offsets.push_back(static_cast<std::int64_t>(K_ * N_));
    device_offsets_.copy_from(offsets, stream_);
    std::vector<double> x(D_ * N_), w;
    for (std::size_t a = 0; a < A_; ++a) {
      const mixture_sample& s = *attempts_[a].sample;
      for (std::size_t d = 0; d < D_; ++d)
        std::copy(s.columns[d].x.begin(), s.columns[d].x.end(),
                  x.begin() + static_cast<std::ptrdiff_t>(d * N_) + plans_.offsets()[a]);
      w.insert(w.end(), s.w.begin(), s.w.begin() + s.observations);
    }
    x_.copy_from(x, stream_);
    w_.copy_from(w, stream_);
    // What is read back before all of it was written, and responsibilities of attempts that do not get as far as a
    // start.
    for (mirrored<double>* each : {&parameters_, &found_, &totals_}) each->send(stream_);
    status_.send(stream_);
    totals_of_components_.send(stream_);
    check(cudaMemsetAsync(table_.data(), 0, K_ * N_ * sizeof(double), stream_), "clear the responsibilities");
    check(cudaStreamSynchronize(stream_), "copy the samples");
  }

  template <class F>
  void for_each(std::span<em_pass> passes, int at_a_time, F f) {
    parallel_for(threads_, std::ssize(passes), at_a_time,
                 [&](std::int64_t i) { f(passes[static_cast<std::size_t>(i)]); });
  }

  responsibility_table start_responsibilities(int attempt) {
    return {host_table_.data() + plans_.begin_of(attempt), N_};
  }
  void take_starts(std::span<em_pass> passes) {
    for_each(passes, 1, [&](const em_pass& pass) {
      if (!pass.wants_start() || !pass.wants_m_step()) return;
      mixture_attempt& a = attempts_[at(pass.attempt)];
      const responsibility_table responsibilities = start_responsibilities(pass.attempt);
      for (std::size_t i = 0; i < K_ * D_; ++i)
        a.sums[i] = sums_of_start(a.sample->columns[i % D_].x.data(), responsibilities.of(i / D_), a.sample->size());
      for (std::size_t k = 0; k < K_; ++k)
        a.totals[k] = std::accumulate(responsibilities.of(k), responsibilities.of(k) + a.sample->size(), 0.0);
    });
    for (const em_pass& pass : passes) {
      if (!pass.wants_start() || !pass.wants_m_step()) continue;
      const std::size_t begin = plans_.begin_of(pass.attempt);
      for (std::size_t k = 0; k < K_; ++k)
        table_.copy_from(host_table_.data() + k * N_ + begin, k * N_ + begin, plans_.size_of(pass.attempt), stream_);
    }
    check(cudaStreamSynchronize(stream_), "copy starts");
  }

  void drop_small_responsibilities(std::span<em_pass> passes, std::size_t k) {
    if (std::none_of(passes.begin(), passes.end(), [](const em_pass& pass) { return pass.wants_m_step(); })) return;
    check(launch_drop_small_responsibilities(table_.data() + k * N_, w_.data(), rows(), stream_),
          "launch on responsibilities");
  }

  void fit(std::span<em_pass> passes, part_fit* found) {
    const auto wants = [](const em_pass& pass) { return pass.wants_m_step(); };
    const launch_plan plan = plans_.plan_for(passes, wants);
    if (!plan.order) return;
    for (std::size_t d = 0; d < D_; ++d) {
      const fit_results_view results{parameters_of(d),
                                     std_errors_.data(),
                                     found_.device.data() + d * F_,
                                     iterations_.data(),
                                     status_.device.data() + d * F_,
                                     counts_.data(),
                                     counts_.data() + F_,
                                     static_cast<std::int64_t>(F_)};
      check(family().fit(batch_of(d, table_.data()), parts_[0].settings, results, plan, stream_), "launch the fits");
    }
    parameters_.fetch(stream_);
    found_.fetch(stream_);
    status_.fetch(stream_);
    check(cudaStreamSynchronize(stream_), "fit the components");
    for_each(passes, 1, [&](const em_pass& pass) {
      for (std::size_t i = 0; i < K_ * D_ && wants(pass); ++i) {
        part_fit& to = found[at(pass.attempt) * K_ * D_ + i];
        for (int p = 0; p < parts_[0].parameter_count(); ++p) to.parameters[p] = parameters_.host[place(i, p, pass)];
        to.log_likelihood = found_.host[place(i, pass)];
        to.status = status_.host[place(i, pass)];
      }
    });
  }

  void log_likelihoods(std::span<const std::size_t> moved, part_fit* found) {
    std::vector<em_pass> listed;
    for (const std::size_t m : moved) {
      const em_pass pass{static_cast<int>(m / (K_ * D_)), em_step::climb};
      if (listed.empty() || listed.back().attempt != pass.attempt) listed.push_back(pass);
      for (int p = 0; p < parts_[0].parameter_count(); ++p)
        parameters_.host[place(m % (K_ * D_), p, pass)] = found[m].parameters[p];
    }
    sum_log_likelihoods(plans_.plan_for(listed, [](const em_pass&) { return true; }));
    for (const std::size_t m : moved)
      found[m].log_likelihood = found_.host[place(m % (K_ * D_), {static_cast<int>(m / (K_ * D_)), em_step::climb})];
  }

  void expect(std::span<em_pass> passes) {
    const auto wants = [](const em_pass& pass) { return pass.wants_e_step(); };
    const launch_plan plan = step_plans_.plan_for(passes, wants), each = plans_.plan_for(passes, wants);
    if (!plan.order) return;
    // Attempts that have ended have no parameters: their log-densities are NaN, and cost no more than writing that.
    std::fill(parameters_.host.begin(), parameters_.host.end(), constants::nan);
    for_each(passes, 1, [&](const em_pass& pass) {
      if (!pass.wants_e_step()) return;
      const mixture_attempt& a = attempts_[at(pass.attempt)];
      for (std::size_t i = 0; i < K_ * D_; ++i) {
        for (int p = 0; p < parts_[0].parameter_count(); ++p)
          parameters_.host[place(i, p, pass)] = a.parameters[i * parameter_stride_ + static_cast<std::size_t>(p)];
        sums_.host[place(i, pass)] = a.sums[i];
      }
      for (std::size_t k = 0; k < K_; ++k) log_weights_.host[k * A_ + at(pass.attempt)] = a.log_weights[k];
    });
    parameters_.send(stream_);
    log_weights_.send(stream_);
    sums_.send(stream_);
    check(cudaMemsetAsync(table_.data(), 0, K_ * N_ * sizeof(double), stream_), "clear the log-densities");
    const auto numbers = static_cast<std::int64_t>(K_ * N_);
    for (std::size_t d = 0; d < D_; ++d) {
      check(family().log_density(batch_of(d, nullptr), view_of(d), {logs_.data(), numbers, constants_.data()}, each,
                                 stream_),
            "launch the log-densities");
      check(launch_add_present(column_.data(), logs_.data(), numbers, table_.data(), stream_), "add log-densities");
    }
    check(launch_find_responsibilities(
              {static_cast<std::int64_t>(A_), rows(), static_cast<int>(K_), device_offsets_.data(), w_.data(),
               w_.data(), log_weights_.device.data(), table_.data(), kept_.data(), totals_of_components_.device.data(),
               totals_.device.data()},
              plan, stream_),
          "launch the E step");
    for (std::size_t d = 0; d < D_; ++d) {
      repeat(d);
      check(launch_column_sums({device_offsets_.data(), column_.data(), table_.data(), sums_.device.data() + d * F_},
                               each, stream_),
            "launch the sums of a column");
    }
    sums_.fetch(stream_);
    totals_of_components_.fetch(stream_);
    totals_.fetch(stream_);
    sum_log_likelihoods(each);
    for_each(passes, 1, [&](em_pass& pass) {
      if (!pass.wants_e_step()) return;
      mixture_attempt& a = attempts_[at(pass.attempt)];
      for (std::size_t i = 0; i < K_ * D_; ++i) {
        a.sums[i] = sums_.host[place(i, pass)];
        a.sums[i].log_density = found_.host[place(i, pass)];
      }
      for (std::size_t k = 0; k < K_; ++k) a.totals[k] = totals_of_components_.host[k * A_ + at(pass.attempt)].weight;
      pass.log_likelihood = totals_.host[at(pass.attempt)];
    });
  }

 private:
  static std::size_t at(int attempt) { return static_cast<std::size_t>(attempt); }
  std::int64_t rows() const { return static_cast<std::int64_t>(N_); }
  const operations<on_cuda, double>& family() const { return table_of<double>(*parts_[0].family); }
  /// Of distribution i of an attempt's [K × D]: among [D × F].
  std::size_t place(std::size_t i, const em_pass& pass) const { return i % D_ * F_ + i / D_ * A_ + at(pass.attempt); }
  /// The same of parameter p: among [D × parameter_stride × F].
  std::size_t place(std::size_t i, int p, const em_pass& pass) const {
    return (i % D_ * parameter_stride_ + static_cast<std::size_t>(p)) * F_ + i / D_ * A_ + at(pass.attempt);
  }
  double* parameters_of(std::size_t d) const { return parameters_.device.data() + d * parameter_stride_ * F_; }
  parameters_view view_of(std::size_t d) const { return {parameters_of(d), 1, static_cast<std::int64_t>(F_)}; }
  /// Column d once for each component into `column_`.
  void repeat(std::size_t d) const {
    check(launch_repeat(x_.data() + d * N_, rows(), static_cast<std::int64_t>(K_), column_.data(), stream_),
          "lay a column out");
  }
  batch_view<double> batch_of(std::size_t d, const double* weights) const {
    repeat(d);
    return {column_.data(), weights, device_offsets_.data(), 0, static_cast<std::int64_t>(F_)};
  }
  /// Σ responsibility log f of every distribution at the parameters on the host, into `found_`.
  void sum_log_likelihoods(const launch_plan& plan) {
    parameters_.send(stream_);
    for (std::size_t d = 0; d < D_; ++d)
      check(family().log_likelihood(batch_of(d, table_.data()), view_of(d), {found_.device.data() + d * F_}, plan,
                                    stream_),
            "launch the log-likelihoods");
    found_.fetch(stream_);
    check(cudaStreamSynchronize(stream_), "sum the log-likelihoods");
  }

  cudaStream_t stream_;
  int threads_;
  std::span<const mixture_part> parts_;
  std::span<mixture_attempt> attempts_;
  std::size_t K_, A_, D_, F_, parameter_stride_;  ///< F: fits of a column, k × A + a
  attempt_plans plans_, step_plans_;
  std::size_t N_;                   ///< rows of all attempts
  std::vector<double> host_table_;  ///< [K × N]: responsibilities of starts
  device_array<std::int64_t> device_offsets_;
  device_array<double> x_, w_, kept_;           ///< [D × N], [N], [N]
  device_array<double> column_, logs_, table_;  ///< [K × N]
  mirrored<double> parameters_;                 ///< [D × parameter_stride × F]
  device_array<double> std_errors_, constants_;
  mirrored<double> found_, log_weights_, totals_;
  mirrored<component_sums> totals_of_components_, sums_;  ///< [F], [D × F]
  mirrored<fit_status> status_;
  device_array<std::int32_t> iterations_;
  device_array<std::int64_t> counts_;
};

}  // namespace manyfit::cuda
