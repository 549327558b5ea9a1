// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The order in which stepwise EM visits minibatches of rows.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kernels/gaussian_mixture/em.hpp"

namespace manyfit {
namespace {

TEST(stepwise_minibatches, the_step_is_prime_to_their_number) {
  for (std::int64_t minibatches = 1; minibatches <= 1000; ++minibatches) {
    const std::int64_t step = minibatch_step(minibatches);
    ASSERT_EQ(std::gcd(step, minibatches), 1) << minibatches;
    ASSERT_GE(step, 1);
    ASSERT_LE(step, minibatches) << "no neighbour of a neighbour twice";
  }
}

/// A group that counts how often each row was in the minibatch at hand.
struct counting_group {
  std::vector<int> visits;
  std::int64_t rows() const { return static_cast<std::int64_t>(visits.size()); }
  void restrict_to(std::int64_t first, std::int64_t count) {
    ASSERT_GE(first, 0);
    ASSERT_GT(count, 0);
    ASSERT_LE(first + count, rows());
    for (std::int64_t i = first; i < first + count; ++i) ++visits[static_cast<std::size_t>(i)];
  }
};
struct counting_attempt {
  counting_group group;
  mixture_settings settings;
  stepwise_place minibatches;
};

TEST(stepwise_minibatches, visit_every_row_once_a_sweep) {
  for (std::int64_t rows = 1; rows <= 1000; rows += rows < 60 ? 1 : 37)
    for (std::int64_t size = 1; size <= rows; size += size < 12 ? 1 : 29) {
      counting_attempt attempt;
      attempt.group.visits.assign(static_cast<std::size_t>(rows), 0);
      attempt.settings.minibatch_rows = size;
      attempt.minibatches.stage = stepwise_place::minibatches;
      attempt.minibatches.count = (rows + size - 1) / size;
      attempt.minibatches.step = minibatch_step(attempt.minibatches.count);
      for (int sweep = 1; sweep <= 3; ++sweep) {
        for (std::int64_t i = 0; i < attempt.minibatches.count; ++i) choose_rows(attempt);
        for (const int each : attempt.group.visits)
          ASSERT_EQ(each, sweep) << rows << " rows in minibatches of " << size;
      }
    }
}

}  // namespace
}  // namespace manyfit
