// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The parts that every CUDA kernel of manyfit is made of, with threads as lanes: reductions, lanes_group, and the
// taking of fits from a counter. tests/mutants plants mistakes in those parts and expects this program to fail.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "kernels/cuda/work.hpp"
#include "kernels/families/gamma.hpp"
#include "kernels/families/normal.hpp"
#include "kernels/families/weibull.hpp"
#include "kernels/groups/lane_context.hpp"
#include "lane_harness.hpp"

namespace manyfit {
namespace {

TEST(all_reduce, adds_every_lane_once_in_every_round) {
  const auto check = []<reach Reach>(std::integral_constant<reach, Reach>, int blocks, int warps) {
    lane_team team(blocks, warps, true);
    const int lanes = Reach == reach::part    ? lane_team::part_lanes
                      : Reach == reach::warp  ? 32
                      : Reach == reach::block ? 32 * warps
                                              : 32 * warps * blocks;
    std::vector<int> wrong(static_cast<std::size_t>(32 * warps * blocks), 0);
    run_lanes<Reach>(team, [&](auto& context, int thread) {
      for (int round = 1; round <= 16; ++round) {
        const double value = round * (context.lane() + 1.0);
        const auto sum = all_reduce<add_values>(context, vec<double, 2>{value, -value});
        const double expected = round * 0.5 * lanes * (lanes + 1.0);
        wrong[thread] += !(sum[0] == expected) + !(sum[1] == -expected);
        const auto least = all_reduce<least_value>(context, vec<double, 1>{-value});
        wrong[thread] += !(least[0] == -1.0 * round * lanes);
      }
    });
    EXPECT_EQ(std::accumulate(wrong.begin(), wrong.end(), 0), 0) << blocks << " blocks of " << warps << " warps";
  };
  check(std::integral_constant<reach, reach::part>(), 1, 2);
  check(std::integral_constant<reach, reach::warp>(), 1, 2);
  check(std::integral_constant<reach, reach::block>(), 1, 1);
  check(std::integral_constant<reach, reach::block>(), 2, 3);
  check(std::integral_constant<reach, reach::grid>(), 1, 2);
  check(std::integral_constant<reach, reach::grid>(), 3, 2);
}

TEST(all_reduce, gives_every_lane_the_same_bits) {
  lane_team team(2, 2);
  std::vector<double> result(128);
  run_lanes<reach::grid>(team, [&](auto& context, int thread) {
    const auto sum = all_reduce<add_values>(context, vec<double, 1>{1.0 / (3 + context.lane())});
    result[thread] = sum[0];
  });
  for (const double r : result) EXPECT_EQ(std::memcmp(&r, &result[0], sizeof r), 0);
}

/// What a plain loop makes of a sample of integers, in which every sum is exact.
struct plain_summary {
  std::int64_t observations = 0, missing = 0, outside = 0, nonfinite = 0;
  double weight = 0, sum = 0, squares = 0, least = constants::infinity, greatest = -constants::infinity;
};
plain_summary plain(const std::vector<float>& x, const std::vector<float>& w) {
  plain_summary s;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float weight = w.empty() ? 1.0f : w[i];
    const row_class value = classify<weibull::support>(x[i], weight);
    s.observations += value == row_class::used;
    s.missing += value == row_class::missing;
    s.outside += value == row_class::outside;
    s.nonfinite += value == row_class::nonfinite;
    if (value != row_class::used) continue;
    s.weight += weight;
    s.sum += weight * x[i];
    s.squares += weight * x[i] * x[i];
    s.least = std::min(s.least, static_cast<double>(x[i]));
    s.greatest = std::max(s.greatest, static_cast<double>(x[i]));
  }
  return s;
}

/// Positive integers as a family of their own: sums are exact, so a point lost or counted twice shows.
struct positive_integers {
  static constexpr const char* name = "positive_integers";
  static constexpr parameter parameters[] = {{"none", constraint::real, 0.0, "none"}};
  using support = supports::positive_reals;
};

void expect_plain(int size, bool weighted, bool poisoned) {
  std::vector<float> x(static_cast<std::size_t>(size)), w(weighted ? x.size() : 0);
  for (int i = 0; i < size; ++i) {
    x[i] = static_cast<float>(1 + i * 7 % 101);
    if (weighted) w[i] = static_cast<float>(i % 4);
    if (poisoned && i % 5 == 0) x[i] = std::numeric_limits<float>::quiet_NaN();
    if (poisoned && i % 7 == 3) x[i] = -1;
    if (poisoned && i % 11 == 6) x[i] = std::numeric_limits<float>::infinity();
    if (poisoned && weighted && i % 13 == 8) w[i] = std::numeric_limits<float>::quiet_NaN();
  }
  const plain_summary expected = plain(x, w);
  const auto check = [&]<reach Reach>(std::integral_constant<reach, Reach>, int blocks, int warps,
                                      std::int64_t capacity) {
    lane_team team(blocks, warps);
    const int each = neighbours<Reach>(warps);
    const std::int64_t allocated = std::max(
        capacity, lanes_group<family_rows<positive_integers>, float, lane_context<true>>::least_capacity(each));
    std::vector<std::vector<float>> buffers(blocks * warps * 32 / each,
                                            std::vector<float>(static_cast<std::size_t>(allocated)));
    run_lanes<Reach>(team, [&](auto& context, int thread) {
      lanes_group<family_rows<positive_integers>, float, std::decay_t<decltype(context)>> points(
          context, buffers[thread / each].data(), allocated);
      const sample_summary s = points.load({x.data(), weighted ? w.data() : nullptr, size});
      bool right = s.observations == expected.observations && s.missing == expected.missing &&
                   s.outside == expected.outside && s.nonfinite == expected.nonfinite;
      if (expected.observations > 0) {
        right = right && s.weight == expected.weight && s.minimum == expected.least && s.maximum == expected.greatest;
        right = right && s.mean == expected.sum / expected.weight;
        for (int pass = 0; pass < 3; ++pass) {
          const auto total = points.sum([](float y) { return vec<float, 2>{y, y * y}; });
          right = right && total[0] == expected.sum && total[1] == expected.squares;
        }
        right = right && points.minimum_of([](float y) { return -y; }) == -expected.greatest;
      }
      if (!right) ADD_FAILURE() << "size " << size << " lane " << context.lane() << " capacity " << capacity;
    });
  };
  for (const std::int64_t capacity : {std::int64_t{0}, std::int64_t{size}, std::int64_t{size - 1}}) {
    if (capacity < 0) continue;
    check(std::integral_constant<reach, reach::part>(), 1, 1, capacity);
    check(std::integral_constant<reach, reach::warp>(), 1, 2, capacity);
    check(std::integral_constant<reach, reach::block>(), 1, 2, capacity);
    if (size % 2 == 0) check(std::integral_constant<reach, reach::grid>(), 2, 1, capacity);
  }
}

TEST(lanes_group, sums_every_point_once_whatever_the_tail) {
  for (const int size : {0, 1, 31, 33, 64, 65, 200, 1031, 2310}) expect_plain(size, false, false);
}
TEST(lanes_group, leaves_out_what_is_missing_or_bad_and_counts_it) {
  for (const int size : {1, 65, 200}) expect_plain(size, false, true);
}
TEST(lanes_group, weighs_every_point) {
  expect_plain(97, true, false);
  expect_plain(150, true, true);
}

/// A ragged batch of positive numbers with sizes around the warp's and the block's.
ragged_sample positive_batch(const std::vector<int>& sizes) {
  ragged_sample batch;
  for (const int size : sizes) {
    for (int i = 0; i < size; ++i)
      batch.values.push_back(0.25 + 1.7 * std::fmod((i + 1) * 0.6180339887498949, 1.0) + 0.01 * size);
    batch.offsets.push_back(static_cast<std::int64_t>(batch.values.size()));
  }
  return batch;
}

template <class Family>
void expect_same_bits_in_company() {
  std::vector<int> sizes{40, 64, 0, 33, 65, 2, 100};
  for (int i = 0; i < 28; ++i) sizes.push_back(4 + i % 6);
  const ragged_sample batch = positive_batch(sizes);
  const auto together = run_fits<Family, reach::warp>(batch, 1, 3, 64);
  const auto streamed = run_fits<Family, reach::warp>(batch, 1, 1, 0);
  for (std::size_t i = 0; i < sizes.size(); i += i < 8 ? 1 : 9) {
    const auto alone = run_fits<Family, reach::warp>(batch.only(i), 1, 1, 64);
    EXPECT_TRUE(together.same_fit(i, alone, 0)) << Family::name << " fit " << i << " of size " << sizes[i];
    EXPECT_TRUE(together.same_fit(i, streamed, i)) << Family::name << " fit " << i << " of size " << sizes[i];
  }
}
TEST(sample_work, gives_a_fit_the_same_bits_alone_in_company_resident_and_streamed) {
  expect_same_bits_in_company<normal>();
  expect_same_bits_in_company<weibull>();
}

TEST(sample_work, runs_every_fit_exactly_once_in_any_order) {
  const ragged_sample batch = positive_batch(std::vector<int>(70, 6));
  std::vector<std::int32_t> order(70);
  for (int i = 0; i < 70; ++i) order[i] = (i * 29 + 11) % 70;
  const auto as_it_stands = run_fits<normal, reach::warp>(batch, 1, 2, 8);
  const auto reordered = run_fits<normal, reach::warp>(batch, 1, 2, 8, &order);
  const auto by_blocks = run_fits<weibull, reach::block>(batch, 3, 1, 8, &order);
  for (std::size_t i = 0; i < 70; ++i) {
    EXPECT_TRUE(as_it_stands.same_fit(i, reordered, i)) << i;
    EXPECT_EQ(as_it_stands.status[i], fit_status::converged) << i;
    EXPECT_EQ(by_blocks.status[i], fit_status::converged) << i;
  }
}

TEST(sample_work, agrees_between_warps_blocks_and_the_whole_grid) {
  const ragged_sample batch = positive_batch({200, 7, 96, 129});
  const auto check = [&]<class Family>(Family) {
    const auto warp = run_fits<Family, reach::warp>(batch, 1, 1, 256);
    const auto block = run_fits<Family, reach::block>(batch, 1, 3, 256);
    const auto grid = run_fits<Family, reach::grid>(batch, 2, 2, 0);
    for (std::size_t i = 0; i < 4; ++i)
      for (int p = 0; p < 2; ++p) {
        const double reference = warp.parameters[p * 4 + i];
        EXPECT_TRUE(std::fabs(block.parameters[p * 4 + i] - reference) <= 1e-9 * std::fabs(reference)) << Family::name;
        EXPECT_TRUE(std::fabs(grid.parameters[p * 4 + i] - reference) <= 1e-9 * std::fabs(reference)) << Family::name;
      }
  };
  check(normal{});
  check(weibull{});
}

/// Numbers about `center`, some of the spread apart, each one that float holds.
ragged_sample narrow_batch(double center, double spread, int size) {
  ragged_sample batch;
  for (int i = 0; i < size; ++i) {
    const double u = std::fmod((i + 1) * 0.6180339887498949, 1.0), v = std::fmod((i + 1) * 0.7548776662466927, 1.0);
    batch.values.push_back(static_cast<double>(static_cast<float>(center + spread * (u + v - 1))));
  }
  batch.offsets.push_back(size);
  return batch;
}

template <class Family>
void expect_float_to_be_exact(double center, double spread, double tolerance) {
  const ragged_sample batch = narrow_batch(center, spread, 1003);
  const auto exact = run_fits<Family, reach::warp>(batch, 1, 1, 1024);
  const auto part = run_fits<Family, reach::part, float>(batch, 1, 1, 1024);
  const auto warp = run_fits<Family, reach::warp, float>(batch, 1, 1, 0);
  ASSERT_EQ(exact.status[0], fit_status::converged);
  for (const auto& found : {part, warp}) {
    EXPECT_EQ(found.status[0], fit_status::converged);
    for (int p = 0; p < found.parameter_count; ++p)
      EXPECT_TRUE(std::fabs(found.parameters[p] - exact.parameters[p]) <=
                  tolerance * std::max(std::fabs(exact.parameters[p]), spread))
          << Family::name << " about " << center << ": " << found.parameters[p] << " for " << exact.parameters[p];
  }
}
TEST(sample_work, in_float_gives_what_double_gives_on_the_same_values) {
  expect_float_to_be_exact<normal>(0, 1, 2e-6);
  expect_float_to_be_exact<normal>(1000, 1, 2e-6);
  expect_float_to_be_exact<families::gamma>(1, 0.95, 2e-6);
  expect_float_to_be_exact<families::gamma>(100, 1, 2e-5);
  expect_float_to_be_exact<weibull>(1, 0.95, 2e-6);
}

}  // namespace
}  // namespace manyfit
