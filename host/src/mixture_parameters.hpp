// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manyfit/mixture.hpp"

namespace manyfit {

/// The parameters of one fit of the results, read only.
inline mixture_parameters parameters_of(const mixture_results& mixtures, std::int64_t fit) {
  const std::int64_t first = mixtures.first_component(fit), D = mixtures.dimensions;
  return {const_cast<double*>(mixtures.weights.data()) + first, const_cast<double*>(mixtures.means.data()) + first * D,
          const_cast<double*>(mixtures.covariances.data()) + first * D * D};
}

}  // namespace manyfit
