// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory of the device and pinned memory, and copies. A copy reads and writes when the stream comes to it; only what is
// copied from pageable memory is taken at once (staged), and only what is copied to pageable memory is waited for.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "report.hpp"
#include "state.hpp"

namespace simulated {

namespace {

constexpr unsigned char poison = 0xfb;  // a large negative number, as double, float and integer
constexpr unsigned char canary = 0xc5;
constexpr std::size_t canary_bytes = 64;

struct allocation {
  std::size_t bytes = 0;
  int device = -1;  ///< −1: pinned host memory
};
struct memory_state {
  std::map<const char*, allocation> allocations;
  std::map<const char*, std::size_t> registered;
  std::map<int, std::size_t> used;  ///< by device; −1: pinned
  std::size_t peak = 0;
  std::int64_t countdown = -1;
};
memory_state& state() {
  static auto* const all = new memory_state;
  return *all;
}

/// The range of a map that holds `at`, or its end.
template <class Map>
auto holding(const Map& ranges, const char* at) {
  auto found = ranges.upper_bound(at);
  return found == ranges.begin() ? ranges.end() : --found;
}

const allocation* allocation_at(const void* at, std::size_t bytes) {
  const auto* const p = static_cast<const char*>(at);
  const auto found = holding(state().allocations, p);
  if (found == state().allocations.end() || p + bytes > found->first + found->second.bytes) return nullptr;
  return &found->second;
}

void release(void* memory, const char* function, bool pinned) {
  if (!memory) return;
  const auto found = state().allocations.find(static_cast<const char*>(memory));
  if (found == state().allocations.end() || (found->second.device < 0) != pinned)
    die(std::string(function) + " of what is no such memory");
  if (pinned)
    drain_device(current_device());
  else
    drain_device(found->second.device);
  const std::size_t bytes = found->second.bytes;
  const auto* const end = static_cast<const unsigned char*>(memory) + bytes;
  permit(memory, bytes + canary_bytes);
  if (!std::all_of(end, end + canary_bytes, [](unsigned char c) { return c == canary; }))
    die("something was written past the end of " + std::to_string(bytes) + " bytes of memory that are freed now");
  state().used[found->second.device] -= bytes;
  state().allocations.erase(found);
  std::free(memory);
}

/// What a copy may not do, in words; empty when it may.
std::string objection(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, int device) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (to_device && !is_device_memory(to, bytes, device))
    return "a copy to what is no memory of the device, or not so much";
  if (from_device && !is_device_memory(from, bytes, device))
    return "a copy from what is no memory of the device, or not so much";
  if (!to_device && is_any_device_memory(to)) return "a copy to the host that goes to device memory";
  if (!from_device && is_any_device_memory(from)) return "a copy from the host that reads device memory";
  return "";
}

void copy(stream& on, void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, const char* function,
          bool waits) {
  if (bytes == 0) return;
  if (kind == cudaMemcpyDefault) die(std::string(function) + ": say which way the copy goes");
  const std::string wrong = objection(to, from, bytes, kind, on.device);
  if (!wrong.empty()) die(std::string(function) + ": " + wrong + " (" + std::to_string(bytes) + " bytes)");
  const auto run = [=, device = on.device](const void* source) {  // memory may have been freed since
    const std::string late = objection(to, source, bytes, source == from ? kind : cudaMemcpyHostToDevice, device);
    if (!late.empty()) die("when the stream came to it: " + late);
    std::memcpy(to, source, bytes);
  };
  std::shared_ptr<ticket> done;
  if (kind == cudaMemcpyHostToDevice && !is_pinned(from, bytes)) {
    auto staged =
        std::make_shared<std::vector<char>>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
    enqueue(on, "copy", [=] { run(staged->data()); });
    return;
  }
  done = enqueue(on, "copy", [=] { run(from); });
  if (waits || (kind == cudaMemcpyDeviceToHost && !is_pinned(to, bytes))) drain_until(done);
}

}  // namespace

bool is_device_memory(const void* at, std::size_t bytes, int device) {
  const allocation* const found = allocation_at(at, bytes);
  return found && found->device == device;
}
bool is_any_device_memory(const void* at) {
  const allocation* const found = allocation_at(at, 1);
  return found && found->device >= 0;
}
bool is_pinned(const void* at, std::size_t bytes) {
  const allocation* const found = allocation_at(at, bytes);
  if (found) return found->device < 0;
  const auto* const p = static_cast<const char*>(at);
  const auto range = holding(state().registered, p);
  return range != state().registered.end() && p + bytes <= range->first + range->second;
}

void open_device_memory() {
  for (const auto& [at, a] : state().allocations)
    if (a.device >= 0) permit(const_cast<char*>(at), a.bytes);
}
void close_device_memory() {
  for (const auto& [at, a] : state().allocations)
    if (a.device >= 0) forbid(const_cast<char*>(at), a.bytes);
}

