// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How batches are cut for a device that cannot hold them: whole fits, in order, none lost.
#include "chunks.hpp"

#include <gtest/gtest.h>

namespace manyfit {
namespace {

/// Chunks follow each other, cover every fit, keep to the limits, and know their values and their largest fit.
void expect_sound(const std::vector<chunk>& chunks, const std::vector<std::int64_t>& offsets, std::int64_t most_fits,
                  std::int64_t most_values) {
  std::int64_t next = 0;
  for (const chunk& c : chunks) {
    EXPECT_EQ(c.begin, next);
    ASSERT_LT(c.begin, c.end);
    EXPECT_LE(c.end - c.begin, most_fits);
    EXPECT_EQ(c.first, offsets[c.begin]);
    EXPECT_EQ(c.values, offsets[c.end] - offsets[c.begin]);
    EXPECT_TRUE(c.values <= most_values || c.end - c.begin == 1);
    std::int64_t largest = 0;
    for (std::int64_t i = c.begin; i < c.end; ++i) largest = std::max(largest, offsets[i + 1] - offsets[i]);
    EXPECT_EQ(c.largest, largest);
    next = c.end;
  }
  EXPECT_EQ(next, static_cast<std::int64_t>(offsets.size()) - 1);
}

TEST(chunks, cover_ragged_fits_within_both_limits) {
  std::vector<std::int64_t> offsets{5};
  for (int i = 0; i < 400; ++i) offsets.push_back(offsets.back() + (i % 7 == 3 ? 0 : i * 37 % 90));
  for (const std::int64_t most_values : {1, 50, 89, 1000, 1000000})
    for (const std::int64_t most_fits : {1, 9, 1000})
      expect_sound(plan_chunks(offsets.data(), 0, 400, most_fits, most_values), offsets, most_fits, most_values);
}

TEST(chunks, cover_dense_fits_within_both_limits) {
  for (const std::int64_t size : {1, 7, 64, 1000}) {
    std::vector<std::int64_t> offsets;
    for (int i = 0; i <= 400; ++i) offsets.push_back(size * i);
    for (const std::int64_t most_values : {1, 50, 89, 128, 1000, 1000000})
      for (const std::int64_t most_fits : {1, 9, 1000}) {
        const auto chunks = plan_chunks(nullptr, size, 400, most_fits, most_values);
        expect_sound(chunks, offsets, most_fits, most_values);
        const auto ragged = plan_chunks(offsets.data(), 0, 400, most_fits, most_values);
        EXPECT_EQ(chunks.size(), ragged.size());
      }
  }
}

TEST(chunks, are_as_few_as_the_limits_allow) {
  std::vector<std::int64_t> offsets;
  for (int i = 0; i <= 100; ++i) offsets.push_back(10 * i);
  EXPECT_EQ(plan_chunks(offsets.data(), 0, 100, 1000, 100).size(), 10u);
  EXPECT_EQ(plan_chunks(nullptr, 10, 100, 1000, 100).size(), 10u);
  EXPECT_EQ(plan_chunks(nullptr, 10, 100, 1000, 109).size(), 10u);
  EXPECT_EQ(plan_chunks(nullptr, 10, 100, 7, 1 << 20).size(), 15u);
}

TEST(chunks, give_a_fit_larger_than_the_limit_a_chunk_of_its_own) {
  const std::vector<std::int64_t> offsets{0, 3, 1003, 1005};
  const auto chunks = plan_chunks(offsets.data(), 0, 3, 100, 10);
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(chunks[1].values, 1000);
}

TEST(chunks, of_nothing_are_none) {
  EXPECT_TRUE(plan_chunks(nullptr, 10, 0, 10, 10).empty());
  EXPECT_EQ(plan_chunks(nullptr, 0, 5, 10, 10).size(), 1u);
}

}  // namespace
}  // namespace manyfit
