// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/manyfit.hpp"

namespace manyfit {
const char* version() {
  return MF_VERSION;
}
}  // namespace manyfit
