// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a user of the library writes for a density that is not in it: fitted on the CPU, and on CUDA where there is a
// device. Exits 0 when the answers are right.
#include <cmath>
#include <cstdio>
#include <manyfit/custom.hpp>
#include <manyfit/manyfit.hpp>
#include <vector>

#include "lindley.hpp"

static bool is_right(const manyfit::executor& where) {
  const std::vector<float> values = {1, 2, 3, 4, 2, 4, 6, 8, 1, -1, 1, 1};
  const auto results = manyfit::fit<lindley_on_cuda>(where, manyfit::dense<float>(values, 3));
  std::printf("on %s: theta %g and %g, %s\n", results.device.c_str(), results.parameter("theta", 0),
              results.parameter("theta", 1), manyfit::to_string(results.status[2]));
  const auto expected = [](double m) { return (1 - m + std::sqrt((m - 1) * (m - 1) + 8 * m)) / (2 * m); };
  return std::abs(results.parameter("theta", 0) - expected(2.5)) <= 1e-6 &&
         std::abs(results.parameter("theta", 1) - expected(5)) <= 1e-6 &&
         results.status[2] == manyfit::fit_status::out_of_support;
}

int main() {
  return is_right(manyfit::executor::cpu()) && is_right(manyfit::executor::best()) ? 0 : 1;
}
