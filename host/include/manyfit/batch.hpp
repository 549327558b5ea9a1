// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "kernels/views.hpp"
#include "manyfit/error.hpp"

namespace manyfit {

/// Which memory a batch's pointers point into.
enum class memory_space { host, device };

/// Many samples, one per fit; a view: the caller keeps the data alive. T is float or double. NaN values are missing.
/// Device memory is used in place by a CUDA executor on the same device; a CPU executor refuses it.
template <class T>
struct batch {
  batch_view<T> view;
  memory_space memory = memory_space::host;
  std::int64_t value_count = 0;  ///< values (and weights) in all, view.offsets[0] included

  std::int64_t count() const { return view.count; }

  /// The same batch with a weight per value: w_i log f(x_i) is summed. Weights are >= 0; 0 or NaN leaves the value out.
  batch weighted(std::span<const T> weights) const {
    if (static_cast<std::int64_t>(weights.size()) != value_count)
      throw error(error::kind::argument, "weights: " + std::to_string(weights.size()) + " given for " +
                                             std::to_string(value_count) + " values; give one weight per value");
    batch result = *this;
    result.view.weights = weights.data();
    return result;
  }
};

/// `fits` samples of equal size, end to end: values[fits × n].
template <class T>
batch<T> dense(std::span<const T> values, std::int64_t fits, memory_space memory = memory_space::host) {
  if (fits < 0 || (fits == 0 ? !values.empty() : values.size() % static_cast<std::size_t>(fits) != 0))
    throw error(error::kind::argument, "dense batch: " + std::to_string(values.size()) + " values do not divide into " +
                                           std::to_string(fits) + " fits of equal size; use ragged() for unequal ones");
  const auto size = fits == 0 ? 0 : static_cast<std::int64_t>(values.size()) / fits;
  return {{values.data(), nullptr, nullptr, size, fits}, memory, static_cast<std::int64_t>(values.size())};
}

/// Samples of any sizes, end to end: sample i is values[offsets[i] .. offsets[i + 1]). offsets has one entry more than
/// there are fits, starts at >= 0, never falls and ends at <= values.size(); host memory offsets are checked.
template <class T>
batch<T> ragged(std::span<const T> values, std::span<const std::int64_t> offsets,
                memory_space memory = memory_space::host) {
  if (offsets.empty())
    throw error(error::kind::argument, "ragged batch: offsets are empty; give one more than there are fits");
  if (memory == memory_space::host) {
    bool valid = offsets.front() >= 0 && offsets.back() <= static_cast<std::int64_t>(values.size());
    for (std::size_t i = 1; i < offsets.size(); ++i) valid = valid && offsets[i - 1] <= offsets[i];
    if (!valid)
      throw error(error::kind::argument,
                  "ragged batch: offsets must start at 0 or more, never fall, and end at or before "
                  "the number of values (" +
                      std::to_string(values.size()) + ")");
  }
  return {{values.data(), nullptr, offsets.data(), 0, static_cast<std::int64_t>(offsets.size()) - 1},
          memory,
          static_cast<std::int64_t>(values.size())};
}

}  // namespace manyfit
