// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Draws on CUDA, a thread each.
#pragma once

#include "kernels/algorithms/score.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cuda.cuh"
#include "kernels/random/transforms.hpp"

MF_NAMESPACE_BEGIN

template <class Family>
__global__ void simulate_kernel(parameters_view parameters, std::int64_t count, std::int64_t size, std::uint64_t seed,
                                const std::uint64_t* streams, double* out) {
  constexpr int P = parameter_count<Family>;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  std::int64_t i = grid_stride_begin();
  for (dense_place place(i, size, stride); i < count * size; i += stride, place.advance()) {
    const vec<double, P> p = parameters_of<P>(parameters, place.fit);
    philox_stream random(seed, streams ? streams[place.fit] : static_cast<std::uint64_t>(place.fit),
                         static_cast<std::uint64_t>(place.at));
    out[i] = draw_of<Family>(p, random);
  }
}

template <class Family>
int simulate_batch(const parameters_view& parameters, std::int64_t count, std::int64_t size, std::uint64_t seed,
                   const std::uint64_t* streams, double* out, void* stream_handle) {
  return launch(simulate_kernel<Family>, launch_over(count * size, stream_handle), parameters, count, size, seed,
                streams, out);
}

MF_NAMESPACE_END
