// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// CUDA's lanes for lanes_group: a warp or a part of one, and a block that may be one of a whole grid. See
// groups/reduce.hpp for what a context gives.
#pragma once

#include <cuda_runtime.h>

#include <type_traits>

#include "kernels/contracts/team.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/groups/reduce.hpp"

MF_NAMESPACE_BEGIN

MF_FN std::int64_t add_to_counter(std::int64_t* counter, std::int64_t amount) {
#if defined(__CUDA_ARCH__)
  return static_cast<std::int64_t>(
      atomicAdd(reinterpret_cast<unsigned long long*>(counter), static_cast<unsigned long long>(amount)));
#else
  return *counter += amount;
#endif
}

/// Reads what another block adds to; no later read or write of this thread happens before it.
__device__ inline unsigned long long load_acquire(const unsigned long long* counter) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  unsigned long long value;
  asm volatile("ld.acquire.gpu.u64 %0, [%1];" : "=l"(value) : "l"(counter) : "memory");
  return value;
#else
  const unsigned long long value = __atomic_load_n(counter, __ATOMIC_ACQUIRE);
  __threadfence();
  return value;
#endif
}

/// Adds 1 to what other blocks read by load_acquire, after all that this thread has written or, before a barrier of its
/// block, others have.
__device__ inline void add_release(unsigned long long* counter) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  asm volatile("red.release.gpu.global.add.u64 [%0], 1;" ::"l"(counter) : "memory");
#else
  __threadfence();
  atomicAdd(counter, 1ull);
#endif
}

/// How a context's groups name their block's dynamic shared memory.
struct names_shared_memory {
  __device__ static char* shared_memory() {
    MF_DYNAMIC_SHARED(shared);
    return reinterpret_cast<char*>(shared);
  }
  __device__ static std::int64_t place_in_shared_memory(const char* own) { return own - shared_memory(); }
  /// `own`, which lies `place` bytes into shared memory, said so that the compiler knows: it reads by other
  /// instructions there.
  template <class T>
  __device__ static T* in_shared_memory(T* own, std::int64_t place) {
    static_cast<void>(own);
    return reinterpret_cast<T*>(shared_memory() + place);
  }
};

/// `Width` neighbouring lanes of a warp: a whole warp, or one of 32 / Width groups with a fit each that share it. Its
/// lanes are in step after every shuffle; it needs no memory and no barrier.
template <int Width>
struct cuda_lanes : names_shared_memory {
  static_assert(Width == 4 || Width == 8 || Width == 16 || Width == 32);
  static constexpr bool is_warp = true, spans_blocks = false, has_resident_passes = false, has_register_passes = true;
  static constexpr int width = Width;
  __device__ int lane() const { return static_cast<int>(threadIdx.x) & (Width - 1); }
  __device__ static constexpr int lanes() { return Width; }
  __device__ static constexpr int warps() { return 1; }
  __device__ static constexpr int warp() { return 0; }
  __device__ static constexpr int blocks() { return 1; }
  __device__ static constexpr int block() { return 0; }
  template <class Value>
  __device__ Value shuffle_xor(Value value, int mask) const {
    return __shfl_xor_sync(members(), value, mask);
  }
  __device__ std::int64_t broadcast(std::int64_t value, int from) const {
    return __shfl_sync(members(), static_cast<long long>(value), from, Width);
  }
  __device__ double* block_slots() { return nullptr; }
  __device__ double* grid_slots() { return nullptr; }
  __device__ bool uniform(bool value) const { return __any_sync(members(), value); }
  __device__ bool all(bool value) const { return __all_sync(members(), value); }
  __device__ void warp_barrier() { __syncwarp(members()); }
  __device__ void block_barrier() {}
  __device__ void grid_barrier() {}
  __device__ std::int64_t fetch_add(std::int64_t* counter, std::int64_t amount) {
    return add_to_counter(counter, amount);
  }
  using names_shared_memory::in_shared_memory;
  /// The same where the place is not known.
  template <class T>
  __device__ static T* in_shared_memory(T* own) {
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
    return static_cast<T*>(
        __cvta_shared_to_generic(__cvta_generic_to_shared(const_cast<std::remove_const_t<T>*>(own))));
#else
    return own;
#endif
  }

 private:
  __device__ static unsigned members() {
    if constexpr (Width == 32)
      return 0xffffffffu;
    else
      return ((1u << Width) - 1u) << (threadIdx.x & (32 - Width));
  }
};
using cuda_warp = cuda_lanes<32>;

