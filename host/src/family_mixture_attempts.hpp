// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The attempts of EM that a call of fit_mixture() is made of, a number of components and a start each, and the choice
// among those of a fit.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"
#include "kernels/algorithms/em.hpp"
#include "kernels/cpu/product_passes.hpp"
#include "manyfit/family_mixture.hpp"

namespace manyfit {

inline bool has_parameters(fit_status status) {
  return status == fit_status::converged || status == fit_status::max_iterations;
}

inline std::int64_t count_free(std::span<const mixture_component> parts, int K, int columns) {
  std::int64_t free = K - 1;
  for (int k = 0; k < K; ++k) {
    const mixture_component& part = parts.size() == 1 ? parts[0] : parts[static_cast<std::size_t>(k)];
    if (part.family) free += columns * (part.family->parameter_count - static_cast<std::int64_t>(part.fixed.size()));
  }
  return free;
}

/// One attempt at a fit and how it went.
struct fit_attempt {
  mixture_attempt attempt;
  em_climb climb;
};

/// An attempt into the results, its components in order of their means where they are of one family.
inline void keep(const fit_attempt& one, std::int64_t fit, bool sorted, family_mixture_results& r) {
  const mixture_attempt& a = one.attempt;
  const auto K = a.weights.size(), D = static_cast<std::size_t>(r.columns);
  std::vector<std::size_t> order(K);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (sorted)
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t i, std::size_t j) { return a.means[i * D] < a.means[j * D]; });
  const std::size_t stride = D * static_cast<std::size_t>(r.parameter_stride);
  for (std::size_t k = 0; k < K; ++k) {
    const std::size_t to = static_cast<std::size_t>(r.first_component(fit)) + k;
    r.weights[to] = a.weights[order[k]];
    std::copy_n(a.means.begin() + static_cast<std::ptrdiff_t>(order[k] * D), D,
                r.means.begin() + static_cast<std::ptrdiff_t>(to * D));
    std::copy_n(a.parameters.begin() + static_cast<std::ptrdiff_t>(order[k] * stride), stride,
                r.parameters.begin() + static_cast<std::ptrdiff_t>(to * stride));
  }
  r.log_likelihood[static_cast<std::size_t>(fit)] = one.climb.log_likelihood;
  if (!r.log_likelihood_trace.empty()) r.log_likelihood_trace[static_cast<std::size_t>(fit)] = one.climb.trace;
}

/// What the fits of a call have in common, and which of their attempts is the best so far.
class mixture_fits {
 public:
  mixture_fits(std::vector<mixture_part> parts, const family_mixture_options& options, int fewest,
               family_mixture_results& results)
      : options_(options),
        given_(options.start == mixture_start::given),
        listed_(parts.size() > 1),
        fewest_(fewest),
        restarts_(given_ ? 1 : options.restarts),
        parts_(std::move(parts)),
        r_(results),
        best_(static_cast<std::size_t>(results.count), std::numeric_limits<double>::infinity()) {
    if (!listed_) parts_.resize(static_cast<std::size_t>(results.max_components), parts_[0]);
  }

  em_settings settings() const { return {options_.max_iterations, options_.tolerance, options_.restart_collapsed}; }
  std::size_t columns() const { return static_cast<std::size_t>(r_.columns); }
  bool spread() const { return options_.start != mixture_start::random; }
  std::int64_t attempts_of_a_fit() const { return restarts_ * (given_ ? 1 : r_.tried); }
  int components(std::int64_t fit, std::int64_t number) const {
    return given_ ? options_.start_values->components[source(fit)] : fewest_ + static_cast<int>(number / restarts_);
  }
  std::size_t fewest_coded_values() const { return manyfit::fewest_coded_values(parts_[0]); }
  std::span<const mixture_part> parts(std::size_t K) const { return std::span(parts_).first(K); }

