// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mistakes in host code, and that the simulated device finds each of them: streams, events, copies, memory.
#include <cub/device/device_radix_sort.cuh>

#include "device_tests.hpp"

namespace manyfit::tests {
namespace {

void double_all(double* values) {
  values[threadIdx.x] *= 2;
}

struct own_streams {
  cudaStream_t first = nullptr, second = nullptr;
  explicit own_streams(unsigned flags) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&first, flags), cudaSuccess);
    EXPECT_EQ(cudaStreamCreateWithFlags(&second, flags), cudaSuccess);
  }
  ~own_streams() {
    cudaStreamDestroy(first);
    cudaStreamDestroy(second);
  }
};

/// Copies ones to the device on one stream and doubles them on another; `ordered` by an event or not.
bool doubled(cudaStream_t copies, cudaStream_t computes, bool ordered) {
  const device_array<double> values(32);
  const pinned_array<double> ones(32), back(32);
  std::fill_n(ones.get(), 32, 1.0);
  cudaMemcpyAsync(values.get(), ones.get(), 256, cudaMemcpyHostToDevice, copies);
  if (ordered) {
    cudaEvent_t e;
    cudaEventCreateWithFlags(&e, cudaEventDisableTiming);
    cudaEventRecord(e, copies);
    cudaStreamWaitEvent(computes, e);
    cudaEventDestroy(e);
  }
  launch(double_all, {.stream = computes}, values.get());
  cudaMemcpyAsync(back.get(), values.get(), 256, cudaMemcpyDeviceToHost, computes);
  cudaStreamSynchronize(computes);
  const bool right = back.get()[0] == 2 && back.get()[31] == 2;
  cudaDeviceSynchronize();
  return right;
}

TEST(simulated_runtime, streams_follow_events_and_the_legacy_stream) {
  const own_streams apart(cudaStreamNonBlocking), blocking(cudaStreamDefault);
  EXPECT_EQ(failures_of_60([&] { return doubled(apart.first, apart.second, true); }), 0);
  EXPECT_EQ(failures_of_60([&] { return doubled(nullptr, blocking.first, false); }), 0);
  EXPECT_EQ(failures_of_60([&] { return doubled(blocking.first, nullptr, false); }), 0);
  EXPECT_EQ(failures_of_60([&] { return doubled(apart.first, apart.first, false); }), 0);
}
TEST(simulated_runtime, mistake_work_on_two_streams_that_nothing_orders) {
  const own_streams apart(cudaStreamNonBlocking), blocking(cudaStreamDefault);
  EXPECT_GT(failures_of_60([&] { return doubled(apart.first, apart.second, false); }), 5);
  EXPECT_GT(failures_of_60([&] { return doubled(blocking.first, blocking.second, false); }), 5);
}
TEST(simulated_runtime, mistake_a_non_blocking_stream_taken_to_follow_the_legacy_stream) {
  const own_streams apart(cudaStreamNonBlocking);
  EXPECT_GT(failures_of_60([&] { return doubled(nullptr, apart.first, false); }), 5);
}
TEST(simulated_runtime, mistake_a_pageable_copy_on_the_legacy_stream_taken_to_have_arrived) {
  const own_streams apart(cudaStreamNonBlocking);
  const auto run = [&] {
    const device_array<double> values(32);
    const std::vector<double> ones(32, 1.0);
    cudaMemcpy(values.get(), ones.data(), 256, cudaMemcpyHostToDevice);
    launch(double_all, {.stream = apart.first}, values.get());
    cudaStreamSynchronize(apart.first);
    cudaDeviceSynchronize();
    return values.on_host()[0] == 2;
  };
  EXPECT_GT(failures_of_60(run), 5);
}
TEST(simulated_runtime, mistake_an_event_waited_for_before_it_is_recorded) {
  const own_streams apart(cudaStreamNonBlocking);
  const auto run = [&] {
    const device_array<double> values(32);
    const std::vector<double> ones(32, 1.0);
    cudaEvent_t e;
    cudaEventCreate(&e);
    cudaStreamWaitEvent(apart.second, e);
    cudaMemcpyAsync(values.get(), ones.data(), 256, cudaMemcpyHostToDevice, apart.first);
    cudaEventRecord(e, apart.first);
    launch(double_all, {.stream = apart.second}, values.get());
    cudaDeviceSynchronize();
    cudaEventDestroy(e);
    return values.on_host()[0] == 2;
  };
  EXPECT_GT(failures_of_60(run), 5);
}
TEST(simulated_runtime, mistake_pinned_memory_changed_before_the_copy_has_read_it) {
  const auto run = [] {
    const device_array<double> values(1);
    const pinned_array<double> source(1);
    source.get()[0] = 1;
    cudaMemcpyAsync(values.get(), source.get(), 8, cudaMemcpyHostToDevice);
    source.get()[0] = 5;
    return values.on_host()[0] == 1;
  };
  EXPECT_GT(failures_of_60(run), 5);
}
TEST(simulated_runtime, pageable_memory_is_read_at_once_and_written_before_the_call_returns) {
  const auto run = [] {
    const device_array<double> values(1);
    std::vector<double> source(1, 1.0), back(1);
    cudaMemcpyAsync(values.get(), source.data(), 8, cudaMemcpyHostToDevice);
    source[0] = 5;
    cudaMemcpyAsync(back.data(), values.get(), 8, cudaMemcpyDeviceToHost);
    return back[0] == 1;
  };
  EXPECT_EQ(failures_of_60(run), 0);
}
TEST(simulated_runtime, mistake_pinned_memory_read_before_the_copy_has_written_it) {
  const auto run = [] {
    const device_array<double> values(1);
    const pinned_array<double> back(1);
    cudaMemset(values.get(), 0, 8);
    back.get()[0] = 7;
    cudaMemcpyAsync(back.get(), values.get(), 8, cudaMemcpyDeviceToHost);
    return back.get()[0] == 0;
  };
  EXPECT_GT(failures_of_60(run), 5);
}

