// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A fit's bits depend on its own rows and the options, and on nothing else.
#include "mixture_tests.hpp"

namespace manyfit::tests {
namespace {

struct sample_list {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  int D = 2;
  void add(const std::vector<double>& sample) {
    values.insert(values.end(), sample.begin(), sample.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()) / D);
  }
  point_batch<double> view() const { return ragged_points<double>(values, D, offsets); }
  std::vector<double> sample(std::int64_t i) const {
    return {values.begin() + offsets[static_cast<std::size_t>(i)] * D,
            values.begin() + offsets[static_cast<std::size_t>(i) + 1] * D};
  }
};

sample_list samples(bool poisoned) {
  sample_list list;
  const int sizes[] = {40, 333, 1, 1000, 7, 256, 257, 512, 90, 64};
  for (int i = 0; i < 10; ++i) {
    std::vector<double> sample = draw_points(sizes[i], 2, 3, 10.0 * i, static_cast<std::uint64_t>(i));
    if (poisoned && i % 5 == 1) std::fill(sample.begin(), sample.end(), i < 5 ? nan : 4.0);
    if (poisoned && i % 5 == 3) sample[3] = std::numeric_limits<double>::infinity();
    list.add(sample);
  }
  return list;
}

mixture_options several() {
  mixture_options options;
  options.components = {1, 4};
  options.restarts = 3;
  options.seed = 5;
  options.max_iterations = 60;
  return options;
}

TEST(mixture_bits, are_the_same_alone_and_in_a_batch) {
  const sample_list list = samples(false);
  for (const covariance_structure structure : structures) {
    mixture_options options = several();
    options.covariance = structure;
    const mixture_results all = fit_mixture(executor::cpu(2), list.view(), options);
    for (std::int64_t i = 0; i < all.count; ++i) {
      const std::vector<double> own = list.sample(i);
      EXPECT_TRUE(same_fit(fit_mixture(executor::cpu(1), points<double>(own, 2), options), 0, all, i)) << "fit " << i;
    }
  }
}

TEST(mixture_bits, are_the_same_in_another_order) {
  const sample_list list = samples(false);
  sample_list turned;
  for (std::int64_t i = 9; i >= 0; --i) turned.add(list.sample(i));
  const mixture_results a = fit_mixture(executor::cpu(2), list.view(), several()),
                        b = fit_mixture(executor::cpu(2), turned.view(), several());
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_TRUE(same_fit(a, i, b, 9 - i)) << "fit " << i;
}

TEST(mixture_bits, of_good_fits_do_not_know_their_poisoned_neighbours) {
  const sample_list good = samples(false), bad = samples(true);
  const mixture_results a = fit_mixture(executor::cpu(2), good.view(), several()),
                        b = fit_mixture(executor::cpu(2), bad.view(), several());
  for (std::int64_t i = 0; i < 10; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (i == 1) {
      EXPECT_EQ(b.status[at], fit_status::too_few);
    }
    if (i == 6) {
      EXPECT_EQ(b.status[at], fit_status::constant_sample);
    }
    if (i % 5 == 3) {
      EXPECT_EQ(b.status[at], fit_status::nonfinite);
    }
    if (i % 5 != 1 && i % 5 != 3) {
      EXPECT_TRUE(same_fit(a, i, b, i)) << "fit " << i;
    }
  }
}

TEST(mixture_bits, of_one_large_fit_do_not_depend_on_threads) {
  const std::vector<double> values = draw_points(200000, 3, 4, 1, 77);
  for (const covariance_structure structure : structures) {
    mixture_options options;
    options.components = 4;
    options.covariance = structure;
    options.restarts = 2;
    options.max_iterations = 4;
    const mixture_results one = fit_mixture(executor::cpu(1), points<double>(values, 3), options);
    for (const int threads : {2, 3})
      EXPECT_TRUE(same_fit(fit_mixture(executor::cpu(threads), points<double>(values, 3), options), 0, one, 0));
  }
}

TEST(mixture_bits, the_seed_decides_the_start) {
  const std::vector<double> values = draw_points(500, 2, 5, 1, 3, 1);
  mixture_options options;
  options.components = 5;
  options.restarts = 1;
  options.max_iterations = 3;
  const auto with_seed = [&](std::uint64_t seed) {
    options.seed = seed;
    return fit_mixture(executor::cpu(1), points<double>(values, 2), options);
  };
  EXPECT_TRUE(same_fit(with_seed(1), 0, with_seed(1), 0));
  EXPECT_FALSE(same_fit(with_seed(1), 0, with_seed(2), 0));
}

}  // namespace
}  // namespace manyfit::tests
