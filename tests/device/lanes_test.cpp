// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mistakes in kernels, and that the simulated device finds each of them: barriers, masks, buffers, counters. A mistake
// that stops lanes ends the program with a report; a mistake of order gives a wrong answer for some seeds.
#include "device_tests.hpp"

namespace manyfit::tests {
namespace {

constexpr unsigned all = 0xffffffffu;

// --- collectives ---

void sum_of_warp(double* out) {
  double v = threadIdx.x;
  for (int mask = 16; mask > 0; mask /= 2) v += __shfl_xor_sync(all, v, mask);
  out[threadIdx.x] = v;
}
TEST(simulated_lanes, add_up_by_shuffles) {
  const device_array<double> out(32);
  ASSERT_EQ(run_kernel(sum_of_warp, {}, out.get()), cudaSuccess);
  for (const double v : out.on_host()) EXPECT_EQ(v, 496);
}

void votes(unsigned* out) {
  const unsigned lane = threadIdx.x % 32;
  const unsigned odd = __ballot_sync(all, lane % 2 == 1);
  const unsigned down = __shfl_down_sync(all, lane, 1u), up = __shfl_up_sync(all, lane, 1u);
  const unsigned third = __shfl_sync(all, lane, 3);
  unsigned half = 0;
  if (lane < 16)
    half = __any_sync(0xffffu, lane == 5) ? 1 : 0;
  else
    half = __all_sync(0xffff0000u, lane != 5) ? 2 : 0;
  const bool right = odd == 0xaaaaaaaau && down == (lane < 31 ? lane + 1 : 31) && up == (lane > 0 ? lane - 1 : 0) &&
                     third == 3 && half == (lane < 16 ? 1u : 2u);
  out[threadIdx.x] = right;
}
TEST(simulated_lanes, vote_and_shuffle_as_cuda_says_also_in_halves_of_a_warp) {
  const device_array<unsigned> out(96);
  ASSERT_EQ(run_kernel(votes, {.threads = 96}, out.get()), cudaSuccess);
  for (const unsigned right : out.on_host()) EXPECT_EQ(right, 1u);
}

void shuffle_in_a_branch() {
  if (threadIdx.x < 16) __shfl_xor_sync(all, 1.0, 8);
}
TEST(simulated_lanes, mistake_a_collective_in_a_branch_waits_for_the_others) {
  EXPECT_DEATH(run_kernel(shuffle_in_a_branch, {}), "names a lane that has ended");
}
void shuffle_before_a_barrier() {
  if (threadIdx.x < 16) __shfl_xor_sync(all, 1.0, 8);
  __syncthreads();
}
TEST(simulated_lanes, mistake_half_a_warp_at_a_collective_and_half_at_the_barrier_is_a_deadlock) {
  EXPECT_DEATH(run_kernel(shuffle_before_a_barrier, {}),
               "deadlock(.|\n)*lanes 0 to 15 wait at __shfl_xor_sync(.|\n)*lanes 16 to 31 wait at __syncthreads");
}
void half_a_mask() {
  __any_sync(0xffffu, 1);
}
TEST(simulated_lanes, mistake_a_mask_that_does_not_name_the_caller) {
  EXPECT_DEATH(run_kernel(half_a_mask, {}), "mask does not name it");
}
void vote_or_shuffle() {
  if (threadIdx.x == 7)
    __any_sync(all, 1);
  else
    __syncwarp();
}
TEST(simulated_lanes, mistake_lanes_at_different_collectives) {
  EXPECT_DEATH(run_kernel(vote_or_shuffle, {}), "different collectives");
}
void different_masks_of_the_butterfly() {
  __shfl_xor_sync(all, 1.0, threadIdx.x == 0 ? 16 : 8);
}
TEST(simulated_lanes, mistake_lanes_at_different_steps_of_a_butterfly) {
  EXPECT_DEATH(run_kernel(different_masks_of_the_butterfly, {}), "different collectives");
}
void different_types() {
  if (threadIdx.x == 3)
    __shfl_xor_sync(all, 1.0f, 1);
  else
    __shfl_xor_sync(all, 1.0, 1);
}
TEST(simulated_lanes, mistake_lanes_that_exchange_values_of_different_types) {
  EXPECT_DEATH(run_kernel(different_types, {}), "different collectives");
}
void out_of_the_mask() {
  if (threadIdx.x < 16) __shfl_xor_sync(0xffffu, 1.0, 16);
}
TEST(simulated_lanes, mistake_a_shuffle_that_reads_a_lane_outside_its_mask) {
  EXPECT_DEATH(run_kernel(out_of_the_mask, {}), "lane that the mask does not name");
}
void neighbours(double* out, bool synchronised) {
  MF_DYNAMIC_SHARED(shared);
  shared[threadIdx.x] = threadIdx.x;
  if (synchronised) __syncwarp();
  out[threadIdx.x] = shared[threadIdx.x ^ 1];
}
bool neighbours_are_right(bool synchronised) {
  const device_array<double> out(32);
  run_kernel(neighbours, {.shared = 256}, out.get(), synchronised);
  const auto values = out.on_host();
  for (std::size_t i = 0; i < 32; ++i)
    if (values[i] != static_cast<double>(i ^ 1)) return false;
  return true;
}
TEST(simulated_lanes, mistake_a_warps_barrier_missing) {
  EXPECT_EQ(failures_of_60([] { return neighbours_are_right(true); }), 0);
  EXPECT_GT(failures_of_60([] { return neighbours_are_right(false); }), 30);
}

// --- blocks ---

void one_stays_away() {
  if (threadIdx.x != 40) __syncthreads();
}
TEST(simulated_lanes, mistake_a_lane_that_leaves_out_the_blocks_barrier) {
  EXPECT_DEATH(run_kernel(one_stays_away, {.threads = 64}), "ended(.|\n)*block 0, warp 1");
}

/// Rounds of "write your slot, wait, add your neighbour's": with one buffer a fast warp overwrites what a slow one has
/// still to read.
void rounds(double* out, int buffers, int barriers) {
  MF_DYNAMIC_SHARED(shared);
  double sum = 0;
  for (int k = 0; k < 8; ++k) {
    double* const buffer = shared + k % buffers * blockDim.x;
    buffer[threadIdx.x] = k;
    if (barriers > 0) __syncthreads();
    sum += buffer[(threadIdx.x + 32) % blockDim.x];
  }
  out[threadIdx.x] = sum;
}
bool rounds_are_right(int buffers, int barriers) {
  const device_array<double> out(128);
  run_kernel(rounds, {.threads = 128, .shared = 2 * 128 * sizeof(double)}, out.get(), buffers, barriers);
  for (const double v : out.on_host())
    if (v != 28) return false;
  return true;
}
TEST(simulated_lanes, mistake_a_blocks_barrier_missing) {
  EXPECT_EQ(failures_of_60([] { return rounds_are_right(2, 1); }), 0);
  EXPECT_GT(failures_of_60([] { return rounds_are_right(2, 0); }), 30);
}
TEST(simulated_lanes, mistake_an_exchange_buffer_used_twice_in_a_row) {
  EXPECT_GT(failures_of_60([] { return rounds_are_right(1, 1); }), 5);
}

void past_the_end() {
  MF_DYNAMIC_SHARED(shared);
  if (threadIdx.x == 0) shared[16] = 1;
}
TEST(simulated_lanes, mistake_a_block_that_writes_past_its_shared_memory) {
  EXPECT_DEATH(run_kernel(past_the_end, {.shared = 128}), "past its 128 bytes of shared memory|AddressSanitizer");
}
void not_initialised(double* out) {
  MF_DYNAMIC_SHARED(shared);
  out[threadIdx.x] += shared[threadIdx.x];
}
TEST(simulated_lanes, mistake_memory_that_was_never_written_holds_no_zeros) {
  const device_array<double> out(32);
  ASSERT_EQ(run_kernel(not_initialised, {.shared = 256}, out.get()), cudaSuccess);
  for (const double v : out.on_host()) EXPECT_TRUE(v < -1e200) << v;
}

// --- grids ---

/// Blocks wait for each other at a counter, which counts `rounds` times every block, and add what the next has written.
void wait_for_blocks(unsigned long long* arrived, double* slots, double* out) {
  if (threadIdx.x == 0) {
    slots[blockIdx.x] = blockIdx.x;
    __threadfence();
    atomicAdd(arrived, 1ull);
    while (__atomic_load_n(arrived, __ATOMIC_ACQUIRE) < gridDim.x) __nanosleep(20);
    out[blockIdx.x] = slots[(blockIdx.x + 1) % gridDim.x];
  }
}
bool grid_is_right(bool cleared) {
  const device_array<unsigned long long> arrived(1);
  const device_array<double> slots(6), out(6);
  cudaMemset(arrived.get(), 0, sizeof(unsigned long long));
  const launch_shape shape{.blocks = 6, .cooperative = true};
  for (int k = 0; k < 2; ++k) {
    cudaMemset(slots.get(), 0, 6 * sizeof(double));
    if (k == 0 || cleared) cudaMemset(arrived.get(), 0, sizeof(unsigned long long));
    run_kernel(wait_for_blocks, shape, arrived.get(), slots.get(), out.get());
  }
  const auto values = out.on_host();
  for (std::size_t b = 0; b < 6; ++b)
    if (values[b] != static_cast<double>((b + 1) % 6)) return false;
  return true;
}
TEST(simulated_lanes, mistake_a_grids_counter_not_cleared_between_launches) {
  EXPECT_EQ(failures_of_60([] { return grid_is_right(true); }), 0);
  EXPECT_GT(failures_of_60([] { return grid_is_right(false); }), 30);
}
TEST(simulated_lanes, mistake_blocks_that_wait_for_blocks_which_are_not_on_the_device) {
  const device_array<unsigned long long> arrived(1);
  const device_array<double> slots(100), out(100);
  cudaMemset(arrived.get(), 0, sizeof(unsigned long long));
  EXPECT_DEATH(run_kernel(wait_for_blocks, {.blocks = 100}, arrived.get(), slots.get(), out.get()),
               "wait for memory that nobody writes(.|\n)*sleep and look at memory again");
}
TEST(simulated_lanes, mistake_a_cooperative_grid_larger_than_the_device) {
  const device_array<double> out(1);
  EXPECT_EQ(run_kernel(sum_of_warp, {.blocks = 1000, .cooperative = true}, out.get()),
            cudaErrorCooperativeLaunchTooLarge);
  EXPECT_EQ(cudaGetLastError(), cudaErrorCooperativeLaunchTooLarge);
}

void counts(unsigned long long* counter) {
  atomicAdd(counter, 1ull);
}
TEST(simulated_lanes, run_more_blocks_than_the_device_holds_at_once) {
  const device_array<unsigned long long> counter(1);
  cudaMemset(counter.get(), 0, sizeof(unsigned long long));
  ASSERT_EQ(run_kernel(counts, {.blocks = 1000, .threads = 96}, counter.get()), cudaSuccess);
  EXPECT_EQ(counter.on_host()[0], 96000u);
}

// --- limits ---

TEST(simulated_lanes, mistake_more_shared_memory_than_was_asked_for) {
  const device_array<double> out(32);
  EXPECT_EQ(run_kernel(sum_of_warp, {.shared = 49152}, out.get()), cudaSuccess);
  EXPECT_EQ(run_kernel(neighbours, {.shared = 49153}, out.get(), true), cudaErrorInvalidValue);
  int blocks = 0;
  EXPECT_EQ(resident_blocks(neighbours, 32, 200000, blocks), cudaSuccess);  // asks for it
  EXPECT_EQ(run_kernel(neighbours, {.shared = 200000}, out.get(), true), cudaSuccess);
}
TEST(simulated_lanes, mistake_more_shared_memory_than_a_block_can_have) {
  int blocks = 0;
  EXPECT_EQ(resident_blocks(sum_of_warp, 32, 232449, blocks), cudaErrorLaunchOutOfResources);
  EXPECT_EQ(cudaFuncSetAttribute(sum_of_warp, cudaFuncAttributeMaxDynamicSharedMemorySize, 232449),
            cudaErrorInvalidValue);
}
TEST(simulated_lanes, mistake_a_block_of_more_threads_than_there_can_be) {
  const device_array<double> out(2048);
  EXPECT_EQ(run_kernel(sum_of_warp, {.threads = 1025}, out.get()), cudaErrorInvalidConfiguration);
}

void calls_the_runtime() {
  cudaDeviceSynchronize();
}
TEST(simulated_lanes, mistake_a_kernel_that_calls_the_runtime) {
  EXPECT_DEATH(run_kernel(calls_the_runtime, {}), "cudaDeviceSynchronize was called by a lane");
}
TEST(simulated_lanes, mistake_host_code_that_takes_itself_for_a_lane) {
  EXPECT_DEATH(__syncthreads(), "outside a kernel");
}

}  // namespace
}  // namespace manyfit::tests
