// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Fits with priors on a GPU: what the CPU gives, and the same bits whatever the company.
#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

class cuda_priors : public every_family {
 protected:
  /// A prior on every parameter that one of the families of this build can be the prior of.
  fit_options options() const {
    const auto is_built = [](std::string_view name) {
      for (const family_info* each : all_families())
        if (each->name == name) return true;
      return false;
    };
    fit_options with = required_options(family());
    for (int i = 0; i < family().parameter_count; ++i) {
      const parameter& each = family().parameters[i];
      if (each.kind == constraint::probability && is_built("beta")) with.priors[each.name] = {"beta", {3, 4}};
      if (each.kind == constraint::positive && is_built("gamma"))
        with.priors[each.name] = {"gamma", {5, 4 / each.example}};
      if (each.kind == constraint::real && is_built("normal")) with.priors[each.name] = {"normal", {each.example, 0.5}};
    }
    return with;
  }
};

bool near(double a, double b, double tolerance, double slack = 0) {
  return (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= tolerance * (1 + std::abs(b)) + slack;
}
void expect_near(const fit_results& gpu, const fit_results& cpu, double tolerance) {
  for (std::int64_t i = 0; i < cpu.count; ++i) {
    EXPECT_EQ(gpu.status[i], cpu.status[i]) << "fit " << i << " of " << cpu.observations[i];
    if (gpu.status[i] != cpu.status[i]) continue;
    EXPECT_EQ(gpu.observations[i], cpu.observations[i]) << i;
    EXPECT_TRUE(near(gpu.log_posterior[i], cpu.log_posterior[i], 1e-2 * tolerance)) << i;
    EXPECT_TRUE(near(gpu.log_likelihood[i], cpu.log_likelihood[i], tolerance)) << i;
    for (int p = 0; p < cpu.parameter_count(); ++p) {
      const double slack = std::isnan(cpu.std_error(p, i)) ? 0 : 10 * tolerance * cpu.std_error(p, i);
      EXPECT_TRUE(near(gpu.parameter(p, i), cpu.parameter(p, i), tolerance, slack))
          << "fit " << i << " parameter " << p << ": " << gpu.parameter(p, i) << " and " << cpu.parameter(p, i);
      EXPECT_TRUE(near(gpu.std_error(p, i), cpu.std_error(p, i), 10 * tolerance)) << "fit " << i << " parameter " << p;
    }
  }
}

const std::vector<std::int64_t> sizes{0, 1, 2, 5, 31, 33, 100, 1000, 1025, 5000, 131073};

TEST_P(cuda_priors, cuda_agrees_with_the_cpu_on_double_data) {
  MF_NEEDS_CUDA();
  const auto data = draw_batch<double>(family(), sizes);
  if (options().priors.empty()) GTEST_SKIP() << "no family of this build can be a prior here";
  expect_near(fit(executor::cuda(), family(), data.view(), options()),
              fit(executor::cpu(), family(), data.view(), options()), 1e-7);
}

TEST_P(cuda_priors, cuda_agrees_with_the_cpu_on_float_data_and_weights) {
  MF_NEEDS_CUDA();
  if (options().priors.empty()) GTEST_SKIP() << "no family of this build can be a prior here";
  const auto data = draw_batch<float>(family(), {30, 1000, 5000});
  std::vector<float> weights(data.values.size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 0.5f + static_cast<float>(i % 3);
  const auto weighted = data.view().weighted(weights);
  expect_near(fit(executor::cuda(), family(), weighted, options()), fit(executor::cpu(), family(), weighted, options()),
              1e-3);
}

TEST_P(cuda_priors, cuda_keeps_a_fits_bits_alone_and_in_chunks) {
  MF_NEEDS_CUDA();
  if (options().priors.empty()) GTEST_SKIP() << "no family of this build can be a prior here";
  std::vector<std::int64_t> mixed;
  for (int i = 0; i < 30; ++i) mixed.push_back(i % 20 == 7 ? 3000 : 5 + i % 37);
  const auto data = draw_batch<double>(family(), mixed);
  const executor gpu = executor::cuda();
  const auto together = fit(gpu, family(), data.view(), options());
  const auto chunked = fit(gpu.with_memory_limit(std::size_t{1} << 16), family(), data.view(), options());
  for (std::int64_t i = 0; i < data.count(); ++i) {
    EXPECT_TRUE(same_bits(together, i, chunked, i)) << i;
    EXPECT_TRUE(near(together.log_posterior[i], chunked.log_posterior[i], 0)) << i;
    if (i % 7 == 0) {
      const auto one = data.only(i);
      EXPECT_TRUE(same_bits(together, i, fit(gpu, family(), one.view(), options()), 0)) << i;
    }
  }
}
MF_FOR_EVERY_FAMILY(cuda_priors);

}  // namespace
}  // namespace manyfit::tests
