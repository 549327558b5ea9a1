// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of products on CUDA: what the CPU gives, and the same bits whatever the company.
#include "../mixtures_of_families/product_tests.hpp"
#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

constexpr int D = 3;

/// Samples of rows end to end, of a part of a warp, a warp and a block, some of their cells missing.
struct drawn_rows {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  drawn_rows(const family_info& family, const std::vector<std::int64_t>& sizes) {
    for (const std::int64_t n : sizes) {
      const std::vector<double> own = draw_products(family, D, n, static_cast<std::uint64_t>(100 + n), 29);
      values.insert(values.end(), own.begin(), own.end());
      offsets.push_back(offsets.back() + n);
    }
  }
  point_batch<double> view() const { return ragged_points<double>(values, D, offsets); }
  point_batch<double> only(std::int64_t fit) const {
    const auto i = static_cast<std::size_t>(fit);
    return points<double>(std::span(values).subspan(static_cast<std::size_t>(offsets[i] * D),
                                                    static_cast<std::size_t>((offsets[i + 1] - offsets[i]) * D)),
                          D);
  }
};

void expect_near(const family_mixture_results& gpu, const family_mixture_results& cpu) {
  const auto near = [](double a, double b, double tolerance) {
    return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance * (1 + std::abs(b));
  };
  ASSERT_EQ(gpu.parameters.size(), cpu.parameters.size());
  EXPECT_EQ(gpu.status, cpu.status);
  EXPECT_EQ(gpu.observations, cpu.observations);
  EXPECT_EQ(gpu.missing, cpu.missing);
  EXPECT_EQ(gpu.components, cpu.components);
  EXPECT_EQ(gpu.iterations, cpu.iterations);
  for (std::size_t i = 0; i < cpu.log_likelihood.size(); ++i)
    EXPECT_TRUE(near(gpu.log_likelihood[i], cpu.log_likelihood[i], 1e-8)) << i;
  for (std::size_t i = 0; i < cpu.parameters.size(); ++i)
    EXPECT_TRUE(near(gpu.parameters[i], cpu.parameters[i], 1e-5)) << i;
}

TEST(cuda_mixtures_of_products, cuda_agrees_with_the_cpu) {
  MF_NEEDS_CUDA();
  for (const family_info* family : all_families()) {
    if (family->ends != moving_support::none) continue;  // where a support ends rounding decides
    const drawn_rows data(*family, {60, 0, 1100, 4200, 3});
    family_mixture_results start = example_products(*family, D);
    family_mixture_options options = from(start, 4);
    for (int p = 0; p < family->parameter_count; ++p)
      if (family->parameters[p].kind == constraint::count)
        options.fixed[family->parameters[p].name] = family->parameters[p].example;
    for (std::size_t i = 0; i < start.parameters.size(); ++i)
      if (const parameter& each = family->parameters[i % static_cast<std::size_t>(family->parameter_count)];
          each.kind == constraint::count)
        start.parameters[i] = each.example;
    std::vector<double> w;
    for (std::int64_t i = 0; i < data.offsets.back(); ++i) w.push_back(static_cast<double>(i % 4));
    const auto weighted = data.view().weighted(w);
    SCOPED_TRACE(family->name);
    const auto cpu = fit_mixture(executor::cpu(), *family, weighted, options);
    expect_near(fit_mixture(executor::cuda(), *family, weighted, options), cpu);
  }
}

TEST(cuda_mixtures_of_products, cuda_climbs_from_starts_of_its_own_and_chooses) {
  MF_NEEDS_CUDA();
  const family_info& family = find_family("exponential");
  const drawn_rows data(family, {300, 40, 1200});
  family_mixture_options options;
  options.components = {1, 3};
  options.restarts = 2;
  options.max_iterations = 30;
  expect_near(fit_mixture(executor::cuda(), family, data.view(), options),
              fit_mixture(executor::cpu(), family, data.view(), options));
}

TEST(cuda_mixtures_of_products, cuda_keeps_a_fits_bits_alone_and_in_any_chunk) {
  MF_NEEDS_CUDA();
  const family_info& family = find_family("gamma");
  const drawn_rows data(family, {300, 1100, 90, 4200, 300});
  family_mixture_options options;
  options.restarts = 2;
  options.max_iterations = 5;
  const auto all = fit_mixture(executor::cuda(), family, data.view(), options);
  const auto chunked = fit_mixture(executor::cuda().with_memory_limit(600000), family, data.view(), options);
  for (std::int64_t fit = 0; fit < 5; ++fit) {
    expect_same_bits(chunked, fit, all, fit);
    expect_same_bits(fit_mixture(executor::cuda(), family, data.only(fit), options), 0, all, fit);
  }
}

TEST(cuda_mixtures_of_products, cuda_tells_what_is_wrong_with_a_sample) {
  MF_NEEDS_CUDA();
  std::vector<double> values{1, 2, nan, nan, -1, 3, 1, 1, 2, 1, nan, 3, 1, nan, 5, 1, infinity, 2, 2, 2};
  const std::vector<std::int64_t> offsets{0, 4, 7, 9, 10};
  family_mixture_options options;
  options.components = 1;
  const auto data = ragged_points<double>(values, 2, offsets);
  expect_near(fit_mixture(executor::cuda(), find_family("exponential"), data, options),
              fit_mixture(executor::cpu(), find_family("exponential"), data, options));
}

}  // namespace
}  // namespace manyfit::tests
