// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What is known of devices and of kernels on them, found once: each question costs a launch's time, and a kernel's
// limit of shared memory is the whole process's, so that two host threads must not set it to different amounts in
// turns.
#include "kernels/cuda/launch.cuh"

#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>

namespace manyfit {

namespace {

struct known_limits {
  std::mutex mutex;
  std::map<int, device_limits> devices;
  std::map<std::pair<const void*, int>, int> allowed;                      ///< kernel, device: bytes
  std::map<std::tuple<const void*, int, int, std::size_t>, int> resident;  ///< ..., threads, shared: blocks
};

known_limits& known() {
  static known_limits all;
  return all;
}

/// For a caller that holds the mutex.
int find_device(known_limits& all, device_limits& limits) {
  int device = 0;
  cudaError_t e = cudaGetDevice(&device);
  if (e != cudaSuccess) return e;
  const auto found = all.devices.find(device);
  if (found != all.devices.end()) {
    limits = found->second;
    return cudaSuccess;
  }
  limits.device = device;
  e = cudaDeviceGetAttribute(&limits.multiprocessors, cudaDevAttrMultiProcessorCount, device);
  if (e == cudaSuccess)
    e = cudaDeviceGetAttribute(&limits.shared_per_block, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  if (const char* const most = std::getenv("MANYFIT_CUDA_MULTIPROCESSORS"))
    if (const int cap = std::atoi(most); cap > 0 && cap < limits.multiprocessors) limits.multiprocessors = cap;
  if (e == cudaSuccess) all.devices.emplace(device, limits);
  return e;
}

/// Lets the kernel be launched with all the shared memory that a block can have: one setting serves every launch.
cudaError_t allow_shared(known_limits& all, const void* kernel, const device_limits& limits) {
  const auto [at, is_new] = all.allowed.emplace(std::pair{kernel, limits.device}, 0);
  if (!is_new) return cudaSuccess;
  cudaFuncAttributes attributes{};
  cudaError_t e = cudaFuncGetAttributes(&attributes, kernel);
  at->second = limits.shared_per_block - static_cast<int>(attributes.sharedSizeBytes);
  if (e == cudaSuccess) e = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, at->second);
  if (e != cudaSuccess) all.allowed.erase(at);
  return e;
}

}  // namespace

int device_limits::query(device_limits& limits) {
  known_limits& all = known();
  const std::lock_guard lock(all.mutex);
  return find_device(all, limits);
}

int resident_blocks(const void* kernel, int threads, std::size_t shared, int& blocks) {
  known_limits& all = known();
  const std::lock_guard lock(all.mutex);
  device_limits limits;
  if (const int e = find_device(all, limits); e != cudaSuccess) return e;
  const auto [at, is_new] = all.resident.emplace(std::tuple{kernel, limits.device, threads, shared}, 0);
  if (is_new) {
    int each = 0;
    cudaError_t e = allow_shared(all, kernel, limits);
    if (e == cudaSuccess) e = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, threads, shared);
    if (e == cudaSuccess && each == 0) e = cudaErrorLaunchOutOfResources;
    if (e != cudaSuccess) {
      all.resident.erase(at);
      return e;
    }
    at->second = each * limits.multiprocessors;
  }
  blocks = at->second;
  return cudaSuccess;
}

}  // namespace manyfit