  /// Attempt number `number` of a fit, at its start; done already where the sample is unfit.
  fit_attempt attempt_of(std::int64_t fit, std::int64_t number, const mixture_sample& sample) const {
    const int K = components(fit, number);
    const auto stream = static_cast<std::uint64_t>(number % restarts_);
    fit_attempt one{{&sample, stream, philox_stream(options_.seed, stream, static_cast<std::uint32_t>(K))}, {}};
    mixture_attempt& a = one.attempt;
    a.weights.resize(static_cast<std::size_t>(K));
    if (given_) {
      one.climb.step = em_step::look;
      const family_mixture_results& start = *options_.start_values;
      const auto at = static_cast<std::int64_t>(source(fit));
      double sum = 0;
      for (int k = 0; k < K; ++k) sum += start.weight(at, k);
      for (int k = 0; k < K; ++k) {
        a.weights[static_cast<std::size_t>(k)] = start.weight(at, k) / sum;
        for (int p = 0; p < r_.columns * r_.parameter_stride; ++p) a.parameters.push_back(start.parameter(at, k, p));
      }
    }
    if (const fit_status unfit = unfit_for(sample, parts(a.weights.size())); unfit != fit_status::not_run)
      one.climb.fail(unfit);
    return one;
  }

  /// Takes an attempt to its end on the CPU.
  void climb(fit_attempt& one, int threads) const {
    if (one.climb.step == em_step::done) return;
    const auto all = parts(one.attempt.weights.size());
    const auto climb_over = [&](auto passes) {
      mixture_of model(passes, all, r_.parameter_stride, {&one.attempt, 1}, spread());
      run_em(model, {&one.climb, 1}, settings());
    };
    if (r_.columns > 1)
      climb_over(cpu_product_passes(all, r_.parameter_stride, one.attempt, cpu_mixture_functions(), threads));
    else
      climb_over(cpu_mixture_passes(all, r_.parameter_stride, one.attempt,
                                    cpu_mixture_functions().find_responsibilities, threads));
  }

  /// Takes attempts of equally many components to their ends on a device.
  void climb_on(const executor& where, std::span<mixture_attempt> attempts, std::span<em_climb> climbs) const {
    cuda::run_family_mixtures(where, parts(attempts[0].weights.size()), r_.parameter_stride, attempts, climbs, spread(),
                              settings());
  }

  /// Keeps the attempt where it is better than those of smaller numbers; true where it has parameters and is.
  bool consider(std::int64_t fit, std::int64_t number, const fit_attempt& one) {
    const auto at = static_cast<std::size_t>(fit);
    const mixture_sample& sample = *one.attempt.sample;
    const int K = static_cast<int>(one.attempt.weights.size());
    const bool usable = has_parameters(one.climb.status);
    double value = std::numeric_limits<double>::infinity();
    if (usable) {
      const auto p = static_cast<double>(count_free(r_.parts, K, r_.columns));
      const bool bic = options_.select == information_criterion::bic;
      value = (bic ? p * std::log(static_cast<double>(sample.observations)) : 2 * p) - 2 * one.climb.log_likelihood;
      if (!given_) {
        double& known = r_.criteria[static_cast<std::size_t>(fit * r_.tried + K - fewest_)];
        if (!(known <= value)) known = value;
      }
    }
    if (number > 0 && !(value < best_[at])) return false;
    best_[at] = value;
    r_.components[at] = K;
    r_.status[at] = one.climb.status;
    r_.iterations[at] = one.climb.iterations;
    r_.observations[at] = sample.observations + sample.nonfinite;
    r_.missing[at] = sample.missing;
    r_.left_out[at] = sample.left_out;
    r_.outside[at] = one.climb.status == fit_status::out_of_support ? count_outside(sample, parts(1)) : 0;
    if (usable) keep(one, fit, !given_ && !listed_, r_);
    return usable;
  }

 private:
  std::size_t source(std::int64_t fit) const {
    return given_ && options_.start_values->count > 1 ? static_cast<std::size_t>(fit) : 0;
  }

  const family_mixture_options& options_;
  bool given_, listed_;
  int fewest_;
  std::int64_t restarts_;
  std::vector<mixture_part> parts_;
  family_mixture_results& r_;
  std::vector<double> best_;
};

}  // namespace manyfit
