// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Draws for a batch on CPU threads. Draw i of a fit uses its own Philox words, determined by the seed, the fit's stream
// and i alone: it depends neither on threads nor on other fits.
#pragma once

#include "kernels/algorithms/score.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cpu.hpp"

MF_NAMESPACE_BEGIN

/// out[fit × size + i] = draw i of fit `fit`; NaN where the fit's parameters are not valid. streams: [count], or null
/// for the fit's index. Host memory.
template <class Family>
void simulate_batch(const parameters_view& parameters, std::int64_t count, std::int64_t size, std::uint64_t seed,
                    const std::uint64_t* streams, double* out, int threads) {
  constexpr int P = parameter_count<Family>;
  constexpr std::int64_t partition = 4096;  // draws: a single fit is distributed too
  const std::int64_t partitions = (size + partition - 1) / partition;
  parallel_for(threads, count * partitions, fits_at_a_time(count * partitions, threads), [&](std::int64_t at) {
    const std::int64_t fit = at / partitions, begin = at % partitions * partition;
    const std::int64_t end = size - begin < partition ? size : begin + partition;
    const vec<double, P> p = parameters_of<P>(parameters, fit);
    const std::uint64_t stream = streams ? streams[fit] : static_cast<std::uint64_t>(fit);
    for (std::int64_t i = begin; i < end; ++i) {
      philox_stream random(seed, stream, static_cast<std::uint64_t>(i));
      out[fit * size + i] = draw_of<Family>(p, random);
    }
  });
}

MF_NAMESPACE_END
