// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the host asks of a CUDA device: in an order that holds on any stream of the caller's, little of it for small
// batches, memory of its own that stays small, and errors that leave nothing behind.
#include <thread>

#include "cuda_cache.hpp"
#include "cuda_tests.hpp"
#include "device_tests.hpp"

namespace manyfit::tests {
namespace {

const family_info& gamma_family() {
  return find_family("gamma");
}

/// A stream that does not wait for the legacy stream.
class callers_stream {
 public:
  callers_stream() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~callers_stream() { cudaStreamDestroy(stream_); }
  executor gpu() const { return executor::cuda(0, stream_); }

 private:
  cudaStream_t stream_ = nullptr;
};

mixture_options two_components() {
  mixture_options options;
  options.components = 2;
  options.restarts = 1;
  options.max_iterations = 3;
  return options;
}

TEST(simulated_host, answers_are_the_same_on_a_stream_that_does_not_wait_for_the_legacy_stream) {
  const callers_stream own;
  const auto data = draw_batch<double>(gamma_family(), {300, 20, 2000});
  const auto p = example_parameters(gamma_family());
  const std::vector<std::uint64_t> ids{7, 5, 3};
  const auto draws_of = [&](const executor& where) {
    return simulate(where, gamma_family(), one_set(p), 3, 65, {.seed = 42, .streams = ids});
  };
  const executor usual = executor::cuda();
  const auto draws = draws_of(usual);
  const auto densities = log_density(usual, gamma_family(), data.view(), one_set(p));
  const auto sums = log_likelihood(usual, gamma_family(), data.view(), one_set(p));
  const auto fits = fit(usual, gamma_family(), data.view());
  const clusters groups(2, 2, {300, 200});
  const auto mixtures = fit_mixture(usual, groups.points(), two_components());
  const auto scores = score_mixture(usual, groups.points(), mixtures, {true, true});
  const auto run = [&] {
    const executor gpu = own.gpu();
    const auto again = fit(gpu, gamma_family(), data.view());
    const auto mixtures_again = fit_mixture(gpu, groups.points(), two_components());
    const auto labels = score_mixture(gpu, groups.points(), mixtures, {true, true}).labels;
    bool same = draws_of(gpu) == draws && log_density(gpu, gamma_family(), data.view(), one_set(p)) == densities &&
                log_likelihood(gpu, gamma_family(), data.view(), one_set(p)) == sums && labels == scores.labels;
    for (std::int64_t i = 0; i < fits.count; ++i) same = same && same_bits(fits, i, again, i);
    return same && mixtures_again.means == mixtures.means && mixtures_again.log_likelihood == mixtures.log_likelihood;
  };
  EXPECT_EQ(failures_of_60(run), 0);
}

TEST(simulated_host, chunks_change_no_bit) {
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < 300; ++i) sizes.push_back(20 + i % 37);
  const auto data = draw_batch<double>(gamma_family(), sizes);
  const auto p = example_parameters(gamma_family());
  const std::vector<double> weights(data.values.size(), 2.0);
  const auto weighted = data.view().weighted(std::span<const double>(weights));
  const executor gpu = executor::cuda(), small = gpu.with_memory_limit(40000);
  const fit_results a = fit(gpu, gamma_family(), weighted), b = fit(small, gamma_family(), weighted);
  for (std::int64_t i = 0; i < a.count; ++i) EXPECT_TRUE(same_bits(a, i, b, i)) << i;
  EXPECT_EQ(log_density(gpu, gamma_family(), data.view(), one_set(p)),
            log_density(small, gamma_family(), data.view(), one_set(p)));
  EXPECT_EQ(simulate(gpu, gamma_family(), one_set(p), 300, 50, {.seed = 1}),
            simulate(small, gamma_family(), one_set(p), 300, 50, {.seed = 1}));
}

TEST(simulated_host, a_small_batch_allocates_nothing_and_makes_few_calls) {
  const auto data = draw_batch<double>(gamma_family(), std::vector<std::int64_t>(64, 100));
  const auto p = example_parameters(gamma_family());
  const executor gpu = executor::cuda();
  struct operation {
    const char* name;
    std::function<void()> run;
    std::int64_t calls;
  };
  const operation operations[] = {
      {"fit", [&] { fit(gpu, gamma_family(), data.view()); }, 12},
      {"log_density", [&] { log_density(gpu, gamma_family(), data.view(), one_set(p)); }, 12},
      {"log_likelihood", [&] { log_likelihood(gpu, gamma_family(), data.view(), one_set(p)); }, 13},
      {"simulate", [&] { simulate(gpu, gamma_family(), one_set(p), 64, 100, {.seed = 1}); }, 5},
  };
  for (const operation& o : operations) {
    o.run();
    simulated::reset_calls();
    o.run();
    SCOPED_TRACE(o.name);
    for (const char* slow : {"cudaMalloc", "cudaMallocHost", "cudaFree", "cudaFreeHost", "cudaStreamCreateWithFlags",
                             "cudaEventCreateWithFlags", "cudaStreamDestroy", "cudaMemGetInfo", "cudaDeviceSynchronize",
                             "cudaFuncSetAttribute", "cudaOccupancyMaxActiveBlocksPerMultiprocessor",
                             "cudaDeviceGetAttribute", "cudaGetDeviceProperties", "cudaFuncGetAttributes"})
      EXPECT_EQ(simulated::calls(slow), 0) << slow;
    EXPECT_EQ(simulated::calls("cudaStreamSynchronize"), 1);
    // Each takes 1 to 3 µs of a host thread on a GPU; cudaGetDevice reads a variable of the thread.
    EXPECT_EQ(simulated::calls("") - simulated::calls("cudaGetDevice"), o.calls);
  }
}

TEST(simulated_host, a_mixture_of_a_small_batch_allocates_nothing_when_it_comes_again) {
  const clusters groups(2, 2, {300, 200});
  const executor gpu = executor::cuda();
  fit_mixture(gpu, groups.points(), two_components());
  simulated::reset_calls();
  fit_mixture(gpu, groups.points(), two_components());
  for (const char* slow : {"cudaMalloc", "cudaMallocHost", "cudaFree", "cudaFreeHost", "cudaFuncSetAttribute"})
    EXPECT_EQ(simulated::calls(slow), 0) << slow;
}

TEST(simulated_host, host_threads_fit_at_the_same_time_with_the_same_bits) {
  const executor gpu = executor::cuda();
  const auto data = draw_batch<double>(gamma_family(), {300, 20, 2000, 20000});
  const fit_results alone = fit(gpu, gamma_family(), data.view());
  int wrong[4] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int k = 0; k < 5; ++k) {
        // Batches of other sizes: the block kernel is launched with as much shared memory as each needs.
        const fit_results one = fit(gpu, gamma_family(), data.only((t + k) % 4).view());
        wrong[t] += !same_bits(one, 0, alone, (t + k) % 4);
      }
    });
  for (std::thread& t : threads) t.join();
  for (const int w : wrong) EXPECT_EQ(w, 0);
}

