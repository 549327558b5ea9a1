// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the simulated device leaves to chance: repeatable, from MF_DEVICE_SEED on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simulated::chance {

/// Starts anew.
void seed(std::uint64_t value);
unsigned draw();
inline bool one_in(unsigned n) {
  return draw() % n == 0;
}
inline std::size_t below(std::size_t n) {
  return draw() % n;
}

}  // namespace simulated::chance
