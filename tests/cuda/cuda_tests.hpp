// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <random>

#include "family_tests.hpp"

namespace manyfit::tests {

/// Whether a CUDA device can be used here.
inline bool has_cuda() {
  return executor::best().is_cuda();
}

/// Whether that device is simulated on the CPU (tests/device). Tests whose sizes are chosen for a GPU take the smallest
/// that reach the same tiers there.
inline bool has_simulated_device() {
  const auto all = devices();
  return all.size() > 1 && all[1].name == "simulated device";
}

#define MF_NEEDS_CUDA()                                                            \
  do {                                                                             \
    if (!manyfit::tests::has_cuda()) GTEST_SKIP() << "needs a usable CUDA device"; \
  } while (false)

/// Samples of one family end to end.
template <class T>
struct drawn_batch {
  std::vector<T> values;
  std::vector<std::int64_t> offsets{0};
  batch<T> view() const { return ragged(std::span<const T>(values), std::span<const std::int64_t>(offsets)); }
  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  void add(const std::vector<double>& sample) {
    values.insert(values.end(), sample.begin(), sample.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  drawn_batch only(std::int64_t fit) const {
    drawn_batch one;
    one.values.assign(values.begin() + offsets[fit], values.begin() + offsets[fit + 1]);
    one.offsets.push_back(static_cast<std::int64_t>(one.values.size()));
    return one;
  }
};

template <class T>
drawn_batch<T> draw_batch(const family_info& family, const std::vector<std::int64_t>& sizes) {
  drawn_batch<T> batch;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto sample = draw(family, example_parameters(family), sizes[i], 100 + i);
    for (double& x : sample) x = static_cast<float>(x);  // the same values in float and in double
    batch.add(sample);
  }
  return batch;
}

/// Points around K centres far from the origin, the same in float and in double, some of them missing.
struct clusters {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  int D = 1;
  clusters(int dimensions, int K, const std::vector<std::int64_t>& sizes) : D(dimensions) {
    std::mt19937_64 random(11);
    std::normal_distribution<double> normal;
    std::vector<double> centres(static_cast<std::size_t>(K * D));
    for (double& c : centres) c = 6 * normal(random) + 100;
    for (const std::int64_t size : sizes) {
      for (std::int64_t i = 0; i < size; ++i)
        for (int d = 0; d < D; ++d)
          values.push_back(static_cast<float>(centres[static_cast<std::size_t>(i % K * D + d)] + normal(random)));
      offsets.push_back(offsets.back() + size);
    }
    for (std::size_t i = 40; i < values.size(); i += 1013) values[i] = std::numeric_limits<double>::quiet_NaN();
  }
  point_batch<double> points() const { return ragged_points<double>(values, D, offsets); }
};

/// Whether fit i of a and fit j of b agree in every bit.
inline bool same_bits(const fit_results& a, std::int64_t i, const fit_results& b, std::int64_t j) {
  const auto same = [](double x, double y) { return std::memcmp(&x, &y, sizeof x) == 0; };
  bool equal = a.status[i] == b.status[j] && a.iterations[i] == b.iterations[j] && a.missing[i] == b.missing[j] &&
               a.observations[i] == b.observations[j] && same(a.log_likelihood[i], b.log_likelihood[j]);
  for (int p = 0; p < a.parameter_count(); ++p)
    equal = equal && same(a.parameter(p, i), b.parameter(p, j)) && same(a.std_error(p, i), b.std_error(p, j));
  return equal;
}

}  // namespace manyfit::tests
