// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A program that says `using namespace manyfit` and includes math.h, which declares a function gamma().
#include <gtest/gtest.h>
#include <math.h>

#include <vector>

#include "manyfit/manyfit.hpp"

using namespace manyfit;

TEST(using_namespace_manyfit, names_every_family_beside_math_h) {
  const std::vector<double> x = {1, 2, 3, 5, 8};
  const auto data = dense(std::span<const double>(x), 1);
  const fit_results found = fit<families::gamma>(executor::cpu(1), data);
  EXPECT_EQ(found.status[0], fit_status::converged);
#if defined(__GLIBC__)
  EXPECT_EQ(gamma(5.0), lgamma(5.0));  // math.h's
#endif
  EXPECT_EQ(found.parameters, fit(executor::cpu(1), find_family("gamma"), data).parameters);
  EXPECT_EQ(fit<families::weibull>(executor::cpu(1), data).parameters,
            fit<manyfit::weibull>(executor::cpu(1), data).parameters);
}