/// What blocks of one cooperative launch share: results per block, twice, and the barrier's count of arrivals.
struct grid_exchange {
  double* slots = nullptr;                ///< device memory, [2 × blocks × reduction_width]
  unsigned long long* arrived = nullptr;  ///< device memory, 0 at launch
};

/// What blocks that run a fit have in common.
class block_team : public names_shared_memory {
 public:
  static constexpr bool is_warp = false, has_resident_passes = false, has_register_passes = true;
  static constexpr int width = 32;
  __device__ explicit block_team(double* slots) : slots_(slots) {}
  __device__ int warp() const { return static_cast<int>(threadIdx.x) / 32; }
  template <class Value>
  __device__ Value shuffle_xor(Value value, int mask) const {
    return __shfl_xor_sync(0xffffffffu, value, mask);
  }
  __device__ std::int64_t broadcast(std::int64_t value, int from) const {
    return __shfl_sync(0xffffffffu, static_cast<long long>(value), from);
  }
  __device__ bool uniform(bool value) const { return __any_sync(0xffffffffu, value); }
  __device__ bool all(bool value) const { return __all_sync(0xffffffffu, value); }
  __device__ void warp_barrier() { __syncwarp(); }
  __device__ void block_barrier() { __syncthreads(); }
  __device__ std::int64_t fetch_add(std::int64_t* counter, std::int64_t amount) {
    return add_to_counter(counter, amount);
  }

 protected:
  __device__ double* next_slots(int warps) {
    block_turn_ ^= 1;
    return slots_ + block_turn_ * warps * reduction_width;
  }

 private:
  double* slots_;  ///< shared memory, [2 × warps × reduction_width]
  int block_turn_ = 0;
};

/// One block of `Threads` threads, which the compiler knows: strides are constants, and nothing asks for a grid.
template <int Threads>
class cuda_own_block : public block_team {
 public:
  static_assert(Threads % 32 == 0);
  static constexpr bool spans_blocks = false;
  using block_team::block_team;
  __device__ int lane() const { return static_cast<int>(threadIdx.x); }
  __device__ static constexpr int lanes() { return Threads; }
  __device__ static constexpr int warps() { return Threads / 32; }
  __device__ static constexpr int blocks() { return 1; }
  __device__ static constexpr int block() { return 0; }
  __device__ double* block_slots() { return next_slots(warps()); }
  __device__ double* grid_slots() { return nullptr; }
  __device__ void grid_barrier() {}
};

/// One block, or (blocks > 1) every block of a cooperative launch as one group.
class cuda_block : public block_team {
 public:
  static constexpr bool spans_blocks = true;
  __device__ cuda_block(double* slots, int blocks, const grid_exchange& grid)
      : block_team(slots), blocks_(blocks), grid_(grid) {}
  __device__ int lane() const { return static_cast<int>(threadIdx.x + (blocks_ > 1 ? blockIdx.x * blockDim.x : 0)); }
  __device__ int lanes() const { return static_cast<int>(blockDim.x) * blocks_; }
  __device__ int warps() const { return static_cast<int>(blockDim.x) / 32; }
  __device__ int blocks() const { return blocks_; }
  __device__ int block() const { return blocks_ > 1 ? static_cast<int>(blockIdx.x) : 0; }
  __device__ double* block_slots() { return next_slots(warps()); }
  __device__ double* grid_slots() {
    grid_turn_ ^= 1;
    return grid_.slots + grid_turn_ * blocks_ * reduction_width;
  }
  /// All blocks are resident (cooperative launch), so waiting for each other ends. The count only grows, each barrier
  /// by the number of blocks: nothing has to be reset between barriers.
  __device__ void grid_barrier() {
    __syncthreads();
    if (threadIdx.x == 0) {
      const unsigned long long target = ++barriers_ * static_cast<unsigned long long>(blocks_);
      add_release(grid_.arrived);
      while (load_acquire(grid_.arrived) < target) __nanosleep(20);
    }
    __syncthreads();
  }

 private:
  int blocks_;
  grid_exchange grid_;
  int grid_turn_ = 0;
  unsigned long long barriers_ = 0;
};

/// A block, or every block, of a kernel that has mixtures' resident passes.
class cuda_resident_block : public cuda_block {
 public:
  /// Mixtures small enough for registers have too few sums to be resident.
  static constexpr bool has_resident_passes = true, has_register_passes = false;
  using cuda_block::cuda_block;
};

static_assert(team<cuda_warp> && team<cuda_lanes<8>> && team<cuda_own_block<128>> && team<cuda_block> &&
              team<cuda_resident_block>);

MF_NAMESPACE_END
