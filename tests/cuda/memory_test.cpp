// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Batches in device memory are used in place, on the caller's stream.
#include <cuda_runtime.h>

#include "cuda_tests.hpp"

namespace manyfit::tests {
namespace {

/// An array in device memory.
template <class T>
class on_device {
 public:
  explicit on_device(const std::vector<T>& host) : size_(host.size()) {
    EXPECT_EQ(cudaMalloc(&data_, size_ * sizeof(T)), cudaSuccess);
    EXPECT_EQ(cudaMemcpy(data_, host.data(), size_ * sizeof(T), cudaMemcpyHostToDevice), cudaSuccess);
  }
  ~on_device() { cudaFree(data_); }
  on_device(const on_device&) = delete;
  on_device& operator=(const on_device&) = delete;
  std::span<const T> span() const { return {static_cast<const T*>(data_), size_}; }
  void* get() const { return data_; }

 private:
  void* data_ = nullptr;
  std::size_t size_;
};

TEST(cuda_memory, cuda_uses_device_memory_in_place_with_the_same_bits) {
  MF_NEEDS_CUDA();
  const family_info& family = find_family("gamma");
  const auto data = draw_batch<double>(family, {300, 0, 20, 5000, 140000, 7});
  const std::vector<double> weights(data.values.size(), 2.0);
  const on_device<double> values(data.values), device_weights(weights);
  const on_device<std::int64_t> offsets(data.offsets);
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  const executor gpu = executor::cuda(0, stream);
  const auto in_place = ragged(values.span(), offsets.span(), memory_space::device).weighted(device_weights.span());
  const fit_results a = fit(gpu, family, in_place);
  const fit_results b = fit(gpu, family, data.view().weighted(std::span<const double>(weights)));
  for (std::int64_t i = 0; i < data.count(); ++i) EXPECT_TRUE(same_bits(a, i, b, i)) << i;
  const auto p = example_parameters(family);
  EXPECT_EQ(log_density(gpu, family, in_place, one_set(p)), log_density(gpu, family, data.view(), one_set(p)));
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

TEST(cuda_memory, cuda_fits_mixtures_of_families_to_device_memory_with_the_same_bits) {
  MF_NEEDS_CUDA();
  const family_info& family = find_family("gamma");
  const auto data = draw_batch<float>(family, {300, 0, 20, 700});
  const std::vector<float> weights(data.values.size(), 2.0f);
  const on_device<float> values(data.values), device_weights(weights);
  const on_device<std::int64_t> offsets(data.offsets);
  const auto there = ragged(values.span(), offsets.span(), memory_space::device).weighted(device_weights.span());
  const auto here = data.view().weighted(std::span<const float>(weights));
  const family_mixture_options options{.restarts = 2, .max_iterations = 5};
  const auto a = fit_mixture(executor::cuda(), family, there, options);
  const auto b = fit_mixture(executor::cuda(), family, here, options);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.status[3], fit_status::max_iterations);
  EXPECT_EQ(a.log_likelihood[3], b.log_likelihood[3]);
  EXPECT_EQ(score_mixture(executor::cuda(), there, b).log_density[500],
            score_mixture(executor::cuda(), here, b).log_density[500]);
  EXPECT_THROW(fit_mixture(executor::cpu(), family, there, options), error);
}

TEST(cuda_memory, cuda_work_follows_what_is_on_the_callers_stream) {
  MF_NEEDS_CUDA();
  const family_info& family = find_family("exponential");
  const std::vector<double> ones(1 << 20, 1.0), twos(1 << 20, 2.0);
  const on_device<double> values(ones), source(twos);
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  for (int i = 0; i < 50; ++i)  // a queue of copies that the fits must wait for
    ASSERT_EQ(cudaMemcpyAsync(values.get(), source.get(), twos.size() * 8, cudaMemcpyDeviceToDevice, stream),
              cudaSuccess);
  const fit_results r = fit(executor::cuda(0, stream), family, dense(values.span(), 1 << 10, memory_space::device));
  for (std::int64_t i = 0; i < r.count; ++i) ASSERT_EQ(r.parameter(0, i), 0.5) << i;
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

TEST(cuda_memory, cuda_without_a_device_is_refused_with_a_reason) {
  if (has_cuda()) {
    EXPECT_THROW(executor::cuda(999), error);
    return;
  }
  try {
    executor::cuda(0);
    FAIL() << "an executor for a device that is not there";
  } catch (const error& e) {
    EXPECT_EQ(e.why(), error::kind::device);
    EXPECT_NE(std::string(e.what()).find("cuda:0 cannot be used"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace manyfit::tests
