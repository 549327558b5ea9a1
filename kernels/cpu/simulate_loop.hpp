// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Draws for a batch on CPU threads. Draw i of fit b comes from its own run of Philox words, set by the seed, the fit's
// stream and i alone: neither threads nor neighbours can change it.
#pragma once

#include "kernels/algorithms/score.hpp"
#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cpu.hpp"

MF_NAMESPACE_BEGIN

/// out[fit × size + i] = draw i of fit `fit`; NaN where the fit's parameters are not valid. streams: [count], or null
/// for the fit's index. Host memory.
template <class Family>
void simulate_batch(const parameters_view& parameters, std::int64_t count, std::int64_t size, std::uint64_t seed,
                    const std::uint64_t* streams, double* out, int threads) {
  constexpr int P = parameter_count<Family>;
#pragma omp parallel for num_threads(threads) schedule(static) collapse(2)
  for (std::int64_t fit = 0; fit < count; ++fit)
    for (std::int64_t i = 0; i < size; ++i) {
      const vec<double, P> p = parameters_of<P>(parameters, fit);
      philox_stream random(seed, streams ? streams[fit] : static_cast<std::uint64_t>(fit),
                           static_cast<std::uint64_t>(i));
      out[fit * size + i] = draw_of<Family>(p, random);
    }
}

MF_NAMESPACE_END
