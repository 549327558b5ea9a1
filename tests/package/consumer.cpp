// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a user of the library writes first: three samples, one of them bad. Exits 0 when the answers are right.
#include <cmath>
#include <cstdio>
#include <manyfit/manyfit.hpp>
#include <vector>

int main() {
  const std::vector<double> values = {1, 2, 3, 4, 2, 4, 6, 8, 1, 1, 1, 1};
  const auto results = manyfit::fit<manyfit::normal>(manyfit::executor::cpu(), manyfit::dense<double>(values, 3));
  std::printf("manyfit %s on %s: mean %g sd %g, mean %g sd %g, %s\n", manyfit::version(), results.device.c_str(),
              results.parameter("mean", 0), results.parameter("sd", 0), results.parameter("mean", 1),
              results.parameter("sd", 1), manyfit::to_string(results.status[2]));
  const bool right = std::abs(results.parameter("mean", 0) - 2.5) <= 1e-12 &&
                     std::abs(results.parameter("sd", 0) - std::sqrt(1.25)) <= 1e-12 &&
                     std::abs(results.parameter("mean", 1) - 5.0) <= 1e-12 &&
                     results.status[2] == manyfit::fit_status::constant_sample;
  return right ? 0 : 1;
}
