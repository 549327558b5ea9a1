// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The operations on CPU threads: threads take samples in turn, each runs its own on a serial_group. Which thread runs a
// sample, and when, changes no bit of it.
#pragma once

#include "kernels/algorithms/operations.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/groups/serial_group.hpp"

MF_NAMESPACE_BEGIN

/// What a thread's samples share.
template <class Family>
struct serial_worker {
  serial_worker() {}  // which leaves the scratch as it is: to fill it with zeros costs as much as a tenth of a fit
  serial_scratch scratch;
  serial_group<family_rows<Family>> points{scratch};
};

/// An operation on every sample of `batch`.
template <class Operation, class Family, class T>
void sample_loop(const batch_view<T>& batch, const typename Operation::given& given,
                 const typename Operation::results& results, int threads, std::atomic<std::int64_t>* completed) {
  parallel_for(
      threads, batch.count, fits_at_a_time(batch.count, threads), [](int) { return serial_worker<Family>(); },
      [&](serial_worker<Family>& worker, std::int64_t fit) {
        store(Operation::template of<Family>(worker.points, sample_of(batch, fit), given, fit, 0x1p-52), results, fit);
        if (completed) completed->fetch_add(1, std::memory_order_relaxed);
      });
}

/// log f(values[i] | parameters of the value's sample). Weights are not read.
template <class Family, class T>
void log_density_loop(const batch_view<T>& batch, const parameters_view& parameters, const log_density_view& out,
                      int threads, std::atomic<std::int64_t>*) {
  constexpr int P = parameter_count<Family>;
  const std::int64_t first = batch.offsets ? batch.offsets[0] : 0;
  parallel_for(threads, batch.count, fits_at_a_time(batch.count, threads), [&](std::int64_t fit) {
    const sample<T> points = sample_of(batch, fit);
    double* to = out.values + (points.values - batch.values) - first;
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

struct cpu_loops {
  using target = on_cpu;
  template <class Operation, class Family, class T>
  static constexpr auto sample = &sample_loop<Operation, Family, T>;
  template <class Family, class T>
  static constexpr auto log_density = &log_density_loop<Family, T>;
};

MF_NAMESPACE_END