cudaError_t allocate(void** memory, std::size_t bytes, bool pinned) {
  const api_call call(pinned ? "cudaMallocHost" : "cudaMalloc");
  const int device = pinned ? -1 : current_device();
  *memory = nullptr;
  if (state().countdown >= 0 && state().countdown-- == 0) return fail(cudaErrorMemoryAllocation);
  if (bytes == 0) return cudaSuccess;
  if (!pinned && bytes > settings().memory - state().used[device]) return fail(cudaErrorMemoryAllocation);
  if (posix_memalign(memory, 256, bytes + canary_bytes) != 0) return fail(cudaErrorMemoryAllocation);
  std::memset(*memory, poison, bytes);
  std::memset(static_cast<char*>(*memory) + bytes, canary, canary_bytes);
  forbid(static_cast<char*>(*memory) + (bytes + 7) / 8 * 8, canary_bytes - 8);
  if (!pinned) forbid(*memory, bytes);
  state().allocations[static_cast<const char*>(*memory)] = {bytes, device};
  state().used[device] += bytes;
  if (!pinned) state().peak = std::max(state().peak, state().used[device]);
  return cudaSuccess;
}

void fail_allocation_after(std::int64_t count) {
  state().countdown = count;
}
std::size_t memory_in_use() {
  std::size_t sum = 0;
  for (const auto& [device, used] : state().used) sum += device >= 0 ? used : 0;
  return sum;
}
std::size_t pinned_in_use() {
  return state().used[-1];
}
std::int64_t allocations_in_use() {
  return static_cast<std::int64_t>(state().allocations.size());
}
std::size_t memory_peak() {
  return state().peak;
}
void reset_memory_peak() {
  state().peak = memory_in_use();
}

}  // namespace simulated

using namespace simulated;

cudaError_t cudaFree(void* memory) {
  const api_call call(__func__);
  release(memory, __func__, false);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  const api_call call(__func__);
  release(memory, __func__, true);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  const api_call call(__func__);
  *total = settings().memory;
  *free_bytes = *total - state().used[current_device()];
  return cudaSuccess;
}
cudaError_t cudaHostRegister(void* memory, std::size_t bytes, unsigned) {
  const api_call call(__func__);
  current_device();
  auto* const begin = static_cast<char*>(memory);
  if (bytes == 0 || is_any_device_memory(memory)) return fail(cudaErrorInvalidValue);
  const auto overlaps = [&](const char* at, std::size_t size) { return at < begin + bytes && begin < at + size; };
  for (const auto& [at, size] : state().registered)
    if (overlaps(at, size)) return fail(cudaErrorHostMemoryAlreadyRegistered);
  for (const auto& [at, a] : state().allocations)
    if (a.device < 0 && overlaps(at, a.bytes)) return fail(cudaErrorHostMemoryAlreadyRegistered);
  state().registered[begin] = bytes;
  return cudaSuccess;
}
cudaError_t cudaHostUnregister(void* memory) {
  const api_call call(__func__);
  drain_device(current_device());
  return state().registered.erase(static_cast<char*>(memory)) ? cudaSuccess : fail(cudaErrorHostMemoryNotRegistered);
}
cudaError_t cudaHostGetDevicePointer(void** on_device, void* memory, unsigned) {
  const api_call call(__func__);
  if (!is_pinned(memory, 1)) return fail(cudaErrorInvalidValue);
  *on_device = memory;
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const api_call call(__func__);
  const allocation* const found = allocation_at(pointer, 1);
  auto* const p = const_cast<void*>(pointer);
  *attributes = {};
  attributes->device = current_device();
  if (found && found->device >= 0)
    *attributes = {cudaMemoryTypeDevice, found->device, p, nullptr};
  else if (is_pinned(pointer, 1))
    *attributes = {cudaMemoryTypeHost, attributes->device, p, p};
  else
    attributes->hostPointer = p;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t handle) {
  const api_call call(__func__);
  copy(stream_of(handle, __func__), to, from, bytes, kind, __func__, false);
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const api_call call(__func__);
  stream& legacy = stream_of(nullptr, __func__);
  drain(legacy);
  copy(legacy, to, from, bytes, kind, __func__, kind == cudaMemcpyDeviceToHost || is_pinned(from, bytes));
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t handle) {
  const api_call call(__func__);
  stream& s = stream_of(handle, __func__);
  if (bytes == 0) return cudaSuccess;
  if (!is_device_memory(memory, bytes, s.device)) die("cudaMemset of what is no memory of the device, or not so much");
  enqueue(s, "memset", [=, device = s.device] {
    if (!is_device_memory(memory, bytes, device)) die("cudaMemset: the memory was freed before the stream came to it");
    std::memset(memory, value, bytes);
  });
  return cudaSuccess;
}
cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
  return cudaMemsetAsync(memory, value, bytes, nullptr);
}
