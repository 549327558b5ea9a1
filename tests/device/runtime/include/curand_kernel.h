// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// cuRAND's Philox words by Random123, which cuRAND promises to equal.
#pragma once

#include <Random123/philox.h>

#include "cuda_runtime.h"

inline uint4 curand_Philox4x32_10(uint4 counter, uint2 key) {
  const auto words = philox4x32_R(10, philox4x32_ctr_t{{counter.x, counter.y, counter.z, counter.w}},
                                  philox4x32_key_t{{key.x, key.y}});
  return {words.v[0], words.v[1], words.v[2], words.v[3]};
}

struct curandStatePhilox4_32_10_t {
  std::uint64_t block, subsequence, seed;
};

/// `offset` in words, of which only whole blocks of four are known here.
inline void curand_init(unsigned long long seed, unsigned long long subsequence, unsigned long long offset,
                        curandStatePhilox4_32_10_t* state) {
  *state = {offset / 4, subsequence, seed};
}

inline uint4 curand4(curandStatePhilox4_32_10_t* state) {
  const auto low = [](std::uint64_t x) { return static_cast<unsigned>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<unsigned>(x >> 32); };
  const std::uint64_t block = state->block++;
  return curand_Philox4x32_10({low(block), high(block), low(state->subsequence), high(state->subsequence)},
                              {low(state->seed), high(state->seed)});
}
