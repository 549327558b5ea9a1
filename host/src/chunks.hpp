// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How a batch is cut for a device that cannot hold it at once: into chunks of whole fits. Which chunk a fit falls into
// changes none of its bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/views.hpp"

namespace manyfit {

/// Fits [begin, end) and their values [first, first + values) in the batch's arrays.
struct chunk {
  std::int64_t begin = 0, end = 0;
  std::int64_t first = 0, values = 0;
  std::int64_t largest = 0;  ///< values of the chunk's largest fit
};

/// Cuts fits into chunks of at most `most_fits` fits and `most_values` values; a fit larger than that is a chunk by
/// itself. offsets: host memory, [count + 1], or null when every fit has `size` values.
inline std::vector<chunk> plan_chunks(const std::int64_t* offsets, std::int64_t size, std::int64_t count,
                                      std::int64_t most_fits, std::int64_t most_values) {
  std::vector<chunk> chunks;
  const auto offset = [&](std::int64_t fit) { return offsets ? offsets[fit] : fit * size; };
  for (std::int64_t begin = 0; begin < count;) {
    std::int64_t end = begin + 1;
    if (offsets) {
      // The last fit that ends within the allowance; offsets never fall.
      const std::int64_t* last =
          std::upper_bound(offsets + begin + 1, offsets + count + 1, offsets[begin] + most_values);
      end = std::max(end, static_cast<std::int64_t>(last - offsets) - 1);
    } else {
      end = std::max(end, begin + (size > 0 ? most_values / size : count));
    }
    end = std::min({end, begin + most_fits, count});
    chunk next{begin, end, offset(begin), offset(end) - offset(begin), size};
    if (offsets) {
      next.largest = 0;
      for (std::int64_t i = begin; i < end; ++i) next.largest = std::max(next.largest, offsets[i + 1] - offsets[i]);
    }
    chunks.push_back(next);
    begin = end;
  }
  return chunks;
}

}  // namespace manyfit
