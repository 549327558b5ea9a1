// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of families on CUDA: what the CPU gives, and the same bits whatever the company.
#include <algorithm>

#include "../mixtures_of_families/family_mixture_tests.hpp"
#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

/// |a − b| ≤ tolerance (1 + |b|), or both NaN.
bool near(double a, double b, double tolerance) {
  return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance * (1 + std::abs(b));
}

/// `alike`: components are, so that any weights are as good as any others, and rounding chooses between starts.
void expect_agreement(const family_mixture_results& gpu, const family_mixture_results& cpu, double tolerance,
                      bool alike = false) {
  ASSERT_EQ(gpu.count, cpu.count);
  for (std::size_t i = 0; i < static_cast<std::size_t>(cpu.count); ++i) {
    const auto fit = static_cast<std::int64_t>(i);
    EXPECT_EQ(gpu.status[i], cpu.status[i]) << "fit " << i << " of " << cpu.observations[i];
    EXPECT_EQ(gpu.observations[i], cpu.observations[i]) << i;
    EXPECT_EQ(gpu.missing[i], cpu.missing[i]) << i;
    EXPECT_EQ(gpu.left_out[i], cpu.left_out[i]) << i;
    ASSERT_EQ(gpu.components[i], cpu.components[i]) << i;
    EXPECT_EQ(gpu.iterations[i], cpu.iterations[i]) << i;
    EXPECT_TRUE(near(gpu.log_likelihood[i], cpu.log_likelihood[i], tolerance))
        << "fit " << i << " of " << cpu.observations[i] << ": " << gpu.log_likelihood[i] << " and "
        << cpu.log_likelihood[i];
    if (alike || cpu.observations[i] < 10) continue;  // two starts may end alike high, elsewhere: rounding chooses
    for (int k = 0; k < cpu.components[i]; ++k) {
      EXPECT_TRUE(near(gpu.weight(fit, k), cpu.weight(fit, k), 1e3 * tolerance)) << "fit " << i;
      for (int p = 0; p < cpu.parameter_stride; ++p)
        EXPECT_TRUE(near(gpu.parameter(fit, k, p), cpu.parameter(fit, k, p), 1e3 * tolerance))
            << "fit " << i << ": " << gpu.parameter(fit, k, p) << " and " << cpu.parameter(fit, k, p);
    }
  }
}

bool same_fit(const family_mixture_results& a, std::size_t i, const family_mixture_results& b, std::size_t j) {
  const auto same = [](double x, double y) { return std::memcmp(&x, &y, sizeof x) == 0; };
  const auto at = static_cast<std::int64_t>(i), bt = static_cast<std::int64_t>(j);
  bool equal = a.status[i] == b.status[j] && a.components[i] == b.components[j] && a.iterations[i] == b.iterations[j] &&
               same(a.log_likelihood[i], b.log_likelihood[j]);
  for (int k = 0; equal && k < a.components[i]; ++k) {
    equal = same(a.weight(at, k), b.weight(bt, k));
    for (int p = 0; equal && p < a.parameter_stride; ++p) equal = same(a.parameter(at, k, p), b.parameter(bt, k, p));
  }
  return equal;
}

/// Samples of two components, the same in float and in double; every so often a value that is missing.
template <class T = double>
drawn_batch<T> draw_mixtures(const family_info& family, const std::vector<std::int64_t>& sizes) {
  drawn_batch<T> data;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::vector<double> sample = draw_mixture(family, sizes[i], 100 + i);
    for (double& x : sample) x = static_cast<float>(x);
    for (std::size_t j = 17; j < sample.size(); j += 61) sample[j] = std::nan("");
    data.add(sample);
  }
  return data;
}

/// Of a part of a warp, a warp and a block; and, on a GPU, of a grid.
std::vector<std::int64_t> sizes_of_tiers() {
  std::vector<std::int64_t> sizes{40, 0, 700, 1, 1500, 2, 5000};
  if (!has_simulated_device()) sizes.push_back(140000);  // there one test of its own has such a fit
  return sizes;
}

