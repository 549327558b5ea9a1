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
