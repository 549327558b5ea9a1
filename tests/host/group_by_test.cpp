// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/group_by.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <tuple>

#include "key_hash.hpp"
#include "manyfit/error.hpp"

namespace manyfit {
namespace {

/// The plain way: a map, row by row.
template <class Key>
row_groups expected(const std::vector<std::optional<Key>>& keys) {
  row_groups result;
  std::map<Key, std::int32_t> group_of_key;
  for (std::size_t row = 0; row < keys.size(); ++row) {
    if (!keys[row]) {
      result.group_of_row.push_back(no_group);
      continue;
    }
    const auto [found, is_new] = group_of_key.try_emplace(*keys[row], static_cast<std::int32_t>(group_of_key.size()));
    if (is_new) result.first_row.push_back(static_cast<std::int64_t>(row));
    result.group_of_row.push_back(found->second);
  }
  return result;
}

void expect_same(const row_groups& found, const row_groups& wanted, const std::string& which) {
  ASSERT_EQ(found.first_row, wanted.first_row) << which;
  ASSERT_EQ(found.group_of_row, wanted.group_of_row) << which;
}

void expect_grouped(const std::vector<std::optional<std::string>>& keys, const std::string& which) {
  std::vector<std::string_view> views;
  for (const auto& each : keys) views.push_back(each ? std::string_view(*each) : std::string_view());
  const row_groups wanted = expected(keys);
  for (const int threads : {1, 2, 7})
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}})
      expect_same(group_by(views, {.threads = threads, .seed = seed}), wanted, which);
  expect_same(group_by(views), wanted, which);
  std::vector<std::span<const std::string_view>> parts{{}};
  for (std::size_t first = 0, size = 1; first < views.size(); first += size, size = 3 * size + 1) {
    size = std::min(size, views.size() - first);
    parts.push_back(std::span<const std::string_view>(views).subspan(first, size));
  }
  expect_same(group_by(parts, {.threads = 2}), wanted, which + " in parts");
}

/// Keys of every length, of which some differ in one byte or in trailing zeros only.
std::string key_of(std::uint32_t number) {
  std::string text = "k" + std::to_string(number / 4);
  if (number % 4 == 1) text += '\0';
  if (number % 4 == 2) text = "a longer key, with the number at its end: " + text;
  if (number % 4 == 3) text += std::string(number % 23, 'x');
  return text;
}

TEST(group_by, numbers_groups_in_order_of_first_appearance_at_any_threads_and_seed) {
  std::mt19937 random(1);
  for (const std::uint32_t distinct : {1u, 3u, 700u, 30000u})
    for (const std::size_t rows : {1u, 2u, 100u, 40000u}) {
      std::vector<std::optional<std::string>> shuffled, sorted;
      for (std::size_t row = 0; row < rows; ++row) {
        shuffled.emplace_back(key_of(static_cast<std::uint32_t>(random() % distinct)));
        sorted.emplace_back(key_of(static_cast<std::uint32_t>(row * distinct / rows)));
        if (random() % 50 == 0) shuffled.back().reset();
        if (random() % 50 == 0) sorted.back().reset();
      }
      expect_grouped(shuffled, "shuffled " + std::to_string(distinct));
      expect_grouped(sorted, "sorted " + std::to_string(distinct));
    }
}

TEST(group_by, tells_an_empty_text_from_none_and_a_zero_byte_from_an_end) {
  expect_grouped({std::nullopt, "", std::nullopt, "", std::string(1, '\0'), std::string(2, '\0'), "a",
                  std::string("a\0", 2), std::string(8, 'a'), std::string(9, 'a'), "", std::nullopt},
                 "edges");
  expect_same(group_by(std::span<const std::string_view>{}), {}, "nothing");
}

TEST(group_by, groups_whole_numbers_and_pairs) {
  std::mt19937_64 random(2);
  std::vector<std::uint64_t> words;
  std::vector<std::int32_t> first, second;
  std::vector<std::optional<std::uint64_t>> word_keys;
  std::vector<std::optional<std::pair<std::int32_t, std::int32_t>>> pairs;
  for (int row = 0; row < 50000; ++row) {
    words.push_back(random() % 3 == 0 ? ~std::uint64_t{0} - random() % 40 : random() % 9000);
    word_keys.emplace_back(words.back());
    first.push_back(static_cast<std::int32_t>(random() % 300) - 1);
    second.push_back(static_cast<std::int32_t>(random() % 100) - 1);
    pairs.emplace_back(std::pair{first.back(), second.back()});
    if (first.back() == no_group || second.back() == no_group) pairs.back().reset();
  }
  for (const int threads : {1, 3}) {
    expect_same(group_by(words, {.threads = threads}), expected(word_keys), "numbers");
    expect_same(group_by(first, second, {.threads = threads}), expected(pairs), "pairs");
  }
  EXPECT_THROW(group_by(first, std::span(second).first(7)), error);
}

