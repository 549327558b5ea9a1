// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Samples of 5 to 2000 points at scales from 1e-8 to 1e8 and locations up to 1e6 scales away from 0: a fit says
// converged only at a root of the score, and whatever else it says, it never stops at the cap or calls good data bad.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/algorithms/mle.hpp"
#include "kernels/families/cauchy.hpp"
#include "kernels/families/generalized_pareto.hpp"
#include "kernels/families/gev.hpp"
#include "kernels/families/gumbel.hpp"
#include "kernels/families/logistic.hpp"
#include "kernels/families/negative_binomial.hpp"
#include "kernels/families/student_t.hpp"
#include "kernels/groups/serial_group.hpp"
#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cpu.hpp"
#include "kernels/random/transforms.hpp"

namespace manyfit {
namespace {

template <class Family>
class wild_samples : public testing::Test {};
using families = testing::Types<student_t, cauchy, logistic, gumbel, gev, generalized_pareto, negative_binomial>;
TYPED_TEST_SUITE(wild_samples, families);

TYPED_TEST(wild_samples, converge_to_a_root_of_the_score_or_say_why_not) {
  using Family = TypeParam;
  constexpr int P = parameter_count<Family>;
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform;
  int converged = 0, capped = 0;
  constexpr int samples = 400;
  for (int repeat = 0; repeat < samples; ++repeat) {
    const int n = static_cast<int>(5 * std::pow(400.0, uniform(random)));
    const double scale = std::pow(10.0, 16 * uniform(random) - 8);
    vec<double, P> p;
    for (int i = 0; i < P; ++i) {
      const std::string name = Family::parameters[i].name;
      const double u = uniform(random);
      p[i] = name == "location" ? scale * (2 * u - 1) * std::pow(10.0, 6 * uniform(random))
             : name == "scale"  ? scale
             : name == "shape"  ? 1.8 * u - 0.6
             : name == "df"     ? 0.3 * std::pow(100.0, u)
                                : std::pow(10.0, 5 * u - 1);
    }
    std::vector<double> values(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) {
      philox_stream stream(3, static_cast<std::uint64_t>(repeat), static_cast<std::uint64_t>(i));
      values[static_cast<std::size_t>(i)] = Family::sample(params_from<Family>(p), stream);
    }
    serial_scratch scratch;
    serial_group<family_rows<Family>> points(scratch);
    const sample<double> raw{values.data(), nullptr, n};
    const fit_settings settings;
    const auto record = fit_operation::of<Family>(points, raw, settings, 0, 0x1p-52);
    capped += record.status == fit_status::max_iterations;
    if (record.status != fit_status::converged) {
      ASSERT_TRUE(record.status == fit_status::boundary || record.status == fit_status::unbounded_likelihood ||
                  record.status == fit_status::singular_information || record.status == fit_status::max_iterations)
          << static_cast<int>(record.status) << " in sample " << repeat;
      continue;
    }
    ++converged;
    const auto summary = points.load(raw);
    const auto at = sum_of_terms<Family>(points, summary, record.parameters);
    const unconstrained_derivatives<P> d(space_of<likelihood<Family, serial_group<family_rows<Family>>>>(),
                                         record.parameters, at, 0);
    const cholesky<P> factor(d.curvature);
    ASSERT_TRUE(factor.positive_definite) << repeat;
    const auto step = factor.solve(d.score);
    double decrement = 0;
    for (int i = 0; i < P; ++i) decrement += step[i] * d.score[i];
    ASSERT_TRUE(decrement <= 1e-16) << decrement << " in sample " << repeat << " of " << n;
  }
  EXPECT_GE(converged, samples * 3 / 4);
  EXPECT_LE(capped, samples / 100);
}

}  // namespace
}  // namespace manyfit
