// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "cuda_cache.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <vector>

#include "cuda_memory.hpp"

namespace manyfit::cuda {

namespace {

struct cache {
  std::mutex mutex;
  std::vector<memory_block> blocks;  ///< unused, the oldest first
  std::vector<kept_stream> streams;
};

/// Never destroyed: at the end of the program CUDA's runtime may be gone before it.
cache& kept() {
  static auto* const all = new cache;
  return *all;
}

/// Sizes come in eight steps from one power of two to the next, so that calls of about the same size share allocations.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max<std::size_t>(256, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

void free_block(const memory_block& block) noexcept {
  if (block.pinned)
    cudaFreeHost(block.data);
  else
    cudaFree(block.data);
}

bool same_pool(const memory_block& a, const memory_block& b) {
  return a.pinned == b.pinned && (a.pinned || a.device == b.device);
}

/// Takes out of the cache what `which` says.
template <class Which>
std::vector<memory_block> remove_blocks(cache& all, Which which) {
  std::vector<memory_block> removed;
  std::erase_if(all.blocks, [&](const memory_block& block) {
    if (!which(block)) return false;
    removed.push_back(block);
    return true;
  });
  return removed;
}

int current_device() {
  int device = 0;
  check(cudaGetDevice(&device), "ask for the current device");
  return device;
}

cudaError_t reserve(memory_block& block) {
  return block.pinned ? cudaMallocHost(&block.data, block.capacity) : cudaMalloc(&block.data, block.capacity);
}

}  // namespace

memory_block take_memory(std::size_t bytes, bool pinned) {
  memory_block wanted{nullptr, size_class(bytes), current_device(), pinned};
  cache& all = kept();
  std::vector<memory_block> unused;
  {
    const std::lock_guard lock(all.mutex);
    for (std::size_t i = all.blocks.size(); i-- > 0;)  // the latest first
      if (same_pool(all.blocks[i], wanted) && all.blocks[i].capacity == wanted.capacity) {
        const memory_block found = all.blocks[i];
        all.blocks.erase(all.blocks.begin() + static_cast<std::ptrdiff_t>(i));
        return found;
      }
  }
  cudaError_t e = reserve(wanted);
  if (e == cudaErrorMemoryAllocation) {  // what is kept may be what is lacking
    {
      const std::lock_guard lock(all.mutex);
      unused = remove_blocks(all, [&](const memory_block& block) { return same_pool(block, wanted); });
    }
    if (!unused.empty()) {
      cudaGetLastError();
      for (const memory_block& block : unused) free_block(block);
      e = reserve(wanted);
    }
  }
  check(e, pinned ? "reserve pinned host memory" : "reserve device memory");
  return wanted;
}

void give_back(const memory_block& block) noexcept {
  cache& all = kept();
  std::vector<memory_block> surplus;
  if (block.capacity > most_kept_bytes) {
    free_block(block);
    return;
  }
  {
    const std::lock_guard lock(all.mutex);
    all.blocks.push_back(block);
    std::size_t sum = 0;
    for (const memory_block& other : all.blocks) sum += same_pool(other, block) ? other.capacity : 0;
    surplus = remove_blocks(all, [&](const memory_block& other) {  // the oldest
      if (sum <= most_kept_bytes || !same_pool(other, block)) return false;
      sum -= other.capacity;
      return true;
    });
  }
  for (const memory_block& other : surplus) free_block(other);
}

std::size_t kept_memory() {
  const int device = current_device();
  cache& all = kept();
  const std::lock_guard lock(all.mutex);
  std::size_t sum = 0;
  for (const memory_block& block : all.blocks) sum += !block.pinned && block.device == device ? block.capacity : 0;
  return sum;
}

void release_kept_memory() {
  cache& all = kept();
  std::vector<memory_block> unused;
  {
    const std::lock_guard lock(all.mutex);
    unused = remove_blocks(all, [](const memory_block&) { return true; });
  }
  for (const memory_block& block : unused) free_block(block);
}

kept_stream take_stream() {
  kept_stream result{nullptr, nullptr, current_device()};
  cache& all = kept();
  {
    const std::lock_guard lock(all.mutex);
    const auto found = std::find_if(all.streams.begin(), all.streams.end(),
                                    [&](const kept_stream& s) { return s.device == result.device; });
    if (found != all.streams.end()) {
      result = *found;
      all.streams.erase(found);
      return result;
    }
  }
  check(cudaStreamCreateWithFlags(&result.stream, cudaStreamNonBlocking), "create a stream");
  const cudaError_t e = cudaEventCreateWithFlags(&result.event, cudaEventDisableTiming);
  if (e != cudaSuccess) cudaStreamDestroy(result.stream);
  check(e, "create an event");
  return result;
}

void give_back(const kept_stream& stream) noexcept {
  cache& all = kept();
  const std::lock_guard lock(all.mutex);
  all.streams.push_back(stream);
}

}  // namespace manyfit::cuda
