// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A fit has the same bits alone, among others good or bad, in any order, in any chunking, at any thread count, and
// whether its batch is dense or ragged.
#include <algorithm>

#include "family_tests.hpp"

namespace manyfit::tests {
namespace {

template <class T>
using samples = std::vector<std::vector<T>>;

/// Everything a fit reports, as bytes.
std::string bits_of(const fit_results& r, std::int64_t fit) {
  std::string bytes;
  const auto add = [&](const auto& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
  for (int p = 0; p < r.parameter_count(); ++p) {
    add(r.parameters[p * r.count + fit]);
    add(r.std_errors[p * r.count + fit]);
  }
  add(r.log_likelihood[fit]);
  add(r.iterations[fit]);
  add(r.status[fit]);
  add(r.observations[fit]);
  add(r.missing[fit]);
  return bytes;
}

template <class T>
std::vector<std::string> fit_ragged(const family_info& family, const samples<T>& all, int threads) {
  std::vector<T> values;
  std::vector<std::int64_t> offsets{0};
  for (const auto& x : all) {
    values.insert(values.end(), x.begin(), x.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  const auto r =
      fit(executor::cpu(threads), family, ragged(std::span<const T>(values), std::span<const std::int64_t>(offsets)),
          required_options(family));
  std::vector<std::string> bits;
  for (std::int64_t i = 0; i < r.count; ++i) bits.push_back(bits_of(r, i));
  return bits;
}

template <class T>
std::vector<std::string> fit_dense(const family_info& family, const samples<T>& all, int threads) {
  std::vector<T> values;
  for (const auto& x : all) values.insert(values.end(), x.begin(), x.end());
  const auto r =
      fit(executor::cpu(threads), family, dense(std::span<const T>(values), static_cast<std::int64_t>(all.size())),
          required_options(family));
  std::vector<std::string> bits;
  for (std::int64_t i = 0; i < r.count; ++i) bits.push_back(bits_of(r, i));
  return bits;
}

/// Samples of the given sizes in turn, of which every fifth is poisoned, each in its own way.
template <class T>
samples<T> poisoned_samples(const family_info& family, int count, const std::vector<int>& sizes) {
  samples<T> all;
  for (int i = 0; i < count; ++i) {
    const auto drawn = draw(family, example_parameters(family), sizes[i % sizes.size()], 100 + i);
    std::vector<T> x(drawn.begin(), drawn.end());
    const std::size_t middle = x.size() / 2;
    if (i % 5 == 2) switch (i / 5 % 5) {
        case 0:
          x[middle] = static_cast<T>(infinity);
          break;
        case 1:
          x.assign(x.size(), static_cast<T>(nan));
          break;
        case 2:
          x[middle] = std::numeric_limits<T>::max();
          break;
        case 3:
          x.assign(x.size(), x[0]);
          break;
        case 4:
          x[middle] = static_cast<T>(-1.5);
          break;
      }
    if (i % 5 == 4) x[middle] = static_cast<T>(nan);  // missing, which is no poison
    all.push_back(x);
  }
  return all;
}

template <class T>
void keeps_bits(const family_info& family) {
  const auto all = poisoned_samples<T>(family, 60, {37, 64, 5, 200, 11});
  const auto expected = fit_ragged(family, all, 1);
  EXPECT_EQ(fit_ragged(family, all, 2), expected) << "two threads";

  samples<T> order(all.rbegin(), all.rend());
  auto reversed = fit_ragged(family, order, 2);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(reversed, expected) << "reversed";

  for (const std::size_t chunk : {1u, 7u}) {
    std::vector<std::string> parts;
    for (std::size_t first = 0; first < all.size(); first += chunk) {
      const auto last = std::min(first + chunk, all.size());
      const auto part = fit_ragged(family, samples<T>(all.begin() + first, all.begin() + last), 1);
      parts.insert(parts.end(), part.begin(), part.end());
    }
    EXPECT_EQ(parts, expected) << "in chunks of " << chunk;
  }

  samples<T> good;
  std::vector<std::string> expected_good;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i % 5 != 2) {
      good.push_back(all[i]);
      expected_good.push_back(expected[i]);
    }
  EXPECT_EQ(fit_ragged(family, good, 2), expected_good) << "without the poisoned";
}

class family_fit : public every_family {};

TEST_P(family_fit, keeps_its_bits_whatever_its_company_in_double) {
  keeps_bits<double>(family());
}
TEST_P(family_fit, keeps_its_bits_whatever_its_company_in_float) {
  keeps_bits<float>(family());
}

TEST_P(family_fit, keeps_its_bits_dense_or_ragged) {
  const auto all = poisoned_samples<double>(family(), 30, {43});
  EXPECT_EQ(fit_dense(family(), all, 2), fit_ragged(family(), all, 1));
  const auto narrow = poisoned_samples<float>(family(), 30, {43});
  EXPECT_EQ(fit_dense(family(), narrow, 1), fit_ragged(family(), narrow, 2));
}

TEST_P(family_fit, keeps_its_bits_when_larger_than_the_scratch) {
  const auto all = poisoned_samples<double>(family(), 4, {20001, 8193});
  const auto together = fit_ragged(family(), all, 2);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(fit_ragged(family(), samples<double>{all[i]}, 1)[0], together[i]) << i;
}
MF_FOR_EVERY_FAMILY(family_fit);

}  // namespace
}  // namespace manyfit::tests
