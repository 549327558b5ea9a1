// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every registered family on a GPU: what the CPU gives, and the same bits whatever the company.
#include <algorithm>
#include <numeric>

#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

/// Around the edges of warps, tiers and resident memory; the last is a whole grid's.
const std::vector<std::int64_t> sizes{0,    1,    2,    5,     31,    33,     100,    1000,
                                      1024, 1025, 5000, 16384, 16385, 131072, 131073, 200001};

class cuda_families : public every_family {};

/// |a − b| ≤ tolerance (1 + |b|), or the same infinity, or both NaN.
bool near(double a, double b, double tolerance) {
  return (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= tolerance * (1 + std::abs(b));
}

void expect_near(const fit_results& gpu, const fit_results& cpu, double tolerance, double ll_tolerance) {
  for (std::int64_t i = 0; i < cpu.count; ++i) {
    EXPECT_EQ(gpu.status[i], cpu.status[i]) << "fit " << i << " of " << cpu.observations[i] << " values";
    EXPECT_EQ(gpu.observations[i], cpu.observations[i]) << i;
    EXPECT_EQ(gpu.missing[i], cpu.missing[i]) << i;
    if (gpu.status[i] != cpu.status[i]) continue;
    EXPECT_TRUE(near(gpu.log_likelihood[i], cpu.log_likelihood[i], ll_tolerance))
        << "fit " << i << ": " << gpu.log_likelihood[i] << " and " << cpu.log_likelihood[i];
    for (int p = 0; p < cpu.parameter_count(); ++p) {
      // Parameters of a fit are known to its standard error; a small sample's may be nearly flat.
      const double slack = std::isnan(cpu.std_error(p, i)) ? 0 : 1e-6 * cpu.std_error(p, i);
      EXPECT_TRUE(near(gpu.parameter(p, i), cpu.parameter(p, i), tolerance) ||
                  std::abs(gpu.parameter(p, i) - cpu.parameter(p, i)) <= slack)
          << "fit " << i << " parameter " << p << ": " << gpu.parameter(p, i) << " and " << cpu.parameter(p, i);
      EXPECT_TRUE(near(gpu.std_error(p, i), cpu.std_error(p, i), 10 * tolerance))
          << "fit " << i << " error " << p << ": " << gpu.std_error(p, i) << " and " << cpu.std_error(p, i);
    }
  }
}

TEST_P(cuda_families, cuda_fits_double_data_as_the_cpu_does) {
  MF_NEEDS_CUDA();
  const auto data = draw_batch<double>(family(), sizes);
  const auto options = required_options(family());
  expect_near(fit(executor::cuda(), family(), data.view(), options),
              fit(executor::cpu(), family(), data.view(), options), 1e-7, 1e-9);
}

TEST_P(cuda_families, cuda_fits_float_data_to_float_accuracy) {
  MF_NEEDS_CUDA();
  const auto data = draw_batch<float>(family(), {1000, 5000, 200001});
  const auto options = required_options(family());
  expect_near(fit(executor::cuda(), family(), data.view(), options),
              fit(executor::cpu(), family(), data.view(), options), 1e-4, 1e-5);
}

TEST_P(cuda_families, cuda_keeps_a_fits_bits_alone_permuted_chunked_and_among_poisoned) {
  MF_NEEDS_CUDA();
  std::vector<std::int64_t> mixed;
  for (int i = 0; i < 120; ++i) mixed.push_back(i % 40 == 7 ? 3000 : 20 + i % 37);
  mixed.push_back(140000);
  const auto data = draw_batch<double>(family(), mixed);
  const auto options = required_options(family());
  const executor gpu = executor::cuda();
  const fit_results together = fit(gpu, family(), data.view(), options);

  std::vector<std::int64_t> order(mixed.size());
  std::iota(order.begin(), order.end(), 0);
  std::reverse(order.begin(), order.end());
  drawn_batch<double> permuted;
  for (const std::int64_t i : order)
    permuted.add({data.values.begin() + data.offsets[i], data.values.begin() + data.offsets[i + 1]});
  const fit_results reversed = fit(gpu, family(), permuted.view(), options);
  const fit_results chunked = fit(gpu.with_memory_limit(std::size_t{2} << 20), family(), data.view(), options);

  drawn_batch<double> poisoned = data;
  for (std::int64_t i = 0; i < data.count(); i += 5) poisoned.values[data.offsets[i]] = i % 2 ? infinity : -1e300;
  const fit_results among_poisoned = fit(gpu, family(), poisoned.view(), options);

  for (std::int64_t i = 0; i < data.count(); ++i) {
    EXPECT_TRUE(same_bits(together, i, reversed, data.count() - 1 - i)) << "permuted " << i;
    EXPECT_TRUE(same_bits(together, i, chunked, i)) << "chunked " << i;
    if (i % 5 != 0) {
      EXPECT_TRUE(same_bits(together, i, among_poisoned, i)) << "among poisoned " << i;
    }
    if (i % 29 == 0) {
      EXPECT_TRUE(same_bits(together, i, fit(gpu, family(), data.only(i).view(), options), 0)) << "alone " << i;
    }
  }
}

TEST_P(cuda_families, cuda_scores_as_the_cpu_does) {
  MF_NEEDS_CUDA();
  const auto data = draw_batch<double>(family(), {0, 3, 500, 2000, 150000});
  const auto p = example_parameters(family());
  const auto gpu = log_density(executor::cuda(), family(), data.view(), one_set(p));
  const auto cpu = log_density(executor::cpu(), family(), data.view(), one_set(p));
  ASSERT_EQ(gpu.size(), cpu.size());
  int wrong = 0;
  for (std::size_t i = 0; i < cpu.size(); ++i) wrong += !near(gpu[i], cpu[i], 1e-11);
  EXPECT_EQ(wrong, 0);
  const auto gpu_sums = log_likelihood(executor::cuda(), family(), data.view(), one_set(p));
  const auto cpu_sums = log_likelihood(executor::cpu(), family(), data.view(), one_set(p));
  for (std::size_t i = 0; i < cpu_sums.size(); ++i) EXPECT_TRUE(near(gpu_sums[i], cpu_sums[i], 1e-10)) << i;
}

TEST_P(cuda_families, cuda_draws_the_cpus_variates) {
  MF_NEEDS_CUDA();
  const auto p = example_parameters(family());
  const auto gpu = simulate(executor::cuda(), family(), one_set(p), 7, 3001, {.seed = 42});
  const auto cpu = simulate(executor::cpu(), family(), one_set(p), 7, 3001, {.seed = 42});
  int wrong = 0;
  for (std::size_t i = 0; i < cpu.size(); ++i) wrong += !near(gpu[i], cpu[i], 1e-11);
  EXPECT_EQ(wrong, 0);
}

TEST_P(cuda_families, cuda_fits_a_dense_batch_as_a_ragged_one_large) {
  MF_NEEDS_CUDA();
  const auto p = example_parameters(family());
  const int fits = has_simulated_device() ? 300 : 3000;
  const auto values = simulate(executor::cpu(), family(), one_set(p), fits, 64, {.seed = 5});
  std::vector<std::int64_t> offsets;
  for (int i = 0; i <= fits; ++i) offsets.push_back(64 * i);
  const auto options = required_options(family());
  const auto a = fit(executor::cuda(), family(), dense(std::span<const double>(values), fits), options);
  const auto b = fit(executor::cuda(), family(),
                     ragged(std::span<const double>(values), std::span<const std::int64_t>(offsets)), options);
  int wrong = 0;
  for (int i = 0; i < fits; ++i) wrong += !same_bits(a, i, b, i);
  EXPECT_EQ(wrong, 0);
}

MF_FOR_EVERY_FAMILY(cuda_families);

}  // namespace
}  // namespace manyfit::tests
