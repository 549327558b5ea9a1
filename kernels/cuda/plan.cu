// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The plan of a batch, made on the device: ragged fits sorted by size, largest first (CUB's radix sort, stable, so that
// equal sizes keep their order), and the bounds of the tiers by binary search in the sorted sizes. No copy to the host.
#include <cub/device/device_radix_sort.cuh>

#include "kernels/cuda/functions.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/groups/reduce.hpp"

namespace manyfit {

namespace {

/// Bytes of each array in the workspace, each on a 256-byte boundary.
struct workspace_layout {
  std::size_t bounds, next, sizes, sorted_sizes, numbers, order, sort, total;
  explicit workspace_layout(std::int64_t count) {
    const auto n = static_cast<std::size_t>(count);
    std::size_t sort_bytes = 0;
    cub::DeviceRadixSort::SortPairsDescending(nullptr, sort_bytes, static_cast<std::int64_t*>(nullptr),
                                              static_cast<std::int64_t*>(nullptr), static_cast<std::int32_t*>(nullptr),
                                              static_cast<std::int32_t*>(nullptr), count);
    total = 0;
    bounds = place(2 * tier_count * sizeof(std::int64_t));
    next = place(tier_count * sizeof(std::int64_t));
    sizes = place(n * sizeof(std::int64_t));
    sorted_sizes = place(n * sizeof(std::int64_t));
    numbers = place(n * sizeof(std::int32_t));
    order = place(n * sizeof(std::int32_t));
    sort = place(sort_bytes);
    sort_bytes_ = sort_bytes;
  }
  std::size_t sort_bytes_;

 private:
  std::size_t place(std::size_t bytes) {
    const std::size_t at = total;
    total += (bytes + 255) / 256 * 256;
    return at;
  }
};

__global__ void measure_kernel(const std::int64_t* offsets, std::int64_t count, std::int64_t* sizes,
                               std::int32_t* numbers) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    sizes[i] = offsets[i + 1] - offsets[i];
    numbers[i] = static_cast<std::int32_t>(i);
  }
}

/// Thread t finds where tier t begins and ends among sizes that fall; sizes null: all are `size`.
__global__ void bounds_kernel(const std::int64_t* sizes, std::int64_t size, std::int64_t count, std::int64_t* bounds) {
  const int t = static_cast<int>(threadIdx.x);
  if (t >= tier_count) return;
  constexpr std::int64_t largest_of[tier_count] = {tiers[0].largest, tiers[1].largest, tiers[2].largest,
                                                   tiers[3].largest};
  // Positions before the first size that is <= limit.
  const auto above = [&](std::int64_t limit) {
    if (!sizes) return size > limit ? count : std::int64_t{0};
    std::int64_t low = 0, high = count;
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      if (sizes[middle] > limit)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  };
  bounds[2 * t] = above(largest_of[t]);
  bounds[2 * t + 1] = t == 0 ? count : above(largest_of[t - 1]);
}

}  // namespace

std::size_t grid_slot_count() {
  device_limits limits;
  if (device_limits::query(limits) != cudaSuccess) return 0;
  return static_cast<std::size_t>(2) * grid_blocks_per_multiprocessor * limits.multiprocessors * reduction_width;
}

bool plan_is_launchable() {
  cudaFuncAttributes attributes{};
  const bool launchable = cudaFuncGetAttributes(&attributes, bounds_kernel) == cudaSuccess;
  cudaGetLastError();
  return launchable;
}

std::size_t plan_workspace_bytes(std::int64_t count) {
  return workspace_layout(count).total;
}

int plan_batch(const std::int64_t* offsets, std::int64_t size, std::int64_t count, void* workspace, launch_plan& plan,
               void* stream_handle) {
  const auto stream = static_cast<cudaStream_t>(stream_handle);
  const workspace_layout layout(count);
  const auto at = [&](std::size_t offset) { return static_cast<char*>(workspace) + offset; };
  auto* bounds = reinterpret_cast<std::int64_t*>(at(layout.bounds));
  plan.bounds = bounds;
  plan.next = reinterpret_cast<std::int64_t*>(at(layout.next));
  plan.order = nullptr;
  std::int64_t* sorted = nullptr;
  if (offsets) {
    auto* sizes = reinterpret_cast<std::int64_t*>(at(layout.sizes));
    sorted = reinterpret_cast<std::int64_t*>(at(layout.sorted_sizes));
    auto* numbers = reinterpret_cast<std::int32_t*>(at(layout.numbers));
    auto* order = reinterpret_cast<std::int32_t*>(at(layout.order));
    const auto blocks = static_cast<int>(count < 1024 * 256 ? (count + 255) / 256 : 1024);
    int e =
        launch(measure_kernel, {.blocks = blocks, .threads = 256, .stream = stream}, offsets, count, sizes, numbers);
    if (e != cudaSuccess) return e;
    std::size_t sort_bytes = layout.sort_bytes_;
    e = cub::DeviceRadixSort::SortPairsDescending(at(layout.sort), sort_bytes, sizes, sorted, numbers, order, count, 0,
                                                  64, stream);
    if (e != cudaSuccess) return e;
    plan.order = order;
  }
  return launch(bounds_kernel, {.blocks = 1, .threads = 32, .stream = stream}, sorted, size, count, bounds);
}

}  // namespace manyfit
