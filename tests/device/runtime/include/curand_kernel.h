// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// cuRAND's generator of Philox words.
#pragma once

#include "curand_philox4x32_x.h"

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
