// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// CUDA's warps, blocks and grids as groups of lanes (cuda/contexts.cuh), and the plan of a batch (cuda/plan.cu), each
// by itself and under many seeds: what tests of whole fits rest on.
#include <algorithm>
#include <numeric>
#include <random>

#include "device_tests.hpp"
#include "kernels/cuda/contexts.cuh"
#include "kernels/cuda/functions.hpp"

namespace manyfit::tests {
namespace {

constexpr int reductions = 6;

/// Counts the lanes that get another sum, minimum or vote than all lanes together have.
template <class Context>
__device__ void count_wrong(Context& context, int* wrong) {
  const double n = context.lanes();
  for (int k = 0; k < reductions; ++k) {
    const double own = context.lane() + k;
    const auto sum = all_reduce<add_values>(context, vec<double, 2>{own, 1});
    const auto least = all_reduce<least_value>(context, vec<double, 1>{-own});
    const bool vote = context.uniform(context.lane() % 32 == k), none = context.uniform(false);
    const bool right = sum[0] == n * (n - 1) / 2 + k * n && sum[1] == n && least[0] == -(n - 1 + k) && vote && !none;
    if (!right) atomicAdd(wrong, 1);
  }
}
void warps_reduce(int* wrong) {
  cuda_warp context;
  count_wrong(context, wrong);
}
void blocks_reduce(int* wrong, grid_exchange grid, bool whole_grid) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context(shared, whole_grid ? static_cast<int>(gridDim.x) : 1, grid);
  count_wrong(context, wrong);
  if (whole_grid || blockDim.x != 128) return;
  cuda_own_block<128> own(shared);
  __syncthreads();  // the slots are the other context's until then
  count_wrong(own, wrong);
}
/// Every lane writes a number, waits for the whole grid and reads what a lane of another block wrote.
void lanes_of_a_grid_exchange(int* wrong, grid_exchange grid, double* numbers) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context(shared, static_cast<int>(gridDim.x), grid);
  const int n = context.lanes();
  for (int k = 1; k <= reductions; ++k) {
    double* const buffer = numbers + k % 2 * n;
    buffer[context.lane()] = k * n + context.lane();
    context.grid_barrier();
    const int other = (context.lane() + static_cast<int>(blockDim.x) + 7) % n;
    if (buffer[other] != k * n + other) atomicAdd(wrong, 1);
  }
}

/// Blocks of a grid, and what they share.
class exchange {
 public:
  explicit exchange(int blocks, int threads)
      : slots_(static_cast<std::size_t>(2 * blocks * reduction_width)),
        arrived_(1),
        wrong_(1),
        shape_{.blocks = blocks,
               .threads = threads,
               .shared = static_cast<std::size_t>(2 * threads / 32 * reduction_width) * sizeof(double),
               .cooperative = true} {
    cudaMemset(arrived_.get(), 0, sizeof(unsigned long long));
    cudaMemset(wrong_.get(), 0, sizeof(int));
  }
  const launch_shape& shape() const { return shape_; }
  grid_exchange grid() const { return {slots_.get(), arrived_.get()}; }
  int* wrong() const { return wrong_.get(); }
  bool right() const { return wrong_.on_host()[0] == 0; }

 private:
  device_array<double> slots_;
  device_array<unsigned long long> arrived_;
  device_array<int> wrong_;
  launch_shape shape_;
};

TEST(simulated_groups, warps_reduce_and_vote) {
  const auto run = [] {
    const exchange e(3, 64);
    return run_kernel(warps_reduce, e.shape(), e.wrong()) == cudaSuccess && e.right();
  };
  EXPECT_EQ(failures_of_60(run), 0);
}
TEST(simulated_groups, blocks_reduce_and_vote) {
  const auto run = [] {
    const exchange e(3, 128);
    return run_kernel(blocks_reduce, e.shape(), e.wrong(), e.grid(), false) == cudaSuccess && e.right();
  };
  EXPECT_EQ(failures_of_60(run), 0);
}
TEST(simulated_groups, grids_reduce_and_vote) {
  const auto run = [] {
    const exchange e(2, 96);
    return run_kernel(blocks_reduce, e.shape(), e.wrong(), e.grid(), true) == cudaSuccess && e.right();
  };
  EXPECT_EQ(failures_of_60(run), 0);
}
TEST(simulated_groups, every_lane_of_a_grid_waits_at_its_barrier) {
  const auto run = [] {
    const exchange e(2, 96);
    const device_array<double> numbers(2 * 2 * 96);
    return run_kernel(lanes_of_a_grid_exchange, e.shape(), e.wrong(), e.grid(), numbers.get()) == cudaSuccess &&
           e.right();
  };
  EXPECT_EQ(failures_of_60(run), 0);
}

TEST(simulated_groups, a_plan_puts_the_largest_first_and_every_fit_in_its_tier) {
  std::mt19937_64 random(1);
  for (const std::int64_t count : {1, 2, 77, 1000}) {
    std::vector<std::int64_t> offsets{0}, sizes;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t edges[] = {0, 5, 1023, 1024, 1025, 131072, 131073, 500000};
      sizes.push_back(edges[random() % 8]);
      offsets.push_back(offsets.back() + sizes.back());
    }
    const device_array<std::int64_t> device_offsets(offsets.size());
    cudaMemcpy(device_offsets.get(), offsets.data(), offsets.size() * 8, cudaMemcpyHostToDevice);
    const device_array<char> workspace(plan_workspace_bytes(count));
    launch_plan plan;
    ASSERT_EQ(plan_batch(device_offsets.get(), 0, count, workspace.get(), plan, nullptr), cudaSuccess);
    std::vector<std::int32_t> order(static_cast<std::size_t>(count)), wanted(order.size());
    std::vector<std::int64_t> bounds(2 * tier_count);
    cudaMemcpy(order.data(), plan.order, order.size() * 4, cudaMemcpyDeviceToHost);
    cudaMemcpy(bounds.data(), plan.bounds, bounds.size() * 8, cudaMemcpyDeviceToHost);
    std::iota(wanted.begin(), wanted.end(), 0);
    std::stable_sort(wanted.begin(), wanted.end(), [&](int a, int b) { return sizes[a] > sizes[b]; });
    EXPECT_EQ(order, wanted);
    for (int t = 0; t < tier_count; ++t)
      for (std::int64_t i = 0; i < count; ++i)
        EXPECT_EQ(i >= bounds[2 * t] && i < bounds[2 * t + 1], tier_of(sizes[order[i]]) == t) << t << " " << i;
  }
}

}  // namespace
}  // namespace manyfit::tests
