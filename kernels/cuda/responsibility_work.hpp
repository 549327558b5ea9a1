// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E step of mixtures of families on lanes, without a word of CUDA, and what its launchers are told. Attempts lie
// end to end; component k of attempt a has its numbers at k × attempts + a.
#pragma once

#include "kernels/cuda/work_list.hpp"
#include "kernels/groups/walk.hpp"
#include "kernels/models/responsibilities.hpp"

namespace manyfit {

/// Attempts at mixtures of K components each; every pointer is device memory.
struct responsibility_batch {
  std::int64_t attempts = 0, values = 0;
  int components = 0;                     ///< K
  const std::int64_t* offsets = nullptr;  ///< [attempts + 1], from 0
  const double* x = nullptr;              ///< [values]
  const double* w = nullptr;              ///< [values], each above 0
  const double* log_weights = nullptr;    ///< [K × attempts]
  double* table = nullptr;                ///< [K × values]: in: log-densities; out: responsibilities
  double* kept = nullptr;                 ///< [values], workspace
  component_sums* sums = nullptr;         ///< [K × attempts], in: the centres
  double* totals = nullptr;               ///< [attempts], out: log-likelihoods
};

/// A column that is laid out once for each component of each attempt, beside their responsibilities; device memory.
struct column_batch {
  const std::int64_t* offsets = nullptr;  ///< [components × attempts + 1]
  const double* x = nullptr;              ///< NaN: missing
  const double* responsibilities = nullptr;
  component_sums* sums = nullptr;  ///< [components × attempts], in: the centres; out: column_sums()
};

}  // namespace manyfit

MF_NAMESPACE_BEGIN

/// find_responsibilities() for every attempt of the work list.
template <class Context>
MF_FN_LARGE void responsibility_work(Context& context, const work_list& work, const responsibility_batch& all) {
  const std::int64_t begin = work.bounds[0], end = work.bounds[1];
  std::int64_t own_count = 0;
  for (;;) {
    const std::int64_t position = begin + take(context, work, 1, own_count);
    if (position >= end) break;
    const std::int64_t a = work.fit(position), first = all.offsets[a];
    lanes_walk<Context> walk{context, all.kept + first};
    const double total =
        find_responsibilities(walk, all.components, all.offsets[a + 1] - first, all.values, all.x + first,
                              all.w + first, all.log_weights + a, all.table + first, all.sums + a, all.attempts);
    if (walk.leads()) all.totals[a] = total;
  }
}

/// column_sums() for every component of the attempts of the work list.
template <class Context>
MF_FN_LARGE void column_work(Context& context, const work_list& work, const column_batch& all) {
  const std::int64_t begin = work.bounds[0], end = work.bounds[1];
  std::int64_t own_count = 0;
  for (;;) {
    const std::int64_t position = begin + take(context, work, 1, own_count);
    if (position >= end) break;
    const std::int64_t f = work.fit(position), first = all.offsets[f];
    lanes_walk<Context> walk{context, nullptr};
    column_sums(walk, all.offsets[f + 1] - first, all.x + first, all.responsibilities + first, all.sums[f]);
  }
}

MF_NAMESPACE_END