TEST(group_by, puts_values_group_by_group_in_the_order_of_their_rows) {
  const std::vector<std::string_view> keys = {"b", "a", {}, "b", "c", "a"};
  const std::vector<double> values = {1, 2, 3, 4, 5, 6};
  const row_groups groups = group_by(keys);
  const auto offsets = group_offsets(groups);
  EXPECT_EQ(offsets, (std::vector<std::int64_t>{0, 2, 4, 5}));
  EXPECT_EQ((in_group_order<float, double>(values, groups, offsets)), (std::vector<float>{1, 4, 2, 6, 5}));
  EXPECT_EQ(group_offsets({}), std::vector<std::int64_t>{0});
}

/// Texts that collide whatever the seed, if a multiplication is all that a block passes through: a flipped top bit
/// comes out as a flipped top bit, which the next block can take back.
TEST(key_hash, has_no_differences_that_hold_for_every_seed) {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 2000; ++trial) {
    std::uint64_t words[4] = {random(), random(), random(), random()}, others[4];
    std::copy(words, words + 4, others);
    others[random() % 4] ^= std::uint64_t{1} << 63;
    others[random() % 4] ^= random() % 2 ? std::uint64_t{1} << 63 | std::uint64_t{1} << 31 : std::uint64_t{1} << 31;
    const std::string_view a(reinterpret_cast<const char*>(words), 32), b(reinterpret_cast<const char*>(others), 32);
    if (a == b) continue;
    int collisions = 0;
    for (std::uint64_t seed = 0; seed < 4; ++seed) collisions += key_hash(seed)(a) == key_hash(seed)(b);
    ASSERT_EQ(collisions, 0) << trial;
  }
}

TEST(group_by, takes_no_longer_for_keys_that_were_made_up_to_collide) {
  // Sixteen pairs of blocks, each as it is or with the difference above: 2^15 keys of one hash, if there is no seed.
  std::mt19937_64 random(4);
  std::vector<std::string> colliding, others;
  std::uint64_t block[2];
  std::string base;
  for (int i = 0; i < 32; ++i) {
    block[0] = random();
    base.append(reinterpret_cast<const char*>(block), 8);
  }
  for (std::uint32_t number = 0; number < 1u << 15; ++number) {
    std::string key = base;
    for (std::size_t pair = 0; pair < 15; ++pair) {
      if ((number >> pair & 1) == 0) continue;
      key[16 * pair + 7] = static_cast<char>(key[16 * pair + 7] ^ 0x80);
      key[16 * pair + 15] = static_cast<char>(key[16 * pair + 15] ^ 0x80);
      key[16 * pair + 11] = static_cast<char>(key[16 * pair + 11] ^ 0x80);
    }
    colliding.push_back(key);
    for (char& each : key) each = static_cast<char>(random());
    others.push_back(key);
  }
  const auto seconds = [](const std::vector<std::string>& keys) {
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      const std::clock_t begin = std::clock();
      EXPECT_EQ(group_by(views, {.threads = 1}).count(), 1 << 15);
      best = std::min(best, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }
    return best;
  };
  EXPECT_LT(seconds(colliding), 20 * seconds(others) + 0.02);
}

TEST(key_hash, differs_between_short_texts_of_one_length) {
  std::map<std::tuple<std::size_t, std::uint64_t, std::uint64_t>, std::string> seen;
  const key_hash hash(5);
  for (int number = 0; number < 200000; ++number) {
    std::string text = std::to_string(number);
    if (number % 3 == 0) text.insert(text.begin(), 8 - text.size(), '\xFF');
    if (number % 3 == 1) text.insert(number % 2 ? text.begin() : text.end(), 16 - text.size(), '0');
    const key_fingerprint print = hash(std::string_view(text));
    const auto [found, is_new] = seen.try_emplace({text.size(), print.hash, print.rest}, text);
    ASSERT_TRUE(is_new || found->second == text) << text << " and " << found->second;
  }
}

}  // namespace
}  // namespace manyfit
