// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Any bytes read as a model document give one whose sizes agree, or an input_error.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "input/model_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto model = manyfit::app::parse_model({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (model.fits.empty() || model.family.empty()) std::abort();
    const bool mixture = model.command == "mixture";
    for (const auto& fit : model.fits) {
      const std::size_t k = fit.weights.size(), d = fit.dimensions;
      if (mixture != fit.parameters.empty() || mixture != (fit.components > 0)) std::abort();
      if (k != 0 && k != fit.components) std::abort();
      if (fit.means.size() != k * d || fit.covariances.size() != k * d * d) std::abort();
      if (!fit.component_parameters.empty() && fit.component_parameters.size() != k) std::abort();
    }
  } catch (const manyfit::app::input_error&) {
  }
  return 0;
}
