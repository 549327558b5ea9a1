// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of mixtures of products share: rows of several columns, drawn from known classes.
#pragma once

#include "family_mixture_tests.hpp"

namespace manyfit::tests {

/// Two products of a family over D columns, with other parameters in each.
inline family_mixture_results example_products(const family_info& family, int D) {
  family_mixture_results truth = empty_family_mixtures(1, 2, {{&family}}, D);
  truth.weights = {0.4, 0.6};
  std::size_t i = 0;
  for (int k = 0; k < 2; ++k)
    for (int d = 0; d < D; ++d)
      for (int p = 0; p < family.parameter_count; ++p) {
        const parameter& each = family.parameters[p];
        double value = each.example;
        const bool high = (k + d) % 2;
        if (high && each.kind == constraint::real) value += 4;
        if (high && each.kind == constraint::positive) value *= 3;
        if (high && each.kind == constraint::probability) value = 1 - 0.6 * value;
        truth.parameters[i++] = value;
      }
  return truth;
}

/// n rows of these, every `gap`-th cell missing (0: none).
inline std::vector<double> draw_products(const family_info& family, int D, std::int64_t n, std::uint64_t seed,
                                         std::size_t gap = 0) {
  std::vector<double> rows = simulate_mixture(executor::cpu(1), example_products(family, D), n, seed);
  for (std::size_t i = gap; gap > 0 && i < rows.size(); i += gap) rows[i] = nan;
  return rows;
}

inline point_batch<double> rows_of(const std::vector<double>& values, int D) {
  return points<double>(values, D);
}

/// A fit that takes every one of `iterations` from a start.
inline family_mixture_options from(const family_mixture_results& start, int iterations) {
  family_mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.max_iterations = iterations;
  options.tolerance = 0;
  options.trace = true;
  return options;
}

/// Whether two fits have the same bits.
inline void expect_same_bits(const family_mixture_results& a, std::int64_t i, const family_mixture_results& b,
                             std::int64_t j) {
  const auto at = static_cast<std::size_t>(i), bt = static_cast<std::size_t>(j);
  EXPECT_EQ(a.status[at], b.status[bt]);
  ASSERT_EQ(a.components[at], b.components[bt]);
  EXPECT_EQ(a.iterations[at], b.iterations[bt]);
  EXPECT_EQ(a.observations[at], b.observations[bt]);
  if (!has_parameters(a.status[at])) return;
  EXPECT_EQ(a.log_likelihood[at], b.log_likelihood[bt]);
  for (int k = 0; k < a.components[at]; ++k) {
    EXPECT_EQ(a.weight(i, k), b.weight(j, k));
    for (int d = 0; d < a.columns; ++d)
      for (int p = 0; p < a.parameter_stride; ++p) EXPECT_EQ(a.parameter(i, k, d, p), b.parameter(j, k, d, p));
  }
}

}  // namespace manyfit::tests