TEST(simulated_host, the_limit_of_shared_memory_is_set_once_per_kernel) {
  const auto data = draw_batch<double>(gamma_family(), {20000, 30, 4000});
  fit(executor::cuda(), gamma_family(), data.view());
  simulated::reset_calls();
  for (std::int64_t i = 0; i < data.count(); ++i) fit(executor::cuda(), gamma_family(), data.only(i).view());
  EXPECT_EQ(simulated::calls("cudaFuncSetAttribute"), 0);
}

TEST(simulated_host, points_that_the_caller_has_pinned_are_read_in_place) {
  const clusters groups(2, 2, {3000});
  const pinned_array<double> pinned(groups.values.size());
  std::copy(groups.values.begin(), groups.values.end(), pinned.get());
  std::vector<double> registered = groups.values;
  ASSERT_EQ(cudaHostRegister(registered.data(), registered.size() * 8, cudaHostRegisterMapped), cudaSuccess);
  const executor small = executor::cuda().with_memory_limit(20000);  // less than the points
  const auto options = two_components();
  const auto wanted = fit_mixture(executor::cuda(), groups.points(), options);
  const std::span<const double> in_pinned(pinned.get(), groups.values.size());
  for (const auto& values : {std::span<const double>(groups.values), in_pinned, std::span<const double>(registered)}) {
    const auto r = fit_mixture(small, ragged_points<double>(values, 2, groups.offsets), options);
    EXPECT_EQ(r.means, wanted.means);
    EXPECT_EQ(r.log_likelihood, wanted.log_likelihood);
  }
  EXPECT_EQ(cudaHostUnregister(registered.data()), cudaSuccess) << "the caller's registration must stay";
}

