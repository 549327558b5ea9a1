// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// CUB's radix sort: stable, in one step of the stream, and it writes over all of the scratch memory that it asks for.
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "cuda_runtime.h"

namespace cub {

struct DeviceRadixSort {
  template <class Key, class Value, class Count>
  static cudaError_t SortPairsDescending(void* scratch, std::size_t& bytes, const Key* keys, Key* keys_out,
                                         const Value* values, Value* values_out, Count count, int begin_bit = 0,
                                         int end_bit = sizeof(Key) * 8, cudaStream_t stream = nullptr) {
    const std::size_t needed = static_cast<std::size_t>(count) * (sizeof(Key) + sizeof(Value)) + 1;
    if (!scratch) {
      bytes = needed;
      return cudaSuccess;
    }
    if (bytes < needed || begin_bit != 0 || end_bit != sizeof(Key) * 8) return cudaErrorInvalidValue;
    cudaLaunchConfig_t config{};
    config.stream = stream;
    return simulated::launch(nullptr, config, [=] {
      std::memset(scratch, 0xee, needed);
      std::vector<Count> order(static_cast<std::size_t>(count));
      std::iota(order.begin(), order.end(), Count{0});
      std::stable_sort(order.begin(), order.end(), [&](Count a, Count b) { return keys[a] > keys[b]; });
      for (std::size_t i = 0; i < order.size(); ++i) {
        keys_out[i] = keys[order[i]];
        values_out[i] = values[order[i]];
      }
    });
  }
};

}  // namespace cub
