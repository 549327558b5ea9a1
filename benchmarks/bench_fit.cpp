// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Work points f, g, h and i of the plan: millions of univariate fits, dense with n = 1000 and ragged, on every CPU
// thread, on one, and on a GPU where there is one. Data are random draws, made before the clock starts. CPU times are
// wall-clock time of one call of fit() on data in memory. CUDA rows named kernels are the device's own time from data
// in device memory to results there, by events; those named cuda a whole call of fit() on data in device memory, with
// the results' way to the host; end_to_end one on data in host memory.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "manyfit/manyfit.hpp"
#include "spread.hpp"

#if defined(MF_HAVE_CUDA)
#include "device_fits.hpp"
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
  const auto room = static_cast<std::int64_t>(pool.values.size()) - static_cast<std::int64_t>(largest);
  for (std::int64_t i = 0; i < fits; ++i)
    std::copy_n(pool.values.begin() + i * 7919 % room, d.offsets[i + 1] - d.offsets[i],
                d.values.begin() + d.offsets[i]);
  return d;
}

/// The smallest share of fits that must converge, or the benchmark measured something else.
bool converged(const manyfit::fit_results& r, benchmark::State& state) {
  const auto good = r.count_of(manyfit::fit_status::converged);
  if (static_cast<double>(good) >= 0.95 * static_cast<double>(r.count)) return true;
  state.SkipWithError(("only " + std::to_string(good) + " of " + std::to_string(r.count) + " fits converged").c_str());
  return false;
}

/// What a row says beside its time; `values`: of all samples.
template <class T>
void count(benchmark::State& state, std::int64_t fit_count, std::int64_t values) {
  const auto fits = static_cast<double>(fit_count);
  using benchmark::Counter;
  state.counters["fits/s"] = Counter(fits, Counter::kIsIterationInvariantRate);
  state.counters["values/s"] = Counter(static_cast<double>(values), Counter::kIsIterationInvariantRate);
  state.counters["us/fit"] = Counter(fits * 1e-6, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["bytes"] = static_cast<double>(values) * sizeof(T);
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
  count<T>(state, data.count(), values);
}

template <class T>
const char* type_name() {
  return sizeof(T) == 4 ? "float" : "double";
}

template <class T>
void add_cpu(const std::string& name, int threads) {
  const std::string label =
      "fit/" + name + "/" + type_name<T>() + "/n=1000/cpu/threads=" + std::to_string(executor::cpu(threads).threads());
  with_spread(benchmark::RegisterBenchmark(label.c_str(),
                                           [name, threads](benchmark::State& state) {
                                             const family_info& family = manyfit::find_family(name);
                                             const std::int64_t fits = 4000;
                                             run(state, executor::cpu(threads), family,
                                                 dense_draws<T>(family, fits, 1000).view(), fits * 1000);
                                           }),
              9);
}

template <class T>
void add_ragged_cpu(const std::string& name) {
  const std::string label = "fit/" + name + "/" + type_name<T>() +
                            "/ragged 1..10000/cpu/threads=" + std::to_string(executor::cpu().threads());
  with_spread(benchmark::RegisterBenchmark(label.c_str(),
                                           [name](benchmark::State& state) {
                                             const family_info& family = manyfit::find_family(name);
                                             const drawn<T> d = ragged_draws<T>(family, 20000, 10000);
                                             run(state, executor::cpu(), family, d.view(),
                                                 static_cast<std::int64_t>(d.values.size()));
                                           }),
              5);
}

#if defined(MF_HAVE_CUDA)
/// Which part of a fit on a GPU a row times.
enum class timed { kernels, call, end_to_end };

/// `fits` samples of 1000, or ragged: out of a pool of a few thousand laid end to end, so that set-up takes seconds.
template <class T>
drawn<T> million_draws(const family_info& family, std::int64_t fits, bool ragged) {
  if (ragged) return ragged_draws<T>(family, fits, 10000);
  drawn<T> d;
  const drawn<T>& pool = dense_draws<T>(family, 4000, 1000);
  d.fits = fits;
  d.values.resize(static_cast<std::size_t>(fits) * 1000);
  for (std::size_t i = 0; i < d.values.size(); i += pool.values.size())
    std::copy_n(pool.values.begin(), std::min(pool.values.size(), d.values.size() - i), d.values.begin() + i);
  return d;
}

/// Samples here and on the device, kept while rows of the same name follow each other: every repetition asks anew.
template <class T>
struct device_draws {
  drawn<T> host;
  device_fits<T> device;
  device_draws(const family_info& family, std::int64_t fits, bool ragged)
      : host(million_draws<T>(family, fits, ragged)), device(family, host.values, host.offsets, fits) {}
};
template <class T>
device_draws<T>& kept_draws(const std::string& name, std::int64_t fits, bool ragged) {
  static std::unique_ptr<device_draws<T>> kept;
  static std::string of;
  const std::string wanted = name + std::to_string(fits) + (ragged ? "ragged" : "");
  if (of != wanted) {
    kept.reset();
    kept = std::make_unique<device_draws<T>>(manyfit::find_family(name), fits, ragged);
    of = wanted;
    manyfit::fit(executor::cuda(), manyfit::find_family(name), kept->device.batch());  // warm
  }
  return *kept;
}

template <class T>
void time_kernels(benchmark::State& state, device_fits<T>& data, std::int64_t fits, std::int64_t values, bool ragged) {
  for (auto _ : state) state.SetIterationTime(data.kernel_seconds());
  if (!ragged && !(data.converged_share() >= 0.95)) state.SkipWithError("fewer than 95 of 100 fits converged");
  count<T>(state, fits, values);
  state.counters["mean_iterations"] = data.mean_iterations();
}

template <class T>
void add_cuda(const std::string& name, std::int64_t fits, bool ragged, timed what) {
  const char* const kind[] = {"/cuda/kernels", "/cuda", "/cuda/end_to_end"};
  const std::string shape = ragged ? "ragged 1..10000" : "n=1000";
  const std::string label = "fit/" + name + "/" + type_name<T>() + "/" + shape + "/fits=" + std::to_string(fits) +
                            kind[static_cast<int>(what)];
  with_spread(benchmark::RegisterBenchmark(label.c_str(),
                                           [=](benchmark::State& state) {
                                             try {
                                               device_draws<T>& d = kept_draws<T>(name, fits, ragged);
                                               const auto values = static_cast<std::int64_t>(d.host.values.size());
                                               if (what == timed::kernels)
                                                 time_kernels(state, d.device, fits, values, ragged);
                                               else
                                                 run(state, executor::cuda(), manyfit::find_family(name),
                                                     what == timed::call ? d.device.batch() : d.host.view(), values);
                                             } catch (const std::exception& problem) {
                                               state.SkipWithError(problem.what());
                                             }
                                           })
                  ->Iterations(1),
              what == timed::end_to_end ? 7 : 21);
}
template <class T>
void add_cuda(const std::string& name, std::int64_t fits, bool ragged) {
  for (const timed what : {timed::kernels, timed::call, timed::end_to_end}) add_cuda<T>(name, fits, ragged, what);
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
    for (const std::string name : {"gamma", "weibull"}) {
      add_cuda<float>(name, 1000000, false);
      add_cuda<float>(name, 1000000, true);
      add_cuda<double>(name, 100000, false);
      for (const std::int64_t fits : {1, 100, 10000}) add_cuda<float>(name, fits, false, timed::call);
    }
    add_cuda<float>("student_t", 1000000, false);
    add_cuda<float>("negative_binomial", 100000, false);
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
