// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Gaussian mixtures on CUDA against the CPU, in every tier: a warp per fit, a block per fit, the grid with passes in
// registers, in tiles and in chunks.
#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

void expect_agreement(const mixture_results& a, const mixture_results& b, double tolerance) {
  ASSERT_EQ(a.count, b.count);
  for (std::int64_t i = 0; i < a.count; ++i) {
    ASSERT_EQ(a.status[i], b.status[i]) << "fit " << i;
    EXPECT_EQ(a.observations[i], b.observations[i]);
    EXPECT_EQ(a.missing[i], b.missing[i]);
    EXPECT_EQ(a.left_out[i], b.left_out[i]);
    ASSERT_EQ(a.components[i], b.components[i]);
    EXPECT_EQ(std::isnan(a.log_likelihood[i]), std::isnan(b.log_likelihood[i]));
    if (std::isnan(b.log_likelihood[i])) continue;
    EXPECT_TRUE(std::abs(a.log_likelihood[i] - b.log_likelihood[i]) <= tolerance * std::abs(b.log_likelihood[i]))
        << a.log_likelihood[i] << " and " << b.log_likelihood[i];
    for (int k = 0; k < a.components[i]; ++k)
      for (int d = 0; d < a.dimensions; ++d)
        EXPECT_TRUE(std::abs(a.mean(i, k)[d] - b.mean(i, k)[d]) <= 1e3 * tolerance * std::abs(b.mean(i, k)[d]));
  }
}

struct shape {
  int D, K;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> simulated = {};  ///< as few as reach the same tier; empty: the same
};
void PrintTo(const shape& s, std::ostream* out) {
  *out << "D=" << s.D << " K=" << s.K;
}
std::string name_of(const testing::TestParamInfo<shape>& info) {
  return "D" + std::to_string(info.param.D) + "_K" + std::to_string(info.param.K);
}

class cuda_mixtures : public testing::TestWithParam<shape> {};

