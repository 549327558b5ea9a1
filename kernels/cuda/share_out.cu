// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of mixtures of families: what a family's own kernels do not do. They know no family, so that this is
// compiled once; a component's log-densities and its M step are its family's launches.
#include "kernels/cuda/operations.cuh"
#include "kernels/cuda/share_functions.hpp"

MF_NAMESPACE_BEGIN

/// Blocks per multiprocessor that leave a thread 128 registers: with the 64 that ptxas takes else a block would spill.
inline constexpr int share_blocks = 4;

template <int Width>
__global__ void __launch_bounds__(block_threads, share_blocks)
    share_lanes_kernel(share_batch all, work_list work, std::int64_t) {
  cuda_lanes<Width> context;
  share_work(context, work, all);
}

__global__ void __launch_bounds__(block_threads, share_blocks)
    share_block_kernel(share_batch all, work_list work, std::int64_t) {
  MF_DYNAMIC_SHARED(shared);
  one_block context(shared);
  share_work(context, work, all);
}

__global__ void __launch_bounds__(block_threads, share_blocks)
    share_grid_kernel(share_batch all, work_list work, std::int64_t, grid_exchange grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context = grid_context(shared, grid);
  share_work(context, work, all);
}

__global__ void drop_small_shares_kernel(double* shares, const double* w, std::int64_t values) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = grid_stride_begin(); i < values; i += stride) shares[i] = share_that_counts(shares[i], w[i]);
}

__global__ void point_mass_kernel(const double* x, std::int64_t values, double at, double* out) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = grid_stride_begin(); i < values; i += stride) out[i] = point_mass_log_density(x[i], at);
}

MF_NAMESPACE_END

namespace manyfit {

int launch_share_out(const share_batch& all, const launch_plan& plan, void* stream) {
  constexpr int bytes = sizeof(double);
  const tier_kernels kernels{share_lanes_kernel<tiers[part_tier].lanes_for(bytes)>,
                             share_lanes_kernel<tiers[warp_tier].lanes_for(bytes)>, share_block_kernel,
                             share_grid_kernel};
  return launch_tiers(kernels, plan, bytes, static_cast<cudaStream_t>(stream), all);
}

int launch_drop_small_shares(double* shares, const double* w, std::int64_t values, void* stream) {
  return launch(drop_small_shares_kernel, launch_over(values, stream), shares, w, values);
}

int launch_point_mass(const double* x, std::int64_t values, double at, double* out, void* stream) {
  return launch(point_mass_kernel, launch_over(values, stream), x, values, at, out);
}

}  // namespace manyfit
