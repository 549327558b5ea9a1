// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The stranger's model and algorithm (stranger.hpp) on CUDA's lanes: a warp and a block fit one curve. Skipped where
// there is no device.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/algorithms/newton.hpp"
#include "kernels/cuda/contexts.cuh"
#include "kernels/groups/lanes_group.hpp"
#include "stranger.hpp"

namespace manyfit {
namespace {

constexpr int threads = 64, warps = threads / 32, slots = 2 * warps * reduction_width, resident = 2048;

/// out: by Newton and by gradient ascent, then how many rows counted.
template <class T, class Context>
__device__ void fit_curve(Context& context, T* buffer, const sample<T, 1>& rows, double* out) {
  using group = lanes_group<decay_curve::rows, T, Context>;
  group points(context, buffer, resident);
  const sample_summary summary = points.load(rows);
  const likelihood<decay_curve, group> over{points, summary};
  const auto end = maximise_by_newton(over, {1, 1}, fit_settings{}, sizeof(T) == 4 ? 0x1p-23 : 0x1p-52);
  const auto slow = climb_by_gradient(over, {1, 1}, sizeof(T) == 4 ? 1e-4 : 1e-8, 500);
  if (context.lane() != 0) return;
  for (int i = 0; i < 2; ++i) {
    out[i] = end.parameters[i];
    out[2 + i] = slow[i];
  }
  out[4] = static_cast<double>(summary.observations);
}
template <class T>
__global__ void fit_curve_by_warp(sample<T, 1> rows, double* out) {
  MF_DYNAMIC_SHARED(shared);
  cuda_warp context;
  if (threadIdx.x < 32) fit_curve(context, reinterpret_cast<T*>(shared + slots), rows, out);
}
template <class T>
__global__ void fit_curve_by_block(sample<T, 1> rows, double* out) {
  MF_DYNAMIC_SHARED(shared);
  cuda_block context(shared, 1, grid_exchange());
  fit_curve(context, reinterpret_cast<T*>(shared + slots), rows, out);
}

template <class T>
void expect_curve(void (*kernel)(sample<T, 1>, double*), double tolerance) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) GTEST_SKIP() << "no CUDA device";
  constexpr int n = 301;
  std::mt19937_64 random(5);
  std::normal_distribution<double> error(0, decay_curve::noise);
  std::vector<T> numbers(2 * n);  // values, then times
  for (int i = 0; i < n; ++i) {
    numbers[n + i] = static_cast<T>(4.0 * i / n);
    numbers[i] = static_cast<T>(3 * std::exp(-0.8 * numbers[n + i]) + error(random));
  }
  numbers[11] = static_cast<T>(NAN);
  T* data;
  double* out;
  ASSERT_EQ(cudaMalloc(&data, numbers.size() * sizeof(T)), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&out, 5 * sizeof(double)), cudaSuccess);
  cudaMemcpy(data, numbers.data(), numbers.size() * sizeof(T), cudaMemcpyHostToDevice);
  const std::size_t shared = slots * sizeof(double) + resident * sizeof(T);
  ASSERT_EQ(launch(kernel, {.threads = threads, .shared = shared}, sample<T, 1>{data, nullptr, n, {data + n}}, out),
            cudaSuccess);
  double got[5];
  ASSERT_EQ(cudaMemcpy(got, out, sizeof got, cudaMemcpyDeviceToHost), cudaSuccess);
  cudaFree(data);
  cudaFree(out);
  EXPECT_EQ(got[4], n - 1);
  for (int way = 0; way < 2; ++way) {  // residuals are orthogonal to both derivatives of the curve
    const double a = got[2 * way], b = got[2 * way + 1];
    double by_a = 0, by_b = 0;
    for (int i = 0; i < n; ++i) {
      if (i == 11) continue;
      const double e = std::exp(-b * numbers[n + i]), residual = numbers[i] - a * e;
      by_a += residual * e / n;
      by_b += residual * e * numbers[n + i] / n;
    }
    EXPECT_TRUE(std::abs(by_a) <= tolerance && std::abs(by_b) <= tolerance) << way << ": " << a << " " << b;
  }
}

TEST(stranger, cuda_warp_fits_a_curve) {
  expect_curve<double>(fit_curve_by_warp<double>, 1e-8);
  expect_curve<float>(fit_curve_by_warp<float>, 1e-4);
}
TEST(stranger, cuda_block_fits_a_curve) {
  expect_curve<double>(fit_curve_by_block<double>, 1e-8);
  expect_curve<float>(fit_curve_by_block<float>, 1e-4);
}

}  // namespace
}  // namespace manyfit
