// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The threaded loop over the fits of a batch: OpenMP threads take fits in turn, each runs its fit on a serial_group.
// Which thread runs a fit, and when, changes no bit of it.
#pragma once

#include <atomic>

#include "kernels/algorithms/mle.hpp"
#include "kernels/groups/serial_group.hpp"

MF_NAMESPACE_BEGIN

/// How many fits a thread takes at a time: few enough that the last ones balance, many enough that taking is free.
inline int fits_at_a_time(std::int64_t count, int threads) {
  const std::int64_t share = count / (std::int64_t{64} * threads);
  return static_cast<int>(share < 1 ? 1 : share > 256 ? 256 : share);
}

/// Fits every sample of `batch` (host memory) into `results` (host memory). `completed`, when given, counts fits.
template <class Family, class T>
void fit_batch(const batch_view<T>& batch, const fit_settings& settings, const fit_results_view& results, int threads,
               std::atomic<std::int64_t>* completed) {
  const int team = batch.count < threads ? static_cast<int>(batch.count) : threads;  // waking the others costs time
#pragma omp parallel num_threads(team > 1 ? team : 1)
  {
    serial_scratch scratch;
    serial_group<Family> points(scratch);
#pragma omp for schedule(dynamic, fits_at_a_time(batch.count, threads))
    for (std::int64_t fit = 0; fit < batch.count; ++fit) {
      store(fit_one<Family>(points, sample_of(batch, fit), settings, 0x1p-52), results, fit);
      if (completed) completed->fetch_add(1, std::memory_order_relaxed);
    }
  }
}

MF_NAMESPACE_END