TEST(simulated_runtime, mistake_a_copy_from_the_wrong_side) {
  const device_array<double> values(4);
  std::vector<double> host(4);
  EXPECT_DEATH(cudaMemcpy(values.get(), host.data(), 32, cudaMemcpyDeviceToHost), "copy from what is no memory");
  EXPECT_DEATH(cudaMemcpy(host.data(), values.get(), 32, cudaMemcpyHostToDevice), "copy to what is no memory");
  EXPECT_DEATH(cudaMemcpy(values.get(), values.get(), 32, cudaMemcpyHostToDevice), "reads device memory");
  EXPECT_DEATH(cudaMemcpy(values.get(), values.get(), 32, cudaMemcpyDeviceToHost), "goes to device memory");
}
TEST(simulated_runtime, mistake_a_copy_or_memset_longer_than_the_memory) {
  const device_array<double> values(4);
  std::vector<double> host(5);
  EXPECT_DEATH(cudaMemcpy(values.get(), host.data(), 40, cudaMemcpyHostToDevice), "or not so much");
  EXPECT_DEATH(cudaMemset(values.get(), 0, 33), "or not so much");
}
void writes_past(double* values) {
  values[4] = 1;
}
TEST(simulated_runtime, mistake_a_kernel_that_writes_past_its_memory) {
  EXPECT_DEATH(
      {
        const device_array<double> values(4);
        run_kernel(writes_past, {.threads = 1}, values.get());
      },
      "past the end of 32 bytes|AddressSanitizer");
}
TEST(simulated_runtime, mistake_memory_freed_twice_or_by_the_wrong_function) {
  double *once = nullptr, *pinned = nullptr;
  ASSERT_EQ(cudaMalloc(&once, 8), cudaSuccess);
  ASSERT_EQ(cudaMallocHost(&pinned, 8), cudaSuccess);
  EXPECT_DEATH(cudaFree(pinned), "no such memory");
  EXPECT_DEATH(cudaFreeHost(once), "no such memory");
  EXPECT_EQ(cudaFree(once), cudaSuccess);
  EXPECT_DEATH(cudaFree(once), "no such memory");
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}
TEST(simulated_runtime, mistake_a_stream_used_after_it_was_destroyed) {
  cudaStream_t s;
  ASSERT_EQ(cudaStreamCreate(&s), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(s), cudaSuccess);
  EXPECT_DEATH(cudaStreamSynchronize(s), "has been destroyed");
}
TEST(simulated_runtime, mistake_memory_pinned_twice) {
  std::vector<double> host(100);
  const pinned_array<double> pinned(100);
  EXPECT_EQ(cudaHostRegister(host.data(), 800, cudaHostRegisterMapped), cudaSuccess);
  EXPECT_EQ(cudaHostRegister(host.data() + 50, 80, cudaHostRegisterMapped), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaErrorHostMemoryNotRegistered);
  EXPECT_EQ(cudaHostRegister(pinned.get(), 800, cudaHostRegisterMapped), cudaErrorHostMemoryAlreadyRegistered);
}
TEST(simulated_runtime, memory_runs_out_and_allocations_fail_when_told_to) {
  double* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, simulated::settings().memory + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  simulated::fail_allocation_after(1);
  const device_array<double> first(1);
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaErrorMemoryAllocation);
  const device_array<double> third(1);
}
TEST(simulated_runtime, mistake_a_sort_with_too_little_scratch_memory) {
  const device_array<std::int64_t> keys(100), sorted(100);
  const device_array<std::int32_t> values(100), order(100);
  std::size_t bytes = 0;
  const auto sort = [&](void* scratch) {
    return cub::DeviceRadixSort::SortPairsDescending(scratch, bytes, keys.get(), sorted.get(), values.get(),
                                                     order.get(), 100);
  };
  ASSERT_EQ(sort(nullptr), cudaSuccess);
  const device_array<char> scratch(bytes);
  EXPECT_EQ(sort(scratch.get()), cudaSuccess);
  --bytes;
  EXPECT_EQ(sort(scratch.get()), cudaErrorInvalidValue);
}
#if defined(__SANITIZE_ADDRESS__)
TEST(simulated_runtime, mistake_host_code_that_reads_device_memory) {
  const device_array<double> values(4);
  cudaMemset(values.get(), 0, 32);
  cudaDeviceSynchronize();
  volatile double sum = 0;
  EXPECT_DEATH(sum = sum + values.get()[1], "use-after-poison");
}
#endif

}  // namespace
}  // namespace manyfit::tests
