// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Every kernel once, on as little data as it takes to reach it: what compute-sanitizer, which makes programs a hundred
// times slower, is run on. Answers are held loosely; other tests hold them tightly.
#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

/// A warp's, a block's, a block's that does not stay in its memory, and the grid's.
const std::vector<std::int64_t> sizes{33, 1000, 1100, 16500, 131100};

class cuda_reduced : public every_family {};

bool close(double a, double b, double tolerance) {
  return (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= tolerance * (1 + std::abs(b));
}

template <class T>
void fits_in_every_tier(const family_info& family) {
  const auto data = draw_batch<T>(family, sizes);
  const auto options = required_options(family);
  const fit_results gpu = fit(executor::cuda(), family, data.view(), options),
                    cpu = fit(executor::cpu(), family, data.view(), options);
  for (std::int64_t i = 0; i < cpu.count; ++i) {
    EXPECT_EQ(gpu.status[i], cpu.status[i]) << i;
    EXPECT_EQ(gpu.observations[i], cpu.observations[i]) << i;
    EXPECT_TRUE(close(gpu.log_likelihood[i], cpu.log_likelihood[i], sizeof(T) == 4 ? 1e-5 : 1e-9)) << i;
  }
}

TEST_P(cuda_reduced, cuda_fits_double_data_in_every_tier) {
  MF_NEEDS_CUDA();
  fits_in_every_tier<double>(family());
}
TEST_P(cuda_reduced, cuda_fits_float_data_in_every_tier) {
  MF_NEEDS_CUDA();
  fits_in_every_tier<float>(family());
}
TEST_P(cuda_reduced, cuda_scores_and_draws) {
  MF_NEEDS_CUDA();
  const auto data = draw_batch<double>(family(), sizes);
  const auto p = example_parameters(family());
  const auto few = draw_batch<double>(family(), {sizes[0], sizes[1]});  // a lane per value: there are no tiers
  const auto densities = log_density(executor::cuda(), family(), few.view(), one_set(p));
  double first = 0;
  for (std::int64_t i = 0; i < sizes[0]; ++i) first += densities[static_cast<std::size_t>(i)];
  const auto sums = log_likelihood(executor::cuda(), family(), data.view(), one_set(p));
  EXPECT_TRUE(close(first, sums[0], 1e-9)) << first << " and " << sums[0];
  const auto gpu = simulate(executor::cuda(), family(), one_set(p), 3, 65, {.seed = 42});
  const auto cpu = simulate(executor::cpu(), family(), one_set(p), 3, 65, {.seed = 42});
  int wrong = 0;
  for (std::size_t i = 0; i < cpu.size(); ++i) wrong += !close(gpu[i], cpu[i], 1e-11);
  EXPECT_EQ(wrong, 0);
}
MF_FOR_EVERY_FAMILY(cuda_reduced);

struct reduced_shape {
  const char* name;
  covariance_structure structure;
  int D, K;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> simulated = {};  ///< as few as reach the same tier; empty: the same
};
void PrintTo(const reduced_shape& s, std::ostream* out) {
  *out << "D=" << s.D << " K=" << s.K;
}

class cuda_reduced_mixtures : public testing::TestWithParam<reduced_shape> {};

template <class T>
void mixtures_run(const reduced_shape& s) {
  const clusters data(s.D, s.K, has_simulated_device() && !s.simulated.empty() ? s.simulated : s.sizes);
  const std::vector<T> values(data.values.begin(), data.values.end());
  const auto points = ragged_points<T>(values, s.D, data.offsets);
  mixture_options options;
  options.components = s.K;
  options.covariance = s.structure;
  options.restarts = 1;
  options.max_iterations = 2;
  options.tolerance = 0;
  const mixture_results gpu = fit_mixture(executor::cuda(), points, options);
  for (std::int64_t i = 0; i < gpu.count; ++i) EXPECT_TRUE(std::isfinite(gpu.log_likelihood[i])) << i;
  const mixture_scores scores = score_mixture(executor::cuda(), points, gpu, {true, true});
  double sum = 0, wanted = 0;
  std::size_t scored = 0;
  for (const double x : scores.log_density) {
    scored += !std::isnan(x);
    sum += std::isnan(x) ? 0 : x;
  }
  EXPECT_GT(scored, scores.log_density.size() / 2);
  for (const double x : score_mixture(executor::cpu(), points, gpu).log_density) wanted += std::isnan(x) ? 0 : x;
  EXPECT_TRUE(close(sum, wanted, sizeof(T) == 4 ? 1e-4 : 1e-9)) << sum << " and " << wanted;
}

TEST_P(cuda_reduced_mixtures, cuda_runs_and_scores_double) {
  MF_NEEDS_CUDA();
  mixtures_run<double>(GetParam());
}
TEST_P(cuda_reduced_mixtures, cuda_runs_and_scores_float) {
  MF_NEEDS_CUDA();
  mixtures_run<float>(GetParam());
}

using cs = covariance_structure;
INSTANTIATE_TEST_SUITE_P(every_regime, cuda_reduced_mixtures,
                         testing::Values(reduced_shape{"warp_registers_full", cs::full, 2, 3, {300, 40}},
                                         reduced_shape{"warp_registers_diagonal", cs::diagonal, 1, 3, {300, 40}},
                                         reduced_shape{"warp_registers_tied", cs::tied, 2, 3, {300, 40}},
                                         reduced_shape{"warp_registers_spherical", cs::spherical, 3, 2, {300, 40}},
                                         reduced_shape{"block_registers_full", cs::full, 2, 4, {8300}},
                                         reduced_shape{"block_tiles_full", cs::full, 6, 5, {700, 250}},
                                         reduced_shape{"block_tiles_diagonal", cs::diagonal, 6, 5, {700, 250}},
                                         reduced_shape{"block_tiles_tied", cs::tied, 6, 5, {700, 250}},
                                         reduced_shape{"block_tiles_spherical", cs::spherical, 6, 5, {700, 250}},
                                         reduced_shape{"grid_registers_full", cs::full, 2, 4, {1500000}, {44000}},
                                         reduced_shape{"grid_tiles_full", cs::full, 16, 64, {3600}, {1000}},
                                         reduced_shape{"grid_tiles_diagonal", cs::diagonal, 32, 100, {5400}, {600}},
                                         reduced_shape{"grid_chunks_full", cs::full, 32, 128, {2000}, {1000}}),
                         [](const testing::TestParamInfo<reduced_shape>& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace manyfit::tests
