// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A density of the caller's own, compiled for the CPU here and for CUDA in another file, is fitted and scored on both
// alike.
#include <gtest/gtest.h>

#include <cmath>

#include "../package/lindley.hpp"
#include "kernels/operations.hpp"
#include "manyfit/custom.hpp"
#include "manyfit/manyfit.hpp"

/// In custom_density.cu, which is for CUDA alone.
manyfit::fit_results fit_lindley_in_a_file_for_cuda(const manyfit::executor& where, const manyfit::batch<double>& data);

namespace manyfit::tests {
namespace {

#define MF_NEEDS_CUDA() \
  if (!executor::best().is_cuda()) GTEST_SKIP() << "needs a usable CUDA device"

/// Samples of sizes for every tier but the grid's, and unfit ones: an empty sample, one outside the support, one with
/// an infinite value.
template <class T>
struct mixed_batch {
  std::vector<T> values, weights;
  std::vector<std::int64_t> offsets{0};
  mixed_batch() {
    const std::vector<double> shape{1.5, 0.8};
    const auto drawn = simulate(executor::cpu(), find_family("gamma"), {shape.data(), 0, 1}, 1, 7000, {.seed = 3});
    for (const std::size_t size : {40, 1, 0, 1500, 4500, 20, 30}) {
      const std::size_t begin = values.size();
      for (std::size_t i = 0; i < size; ++i) values.push_back(static_cast<T>(drawn[begin + i]));
      offsets.push_back(static_cast<std::int64_t>(values.size()));
    }
    values[7] = static_cast<T>(NAN);
    values[static_cast<std::size_t>(offsets[5]) + 3] = -1;
    values[static_cast<std::size_t>(offsets[6]) + 3] = static_cast<T>(INFINITY);
    for (std::size_t i = 0; i < values.size(); ++i) weights.push_back(static_cast<T>(i % 5) / 2);
  }
  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  batch<T> view() const { return ragged(std::span<const T>(values), std::span<const std::int64_t>(offsets)); }
  batch<T> weighted() const { return view().weighted(std::span<const T>(weights)); }
};

bool near(double a, double b, double tolerance) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance * (1 + std::abs(b));
}

template <class T>
struct custom_density : testing::Test {
  static constexpr double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-9;
};
using types = testing::Types<double, float>;
TYPED_TEST_SUITE(custom_density, types);

TYPED_TEST(custom_density, on_cuda_is_fitted_as_on_the_cpu) {
  MF_NEEDS_CUDA();
  const mixed_batch<TypeParam> data;
  for (const auto& each : {data.view(), data.weighted()}) {
    const fit_results cpu = fit<lindley_on_cuda>(executor::cpu(), each),
                      gpu = fit<lindley_on_cuda>(executor::cuda(), each);
    EXPECT_EQ(gpu.device, "cuda:0");
    EXPECT_EQ(gpu.status, cpu.status);
    EXPECT_EQ(gpu.missing, cpu.missing);
    EXPECT_EQ(gpu.observations, cpu.observations);
    for (std::int64_t i = 0; i < data.count(); ++i) {
      EXPECT_TRUE(near(gpu.parameter(0, i), cpu.parameter(0, i), this->tolerance)) << i;
      EXPECT_TRUE(near(gpu.std_error(0, i), cpu.std_error(0, i), this->tolerance)) << i;
      EXPECT_TRUE(near(gpu.log_likelihood[i], cpu.log_likelihood[i], this->tolerance)) << i;
    }
    const std::vector<fit_status> unfit{fit_status::too_few, fit_status::out_of_support, fit_status::nonfinite};
    EXPECT_EQ((std::vector{gpu.status[2], gpu.status[5], gpu.status[6]}), unfit);
    EXPECT_EQ(gpu.status[3], fit_status::converged);
  }
}

TYPED_TEST(custom_density, on_cuda_reaches_the_maximum_known_in_closed_form) {
  MF_NEEDS_CUDA();
  const mixed_batch<TypeParam> data;
  const auto r = fit<lindley_on_cuda>(executor::cuda(), data.view());
  for (const std::int64_t i : {3, 4}) {
    const double n = static_cast<double>(data.offsets[i + 1] - data.offsets[i]);
    double m = 0;
    for (std::int64_t j = data.offsets[i]; j < data.offsets[i + 1]; ++j) m += data.values[j] / n;
    const double theta = (1 - m + std::sqrt((m - 1) * (m - 1) + 8 * m)) / (2 * m);
    EXPECT_TRUE(near(r.parameter(0, i), theta, this->tolerance)) << i;
    const double information = n * (2 / (theta * theta) - 1 / ((1 + theta) * (1 + theta)));
    EXPECT_TRUE(near(r.std_error(0, i) * std::sqrt(information), 1, 1e-4)) << i;
  }
}

TYPED_TEST(custom_density, on_cuda_is_scored_as_on_the_cpu) {
  MF_NEEDS_CUDA();
  const mixed_batch<TypeParam> data;
  const std::vector<double> theta{0.9, 1.1, 1.3, 0.7, 0.8, 1, -1};
  const parameters_view at{theta.data(), 1, 7};
  const auto& family = custom_family<lindley_on_cuda>();
  const auto density = log_density(executor::cuda(), family, data.view(), at),
             expected = log_density(executor::cpu(), family, data.view(), at);
  ASSERT_EQ(density.size(), data.values.size());
  for (std::size_t i = 0; i < density.size(); ++i) {
    const double x = data.values[i], p = theta[0];
    if (i < 40 && i != 7) {
      ASSERT_TRUE(near(density[i], 2 * std::log(p) - std::log(1 + p) + std::log1p(x) - p * x, 1e-5)) << i;
    }
    ASSERT_TRUE(near(density[i], expected[i], this->tolerance)) << i;
  }
  const auto sum = log_likelihood(executor::cuda(), family, data.weighted(), at),
             expected_sum = log_likelihood(executor::cpu(), family, data.weighted(), at);
  for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_TRUE(near(sum[i], expected_sum[i], this->tolerance)) << i;
  EXPECT_EQ(sum[5], -INFINITY);
  EXPECT_TRUE(std::isnan(sum[6]));
}

TEST(custom_density_in_a_file_for_cuda, on_cuda_has_the_same_bits_and_is_refused_on_the_cpu) {
  MF_NEEDS_CUDA();
  const mixed_batch<double> data;
  const fit_results there = fit_lindley_in_a_file_for_cuda(executor::cuda(), data.weighted()),
                    here = fit<lindley_on_cuda>(executor::cuda(), data.weighted());
  EXPECT_EQ(there.status, here.status);
  for (const std::int64_t i : {0, 3, 4}) EXPECT_EQ(there.parameter("theta", i), here.parameter("theta", i)) << i;
  EXPECT_THROW(fit_lindley_in_a_file_for_cuda(executor::cpu(), data.weighted()), error);
}

TEST(custom_mixture, on_cuda_of_a_density_and_a_registered_family_takes_the_cpus_path) {
  MF_NEEDS_CUDA();
  const std::vector<double> low{2.0, 2.0}, high{60.0, 3.0};
  auto x = simulate(executor::cpu(), find_family("gamma"), {low.data(), 0, 1}, 1, 300, {.seed = 1});
  for (const double each : simulate(executor::cpu(), find_family("gamma"), {high.data(), 0, 1}, 1, 200, {.seed = 2}))
    x.push_back(each);
  const std::vector<mixture_component> parts{{&custom_family<lindley_on_cuda>()}, {&find_family("gamma")}};
  const auto data = dense<double>(x, 1);
  const family_mixture_options options{.restarts = 2, .max_iterations = 30};
  const auto cpu = fit_mixture(executor::cpu(), parts, data, options),
             gpu = fit_mixture(executor::cuda(), parts, data, options);
  EXPECT_EQ(gpu.status, cpu.status);
  EXPECT_TRUE(gpu.status[0] == fit_status::converged || gpu.status[0] == fit_status::max_iterations);
  EXPECT_TRUE(near(gpu.log_likelihood[0], cpu.log_likelihood[0], 1e-9));
  for (std::size_t i = 0; i < gpu.parameters.size(); ++i)
    EXPECT_TRUE(near(gpu.parameters[i], cpu.parameters[i], 1e-6)) << i;
}

TEST(operations, that_a_family_lacks_on_cuda_are_refused_by_name) {
  MF_NEEDS_CUDA();
  const mixed_batch<double> data;
  const mixed_batch<float> floats;
  const double theta = 1;
  const parameters_view at{&theta, 0, 1};
  family_info lacking = custom_family<lindley_on_cuda>();
  const auto error_of = [&](auto call) -> std::string {
    try {
      call();
    } catch (const error& e) {
      return e.why() == error::kind::device ? e.what() : "another kind";
    }
    return "none";
  };
  lacking.cuda.f32 = nullptr;
  EXPECT_EQ(fit(executor::cuda(), lacking, data.view()).status[3], fit_status::converged);
  EXPECT_NE(error_of([&] { fit(executor::cuda(), lacking, floats.view()); }).find("lindley"), std::string::npos);
  const operations<on_cuda, double> none;
  lacking.cuda.f64 = &none;
  EXPECT_NE(error_of([&] { fit(executor::cuda(), lacking, data.view()); }).find("no fit of"), std::string::npos);
  EXPECT_NE(error_of([&] { log_density(executor::cuda(), lacking, data.view(), at); }).find("no log_density of"),
            std::string::npos);
  EXPECT_NE(error_of([&] { log_likelihood(executor::cuda(), lacking, data.view(), at); }).find("no log_likelihood of"),
            std::string::npos);
  EXPECT_NE(error_of([&] { fit_mixture(executor::cuda(), lacking, data.view()); }).find("no fit or score of"),
            std::string::npos);
}

}  // namespace
}  // namespace manyfit::tests
