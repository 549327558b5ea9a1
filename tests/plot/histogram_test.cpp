// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "apps/plot/ticks.hpp"

namespace manyfit::app {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double area(const histogram& h) {
  return std::accumulate(h.heights.begin(), h.heights.end(), 0.0) * h.width;
}

/// n quantiles of the standard exponential distribution: a sample without chance.
std::vector<double> exponential_sample(int n) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(-std::log1p(-(i + 0.5) / n));
  return values;
}

TEST(histogram, bars_of_a_whole_sample_have_area_one) {
  const auto values = exponential_sample(100);
  const histogram h = count_values(values, {}, false, 80);
  EXPECT_EQ(h.count, 100);
  EXPECT_EQ(h.below + h.above, 0);
  EXPECT_TRUE(std::abs(area(h) - 1) <= 1e-12);
  // 2 IQR n^(-1/3) with IQR = log 3, over a range of 5.3
  EXPECT_EQ(h.heights.size(), 12u);
}

TEST(histogram, a_far_outlier_is_cut_counted_and_kept_in_the_total) {
  auto values = exponential_sample(100);
  values.push_back(1e9);
  const histogram h = count_values(values, {}, false, 80);
  EXPECT_EQ(h.above, 1);
  EXPECT_EQ(h.below, 0);
  EXPECT_EQ(h.maximum, 1e9);
  EXPECT_TRUE(h.high < 7);
  EXPECT_TRUE(std::abs(area(h) - 100.0 / 101) <= 1e-12);
}

TEST(histogram, cuts_at_most_three_in_a_hundred_on_a_side) {
  std::vector<double> values(800, 0.0);
  for (int i = 0; i < 200; ++i) values.push_back(20 + i % 20);
  const histogram h = count_values(values, {}, true, 60);
  EXPECT_TRUE(h.above <= 30);
  EXPECT_EQ(h.high, 36.5);
}

TEST(histogram, missing_values_and_values_without_weight_are_left_out) {
  const std::vector<double> values{1, 2, nan, 3, 1e305, 4}, weights{1, 1, 1, 0, 1, 2};
  const histogram h = count_values(values, weights, true, 60);
  EXPECT_EQ(h.count, 3);
  ASSERT_EQ(h.heights.size(), 4u);
  EXPECT_EQ(h.heights, (std::vector{0.25, 0.25, 0.0, 0.5}));
}

TEST(histogram, rounded_data_get_bars_of_whole_grid_steps) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(0.5 * (i % 40));
  const histogram h = count_values(values, {}, false, 80);
  const double steps = h.width / 0.5;
  EXPECT_TRUE(std::abs(steps - std::round(steps)) <= 1e-9);
  // As many grid points in every bar but perhaps the last, hence equal heights.
  for (std::size_t i = 1; i + 1 < h.heights.size(); ++i) EXPECT_TRUE(std::abs(h.heights[i] - h.heights[0]) <= 1e-12);
}

TEST(histogram, many_whole_numbers_share_bars) {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 0.0);
  const histogram h = count_values(values, {}, true, 60);
  EXPECT_EQ(h.width, 17);
  EXPECT_EQ(h.heights.size(), 59u);
  EXPECT_TRUE(std::abs(h.heights[0] - 1e-3) <= 1e-15);
}

TEST(histogram, empty_constant_and_single_samples_have_a_range) {
  EXPECT_TRUE(count_values({}, {}, false, 80).empty());
  for (const double value : {0.0, 5.0, -1e200}) {
    const histogram h = count_values(std::vector(3, value), {}, false, 80);
    EXPECT_TRUE(h.low < value && value < h.high && h.width > 0);
    EXPECT_TRUE(std::abs(area(h) - 1) <= 1e-12);
  }
}

TEST(nice_ticks, are_multiples_of_one_two_or_five_with_the_digits_that_tell_them_apart) {
  const auto labels = [](const std::vector<tick>& ticks) {
    std::string all;
    for (const tick& each : ticks) all += each.label + " ";
    return all;
  };
  EXPECT_EQ(labels(nice_ticks(0, 1, 6)), "0 0.2 0.4 0.6 0.8 1.0 ");
  EXPECT_EQ(labels(nice_ticks(-12, 11, 5)), "−10 −5 0 5 10 ");
  EXPECT_EQ(labels(nice_ticks(0, 3.2e-9, 4)), "0 1e−9 2e−9 3e−9 ");
  EXPECT_EQ(labels(nice_ticks(999995, 1000005, 3)), "999995 1000000 1000005 ");
  EXPECT_EQ(labels(nice_ticks(-0.3, 1.3, 9, true)), "0 1 ");
  EXPECT_TRUE(nice_ticks(1, 1, 5).empty());
}

TEST(readable, is_short_and_names_what_is_not_finite) {
  EXPECT_EQ(readable(0.0123456), "0.0123");
  EXPECT_EQ(readable(-1234.5, 4), "−1234");
  EXPECT_EQ(readable(9.996), "10.0");
  EXPECT_EQ(readable(1.5e-7), "1.5e−7");
  EXPECT_EQ(readable(-INFINITY), "−∞");
  EXPECT_EQ(readable(nan), "NaN");
}

}  // namespace
}  // namespace manyfit::app
