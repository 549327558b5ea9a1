// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The words every kernel file shares: how a function is marked so that it compiles for a CPU, for a CUDA device and for
// both, the namespace that keeps the builds for different instruction sets apart, and the small fixed-size vector.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define MF_FN __host__ __device__ __forceinline__
#define MF_FN_LARGE inline __host__ __device__              // may stay a call: solves that run once per fit
#define MF_FN_CALL inline __noinline__ __host__ __device__  // stays a call: its loops get all registers for themselves
#elif defined(__GNUC__)
#define MF_FN inline __attribute__((always_inline))
#define MF_FN_LARGE inline
#define MF_FN_CALL inline
#else
#define MF_FN inline
#define MF_FN_LARGE inline
#define MF_FN_CALL inline
#endif

// Before a loop: how a GPU's compiler unrolls it. CPU compilers decide by themselves.
#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
#define MF_ROLLED _Pragma("unroll 1")
#else
#define MF_ROLLED
#endif

// Code in kernels/ is compiled once per instruction set. Each build lives in an inline namespace of its own, so that
// the linker can never put an AVX-512 body under a name that a baseline caller uses.
// A user's file has one for the CPU and one for CUDA.
#if !defined(MF_TARGET) && (defined(__CUDACC__) || defined(__CUDA_ARCH__))
#define MF_TARGET portable_cuda
#elif !defined(MF_TARGET)
#define MF_TARGET portable
#endif
#define MF_NAMESPACE_BEGIN \
  namespace manyfit {      \
  inline namespace MF_TARGET {
#define MF_NAMESPACE_END \
  }                      \
  }

/// Before a loop over small arrays that must stay in a GPU's registers.
#if defined(__CUDACC__)
#define MF_UNROLL _Pragma("unroll")
#else
#define MF_UNROLL
#endif

MF_NAMESPACE_BEGIN

/// On a GPU what is read after this is not read before it. Between groups of additions to memory it keeps all that they
/// read from being in registers at once.
MF_FN void limit_load_hoisting() {
#if defined(__CUDA_ARCH__)
  __threadfence_block();
#endif
}

/// *from, which nothing writes while a kernel runs.
template <class T>
MF_FN T read_only(const T* from) {
#if defined(__CUDA_ARCH__) && defined(__CUDACC__)
  return __ldg(from);
#else
  return *from;
#endif
}

/// N values of one type, usable on host and device; an aggregate, so `vec<double, 2>{a, b}`.
template <class T, int N>
struct vec {
  static_assert(N >= 1);
  T v[N];
  MF_FN constexpr T& operator[](int i) { return v[i]; }
  MF_FN constexpr const T& operator[](int i) const { return v[i]; }
  static constexpr int size() { return N; }
};

/// Index of element (i, j) in a packed lower triangle; any order of i and j.
MF_FN constexpr int packed(int i, int j) {
  return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i;
}

/// Number of elements in the packed lower triangle of an n × n symmetric matrix.
MF_FN constexpr int packed_size(int n) {
  return n * (n + 1) / 2;
}

MF_NAMESPACE_END
