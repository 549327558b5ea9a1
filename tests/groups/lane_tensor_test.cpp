// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures' passes by tensor cores, run with threads as lanes whose products are emulated, against plain loops: sizes
// that fill no product, missing rows and weights, points that no limb holds, models that have to be refused.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "../math/limb_case.hpp"
#include "kernels/gaussian_mixture/tensor_pass.hpp"
#include "kernels/groups/lane_context.hpp"
#include "resident_case.hpp"

namespace manyfit {
namespace {

TEST(half, every_half_comes_back_and_between_two_the_nearer_is_taken) {
  for (int i = 0; i < 0x7c00; ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    const float x = from_half(half);
    ASSERT_EQ(x, std::ldexp(static_cast<float>(i < 1024 ? i : 1024 + i % 1024), i < 1024 ? -24 : i / 1024 - 25));
    ASSERT_EQ(to_half(x), half);
    ASSERT_EQ(to_half(-x), half | 0x8000);
    ASSERT_EQ(from_half(half | 0x8000), -x);
    const float next = i == 0x7bff ? 65536.0f : from_half(static_cast<std::uint16_t>(i + 1)), middle = (x + next) / 2;
    ASSERT_EQ(to_half(middle), i % 2 ? i + 1 : i);  // ties to even
    ASSERT_EQ(to_half(std::nextafterf(middle, 0)), i);
    ASSERT_EQ(to_half(std::nextafterf(middle, 1e9f)), i + 1);
  }
}

TEST(half, limbs_are_within_22_bits) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 100000; ++i) {
    const float x[2] = {std::ldexp(normal(random), i % 40 - 26), std::ldexp(normal(random), 5)};
    std::uint32_t high, low;
    float a[2], b[2];
    to_limbs(x[0], x[1], high, low);
    from_halves(high, a[0], a[1]);
    from_halves(low, b[0], b[1]);
    for (int q = 0; q < 2; ++q)
      ASSERT_TRUE(std::abs(a[q] + b[q] - x[q]) <= std::max(std::abs(x[q]) * 0x1p-22f, 0x1p-25f)) << x[q];
  }
}

TEST(limb_products, agree_with_plain_loops) {
  limb_case c;
  for (const bool transposed : {false, true}) {
    c.draw(transposed ? 2 : 3);
    std::vector<std::uint32_t> exchange(limb_exchange_words);
    std::vector<std::uint16_t> memory(limb_case::halves);
    lane_team team(1, 1);
    run_lanes<reach::warp>(team, [&](auto& context, int) {
      transposed ? c.multiply<true>(context, memory.data(), exchange.data())
                 : c.multiply<false>(context, memory.data(), exchange.data());
    });
    EXPECT_TRUE(c.worst() <= 2) << c.worst();
  }
}

/// A case within the limits, its Gaussians as wide as the points or less; `far`: deviations of a mean from the centre.
pass_case<float> narrow_case(int D, int K, std::int64_t rows, bool weighted, std::uint64_t seed, double far = 1) {
  pass_case<float> c(covariance_structure::diagonal, D, K, rows, weighted, seed);
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  for (int i = 0; i < K * D; ++i) {
    c.m.factor[i] = 0.4 + std::abs(normal(random));
    c.m.offset[i] = far * normal(random);
  }
  c.by_plain_loops();
  return c;
}

/// Runs the pass on a grid of `blocks`; whether it was possible.
bool run_pass(pass_case<float>& c, int warps, int blocks, double mean_weight, std::vector<double>& sums,
              double& value) {
  const int lanes = 32 * warps, numbers = c.m.K * c.m.features_each();
  c.m.bind(c.memory.data());  // where a copy's memory is
  const tensor_layout layout = plan_tensor(c.m.structure, c.m.D, c.m.K, lanes, 1 << 20);
  EXPECT_GT(layout.points, 0);
  std::vector<double> partial(static_cast<std::size_t>(blocks * numbers), 0.0), values(blocks * lanes);
  std::vector<char> done(blocks * lanes);
  std::vector<std::vector<four<float>>> own(blocks);
  for (auto& memory : own) memory.assign(layout.numbers / 4 + 1, four<float>{{NAN, NAN, NAN, NAN}});
  lane_team team(blocks, warps, true);
  run_lanes<reach::grid>(team, [&](auto& context, int thread) {
    const rows_view<float> rows = c.rows();
    tensor_job<std::remove_reference_t<decltype(context)>> job{
        context, rows, c.m, layout, own[context.block()][0].v, mean_weight, partial.data() + context.block() * numbers};
    done[thread] = tensor_pass_of(job);
    values[thread] = job.value;
  });
  for (const char one : done) EXPECT_EQ(one, done[0]);
  sums.assign(static_cast<std::size_t>(numbers), 0.0);
  for (std::size_t i = 0; i < partial.size(); ++i) sums[i % sums.size()] += partial[i];
  value = 0;
  for (const double v : values) value += v;
  return done[0];
}

