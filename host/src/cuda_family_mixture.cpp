// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The passes of mixtures of families on CUDA, many attempts in step: each pass is a launch of every component's family
// over all of them, in turn. Starts come from the host; after them only a few numbers of each component travel. Data
// are doubles here, as on the CPU.
#include <algorithm>

#include "cuda_attempts.hpp"
#include "cuda_backend.hpp"
#include "cuda_product_passes.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cuda/responsibility_functions.hpp"

namespace manyfit::cuda {

namespace {

class cuda_mixture_passes {
 public:
  cuda_mixture_passes(const executor& where, std::span<const mixture_part> parts, int parameter_stride,
                      std::span<mixture_attempt> attempts)
      : stream_(static_cast<cudaStream_t>(where.stream())),
        threads_(executor::cpu().threads()),
        parts_(parts),
        attempts_(attempts),
        K_(parts.size()),
        A_(attempts.size()),
        parameter_stride_(static_cast<std::size_t>(parameter_stride)),
        plans_(attempts, 1, stream_),
        N_(static_cast<std::size_t>(plans_.values())),
        host_table_(K_ * N_),
        device_offsets_(A_ + 1),
        x_(N_),
        w_(N_),
        table_(K_ * N_),
        kept_(N_),
        parameters_(K_ * parameter_stride_ * A_),
        std_errors_(parameter_stride_ * A_),
        constants_(A_),
        found_(K_ * A_),
        log_weights_(K_ * A_),
        totals_(A_),
        sums_(K_ * A_),
        status_(K_ * A_),
        iterations_(A_),
        counts_(2 * A_) {
    device_offsets_.copy_from(plans_.offsets(), stream_);
    std::vector<double> x, w;
    for (const mixture_attempt& a : attempts_) {
      const mixture_sample& s = *a.sample;
      x.insert(x.end(), s.x.begin(), s.x.begin() + s.observations);
      w.insert(w.end(), s.w.begin(), s.w.begin() + s.observations);
    }
    x_.copy_from(x, stream_);
    w_.copy_from(w, stream_);
    // What is read back before all of it was written, and responsibilities of attempts that do not get as far as a
    // start.
    for (mirrored<double>* each : {&parameters_, &found_, &totals_}) each->send(stream_);
    status_.send(stream_);
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
      for (std::size_t k = 0; k < K_; ++k)
        a.sums[k] = sums_of_start(a.sample->x.data(), start_responsibilities(pass.attempt).of(k), a.sample->size());
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
    check(launch_drop_small_responsibilities(responsibilities_of(k), w_.data(), values(), stream_),
          "launch on responsibilities");
  }

  void fit(std::span<em_pass> passes, part_fit* found) {
    const auto wants = [](const em_pass& pass) { return pass.wants_m_step(); };
    const launch_plan plan = plans_.plan_for(passes, wants);
    if (!plan.order) return;
    for (std::size_t k = 0; k < K_; ++k) {
      if (!parts_[k].family) continue;
      const fit_results_view results{parameters_of(k),
                                     std_errors_.data(),
                                     found_.device.data() + k * A_,
                                     iterations_.data(),
                                     status_.device.data() + k * A_,
                                     counts_.data(),
                                     counts_.data() + A_,
                                     static_cast<std::int64_t>(A_)};
      check(table_of<double>(*parts_[k].family)
                .fit(batch_with(responsibilities_of(k)), parts_[k].settings, results, plan, stream_),
            "launch the fits");
    }
    parameters_.fetch(stream_);
    found_.fetch(stream_);
    status_.fetch(stream_);
    check(cudaStreamSynchronize(stream_), "fit the components");
    for_each(passes, attempts_at_a_time, [&](const em_pass& pass) {
      for (std::size_t k = 0; k < K_ && wants(pass); ++k) {
        const std::size_t a = at(pass.attempt);
        part_fit& to = found[a * K_ + k];
        for (int p = 0; p < parts_[k].parameter_count(); ++p) to.parameters[p] = parameters_.host[place(k, p, a)];
        to.log_likelihood = found_.host[k * A_ + a];
        to.status = status_.host[k * A_ + a];
      }
    });
  }

