// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of families share: every registered family as a test parameter, its example distribution, draws, and
// fits of one sample or of many through the host API.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "manyfit/manyfit.hpp"

namespace manyfit {
/// How GoogleTest names a family in its output.
inline void PrintTo(const family_info* family, std::ostream* out) {
  *out << family->name;
}
}  // namespace manyfit

namespace manyfit::tests {

inline const double nan = std::numeric_limits<double>::quiet_NaN();
inline const double infinity = std::numeric_limits<double>::infinity();

/// |a − b| relative to the larger of |b| and `floor`; NaN when either is NaN.
inline double relative_error(double a, double b, double floor = 0) {
  return a == b ? 0.0 : std::abs(a - b) / std::max(std::abs(b), floor);
}

/// Tests of every registered family, named by it.
class every_family : public testing::TestWithParam<const family_info*> {
 protected:
  const family_info& family() const { return *GetParam(); }
};
struct by_family_name {
  std::string operator()(const testing::TestParamInfo<const family_info*>& info) const { return info.param->name; }
};
#define MF_FOR_EVERY_FAMILY(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(registered, suite, testing::ValuesIn(manyfit::all_families()), \
                           manyfit::tests::by_family_name())

inline std::vector<double> example_parameters(const family_info& family) {
  std::vector<double> p;
  for (int i = 0; i < family.parameter_count; ++i) p.push_back(family.parameters[i].example);
  return p;
}

/// The parameters that a caller has to fix, at the values of `p`.
inline fit_options required_options(const family_info& family, const std::vector<double>& p) {
  fit_options options;
  for (int i = 0; i < family.parameter_count; ++i)
    if (family.parameters[i].kind == constraint::count) options.fixed[family.parameters[i].name] = p[i];
  return options;
}
inline fit_options required_options(const family_info& family) {
  return required_options(family, example_parameters(family));
}

inline parameters_view one_set(const std::vector<double>& p) {
  return {p.data(), 0, 1};
}

inline std::vector<double> draw(const family_info& family, const std::vector<double>& p, std::int64_t size,
                                std::uint64_t seed = 1) {
  return simulate(executor::cpu(1), family, one_set(p), 1, size, {.seed = seed});
}

/// A sample that came out as a single fit with a batch of its own.
template <class T>
fit_results fit_sample(const family_info& family, const std::vector<T>& x, const std::vector<T>& weights = {},
                       const fit_options& options = {}, int threads = 1) {
  const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(x.size())};
  auto data = ragged(std::span<const T>(x), std::span<const std::int64_t>(offsets));
  if (!weights.empty()) data = data.weighted(weights);
  return fit(executor::cpu(threads), family, data, options);
}

inline std::vector<double> parameters_of_first(const fit_results& r) {
  std::vector<double> p;
  for (int i = 0; i < r.parameter_count(); ++i) p.push_back(r.parameter(i, 0));
  return p;
}

template <class T>
double log_likelihood_at(const family_info& family, const std::vector<double>& p, const std::vector<T>& x,
                         const std::vector<T>& weights = {}) {
  const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(x.size())};
  auto data = ragged(std::span<const T>(x), std::span<const std::int64_t>(offsets));
  if (!weights.empty()) data = data.weighted(weights);
  return log_likelihood(executor::cpu(1), family, data, one_set(p))[0];
}

}  // namespace manyfit::tests
