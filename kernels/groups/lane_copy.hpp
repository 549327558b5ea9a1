// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Asynchronous copies from device memory to shared memory without registers (cp.async, from compute capability 8.0 on),
// so that a lane can have all of its part of a sample in flight. Elsewhere, and where lanes are threads of a CPU, plain
// copies.
#pragma once

#include "kernels/core.hpp"

MF_NAMESPACE_BEGIN

#if defined(__CUDA_ARCH__) && !defined(MF_SIMULATED_DEVICE)
#if __CUDA_ARCH__ >= 800
#define MF_COPIES_ARE_ASYNCHRONOUS
#endif
#endif

/// Starts copying a T of 4, 8 or 16 bytes, aligned to its size, to shared memory. The lane that started the copy may
/// read it after wait_for_copies().
template <class T>
MF_FN void start_copy(T* to, const T* from) {
#if defined(MF_COPIES_ARE_ASYNCHRONOUS)
  static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16);
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (sizeof(T) == 16)  // not through L1: read once
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(from) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(address), "l"(from), "n"(sizeof(T)) : "memory");
#else
  *to = *from;
#endif
}

MF_FN void wait_for_copies() {
#if defined(MF_COPIES_ARE_ASYNCHRONOUS)
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

MF_NAMESPACE_END
