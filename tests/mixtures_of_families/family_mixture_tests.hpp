// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of mixtures of families share: samples, starts by hand and fits from them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../families/family_tests.hpp"

namespace manyfit::tests {

inline batch<double> one(const std::vector<double>& values) {
  return dense<double>(values, 1);
}

inline bool has_parameters(fit_status status) {
  return status == fit_status::converged || status == fit_status::max_iterations;
}

/// n values of a family's example distribution and, for two of three, of another of the same family.
inline std::vector<double> draw_mixture(const family_info& family, std::int64_t n, std::uint64_t seed) {
  const int P = family.parameter_count;
  family_mixture_results truth = empty_family_mixtures(1, 2, {{&family}});
  truth.weights = {1.0 / 3, 2.0 / 3};
  for (int k = 0; k < 2; ++k)
    for (int p = 0; p < P; ++p) {
      const parameter& each = family.parameters[p];
      double value = each.example;
      if (k == 1 && each.kind == constraint::real) value += 4;
      if (k == 1 && each.kind == constraint::positive) value *= 3;
      if (k == 1 && each.kind == constraint::probability) value = 0.5 * value;
      truth.parameters[static_cast<std::size_t>(k * P + p)] = value;
    }
  return simulate_mixture(executor::cpu(1), truth, n, seed);
}

/// The parameters that a caller has to fix, at their example values; where EM cannot move the ends of a support, ends
/// about what draw_mixture() draws.
inline family_mixture_options options_for(const family_info& family) {
  family_mixture_options options;
  for (int p = 0; p < family.parameter_count; ++p)
    if (family.parameters[p].kind == constraint::count)
      options.fixed[family.parameters[p].name] = family.parameters[p].example;
  if (family.ends == moving_support::jumps) options.fixed = {{"min", -1}, {"max", 8}};
  return options;
}

}  // namespace manyfit::tests
