// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Which mixtures the starts find.
#include <algorithm>

#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

/// n rows of each of K clusters at the corners of a cube of D sides, 12 sds long.
std::vector<double> separated(int n, int D, int K, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  for (int i = 0; i < n * K; ++i)
    for (int d = 0; d < D; ++d) values.push_back(12 * ((i % K >> d) & 1) + normal(random));
  return values;
}

/// The fraction of seeds with which one start finds all K clusters.
double fraction_found(const std::vector<double>& values, int D, int K, mixture_start start, int seeds) {
  int found = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    mixture_options options;
    options.components = K;
    options.start = start;
    options.restarts = 1;
    options.seed = static_cast<std::uint64_t>(seed);
    options.covariance = covariance_structure::spherical;
    const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, D), options);
    const bool each =
        r.status[0] == fit_status::converged &&
        std::all_of(r.weights.begin(), r.weights.end(), [&](double w) { return std::abs(w * K - 1) <= 0.02; });
    found += each ? 1 : 0;
  }
  return static_cast<double>(found) / seeds;
}

// Measured: 1, 0.945 and 0.74.
TEST(mixture_starts, kmeans_plus_plus_finds_separated_clusters_with_most_seeds) {
  EXPECT_TRUE(fraction_found(separated(60, 1, 2, 1), 1, 2, mixture_start::kmeans_plus_plus, 200) >= 0.98);
  EXPECT_TRUE(fraction_found(separated(60, 2, 4, 2), 2, 4, mixture_start::kmeans_plus_plus, 200) >= 0.89);
  EXPECT_TRUE(fraction_found(separated(60, 3, 8, 3), 3, 8, mixture_start::kmeans_plus_plus, 200) >= 0.65);
}

// Rows that are missing or of weight 0 are no seeds, and spoil none.
TEST(mixture_starts, kmeans_plus_plus_does_as_well_with_rows_that_do_not_count) {
  const int D = 3, K = 8;
  std::vector<double> values = separated(60, D, K, 3), weights(480, 1.0);
  const double whole = fraction_found(values, D, K, mixture_start::kmeans_plus_plus, 200);
  for (std::size_t row = 0; row < 480; row += 3) values[row * 3 + row % 3] = nan;
  const double with_gaps = fraction_found(values, D, K, mixture_start::kmeans_plus_plus, 200);
  EXPECT_TRUE(with_gaps >= whole - 0.12) << with_gaps << " and " << whole;
}

// A narrow component within a wide one. Source: what 40 random starts find, and EM for normals as families.
TEST(mixture_starts, the_default_finds_a_core_and_its_halo) {
  const std::vector<double> values = read_numbers("nested.csv");
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    mixture_options options;
    options.seed = seed;
    const mixture_results r = fit_mixture(executor::cpu(1), points<double>(values, 1), options);
    ASSERT_EQ(r.status[0], fit_status::converged);
    EXPECT_TRUE(std::abs(r.log_likelihood[0] - -320.66644) <= 1e-4) << seed << ": " << r.log_likelihood[0];
  }
}

TEST(mixture_starts, the_default_finds_cores_and_halos_in_more_dimensions) {
  for (const int D : {2, 3, 5}) {
    std::vector<double> values = draw_points(300, D, 1, 0, 21), core = draw_points(300, D, 1, 0, 22);
    for (double& x : values) x *= 40;
    values.insert(values.end(), core.begin(), core.end());
    mixture_options options;
    const mixture_results mixed = fit_mixture(executor::cpu(1), points<double>(values, D), options);
    options.start = mixture_start::random;
    const mixture_results random = fit_mixture(executor::cpu(1), points<double>(values, D), options);
    EXPECT_TRUE(mixed.log_likelihood[0] >= random.log_likelihood[0] - 1e-6 * std::abs(random.log_likelihood[0])) << D;
  }
}

TEST(mixture_starts, the_first_of_the_default_is_kmeans_plus_plus) {
  const std::vector<double> values = draw_points(500, 2, 4, 0, 23);
  mixture_options options;
  options.components = 4;
  options.restarts = 1;
  const mixture_results a = fit_mixture(executor::cpu(1), points<double>(values, 2), options);
  options.start = mixture_start::kmeans_plus_plus;
  EXPECT_TRUE(same_fit(a, 0, fit_mixture(executor::cpu(1), points<double>(values, 2), options), 0));
}

}  // namespace
}  // namespace manyfit::tests
