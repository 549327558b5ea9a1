// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantiles over a group against a sorted copy of the sample.
#include "kernels/groups/quantile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "kernels/contracts/family_rows.hpp"
#include "kernels/families/normal.hpp"
#include "kernels/groups/serial_group.hpp"

namespace manyfit {
namespace {

/// The q-quantile by its definition, over the sorted points: the midpoint of the two order statistics at weight qW.
double quantile_by_sorting(const std::vector<double>& values, const std::vector<double>& weights, double q) {
  std::vector<std::pair<double, double>> sorted;
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double w = weights.empty() ? 1.0 : weights[i];
    if (!(w > 0) || std::isnan(values[i])) continue;
    sorted.emplace_back(values[i], w);
    total += w;
  }
  std::sort(sorted.begin(), sorted.end());
  double below = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    below += sorted[i].second;
    if (below < q * total - 1e-12 * total) continue;
    const bool exactly = below <= q * total + 1e-12 * total && i + 1 < sorted.size();
    return exactly ? 0.5 * sorted[i].first + 0.5 * sorted[i + 1].first : sorted[i].first;
  }
  return sorted.back().first;
}

/// The values as the group reads them: those of any size in a unit of their own.
std::vector<double> in_frame(std::vector<double> values, const frame& in) {
  for (double& x : values)
    if (in.active()) x = coordinate_in<normal>(x, in);
  return values;
}

void expect_quantiles(const std::vector<double>& values, const std::vector<double>& weights = {}) {
  serial_scratch scratch;
  serial_group<family_rows<normal>> points(scratch);
  const auto summary = points.load(sample<double>{values.data(), weights.empty() ? nullptr : weights.data(),
                                                  static_cast<std::int64_t>(values.size())});
  const std::vector<double> read = in_frame(values, summary.in);
  for (const double q : {0.01, 0.1, 0.25, 0.3678794411714423, 0.5, 0.75, 0.9, 0.999})
    ASSERT_EQ(quantile(points, summary, q), quantile_by_sorting(read, weights, q))
        << "q = " << q << ", n = " << values.size();
}

std::vector<double> drawn(int n, std::uint64_t seed, const std::function<double(double, int)>& shape) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> standard_normal;
  std::vector<double> values(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) values[static_cast<std::size_t>(i)] = shape(standard_normal(random), i);
  return values;
}

TEST(quantile, is_the_order_statistic_for_odd_and_even_sizes) {
  for (int n = 1; n <= 40; ++n) expect_quantiles(drawn(n, n, [](double z, int) { return z; }));
  for (const int n : {999, 1000, 1001, 8192, 20000})
    expect_quantiles(drawn(n, n, [](double z, int) { return 3 * z + 1e6; }));
}

TEST(quantile, misses_its_rank_by_no_more_than_the_precision_asked_for) {
  for (const int n : {20, 300, 5000}) {
    auto values = drawn(n, n, [](double z, int i) { return i == 0 ? 1e300 : std::exp(2 * z); });
    serial_scratch scratch;
    serial_group<family_rows<normal>> points(scratch);
    const auto summary = points.load(sample<double>{values.data(), nullptr, n});
    for (const double q : {0.05, 0.37, 0.5, 0.75}) {
      const double value = quantile(points, summary, q, 0.02);
      const auto read = in_frame(values, summary.in);
      const auto below = std::count_if(read.begin(), read.end(), [=](double x) { return x <= value; });
      ASSERT_TRUE(std::abs(static_cast<double>(below) / n - q) <= 0.02 + 1.0 / n) << q << " " << n;
    }
  }
}

TEST(quantile, agrees_with_nth_element) {
  auto values = drawn(1001, 3, [](double z, int) { return std::exp(z); });
  serial_scratch scratch;
  serial_group<family_rows<normal>> points(scratch);
  const auto summary = points.load(sample<double>{values.data(), nullptr, 1001});
  const double median = quantile(points, summary, 0.5);
  std::nth_element(values.begin(), values.begin() + 500, values.end());
  EXPECT_EQ(median, values[500]);
}

TEST(quantile, is_exact_among_ties) {
  for (const int n : {2, 3, 10, 100, 1001}) {
    expect_quantiles(drawn(n, n, [](double z, int) { return std::floor(z); }));
    expect_quantiles(drawn(n, n, [](double z, int i) { return i % 3 ? 0.25 : z; }));
  }
}

TEST(quantile, of_equal_values_is_that_value) {
  for (const double value : {0.0, -3.5, 1e-300, 1e300}) expect_quantiles(std::vector<double>(17, value));
}

TEST(quantile, is_not_moved_by_outliers_of_any_size) {
  for (const int n : {5, 100, 1000}) {
    expect_quantiles(drawn(n, n, [](double z, int i) { return i == 0 ? 1e300 : z; }));
    expect_quantiles(drawn(n, n, [](double z, int i) { return i < 2 ? -1e300 : i == 3 ? 1e300 : 1e-200 * z; }));
    expect_quantiles(drawn(n, n, [](double, int i) { return (i % 2 ? 1 : -1) * std::pow(10.0, i % 600 - 300); }));
  }
}

TEST(quantile, weighs_its_points_and_skips_those_without_weight) {
  for (const int n : {2, 3, 11, 40, 500}) {
    const auto values = drawn(n, n, [](double z, int i) { return i % 7 == 3 ? NAN : std::floor(4 * z) / 4; });
    auto weights = drawn(n, n + 1, [](double z, int i) { return i % 5 == 4 ? 0.0 : std::floor(1 + 4 * z * z); });
    expect_quantiles(values, weights);
  }
  expect_quantiles({1, 2, 3, 4, 100}, {1, 2, 3, 5, 1});  // half the weight is hit exactly at 3
}

}  // namespace
}  // namespace manyfit
