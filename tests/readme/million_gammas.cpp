// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <manyfit/manyfit.hpp>

int main() {
  const auto where = manyfit::executor::best();  // the first usable GPU, else every CPU core
  const long fits = 1'000'000, size = 20;
  const double truth[] = {2.0, 0.5};  // shape and rate, the same for every sample
  const auto values = manyfit::simulate(where, manyfit::find_family("gamma"), {truth, 0, 1}, fits, size);
  const auto results = manyfit::fit<manyfit::families::gamma>(where, manyfit::dense<double>(values, fits));
  std::printf("%ld of %ld fits converged on %s\n", long(results.count_of(manyfit::fit_status::converged)), fits,
              results.device.c_str());
  std::printf("the first: shape %.3f (standard error %.3f)\n", results.parameter("shape", 0), results.std_error(0, 0));
}
