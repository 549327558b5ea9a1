// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The order in which stepwise EM visits batches of rows.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kernels/gaussian_mixture/em.hpp"

namespace manyfit {
namespace {

TEST(stepwise_batches, the_step_is_prime_to_their_number) {
  for (std::int64_t batches = 1; batches <= 1000; ++batches) {
    const std::int64_t step = batch_step(batches);
    ASSERT_EQ(std::gcd(step, batches), 1) << batches;
    ASSERT_GE(step, 1);
    ASSERT_LE(step, batches) << "no neighbour of a neighbour twice";
  }
}

/// A group that counts how often each row was in the batch at hand.
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
struct counting_run {
  counting_group group;
  mixture_settings settings;
  stepwise_place batches;
};

TEST(stepwise_batches, visit_every_row_once_a_sweep) {
  for (std::int64_t rows = 1; rows <= 1000; rows += rows < 60 ? 1 : 37)
    for (std::int64_t size = 1; size <= rows; size += size < 12 ? 1 : 29) {
      counting_run run;
      run.group.visits.assign(static_cast<std::size_t>(rows), 0);
      run.settings.batch_rows = size;
      run.batches.stage = stepwise_place::batches;
      run.batches.count = (rows + size - 1) / size;
      run.batches.step = batch_step(run.batches.count);
      for (int sweep = 1; sweep <= 3; ++sweep) {
        for (std::int64_t i = 0; i < run.batches.count; ++i) choose_rows(run);
        for (const int each : run.group.visits) ASSERT_EQ(each, sweep) << rows << " rows in batches of " << size;
      }
    }
}

}  // namespace
}  // namespace manyfit