  void log_likelihoods(std::span<const std::size_t> moved, part_fit* found) {
    for (std::size_t k = 0; k < K_; ++k) {
      std::vector<em_pass> listed;
      for (const std::size_t i : moved) {
        if (i % K_ != k) continue;
        const std::size_t a = i / K_;
        listed.push_back({static_cast<int>(a), em_step::climb});
        for (int p = 0; p < parts_[k].parameter_count(); ++p) parameters_.host[place(k, p, a)] = found[i].parameters[p];
      }
      if (listed.empty()) continue;
      const launch_plan plan = plans_.plan_for(listed, [](const em_pass&) { return true; });
      parameters_.send(stream_);
      check(table_of<double>(*parts_[k].family)
                .log_likelihood(batch_with(responsibilities_of(k)), view_of(k), {found_.device.data() + k * A_}, plan,
                                stream_),
            "launch the log-likelihoods");
    }
    found_.fetch(stream_);
    check(cudaStreamSynchronize(stream_), "sum the log-likelihoods");
    for (const std::size_t i : moved) found[i].log_likelihood = found_.host[i % K_ * A_ + i / K_];
  }

  void expect(std::span<em_pass> passes) {
    const launch_plan plan = plans_.plan_for(passes, [](const em_pass& pass) { return pass.wants_e_step(); });
    if (!plan.order) return;
    // Attempts that have ended have no parameters: their log-densities are NaN, and cost no more than writing that.
    std::fill(parameters_.host.begin(), parameters_.host.end(), constants::nan);
    for_each(passes, attempts_at_a_time, [&](const em_pass& pass) {
      for (std::size_t k = 0; k < K_ && pass.wants_e_step(); ++k) {
        const std::size_t a = at(pass.attempt);
        for (int p = 0; p < parts_[k].parameter_count(); ++p)
          parameters_.host[place(k, p, a)] =
              attempts_[a].parameters[k * parameter_stride_ + static_cast<std::size_t>(p)];
        log_weights_.host[k * A_ + a] = attempts_[a].log_weights[k];
        sums_.host[k * A_ + a] = attempts_[a].sums[k];
      }
    });
    parameters_.send(stream_);
    log_weights_.send(stream_);
    sums_.send(stream_);
    for (std::size_t k = 0; k < K_; ++k) {
      if (parts_[k].family)
        check(table_of<double>(*parts_[k].family)
                  .log_density(batch_with(nullptr), view_of(k), {responsibilities_of(k), values(), constants_.data()},
                               plan, stream_),
              "launch the log-densities");
      else
        check(launch_point_mass(x_.data(), values(), parts_[k].at, responsibilities_of(k), stream_),
              "launch the log-densities");
    }
    check(launch_find_responsibilities({static_cast<std::int64_t>(A_), values(), static_cast<int>(K_),
                                        device_offsets_.data(), x_.data(), w_.data(), log_weights_.device.data(),
                                        table_.data(), kept_.data(), sums_.device.data(), totals_.device.data()},
                                       plan, stream_),
          "launch the E step");
    sums_.fetch(stream_);
    totals_.fetch(stream_);
    check(cudaStreamSynchronize(stream_), "take the E step");
    for_each(passes, attempts_at_a_time, [&](em_pass& pass) {
      if (!pass.wants_e_step()) return;
      const std::size_t a = at(pass.attempt);
      for (std::size_t k = 0; k < K_; ++k) attempts_[a].sums[k] = sums_.host[k * A_ + a];
      pass.log_likelihood = totals_.host[a];
    });
  }

 private:
  static std::size_t at(int attempt) { return static_cast<std::size_t>(attempt); }
  std::int64_t values() const { return plans_.values(); }
  std::size_t place(std::size_t k, int p, std::size_t a) const {
    return (k * parameter_stride_ + static_cast<std::size_t>(p)) * A_ + a;
  }
  double* responsibilities_of(std::size_t k) const { return table_.data() + k * N_; }
  double* parameters_of(std::size_t k) const { return parameters_.device.data() + k * parameter_stride_ * A_; }
  parameters_view view_of(std::size_t k) const { return {parameters_of(k), 1, static_cast<std::int64_t>(A_)}; }
  batch_view<double> batch_with(const double* weights) const {
    return {x_.data(), weights, device_offsets_.data(), 0, static_cast<std::int64_t>(A_)};
  }

