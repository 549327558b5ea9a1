// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The device itself: its settings, its limits, and launches that are held to them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "chance.hpp"
#include "grid.hpp"
#include "report.hpp"
#include "state.hpp"

namespace simulated {

void reset_memory_peak();

namespace {

// Of a multiprocessor of compute capability 9.0.
constexpr int registers_of_multiprocessor = 65536, register_unit = 256;  // of a warp
constexpr int warps_of_multiprocessor = 64;
constexpr std::size_t shared_reserved = 1024;  // per block
constexpr std::size_t shared_without_asking = 48 << 10;

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* const text = std::getenv(name);
  return text && *text ? std::atoll(text) : otherwise;
}

device_settings settings_of_environment() {
  device_settings s;
  s.devices = static_cast<int>(from_environment("MF_DEVICE_COUNT", s.devices));
  s.multiprocessors = static_cast<int>(from_environment("MF_DEVICE_MULTIPROCESSORS", s.multiprocessors));
  s.blocks = static_cast<int>(from_environment("MF_DEVICE_BLOCKS", s.blocks));
  s.shared = static_cast<int>(from_environment("MF_DEVICE_SHARED", s.shared));
  s.memory =
      static_cast<std::size_t>(from_environment("MF_DEVICE_MEMORY_MB", static_cast<std::int64_t>(s.memory >> 20)))
      << 20;
  s.seed = static_cast<std::uint64_t>(from_environment("MF_DEVICE_SEED", static_cast<std::int64_t>(s.seed)));
  s.in_order = from_environment("MF_DEVICE_IN_ORDER", 0) != 0;
  chance::seed(s.seed);
  return s;
}

struct runtime_state {
  std::recursive_mutex mutex;
  device_settings settings = settings_of_environment();
  std::map<std::string, std::int64_t> calls;
  std::set<int> contexts;
  std::map<std::pair<const void*, int>, std::size_t> shared_allowed;  ///< by kernel and device
};
runtime_state& state() {
  static auto* const all = new runtime_state;
  return *all;
}

thread_local cudaError_t last_error = cudaSuccess;
thread_local int device_of_thread = 0;

/// Blocks that a multiprocessor holds at once; 0 when a block needs more than it has.
int resident(const kernel_limits& kernel, int threads, std::size_t shared) {
  const int warps = (threads + warp_lanes - 1) / warp_lanes;
  const int registers = (kernel.registers * warp_lanes + register_unit - 1) / register_unit * register_unit * warps;
  const int by_registers = registers_of_multiprocessor / registers;
  const int by_warps = warps_of_multiprocessor / warps;
  const auto bytes_at_most = static_cast<std::size_t>(settings().shared) + shared_reserved;
  const int by_shared = static_cast<int>(bytes_at_most / (shared + shared_reserved));
  return std::min({settings().blocks, by_registers, by_warps, by_shared});
}

}  // namespace

api_call::api_call(const char* function) : lock_(state().mutex) {
  if (in_a_kernel()) die(std::string(function) + " was called by a lane");
  ++state().calls[function];
}