class cuda_family_mixtures : public every_family {};

TEST_P(cuda_family_mixtures, cuda_agrees_with_the_cpu_in_double_and_float) {
  MF_NEEDS_CUDA();
  const auto data = draw_mixtures(family(), sizes_of_tiers());
  std::vector<double> weights;
  for (std::size_t i = 0; i < data.values.size(); ++i) weights.push_back(static_cast<double>(i % 5) / 2);
  family_mixture_options options = options_for(family());
  options.restarts = 2;
  options.max_iterations = 6;
  options.tolerance = 0;
  const auto weighted = data.view().weighted(std::span<const double>(weights));
  const auto cpu = fit_mixture(executor::cpu(), family(), weighted, options);
  const bool alike = std::ssize(options.fixed) == family().parameter_count;
  expect_agreement(fit_mixture(executor::cuda(), family(), weighted, options), cpu, 1e-7, alike);
  drawn_batch<double> nudged = data;  // by some units in the last place: what that moves no arithmetic can tell
  for (double& x : nudged.values)
    if (!family().discrete) x *= 1 + 0x1p-49;
  const mixture_scores a = score_mixture(executor::cpu(), data.view(), cpu, {true, true}),
                       b = score_mixture(executor::cuda(), data.view(), cpu, {true, true}),
                       c = score_mixture(executor::cpu(), nudged.view(), cpu);
  EXPECT_EQ(a.labels, b.labels);
  for (std::size_t i = 0; i < a.log_density.size(); ++i)
    ASSERT_TRUE(near(b.log_density[i], a.log_density[i], 1e-9) ||
                std::abs(b.log_density[i] - a.log_density[i]) <= std::abs(c.log_density[i] - a.log_density[i]))
        << i << ": " << b.log_density[i] << " and " << a.log_density[i];
  const auto narrow = draw_mixtures<float>(family(), {700, 1500});
  expect_agreement(fit_mixture(executor::cuda(), family(), narrow.view(), options),
                   fit_mixture(executor::cpu(), family(), narrow.view(), options), 1e-7, alike);
}

TEST_P(cuda_family_mixtures, cuda_keeps_a_fits_bits_alone_and_in_any_chunk) {
  MF_NEEDS_CUDA();
  const auto data = draw_mixtures(family(), {300, 1030, 90, 4100, 300});
  family_mixture_options options = options_for(family());
  options.components = {1, 3};
  options.restarts = 2;
  options.max_iterations = 8;
  const auto all = fit_mixture(executor::cuda(), family(), data.view(), options);
  const auto chunked = fit_mixture(executor::cuda().with_memory_limit(200000), family(), data.view(), options);
  for (std::int64_t fit = 0; fit < data.count(); ++fit) {
    const auto i = static_cast<std::size_t>(fit);
    EXPECT_TRUE(same_fit(chunked, i, all, i)) << fit;
    EXPECT_TRUE(same_fit(fit_mixture(executor::cuda(), family(), data.only(fit).view(), options), 0, all, i)) << fit;
  }
  EXPECT_EQ(all.criteria, chunked.criteria);
}

MF_FOR_EVERY_FAMILY(cuda_family_mixtures);

TEST(cuda_mixtures_of_families, cuda_gives_a_status_to_every_fit) {
  MF_NEEDS_CUDA();
  const double inf = std::numeric_limits<double>::infinity();
  drawn_batch<double> data;
  data.add({});
  data.add({1});
  data.add({1, 2, inf, 3});
  data.add({2, 2, 2, 2, 2});
  data.add({1, 2, -3, 4, 0.5});
  data.add(draw_mixture(find_family("gamma"), 200, 3));
  family_mixture_options options;
  options.restarts = 3;
  for (const bool again : {false, true}) {
    options.restart_collapsed = again;
    const auto cpu = fit_mixture(executor::cpu(), find_family("gamma"), data.view(), options);
    const auto gpu = fit_mixture(executor::cuda(), find_family("gamma"), data.view(), options);
    EXPECT_EQ(gpu.status, cpu.status);
    EXPECT_EQ(gpu.status[2], fit_status::nonfinite);
    EXPECT_EQ(gpu.status[4], fit_status::out_of_support);
    EXPECT_EQ(gpu.status[5], fit_status::converged);
    EXPECT_TRUE(near(gpu.log_likelihood[5], cpu.log_likelihood[5], 1e-7));
  }
}