TEST(simulated_host, results_of_any_size_pass_through_a_little_pinned_memory) {
  cuda::release_kept_memory();
  const std::size_t before = simulated::pinned_in_use();
  const auto p = example_parameters(gamma_family());
  const std::vector<double> values(2600000, 2.0);
  const auto data = dense(std::span<const double>(values), 8);
  const auto densities = log_density(executor::cuda(), gamma_family(), data, one_set(p));
  EXPECT_LE(simulated::pinned_in_use() - before, std::size_t{2} * (9 << 20));
  const auto few =
      log_density(executor::cpu(), gamma_family(), dense(std::span<const double>(values).first(1), 1), one_set(p));
  std::int64_t wrong = 0;
  for (const double d : densities) wrong += !(std::abs(d - few[0]) <= 1e-12);
  EXPECT_EQ(wrong, 0);
  const auto draws = simulate(executor::cuda(), gamma_family(), one_set(p), 3, 500001, {.seed = 3});
  const auto cpu = simulate(executor::cpu(), gamma_family(), one_set(p), 3, 500001, {.seed = 3});
  for (std::size_t i = 0; i < cpu.size(); ++i) wrong += !(std::abs(draws[i] - cpu[i]) <= 1e-11 * (1 + cpu[i]));
  EXPECT_EQ(wrong, 0);
}

TEST(simulated_host, a_large_batch_leaves_little_device_memory_in_use) {
  const std::vector<double> values(12000000, 2.0);
  const auto p = example_parameters(gamma_family());
  log_likelihood(executor::cuda(), gamma_family(), dense(std::span<const double>(values), 12), one_set(p));
  EXPECT_LE(simulated::memory_in_use(), cuda::most_kept_bytes);
  cuda::release_kept_memory();
  EXPECT_EQ(simulated::memory_in_use(), 0u);
}

TEST(simulated_host, every_allocation_may_fail_and_leaves_nothing_behind) {
  const auto data = draw_batch<double>(gamma_family(), {300, 20, 2000, 140000});
  const auto p = example_parameters(gamma_family());
  const clusters groups(2, 2, {300, 200});
  const executor gpu = executor::cuda();
  const fit_results wanted = fit(gpu, gamma_family(), data.view());
  const auto mixtures = fit_mixture(gpu, groups.points(), two_components());
  const std::function<void()> operations[] = {
      [&] { EXPECT_TRUE(same_bits(fit(gpu, gamma_family(), data.view()), 3, wanted, 3)); },
      [&] { log_density(gpu, gamma_family(), data.view(), one_set(p)); },
      [&] { log_likelihood(gpu, gamma_family(), data.view(), one_set(p)); },
      [&] { simulate(gpu, gamma_family(), one_set(p), 3, 65, {.seed = 42}); },
      [&] { EXPECT_EQ(fit_mixture(gpu, groups.points(), two_components()).means, mixtures.means); },
      [&] { score_mixture(gpu, groups.points(), mixtures); },
  };
  for (const auto& run : operations) {
    std::int64_t allocations = 0;
    for (bool done = false; !done && allocations < 100;) {
      cuda::release_kept_memory();
      simulated::fail_allocation_after(allocations);
      try {
        run();
        done = true;
      } catch (const error& e) {
        EXPECT_EQ(e.why(), error::kind::memory) << e.what();
        ++allocations;
      }
      simulated::fail_allocation_after(-1);
      cuda::release_kept_memory();
      EXPECT_EQ(simulated::allocations_in_use(), 0) << "after allocation " << allocations << " failed";
    }
    EXPECT_GT(allocations, 2);
    EXPECT_LT(allocations, 100);
  }
}

TEST(simulated_host, the_best_executor_makes_a_context_on_one_device_only) {
  const simulated::device_settings before = simulated::settings();
  simulated::device_settings several = before;
  several.devices = 4;
  simulated::set_device(several);
  EXPECT_EQ(executor::best().device(), 0);
  EXPECT_EQ(executor::cuda(2).device(), 2);
  EXPECT_TRUE(simulated::has_context(0));
  EXPECT_FALSE(simulated::has_context(1));
  EXPECT_TRUE(simulated::has_context(2));
  EXPECT_FALSE(simulated::has_context(3));
  simulated::set_device(before);
}

TEST(simulated_host, fits_run_on_the_device_that_the_executor_names) {
  const simulated::device_settings before = simulated::settings();
  simulated::device_settings several = before;
  several.devices = 2;
  simulated::set_device(several);
  const auto data = draw_batch<double>(gamma_family(), {300, 20, 2000});
  const fit_results a = fit(executor::cuda(0), gamma_family(), data.view()),
                    b = fit(executor::cuda(1), gamma_family(), data.view());
  for (std::int64_t i = 0; i < a.count; ++i) EXPECT_TRUE(same_bits(a, i, b, i)) << i;
  cuda::release_kept_memory();
  simulated::set_device(before);
}

}  // namespace
}  // namespace manyfit::tests
