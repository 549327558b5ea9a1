// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Work points f, g, h and i of the plan: millions of univariate fits, dense with n = 1000 and ragged, on every CPU
// thread, on one, and on a GPU where there is one. Data are random draws, made before the clock starts. CPU times are
// wall-clock time of one call of fit() on data in memory; CUDA times are those of a call on data that is in device
// memory already (the transfers are measured by the rows named end_to_end).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "manyfit/manyfit.hpp"

#if defined(MF_HAVE_CUDA)
#include <cuda_runtime.h>
#endif

namespace {

using manyfit::batch;
using manyfit::executor;
using manyfit::family_info;

/// A batch of draws at the family's example parameters, kept for all benchmarks that use it.
template <class T>
struct drawn {
  std::vector<T> values;
  std::vector<std::int64_t> offsets;
  std::int64_t fits = 0;
  bool ragged = false;
  batch<T> view() const {
    const std::span<const T> all(values);
    return ragged ? manyfit::ragged(all, std::span<const std::int64_t>(offsets)) : manyfit::dense(all, fits);
  }
};

template <class T>
drawn<T>& dense_draws(const family_info& family, std::int64_t fits, std::int64_t n) {
  static std::map<std::string, drawn<T>> kept;
  drawn<T>& d = kept[family.name];
  if (d.fits == fits && d.values.size() == static_cast<std::size_t>(fits * n)) return d;
  kept.clear();
  drawn<T>& fresh = kept[family.name];
  std::vector<double> p;
  for (int i = 0; i < family.parameter_count; ++i) p.push_back(family.parameters[i].example);
  fresh.fits = fits;
  fresh.values.reserve(static_cast<std::size_t>(fits * n));
  for (std::int64_t begin = 0; begin < fits; begin += 1000) {
    const std::int64_t count = std::min<std::int64_t>(1000, fits - begin);
    const auto draws = manyfit::simulate(executor::cpu(), family, {p.data(), 0, 1}, count, n,
                                         {.seed = static_cast<std::uint64_t>(begin + 1)});
    fresh.values.insert(fresh.values.end(), draws.begin(), draws.end());
  }
  return fresh;
}

/// Sizes log-uniform from 1 to `largest`, by a low-discrepancy sequence, so that they repeat.
template <class T>
drawn<T> ragged_draws(const family_info& family, std::int64_t fits, double largest) {
  drawn<T> d;
  d.fits = fits;
  d.ragged = true;
  d.offsets.push_back(0);
  for (std::int64_t i = 0; i < fits; ++i) {
    const double u = std::fmod(static_cast<double>(i + 1) * 0.6180339887498949, 1.0);
    d.offsets.push_back(d.offsets.back() + static_cast<std::int64_t>(std::exp(u * std::log(largest))));
  }
  const drawn<T>& pool = dense_draws<T>(family, 1000, 1000);
  d.values.resize(static_cast<std::size_t>(d.offsets.back()));
  for (std::size_t i = 0; i < d.values.size(); ++i) d.values[i] = pool.values[i * 7919 % pool.values.size()];
  return d;
}

/// The smallest share of fits that must converge, or the benchmark measured something else.
bool converged(const manyfit::fit_results& r, benchmark::State& state) {
  const auto good = r.count_of(manyfit::fit_status::converged);
  if (static_cast<double>(good) >= 0.95 * static_cast<double>(r.count)) return true;
  state.SkipWithError(("only " + std::to_string(good) + " of " + std::to_string(r.count) + " fits converged").c_str());
  return false;
}

template <class T>
void run(benchmark::State& state, const executor& where, const family_info& family, const batch<T>& data,
         std::int64_t values) {
  bool good = true;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const manyfit::fit_results r = manyfit::fit(where, family, data);
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (good) good = data.view.offsets || converged(r, state);
  }
  const auto fits = static_cast<double>(data.count());
  using benchmark::Counter;
  state.counters["fits/s"] = Counter(fits, Counter::kIsIterationInvariantRate);
  state.counters["values/s"] = Counter(static_cast<double>(values), Counter::kIsIterationInvariantRate);
  state.counters["us/fit"] = Counter(fits * 1e-6, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["bytes"] = static_cast<double>(values) * sizeof(T);
}

template <class T>
const char* type_name() {
  return sizeof(T) == 4 ? "float" : "double";
}

template <class T>
void add_cpu(const std::string& name, int threads) {
  const std::string label =
      "fit/" + name + "/" + type_name<T>() + "/n=1000/cpu/threads=" + std::to_string(executor::cpu(threads).threads());
  benchmark::RegisterBenchmark(label.c_str(),
                               [name, threads](benchmark::State& state) {
                                 const family_info& family = manyfit::find_family(name);
                                 const std::int64_t fits = 4000;
                                 run(state, executor::cpu(threads), family, dense_draws<T>(family, fits, 1000).view(),
                                     fits * 1000);
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Repetitions(9)
      ->ReportAggregatesOnly(true);
}

template <class T>
void add_ragged_cpu(const std::string& name) {
  const std::string label = "fit/" + name + "/" + type_name<T>() +
                            "/ragged 1..10000/cpu/threads=" + std::to_string(executor::cpu().threads());
  benchmark::RegisterBenchmark(label.c_str(),
                               [name](benchmark::State& state) {
                                 const family_info& family = manyfit::find_family(name);
                                 const drawn<T> d = ragged_draws<T>(family, 20000, 10000);
                                 run(state, executor::cpu(), family, d.view(),
                                     static_cast<std::int64_t>(d.values.size()));
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Repetitions(5)
      ->ReportAggregatesOnly(true);
}

#if defined(MF_HAVE_CUDA)
template <class T>
T* copy_to_device(const std::vector<T>& host) {
  void* to = nullptr;
  if (cudaMalloc(&to, host.size() * sizeof(T)) != cudaSuccess) return nullptr;
  cudaMemcpy(to, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice);
  return static_cast<T*>(to);
}

/// Data in device memory; `fits` fits of 1000, or ragged.
template <class T>
void add_cuda(const std::string& name, std::int64_t fits, bool ragged, bool end_to_end) {
  const std::string shape = ragged ? "ragged 1..10000" : "n=1000";
  const std::string label = "fit/" + name + "/" + type_name<T>() + "/" + shape + "/fits=" + std::to_string(fits) +
                            (end_to_end ? "/cuda/end_to_end" : "/cuda");
  benchmark::RegisterBenchmark(
      label.c_str(),
      [=](benchmark::State& state) {
        const family_info& family = manyfit::find_family(name);
        const executor gpu = executor::cuda();
        // A million samples out of a pool of 4000, laid end to end: random values, and a set-up that takes seconds.
        drawn<T> d;
        if (ragged) {
          d = ragged_draws<T>(family, fits, 10000);
        } else {
          const drawn<T>& pool = dense_draws<T>(family, 4000, 1000);
          d.fits = fits;
          d.values.resize(static_cast<std::size_t>(fits) * 1000);
          for (std::size_t i = 0; i < d.values.size(); i += pool.values.size())
            std::copy_n(pool.values.begin(), std::min(pool.values.size(), d.values.size() - i), d.values.begin() + i);
        }
        const auto values = static_cast<std::int64_t>(d.values.size());
        if (end_to_end) {
          run(state, gpu, family, d.view(), values);
          return;
        }
        T* on_device = copy_to_device(d.values);
        std::int64_t* offsets = ragged ? copy_to_device(d.offsets) : nullptr;
        if (!on_device || (ragged && !offsets)) {
          state.SkipWithError("not enough device memory");
        } else {
          const std::span<const T> all(on_device, d.values.size());
          const auto view = ragged ? manyfit::ragged(all, std::span<const std::int64_t>(offsets, d.offsets.size()),
                                                     manyfit::memory_space::device)
                                   : manyfit::dense(all, fits, manyfit::memory_space::device);
          run(state, gpu, family, view, values);
        }
        cudaFree(on_device);
        cudaFree(offsets);
      })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Repetitions(9)
      ->ReportAggregatesOnly(true);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> singles{"gamma", "beta", "weibull", "student_t", "gev", "negative_binomial", "normal"};
  for (const std::string& name : singles) {
    add_cpu<double>(name, 0);
    add_cpu<double>(name, 1);
    add_cpu<float>(name, 0);
  }
  for (const std::string name : {"gamma", "weibull"}) add_ragged_cpu<float>(name);
#if defined(MF_HAVE_CUDA)
  if (executor::best().is_cuda()) {
    for (const std::int64_t fits : {1, 100, 10000, 1000000}) {
      add_cuda<float>("gamma", fits, false, false);
      add_cuda<float>("weibull", fits, false, false);
    }
    add_cuda<float>("student_t", 1000000, false, false);
    add_cuda<float>("negative_binomial", 100000, false, false);
    add_cuda<double>("gamma", 100000, false, false);
    add_cuda<double>("weibull", 100000, false, false);
    add_cuda<float>("gamma", 1000000, true, false);
    add_cuda<float>("weibull", 1000000, true, false);
    add_cuda<float>("gamma", 1000000, false, true);
  }
#endif
  benchmark::AddCustomContext("manyfit", manyfit::version());
  for (const auto& device : manyfit::devices())
    benchmark::AddCustomContext(device.id, device.name + "; " + device.note);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
