// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The fixed work whose instructions tests/budgets/run.sh counts: `fixed_fits NAME` does one row of the table below on
// one thread. Draws are made first and cost what they cost in every run, so run.sh counts inside the work alone.
#include <cstdio>
#include <cstring>
#include <vector>

#include "manyfit/manyfit.hpp"

namespace {

constexpr std::int64_t points = 1000;

/// Not inlined: run.sh switches counting on when this is entered. Says whether the work was what it should be.
__attribute__((noinline)) bool counted_work(const manyfit::family_info& family, const std::vector<double>& values,
                                            std::int64_t fits) {
  const auto results =
      manyfit::fit(manyfit::executor::cpu(1), family, manyfit::dense(std::span<const double>(values), fits));
  return results.count_of(manyfit::fit_status::converged) == fits;
}

struct row {
  const char* name;
  std::int64_t fits;
};
constexpr row table[] = {{"gamma", 200}, {"beta", 200}, {"weibull", 200}, {"student_t", 50}};

}  // namespace

int main(int argc, char** argv) {
  for (const row& r : table) {
    if (argc != 2 || std::strcmp(argv[1], r.name) != 0) continue;
    const auto& family = manyfit::find_family(r.name);
    std::vector<double> examples;
    for (int i = 0; i < family.parameter_count; ++i) examples.push_back(family.parameters[i].example);
    const auto values =
        manyfit::simulate(manyfit::executor::cpu(1), family, {examples.data(), 0, 1}, r.fits, points, {.seed = 1});
    if (counted_work(family, values, r.fits)) return 0;
    std::fprintf(stderr, "fixed_fits: not every fit of %s converged\n", r.name);
    return 1;
  }
  std::fprintf(stderr, "fixed_fits: give one of:");
  for (const row& r : table) std::fprintf(stderr, " %s", r.name);
  std::fprintf(stderr, "\n");
  return 2;
}