  cudaStream_t stream_;
  int threads_;
  std::span<const mixture_part> parts_;
  std::span<mixture_attempt> attempts_;
  std::size_t K_, A_, parameter_stride_;
  attempt_plans plans_;
  std::size_t N_;
  std::vector<double> host_table_;  ///< [K × N]: responsibilities of starts
  device_array<std::int64_t> device_offsets_;
  device_array<double> x_, w_, table_, kept_;
  mirrored<double> parameters_;  ///< [K × parameter_stride × A]
  device_array<double> std_errors_, constants_;
  mirrored<double> found_, log_weights_, totals_;
  mirrored<component_sums> sums_;
  mirrored<fit_status> status_;
  device_array<std::int32_t> iterations_;
  device_array<std::int64_t> counts_;
};

}  // namespace

std::int64_t family_mixture_values(const executor& where, std::size_t components, std::size_t columns) {
  const device_scope scope(where.device());
  constexpr std::int64_t most_bytes = std::int64_t{2} << 30;
  const std::int64_t bytes = std::min(allowance(where) / 10 * 9, most_bytes);
  const std::size_t numbers = columns > 1 ? cuda_product_passes::numbers_of_a_row(components, columns) : components + 3;
  return std::max<std::int64_t>(1, bytes / (8 * static_cast<std::int64_t>(numbers)));
}

void run_family_mixtures(const executor& where, std::span<const mixture_part> parts, int parameter_stride,
                         std::span<mixture_attempt> attempts, std::span<em_climb> climbs, bool spread,
                         const em_settings& settings) {
  const device_scope scope(where.device());
  const auto climb_over = [&](auto passes) {
    mixture_of model(passes, parts, parameter_stride, attempts, spread);
    run_em(model, climbs, settings);
  };
  if (attempts[0].sample->columns.empty())
    climb_over(cuda_mixture_passes(where, parts, parameter_stride, attempts));
  else
    climb_over(cuda_product_passes(where, parts, parameter_stride, attempts));
}

template <class T>
host_batch<T> copy_of(const executor& where, const batch<T>& data) {
  const device_scope scope(where.device());
  const auto stream = static_cast<cudaStream_t>(where.stream());
  host_batch<T> copy;
  const auto fetch = [&](auto& to, const auto* from, std::int64_t count) {
    to.resize(from ? static_cast<std::size_t>(count) : 0);
    check(cudaMemcpyAsync(to.data(), from, to.size() * sizeof(*from), cudaMemcpyDeviceToHost, stream),
          "copy the samples to the host");
  };
  fetch(copy.values, data.view.values, data.value_count);
  fetch(copy.weights, data.view.weights, data.value_count);
  fetch(copy.offsets, data.view.offsets, data.count() + 1);
  check(cudaStreamSynchronize(stream), "copy the samples to the host");
  return copy;
}
template <class T>
host_points<T> copy_of(const executor& where, const point_batch<T>& data) {
  const device_scope scope(where.device());
  const auto stream = static_cast<cudaStream_t>(where.stream());
  host_points<T> copy;
  const auto rows = static_cast<std::size_t>(data.row_count);
  copy.values.resize(rows * static_cast<std::size_t>(data.dimensions()));
  copy.weights.resize(data.view.weights ? rows : 0);
  check(cudaMemcpyAsync(copy.values.data(), data.view.values, copy.values.size() * sizeof(T), cudaMemcpyDeviceToHost,
                        stream),
        "copy the rows to the host");
  if (data.view.weights)
    check(cudaMemcpyAsync(copy.weights.data(), data.view.weights, rows * sizeof(T), cudaMemcpyDeviceToHost, stream),
          "copy the rows to the host");
  check(cudaStreamSynchronize(stream), "copy the rows to the host");
  return copy;
}
template host_batch<double> copy_of(const executor&, const batch<double>&);
template host_batch<float> copy_of(const executor&, const batch<float>&);
template host_points<double> copy_of(const executor&, const point_batch<double>&);
template host_points<float> copy_of(const executor&, const point_batch<float>&);

}  // namespace manyfit::cuda
