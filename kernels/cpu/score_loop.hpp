// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The two primitives below a fit, as threaded loops over a batch: the log-density of every value, and its weighted sum
// over each sample.
#pragma once

#include "kernels/algorithms/score.hpp"
#include "kernels/cpu/fit_loop.hpp"
#include "kernels/groups/serial_group.hpp"

MF_NAMESPACE_BEGIN

/// out[i] = log f(values[i] | parameters of the value's sample), in input order; host memory. Weights are not read.
template <class Family, class T>
void log_density_batch(const batch_view<T>& batch, const parameters_view& parameters, double* out, int threads) {
  constexpr int P = parameter_count<Family>;
  const std::int64_t first = batch.offsets ? batch.offsets[0] : 0;
  parallel_for(threads, batch.count, fits_at_a_time(batch.count, threads), [&](std::int64_t fit) {
    const sample<T> points = sample_of(batch, fit);
    double* to = out + (points.values - batch.values) - first;
    const vec<double, P> plain = parameters_of<P>(parameters, fit);
    const bool valid = valid_parameters<Family>(plain);
    const auto p = params_from<Family>(plain);
    vec<pack, P> wide;
    for (int i = 0; i < P; ++i) wide[i] = pack(plain[i]);
    const bool narrow = valid && is_narrow<Family>(p);
    const pack constant(valid ? log_constant_of<Family, double>(p) : constants::nan);
    for (std::int64_t i = 0; i < points.size; i += pack::lanes) {
      const bool whole = i + pack::lanes <= points.size;
      double lane[pack::lanes];
      for (int l = 0; l < pack::lanes && !whole; ++l)
        lane[l] = i + l < points.size ? static_cast<double>(points.values[i + l]) : constants::nan;
      const pack x = whole ? pack::load(points.values + i) : pack::load(lane);
      const pack value = log_density_at<Family>(params_from<Family>(wide), constant, narrow, x);
      if (whole) {
        value.store(to + i);
      } else {
        value.store(lane);
        for (int l = 0; i + l < points.size; ++l) to[i + l] = lane[l];
      }
      if (!valid)
        for (int l = 0; l < pack::lanes && i + l < points.size; ++l) to[i + l] = constants::nan;
    }
  });
}

/// out[fit] = log_likelihood_of the sample at its parameters; host memory.
template <class Family, class T>
void log_likelihood_batch(const batch_view<T>& batch, const parameters_view& parameters, double* out, int threads) {
  constexpr int P = parameter_count<Family>;
  parallel_for(
      threads, batch.count, fits_at_a_time(batch.count, threads), [](int) { return serial_worker<Family>(); },
      [&](serial_worker<Family>& worker, std::int64_t fit) {
        out[fit] = log_likelihood_of<Family>(worker.points, worker.points.load(sample_of(batch, fit)),
                                             parameters_of<P>(parameters, fit));
      });
}

MF_NAMESPACE_END
