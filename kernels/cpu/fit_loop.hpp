// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The threaded loop over the fits of a batch: threads take fits in turn, each runs its fit on a serial_group.
// Which thread runs a fit, and when, changes no bit of it.
#pragma once

#include <atomic>

#include "kernels/algorithms/mle.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/groups/serial_group.hpp"

MF_NAMESPACE_BEGIN

/// What a thread's fits share.
template <class Family>
struct serial_worker {
  serial_worker() {}  // which leaves the scratch as it is: to fill it with zeros costs as much as a tenth of a fit
  serial_scratch scratch;
  serial_group<family_rows<Family>> points{scratch};
};

/// Fits every sample of `batch` (host memory) into `results` (host memory). `completed`, when given, counts fits.
template <class Family, class T>
void fit_batch(const batch_view<T>& batch, const fit_settings& settings, const fit_results_view& results, int threads,
               std::atomic<std::int64_t>* completed) {
  parallel_for(
      threads, batch.count, fits_at_a_time(batch.count, threads), [](int) { return serial_worker<Family>(); },
      [&](serial_worker<Family>& worker, std::int64_t fit) {
        store(fit_one<Family>(worker.points, sample_of(batch, fit), settings, 0x1p-52), results, fit);
        if (completed) completed->fetch_add(1, std::memory_order_relaxed);
      });
}

MF_NAMESPACE_END
