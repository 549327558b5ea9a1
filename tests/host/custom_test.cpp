// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A density of the caller's own, with nothing but what is required, is fitted like a registered one.
#include <gtest/gtest.h>

#include <cmath>

#include "../package/lindley.hpp"
#include "manyfit/custom.hpp"
#include "manyfit/manyfit.hpp"

namespace {

/// A normal with the second parameter on the log scale: two parameters, one of any sign.
struct log_scale_normal {
  static constexpr const char* name = "log_scale_normal";
  static constexpr manyfit::parameter parameters[] = {{"mean", manyfit::constraint::real, 0.0, "mean"},
                                                      {"log_sd", manyfit::constraint::real, 0.0, "log of the sd"}};
  using support = manyfit::supports::reals;
  template <class T>
  struct params {
    T mean, log_sd;
  };
  template <class T, class S>
  static T log_density(const params<T>& p, const S& x) {
    return -0.5 * manyfit::square((x - p.mean) * exp(-p.log_sd)) - p.log_sd - manyfit::constants::half_log_two_pi;
  }
};

std::vector<double> drawn(const char* family, std::vector<double> parameters, std::int64_t fits, std::int64_t size) {
  return manyfit::simulate(manyfit::executor::cpu(), manyfit::find_family(family), {parameters.data(), 0, 1}, fits,
                           size, {.seed = 3});
}

TEST(custom_density, reaches_the_maximum_known_in_closed_form) {
  const auto x = drawn("gamma", {1.5, 0.8}, 40, 50);
  const auto r = manyfit::fit<lindley>(manyfit::executor::cpu(2), manyfit::dense<double>(x, 40));
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(r.status[i], manyfit::fit_status::converged);
    double m = 0;
    for (int j = 0; j < 50; ++j) m += x[i * 50 + j] / 50;
    const double theta = (1 - m + std::sqrt((m - 1) * (m - 1) + 8 * m)) / (2 * m);
    EXPECT_TRUE(std::abs(r.parameter(0, i) / theta - 1) <= 1e-9);
    const double information = 50 * (2 / (theta * theta) - 1 / ((1 + theta) * (1 + theta)));
    EXPECT_TRUE(std::abs(r.std_error(0, i) * std::sqrt(information) - 1) <= 1e-6);
  }
}

TEST(custom_density, agrees_with_the_registered_family_it_rewrites) {
  const auto x = drawn("normal", {1.5, 2.0}, 10, 200);
  const auto data = manyfit::dense<double>(x, 10);
  const auto ours = manyfit::fit<log_scale_normal>(manyfit::executor::cpu(1), data);
  const auto theirs = manyfit::fit<manyfit::normal>(manyfit::executor::cpu(1), data);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(std::abs(ours.parameter(0, i) - theirs.parameter(0, i)) <= 1e-9);
    EXPECT_TRUE(std::abs(std::exp(ours.parameter(1, i)) - theirs.parameter(1, i)) <= 1e-9);
    EXPECT_TRUE(std::abs(ours.log_likelihood[i] - theirs.log_likelihood[i]) <= 1e-9);
  }
}

TEST(custom_density, keeps_statuses_and_refuses_what_it_cannot_do) {
  const std::vector<double> bad{1.0, -2.0, 3.0};
  EXPECT_EQ(manyfit::fit<lindley>(manyfit::executor::cpu(1), manyfit::dense<double>(bad, 1)).status[0],
            manyfit::fit_status::out_of_support);
  const double theta = 1;
  EXPECT_THROW(manyfit::simulate(manyfit::executor::cpu(1), manyfit::custom_family<lindley>(), {&theta, 0, 1}, 1, 1),
               manyfit::error);
}

}  // namespace
