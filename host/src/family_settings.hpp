// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manyfit/fit.hpp"

namespace manyfit {

/// A call's options as the kernels take them. Throws `error` for what cannot be.
fit_settings settings_from(const family_info& family, const fit_options& options);

}  // namespace manyfit