TEST(cuda_mixtures_of_families, cuda_spreads_a_large_fit_over_the_grid) {
  MF_NEEDS_CUDA();
  const family_info& family = find_family("exponential");
  const auto data = draw_mixtures(family, {131200, 50});
  family_mixture_options options;
  options.restarts = 1;
  options.max_iterations = 2;
  options.tolerance = 0;
  const auto all = fit_mixture(executor::cuda(), family, data.view(), options);
  expect_agreement(all, fit_mixture(executor::cpu(), family, data.view(), options), 1e-8);
  EXPECT_TRUE(same_fit(fit_mixture(executor::cuda(), family, data.only(0).view(), options), 0, all, 0));
}

TEST(cuda_mixtures_of_families, cuda_starts_from_given_mixtures_of_different_sizes) {
  MF_NEEDS_CUDA();
  const family_info& family = find_family("gamma");
  const auto data = draw_mixtures(family, {200, 300, 100});
  family_mixture_options options;
  family_mixture_results start = empty_family_mixtures(std::vector<std::int32_t>{2, 1, 3}, {{&family}});
  start.weights = {0.5, 0.5, 1, 0.2, 0.2, 0.6};
  start.parameters = {1, 1, 3, 0.5, 2, 1, 1, 1, 2, 1, 3, 0.3};
  options.start = mixture_start::given;
  options.start_values = &start;
  options.max_iterations = 5;
  options.trace = true;
  const auto cpu = fit_mixture(executor::cpu(), family, data.view(), options);
  const auto gpu = fit_mixture(executor::cuda(), family, data.view(), options);
  expect_agreement(gpu, cpu, 1e-8);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(gpu.log_likelihood_trace[i].size(), cpu.log_likelihood_trace[i].size());
    for (std::size_t t = 0; t < cpu.log_likelihood_trace[i].size(); ++t)
      EXPECT_TRUE(near(gpu.log_likelihood_trace[i][t], cpu.log_likelihood_trace[i][t], 1e-8));
  }
}

TEST(cuda_mixtures_of_families, cuda_fits_lists_of_different_families_and_point_masses) {
  MF_NEEDS_CUDA();
  std::vector<double> x = draw_mixture(find_family("gamma"), 900, 4);
  for (std::size_t i = 0; i < x.size(); i += 2) x[i] = 2;
  const std::vector<mixture_component> parts{
      point_mass(2), {&find_family("gamma"), 0, {{"shape", 2.0}}}, {&find_family("exponential")}};
  family_mixture_options options;
  options.restarts = 3;
  options.max_iterations = 8;
  options.tolerance = 0;
  const auto cpu = fit_mixture(executor::cpu(), parts, dense<double>(x, 3), options);
  const auto gpu = fit_mixture(executor::cuda(), parts, dense<double>(x, 3), options);
  expect_agreement(gpu, cpu, 1e-8);
  EXPECT_GT(gpu.weight(0, 0), 0.05);
  const mixture_scores a = score_mixture(executor::cpu(), dense<double>(x, 3), cpu, {true, true}),
                       b = score_mixture(executor::cuda(), dense<double>(x, 3), cpu, {true, true});
  EXPECT_EQ(a.labels, b.labels);
  for (std::size_t i = 0; i < a.responsibilities.size(); ++i)
    ASSERT_TRUE(near(b.responsibilities[i], a.responsibilities[i], 1e-9)) << i;
}

}  // namespace
}  // namespace manyfit::tests
