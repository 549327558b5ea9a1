// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Philox words on a GPU, from cuRAND's device API. See stream.hpp for the contract. The block function is called
// directly, since curand_init's offset counts words in 64 bits, which leaves 2^30 draws only, and its state is
// 64 bytes.
#pragma once

#include <curand_philox4x32_x.h>

#include "kernels/random/stream.hpp"

MF_NAMESPACE_BEGIN

/// Device code only: on the host, where nvcc also compiles every sampler, there are no words and the program stops.
struct curand_words {
  MF_FN static vec<uint32_t, 4> block(const vec<uint32_t, 4>& counter, const vec<uint32_t, 2>& key) {
#if defined(__CUDA_ARCH__)
    const uint4 words =
        curand_Philox4x32_10(make_uint4(counter[0], counter[1], counter[2], counter[3]), make_uint2(key[0], key[1]));
    return {{words.x, words.y, words.z, words.w}};
#else
    (void)counter, (void)key;
    __builtin_trap();
#endif
  }
};

using philox_stream = random_stream<curand_words>;

MF_NAMESPACE_END
