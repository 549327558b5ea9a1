// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of a family for passes of climbs that are stepped from outside: a fit to a warp, a block or the grid. A
// warp takes what in a fit is a part of one: what is done once for a fit and iteration is done on the host.
#pragma once

#include "kernels/cuda/operations.cuh"
#include "kernels/cuda/pass_work.hpp"
#include "kernels/registry.hpp"

MF_NAMESPACE_BEGIN

template <class Family, class T>
__global__ void __launch_bounds__(block_threads,
                                  resident_blocks_wanted(true, climbs_over_doubles<fit_operation, Family, T>))
    pass_warp_kernel(batch_view<T> batch, pass_view pass, work_list work, std::int64_t capacity) {
  MF_DYNAMIC_SHARED(shared);
  cuda_lanes<32> context;
  pass_work<Family>(context, lanes_buffer<32, T>(shared, capacity), capacity, work, batch, pass);
}

template <class Family, class T>
__global__ void __launch_bounds__(block_threads,
                                  resident_blocks_wanted(true, climbs_over_doubles<fit_operation, Family, T>))
    pass_block_kernel(batch_view<T> batch, pass_view pass, work_list work, std::int64_t capacity) {
  MF_DYNAMIC_SHARED(shared);
  one_block context(shared);
  pass_work<Family>(context, block_buffer<T>(shared), capacity, work, batch, pass);
}

template <class Family, class T>
__global__ void __launch_bounds__(block_threads, resident_blocks_wanted(false, false))
    pass_grid_kernel(batch_view<T> batch, pass_view pass, work_list work, std::int64_t capacity, grid_exchange grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context = grid_context(shared, grid);
  pass_work<Family>(context, block_buffer<T>(shared), capacity, work, batch, pass);
}

/// One pass over a batch in device memory; see cuda_passes.
template <class Family, class T>
int launch_pass(const batch_view<T>& batch, const pass_view& pass, const launch_plan& plan, void* stream) {
  const tier_kernels kernels{pass_warp_kernel<Family, T>, pass_warp_kernel<Family, T>, pass_block_kernel<Family, T>,
                             pass_grid_kernel<Family, T>};
  return launch_tiers(kernels, plan, sizeof(T), static_cast<cudaStream_t>(stream), batch, pass);
}

MF_NAMESPACE_END
