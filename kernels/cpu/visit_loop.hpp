// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Shows every fit of a batch to a visitor as an objective of a dimension known at run time: what climbs or samples from
// outside is compiled once, not once for every family and instruction set.
#pragma once

#include "kernels/contracts/wide_objective.hpp"
#include "kernels/cpu/operations.hpp"

MF_NAMESPACE_BEGIN

/// `batch`: host memory. Samples without a value that counts are shown too, with a weight of 0 and an objective that
/// must not be asked.
template <class Family, class T>
void visit_batch(const batch_view<T>& batch, const fit_visitor& visitor, int threads) {
  parallel_for(
      threads, batch.count, fits_at_a_time(batch.count, threads), [](int) { return serial_worker<Family>(); },
      [&](serial_worker<Family>& worker, std::int64_t fit) {
        const sample_summary summary = worker.points.load(sample_of(batch, fit));
        const auto show = [&](const auto& over) {
          const wide_view<std::decay_t<decltype(over)>> view(over);
          visitor.visit(visitor.self, fit, loaded_of<Family>(summary), view);
        };
        if constexpr (has_statistics<Family>) {
          const gathered<Family> statistics = gather<Family>(worker.points, summary);
          show(likelihood<Family, gathered<Family>>(statistics));
        } else {
          show(likelihood<Family, serial_group<family_rows<Family>>>(worker.points, summary));
        }
      });
}

MF_NAMESPACE_END