/// Sums of a component's products are held against the sum of their absolute values, which Σ r and Σ r y² bound.
void expect_pass(pass_case<float> c, int warps, int blocks, double tolerance, double mean_weight = 1) {
  std::vector<double> sums;
  double value = 0;
  c.m.bind(c.memory.data());
  ASSERT_TRUE(run_pass(c, warps, blocks, mean_weight, sums, value));
  EXPECT_TRUE(std::abs(value - c.value) <= tolerance * (1 + std::abs(c.value))) << value << " for " << c.value;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double error = std::abs(sums[i] - c.sums[i]) / (1 + std::abs(c.sums[i]));
    ASSERT_TRUE(error <= 1e2 * tolerance)
        << "statistic " << i << ": " << sums[i] << " for " << c.sums[i] << "; D " << c.m.D << " K " << c.m.K;
  }
}

TEST(lane_tensor, pass_agrees_with_plain_loops) {
  expect_pass(narrow_case(8, 25, 150, false, 1), 1, 2, 2e-6);
  expect_pass(narrow_case(9, 40, 150, true, 2), 2, 1, 2e-6);
  expect_pass(narrow_case(17, 30, 130, true, 3), 2, 1, 2e-6);
  expect_pass(narrow_case(32, 33, 70, false, 4), 2, 1, 2e-6);
}

// A tile has 64 points here: sums are added to shared memory and to double on the way.
TEST(lane_tensor, pass_parks_sums_for_as_long_as_it_may) {
  expect_pass(narrow_case(8, 26, 64 * 37, false, 5), 1, 1, 2e-6);
}

// Sums are brought to double after the last tile, and at the end again: no warp may add to them in between.
TEST(lane_tensor, pass_may_end_where_sums_are_parked) {
  expect_pass(narrow_case(8, 33, 64 * tensor_tiles_parked, false, 9), 2, 1, 2e-6);
}

// Points far beyond what limbs hold, one of them with a coordinate that is no number, and weights far from the mean.
TEST(lane_tensor, points_that_no_limb_holds_are_taken_in_double) {
  pass_case<float> c = narrow_case(9, 33, 200, true, 6);
  const auto value = [&](std::int64_t i, int d) -> float& { return c.values[static_cast<std::size_t>(i * 9 + d)]; };
  value(7, 3) = 400;
  value(64, 8) = -1e5f;
  value(70, 0) = 3e38f;
  value(70, 1) = static_cast<float>(constants::nan);
  value(71, 2) = 3e19f;
  c.weights[10] = 1e6f;
  c.weights[11] = 1e-7f;
  c.weights[64] = 3;
  c.weights[7] = 0.25f;
  c.weights[71] = 1;
  c.by_plain_loops();
  expect_pass(c, 2, 1, 2e-6);
}

TEST(lane_tensor, models_beyond_the_limits_are_refused) {
  const std::function<void(mixture_model&)> changes[] = {
      [](mixture_model& m) { m.offset[9 * 32 + 8] = 1000; },  // a mean 1000 deviations from the centre
      [](mixture_model& m) { m.offset[5] = 46; },
      [](mixture_model& m) {
        for (int d = 0; d < 9; ++d) m.offset[9 + d] = 16;
      },
      [](mixture_model& m) { m.factor[9 * 3 + 2] = 0.1; },
      [](mixture_model& m) { m.factor[9 * 3 + 2] = 250; },
      [](mixture_model& m) { m.factor[0] = constants::nan; },
      [](mixture_model& m) { m.offset[0] = -constants::nan; },
  };
  std::vector<double> sums;
  double value;
  for (const auto& change : changes) {
    pass_case<float> c = narrow_case(9, 33, 70, false, 7);
    c.m.bind(c.memory.data());
    EXPECT_TRUE(run_pass(c, 2, 1, 1, sums, value));
    change(c.m);
    EXPECT_FALSE(run_pass(c, 2, 2, 1, sums, value));
    for (const double x : sums) EXPECT_EQ(x, 0);
  }
}

// Means up to the limit of 2048 squared deviations from the centre, points next to them.
TEST(lane_tensor, log_densities_keep_their_digits_up_to_the_limit) {
  pass_case<float> c = narrow_case(32, 32, 256, false, 8, 7.5);
  c.m.bind(c.memory.data());
  std::mt19937_64 random(8);
  std::normal_distribution<double> normal;
  double most = 0;
  for (int k = 0; k < 32; ++k) {
    double far = 0;
    for (int d = 0; d < 32; ++d) far += square(c.m.offset[32 * k + d]);
    most = std::max(most, far);
    for (int d = 0; d < 32; ++d) c.m.offset[32 * k + d] *= std::sqrt(2040 / far);
  }
  for (std::int64_t i = 0; i < 256; ++i)
    for (int d = 0; d < 32; ++d) {
      const std::int64_t at = i % 32 * 32 + d;
      c.values[static_cast<std::size_t>(i * 32 + d)] =
          static_cast<float>(c.m.centre[d] + (c.m.offset[at] + normal(random)) / (c.m.factor[at] * c.m.scale[d]));
    }
  c.by_plain_loops();
  expect_pass(c, 1, 1, 2e-6);
}

}  // namespace
}  // namespace manyfit
