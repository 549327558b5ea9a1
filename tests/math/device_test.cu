// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The same functions on a GPU: special functions against the host's results, whose accuracy other tests hold, and
// random words against curand_init and the published vectors. Skipped where there is no device.
#include <curand_kernel.h>
#include <gtest/gtest.h>

#include <vector>

#include "kernels/cuda/contexts.cuh"
#include "kernels/math/special.hpp"
#include "kernels/random/discrete.hpp"
#include "kernels/random/philox_cuda.cuh"
#include "kernels/random/transforms.hpp"
#include "limb_case.hpp"

namespace manyfit {
namespace {

bool no_device() {
  int count = 0;
  return cudaGetDeviceCount(&count) != cudaSuccess || count == 0;
}
#define MF_NEEDS_DEVICE \
  if (no_device()) GTEST_SKIP() << "no CUDA device"

constexpr int functions = 22;

template <class T>
__host__ __device__ void evaluate(T x, T y, T* out) {
  const auto g = log_gamma_derivatives(x);
  const auto m = log_minus_digamma(x);
  const auto r = log_gamma_ratio_derivatives(x, y);
  const auto b = bessel_ratio_with_derivative(x);
  const auto j = log_gamma(jet<T, 1>::variable(x, 0)) * log_bessel_i0(jet<T, 1>::variable(x, 0)) +
                 log_gamma_ratio(jet<T, 1>::variable(x, 0), y) + log1p_minus(jet<T, 1>::variable(x, 0));
  const T values[functions] = {g.value,      g.first,          g.second,
                               digamma(x),   trigamma(x),      m.value,
                               m.derivative, r.value,          r.first,
                               r.second,     b.ratio,          b.one_minus_ratio,
                               b.derivative, log_bessel_i0(x), log1p_minus(x),
                               j.value,      j.gradient[0],    j.hessian[0],
                               exp(-x),      log1p(x),         T(normal_quantile(1 / (1 + double(x)))),
                               sin(x)};
  for (int i = 0; i < functions; ++i) out[i] = values[i];
}

template <class T>
__global__ void evaluate_all(const T* x, const T* y, T* out) {
  evaluate(x[threadIdx.x], y[threadIdx.x], out + functions * threadIdx.x);
}

template <class T>
void agrees_with_the_host(double tolerance) {
  std::vector<T> x, y;
  for (double v = 1e-3; v < 1e6; v *= 1.3) x.push_back(T(v)), y.push_back(T(std::floor(v * 0.37 + 1)));
  const int n = static_cast<int>(x.size());
  T *device_x, *device_y, *device_out;
  ASSERT_EQ(cudaMalloc(&device_x, n * sizeof(T)), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&device_y, n * sizeof(T)), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&device_out, n * functions * sizeof(T)), cudaSuccess);
  cudaMemcpy(device_x, x.data(), n * sizeof(T), cudaMemcpyHostToDevice);
  cudaMemcpy(device_y, y.data(), n * sizeof(T), cudaMemcpyHostToDevice);
  ASSERT_EQ(launch(evaluate_all<T>, {.threads = n}, device_x, device_y, device_out), cudaSuccess);
  std::vector<T> out(n * functions);
  ASSERT_EQ(cudaMemcpy(out.data(), device_out, out.size() * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
  for (int i = 0; i < n; ++i) {
    T expected[functions];
    evaluate(x[i], y[i], expected);
    for (int f = 0; f < functions; ++f) {
      const double error = std::abs(double(out[i * functions + f]) - double(expected[f]));
      EXPECT_FALSE(!(error <= tolerance * (1 + std::abs(double(expected[f]))))) << "function " << f << " at " << x[i];
    }
  }
  cudaFree(device_x), cudaFree(device_y), cudaFree(device_out);
}

TEST(cuda_device, cuda_special_functions_agree_with_the_host) {
  MF_NEEDS_DEVICE;
  agrees_with_the_host<double>(1e-13);
  agrees_with_the_host<float>(1e-4);
}

__global__ void compare_words(uint32_t* out) {
  constexpr unsigned long long seed = 0x299f31d0a4093822ull, subsequence = 0x0370734413198a2eull, draw = 0x05a308d3;
  curandStatePhilox4_32_10_t state;
  curand_init(seed, subsequence, (draw << 32) * 4, &state);
  philox_stream stream(seed, subsequence, draw);
  for (int block = 0; block < 3; ++block) {
    const uint4 words = curand4(&state);
    out[0] += (words.x != stream.next()) + (words.y != stream.next()) + (words.z != stream.next()) +
              (words.w != stream.next());
  }
  philox_stream zero(0, 0, 0);
  for (int i = 1; i <= 4; ++i) out[i] = zero.next();
}
TEST(cuda_device, cuda_words_are_those_of_curand_init_and_of_random123) {
  MF_NEEDS_DEVICE;
  uint32_t* out;
  ASSERT_EQ(cudaMalloc(&out, 5 * sizeof(uint32_t)), cudaSuccess);
  cudaMemset(out, 0, 5 * sizeof(uint32_t));
  ASSERT_EQ(launch(compare_words, {.threads = 1}, out), cudaSuccess);
  uint32_t words[5];
  ASSERT_EQ(cudaMemcpy(words, out, sizeof words, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(words[0], 0u);
  const uint32_t known[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(words[i + 1], known[i]);
  cudaFree(out);
}

constexpr int variates = 11;
__global__ void sum_variates(int draws, double* sums) {
  for (int i = threadIdx.x; i < draws; i += blockDim.x) {
    philox_stream r(7, 0, i);
    const double values[variates] = {draw_exponential(r),
                                     draw_normal(r),
                                     draw_gamma(r, 0.3),
                                     draw_beta(r, 2, 3),
                                     draw_chi_squared(r, 3),
                                     draw_von_mises(r, 1, 2),
                                     draw_inverse_gaussian(r, 1, 2),
                                     draw_poisson(r, 40),
                                     draw_binomial(r, 100, 0.4),
                                     draw_geometric(r, 0.25),
                                     draw_negative_binomial(r, 3, 20)};
    for (int v = 0; v < variates; ++v) atomicAdd(sums + v, values[v]);  // a test: the order does not matter here
  }
}
TEST(cuda_device, cuda_variates_have_their_means) {
  MF_NEEDS_DEVICE;
  constexpr int draws = 1 << 20;
  double* out;
  ASSERT_EQ(cudaMalloc(&out, variates * sizeof(double)), cudaSuccess);
  cudaMemset(out, 0, variates * sizeof(double));
  ASSERT_EQ(launch(sum_variates, {.threads = 256}, draws, out), cudaSuccess);
  double sums[variates];
  ASSERT_EQ(cudaMemcpy(sums, out, sizeof sums, cudaMemcpyDeviceToHost), cudaSuccess);
  const double mean[variates] = {1, 0, 0.3, 0.4, 3, 1, 1, 40, 40, 3, 20};
  const double deviation[variates] = {1, 1, 0.55, 0.2, 2.45, 0.85, 0.71, 6.33, 4.9, 3.47, 12.4};
  for (int v = 0; v < variates; ++v)
    if (v != 5)  // an angle's mean is not that of its principal value
      EXPECT_FALSE(!(std::abs(sums[v] / draws - mean[v]) <= 5 * deviation[v] / std::sqrt(draws))) << v;
  cudaFree(out);
}

// The layout of the instructions' operands on a GPU; on the simulated device what stands in for them.
template <bool Transposed>
__global__ void multiply_in_limbs(limb_case* c) {
  MF_DYNAMIC_SHARED(shared);
  cuda_warp context;
  auto* const memory = reinterpret_cast<std::uint16_t*>(shared);
  c->multiply<Transposed>(context, memory, reinterpret_cast<std::uint32_t*>(memory + limb_case::halves));
}
TEST(cuda_device, cuda_products_in_limbs_agree_with_plain_loops) {
  MF_NEEDS_DEVICE;
  limb_case c, *on_device;
  ASSERT_EQ(cudaMalloc(&on_device, sizeof c), cudaSuccess);
  const std::size_t shared = 2 * limb_case::halves + 4 * 32 * 2 * 12;
  for (const bool transposed : {false, true}) {
    c.draw(transposed ? 2 : 3);
    ASSERT_EQ(cudaMemcpy(on_device, &c, sizeof c, cudaMemcpyHostToDevice), cudaSuccess);
    ASSERT_EQ(launch(transposed ? multiply_in_limbs<true> : multiply_in_limbs<false>, {.shared = shared}, on_device),
              cudaSuccess);
    ASSERT_EQ(cudaMemcpy(&c, on_device, sizeof c, cudaMemcpyDeviceToHost), cudaSuccess);
    EXPECT_TRUE(c.worst() <= 2) << c.worst();
  }
  cudaFree(on_device);
}

}  // namespace
}  // namespace manyfit
