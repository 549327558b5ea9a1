// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "family_tests.hpp"

namespace manyfit::tests {

/// Whether a CUDA device can be used here.
inline bool has_cuda() {
  return executor::best().is_cuda();
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