TEST_P(cuda_mixtures, cuda_agrees_with_the_cpu) {
  MF_NEEDS_CUDA();
  const bool few = has_simulated_device() && !GetParam().simulated.empty();
  const clusters data(GetParam().D, GetParam().K, few ? GetParam().simulated : GetParam().sizes);
  const int most_iterations = few ? 2 : 12;
  for (const auto structure : {covariance_structure::full, covariance_structure::diagonal, covariance_structure::tied,
                               covariance_structure::spherical}) {
    mixture_options options;
    options.components = GetParam().K;
    options.covariance = structure;
    options.restarts = 1;
    options.max_iterations = most_iterations;
    options.tolerance = 0;
    const mixture_results cpu = fit_mixture(executor::cpu(), data.points(), options);
    const mixture_results gpu = fit_mixture(executor::cuda(), data.points(), options);
    expect_agreement(gpu, cpu, 1e-9);
    const mixture_scores a = score_mixture(executor::cpu(), data.points(), cpu, {true, true}),
                         b = score_mixture(executor::cuda(), data.points(), cpu, {true, true});
    EXPECT_EQ(a.labels, b.labels);
    for (std::size_t i = 0; i < a.log_density.size(); ++i)
      EXPECT_TRUE(std::isnan(a.log_density[i])
                      ? std::isnan(b.log_density[i])
                      : std::abs(a.log_density[i] - b.log_density[i]) <= 1e-9 * (1 + std::abs(a.log_density[i])));
    const std::vector<float> narrow(data.values.begin(), data.values.end());
    const auto floats = ragged_points<float>(narrow, data.D, data.offsets);
    // In float k-means++ may choose other rows, and EM cut short is then elsewhere: both begin at the same iterate. A
    // log-density in float is off by a few 2^-24 of itself, 2e-7; errors of points partly cancel in the sum, which is
    // in double: cuda_agreement, which begins like this, finds 3e-8 of log-likelihoods at most on an H200.
    options.max_iterations = 1;
    const mixture_results start = fit_mixture(executor::cpu(), data.points(), options);
    options.max_iterations = most_iterations;
    options.start = mixture_start::given;
    options.start_values = &start;
    expect_agreement(fit_mixture(executor::cuda(), floats, options),
                     fit_mixture(executor::cpu(), data.points(), options), 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(tiers, cuda_mixtures,
                         testing::Values(shape{1, 3, {400, 1000, 7000}}, shape{2, 3, {500, 1000, 3, 900}},
                                         shape{2, 7, {2000, 300}}, shape{8, 5, {4000, 100}}),
                         name_of);
// The whole grid; too much for compute-sanitizer.
INSTANTIATE_TEST_SUITE_P(large_tiers, cuda_mixtures,
                         testing::Values(shape{1, 4, {9000000}, {132000}}, shape{2, 3, {3000000}, {117000}},
                                         shape{16, 64, {60000}, {2500}}, shape{32, 100, {20000}, {4000}}),
                         name_of);

// Rows that are missing, left out or infinite, a collapse from every start, and floats that need a look in double.
TEST(cuda_mixtures_status, cuda_ends_as_the_cpu_does) {
  MF_NEEDS_CUDA();
  const clusters data(2, 2, {300, 400, 200});
  std::vector<double> values = data.values, weights(values.size() / 2, 1.0);
  for (std::size_t i = 0; i < weights.size(); i += 7) weights[i] = i % 2 ? 0.5 : 0.0;
  for (std::size_t i = 600; i < 1400; i += 2) values[i] = 3;  // the second fit: a constant coordinate
  const auto points = ragged_points<double>(values, 2, data.offsets).weighted(weights);
  mixture_options options;
  options.restarts = 4;
  const mixture_results cpu = fit_mixture(executor::cpu(), points, options),
                        gpu = fit_mixture(executor::cuda(), points, options);
  expect_agreement(gpu, cpu, 1e-7);
  EXPECT_EQ(cpu.status[1], fit_status::regularized);
  EXPECT_EQ(gpu.constant, cpu.constant);
  for (std::size_t i = 0; i < cpu.regularization.size(); ++i)
    EXPECT_TRUE(std::abs(gpu.regularization[i] - cpu.regularization[i]) <= 1e-9 * cpu.regularization[i]);
  std::vector<float> far(400);
  for (std::size_t i = 0; i < far.size(); ++i)
    far[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i)) + (i % 2 ? 3000 : 0));
  const mixture_results narrow = fit_mixture(executor::cuda(), manyfit::points<float>(far, 1)),
                        wide = fit_mixture(executor::cpu(), manyfit::points<float>(far, 1));
  EXPECT_EQ(narrow.status[0], fit_status::converged);
  expect_agreement(narrow, wide, 1e-9);
}

TEST(cuda_mixtures_bits, cuda_keeps_them_in_company_and_from_call_to_call) {
  MF_NEEDS_CUDA();
  const bool simulated = has_simulated_device();
  const clusters data(2, 3, {500, 1000, 800, 2, simulated ? 44000 : 100000, 640});
  mixture_options options;
  options.components = {1, 4};
  options.restarts = simulated ? 2 : 3;
  if (simulated) options.max_iterations = 6;
  const executor gpu = executor::cuda();
  const mixture_results all = fit_mixture(gpu, data.points(), options),
                        again = fit_mixture(gpu, data.points(), options);
  // By bits: capacity that a fit does not need is NaN, which equals nothing.
  const auto same_bits = [](const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
  };
  EXPECT_TRUE(same_bits(all.weights, again.weights));
  EXPECT_TRUE(same_bits(all.means, again.means));
  EXPECT_TRUE(same_bits(all.covariances, again.covariances));
  EXPECT_TRUE(same_bits(all.log_likelihood, again.log_likelihood));
  for (std::int64_t i = 0; i < all.count; ++i) {
    const std::vector<double> own(data.values.begin() + data.offsets[i] * 2,
                                  data.values.begin() + data.offsets[i + 1] * 2);
    const mixture_results alone = fit_mixture(gpu, points<double>(own, 2), options);
    EXPECT_EQ(alone.status[0], all.status[i]);
    ASSERT_EQ(alone.components[0], all.components[i]);
    for (int k = 0; k < alone.components[0]; ++k)
      for (int d = 0; d < 2; ++d)
        EXPECT_EQ(std::memcmp(&alone.mean(0, k)[d], &all.mean(i, k)[d], sizeof(double)), 0) << "fit " << i;
  }
}

// Both kinds of resident pass, chosen by the environment: by tensor cores, with a row that no limb holds, missing rows
// and weights, and without.
TEST(cuda_mixtures_passes, cuda_by_tensor_cores_and_without_agrees_with_the_cpu) {
  MF_NEEDS_CUDA();
  const int D = 9, K = 35;
  const clusters data(D, K, {has_simulated_device() ? 2100 : 60000});
  const auto rows = static_cast<std::size_t>(data.offsets[1]);
  std::vector<double> values = data.values, weights(rows, 1.0);
  for (std::size_t i = 0; i < rows; i += 5) weights[i] = i % 2 ? 0.375 : 0.0;
  values[17 * D + 3] = 1000;
  weights[17] = 0;  // in the start, where it would have a component to itself
  mixture_options options;
  options.components = K;
  options.covariance = covariance_structure::diagonal;
  options.restarts = 1;
  options.tolerance = 0;
  const auto wide = ragged_points<double>(values, D, data.offsets).weighted(weights);
  options.max_iterations = 60;  // settled: no component is about to lose its rows
  options.start = mixture_start::automatic;
  const mixture_results start = fit_mixture(executor::cpu(), wide, options);
  weights[17] = 0x1p-12;
  const std::vector<float> floats(values.begin(), values.end()), float_weights(weights.begin(), weights.end());
  const auto points = ragged_points<float>(floats, D, data.offsets).weighted(float_weights);
  options.max_iterations = 4;
  options.start = mixture_start::given;
  options.start_values = &start;
  std::vector<mixture_results> found;
  for (const char* const wanted : {"0", "1"}) {
    SCOPED_TRACE(testing::Message() << "MANYFIT_TENSOR_PASSES=" << wanted);
    setenv("MANYFIT_TENSOR_PASSES", wanted, 1);
    found.push_back(fit_mixture(executor::cuda(), points, options));
    unsetenv("MANYFIT_TENSOR_PASSES");
    expect_agreement(found.back(), fit_mixture(executor::cpu(), wide, options), 1e-6);
  }
  EXPECT_NE(found[0].log_likelihood[0], found[1].log_likelihood[0]) << "both ran the same passes";
}

}  // namespace
}  // namespace manyfit::tests
