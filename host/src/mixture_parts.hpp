// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/models/mixture_sample.hpp"
#include "manyfit/family_mixture.hpp"

namespace manyfit {

[[noreturn]] inline void throw_argument(const std::string& message) {
  throw error(error::kind::argument, message);
}

/// A component as EM and scores see it. `fits`: what an M step needs is checked too, such as that a number of trials is
/// given.
mixture_part part_for(const mixture_component& component, bool fits);

/// The only coordinate of points, as values.
template <class T>
batch<T> values_of(const point_batch<T>& data) {
  return {{data.view.values, data.view.weights, data.view.offsets, data.view.size, data.view.count},
          data.memory,
          data.row_count};
}

}  // namespace manyfit