cudaError_t fail(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

int current_device(bool makes_context) {
  if (makes_context) state().contexts.insert(device_of_thread);
  return device_of_thread;
}

const device_settings& settings() {
  return state().settings;
}
void set_device(const device_settings& settings) {
  const api_call call("set_device");
  for (int device = 0; device < state().settings.devices; ++device) drain_device(device);
  state().settings = settings;
  chance::seed(settings.seed);
}
std::int64_t calls(const std::string& function) {
  std::int64_t sum = 0;
  for (const auto& [name, count] : state().calls)
    if (function.empty() || name == function) sum += count;
  return sum;
}
void reset_calls() {
  state().calls.clear();
  reset_memory_peak();
}
bool has_context(int device) {
  return state().contexts.count(device) > 0;
}

cudaError_t launch(const void* kernel, const cudaLaunchConfig_t& config, std::function<void()> body) {
  const api_call call("cudaLaunchKernelEx");
  stream& s = stream_of(config.stream, "cudaLaunchKernelEx");
  if (!kernel) {
    enqueue(s, "library", std::move(body));
    return cudaSuccess;
  }
  if (s.device != current_device()) return fail(cudaErrorInvalidResourceHandle);
  const dim3 &grid = config.gridDim, &threads = config.blockDim;
  if (grid.y != 1 || grid.z != 1 || threads.y != 1 || threads.z != 1)
    die("launches of more than one dimension are not simulated");
  if (grid.x < 1 || grid.x > 0x7fffffff || threads.x < 1 || threads.x > 1024)
    return fail(cudaErrorInvalidConfiguration);
  const kernel_limits& limits = limits_of(kernel);
  const auto asked = state().shared_allowed.find({kernel, s.device});
  const std::size_t allowed = asked == state().shared_allowed.end() ? 0 : asked->second;
  if (config.dynamicSmemBytes > std::max(allowed, shared_without_asking)) return fail(cudaErrorInvalidValue);
  if (static_cast<int>(threads.x) > limits.max_threads) return fail(cudaErrorLaunchOutOfResources);
  const int each = resident(limits, static_cast<int>(threads.x), config.dynamicSmemBytes);
  if (each == 0) return fail(cudaErrorLaunchOutOfResources);
  bool together = false;
  for (unsigned i = 0; i < config.numAttrs; ++i)
    together = together || (config.attrs[i].id == cudaLaunchAttributeCooperative && config.attrs[i].val.cooperative);
  const int at_once = each * settings().multiprocessors;
  if (together && static_cast<int>(grid.x) > at_once) return fail(cudaErrorCooperativeLaunchTooLarge);
  const grid_shape shape{static_cast<int>(grid.x), static_cast<int>(threads.x), config.dynamicSmemBytes, at_once};
  enqueue(s, limits.name, [=, name = limits.name] { run_grid(shape, name, body); });
  return cudaSuccess;
}

}  // namespace simulated

using namespace simulated;

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorInvalidDeviceFunction:
      return "invalid device function";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorLaunchOutOfResources:
      return "too many resources requested for launch";
    case cudaErrorHostMemoryAlreadyRegistered:
      return "part or all of the requested memory range is already mapped";
    case cudaErrorHostMemoryNotRegistered:
      return "pointer does not correspond to a registered memory region";
    case cudaErrorCooperativeLaunchTooLarge:
      return "too many blocks in cooperative launch";
  }
  return "unrecognized error code";
}
cudaError_t cudaGetDeviceCount(int* count) {
  const api_call call(__func__);
  *count = settings().devices;
  return *count > 0 ? cudaSuccess : fail(cudaErrorNoDevice);
}
cudaError_t cudaGetDevice(int* device) {
  const api_call call(__func__);
  *device = current_device(false);
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  const api_call call(__func__);
  if (device < 0 || device >= settings().devices) return fail(cudaErrorInvalidDevice);
  device_of_thread = device;
  current_device();  // since CUDA 12 this makes a context
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const api_call call(__func__);
  if (device < 0 || device >= settings().devices) return fail(cudaErrorInvalidDevice);
  std::snprintf(properties->name, sizeof properties->name, "simulated device");
  properties->totalGlobalMem = settings().memory;
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = settings().multiprocessors;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  const api_call call(__func__);
  if (device < 0 || device >= settings().devices) return fail(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = settings().multiprocessors;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = settings().shared;
      return cudaSuccess;
  }
  return fail(cudaErrorInvalidValue);
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const api_call call(__func__);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > settings().shared)
    return fail(cudaErrorInvalidValue);
  state().shared_allowed[{kernel, current_device()}] = static_cast<std::size_t>(value);
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  const api_call call(__func__);
  current_device();
  const kernel_limits& limits = limits_of(kernel);
  *attributes = {0, limits.max_threads, limits.registers, 0};
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel, int threads,
                                                          std::size_t shared) {
  const api_call call(__func__);
  current_device();
  const kernel_limits& limits = limits_of(kernel);
  const bool fits = threads <= limits.max_threads && shared <= static_cast<std::size_t>(settings().shared);
  *blocks = fits ? resident(limits, threads, shared) : 0;
  return cudaSuccess;
}
