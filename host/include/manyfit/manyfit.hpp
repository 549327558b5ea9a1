// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Everything a user of manyfit needs:
//   auto results = manyfit::fit<manyfit::weibull>(manyfit::executor::best(), manyfit::dense<float>(values, fits));
#pragma once

#include "manyfit/batch.hpp"
#include "manyfit/error.hpp"
#include "manyfit/executor.hpp"
#include "manyfit/families.hpp"
#include "manyfit/family_mixture.hpp"
#include "manyfit/fit.hpp"
#include "manyfit/group_by.hpp"
#include "manyfit/mixture.hpp"
#include "manyfit/point_source.hpp"
#include "manyfit/score.hpp"
#include "manyfit/status.hpp"

namespace manyfit {
/// "0.1.0"
const char* version();
}  // namespace manyfit
