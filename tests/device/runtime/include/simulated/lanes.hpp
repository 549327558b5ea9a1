// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What kernels say to the device they run on: who a lane is, votes, shuffles, barriers, fences, atomics. Every lane
// that a mask names must arrive at the same call; everything else ends the program with a report.
#pragma once

#include <cstdint>
#include <cstring>

namespace simulated {

struct coordinates {
  unsigned x = 0, y = 0, z = 0;
};

/// A lane's place in its launch.
struct place {
  coordinates thread, block, block_dim, grid_dim;
};
const place& where();

/// The block's dynamic shared memory.
void* dynamic_shared();

enum class collective_kind : int { none, shuffle_xor, shuffle, shuffle_down, shuffle_up, any, all, ballot, sync };
struct collective_call {
  collective_kind kind = collective_kind::none;
  std::uint32_t mask = 0;
  int argument = 0;
  int bytes = 0;  ///< of the value
  std::uint64_t value = 0;
};
/// Waits until every lane of the mask has made the same call; the caller's result.
std::uint64_t collective(const collective_call& call);
void block_barrier();
void sleep();  ///< lets others run

/// Fences and atomic operations. An atomic operation orders nothing by itself; after a fence it releases what was
/// written before the fence, before a fence it acquires.
void fence();
bool atomic_releases();

template <class T>
T exchange(collective_kind kind, std::uint32_t mask, int argument, T value) {
  static_assert(sizeof(T) <= 8);
  collective_call call{kind, mask, argument, static_cast<int>(sizeof(T)), 0};
  std::memcpy(&call.value, &value, sizeof value);
  const std::uint64_t bits = collective(call);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// One of the built-in variables, of which each lane has its own.
template <coordinates place::*Which>
struct built_in {
  struct component {
    unsigned coordinates::*of;
    operator unsigned() const { return where().*Which.*of; }
  };
  component x{&coordinates::x}, y{&coordinates::y}, z{&coordinates::z};
};

template <class T, class Change>
T atomic_change(T* at, Change change) {
  const bool releases = atomic_releases();
  T old;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  for (;;) {
    T wanted = change(old);
    if (__atomic_compare_exchange(at, &old, &wanted, false, releases ? __ATOMIC_ACQ_REL : __ATOMIC_RELAXED,
                                  __ATOMIC_RELAXED))
      return old;
  }
}

}  // namespace simulated

#define MF_DYNAMIC_SHARED(name) double* const name = static_cast<double*>(simulated::dynamic_shared())

inline constexpr simulated::built_in<&simulated::place::thread> threadIdx{};
inline constexpr simulated::built_in<&simulated::place::block> blockIdx{};
inline constexpr simulated::built_in<&simulated::place::block_dim> blockDim{};
inline constexpr simulated::built_in<&simulated::place::grid_dim> gridDim{};

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  return simulated::exchange(simulated::collective_kind::shuffle_xor, mask, lanes, value);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32) {  // `from` counts in the caller's part of the warp
  const int own = static_cast<int>(threadIdx.x) & 31;
  return simulated::exchange(simulated::collective_kind::shuffle, mask, (own & -width) | (from & (width - 1)), value);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by) {
  return simulated::exchange(simulated::collective_kind::shuffle_down, mask, static_cast<int>(by), value);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by) {
  return simulated::exchange(simulated::collective_kind::shuffle_up, mask, static_cast<int>(by), value);
}
inline int __any_sync(unsigned mask, int value) {
  return simulated::exchange(simulated::collective_kind::any, mask, 0, value);
}
inline int __all_sync(unsigned mask, int value) {
  return simulated::exchange(simulated::collective_kind::all, mask, 0, value);
}
inline unsigned __ballot_sync(unsigned mask, int value) {
  return static_cast<unsigned>(simulated::exchange(simulated::collective_kind::ballot, mask, 0, value));
}
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  simulated::exchange(simulated::collective_kind::sync, mask, 0, 0);
}
inline void __syncthreads() {
  simulated::block_barrier();
}
inline void __threadfence() {
  simulated::fence();
}
inline void __threadfence_block() {}
inline void __nanosleep(unsigned) {
  simulated::sleep();
}
template <class T>
T atomicAdd(T* at, T amount) {
  return simulated::atomic_change(at, [=](T old) { return old + amount; });
}
template <class T>
T atomicMax(T* at, T value) {
  return simulated::atomic_change(at, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicExch(T* at, T value) {
  return simulated::atomic_change(at, [=](T) { return value; });
}

// Arithmetic and hints that kernels write out; what is approximate on a GPU is exact here.
inline float __fmaf_rn(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
inline double __fma_rn(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
inline float __fdividef(float a, float b) {
  return a / b;
}
inline float __frcp_rn(float x) {
  return 1 / x;
}
inline int __popc(unsigned bits) {
  return __builtin_popcount(bits);
}
inline int __ffs(int bits) {
  return __builtin_ffs(bits);
}
inline int __clz(int bits) {
  return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits));
}
inline float __int_as_float(int bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
inline int __float_as_int(float x) {
  int bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
template <class T>
T __ldg(const T* at) {
  return *at;
}
