// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Work points a to e of the plan: Gaussian mixtures by EM, one over many points and ten thousand at once, on every CPU
// thread and on one, and on a GPU where there is one, from data in its memory (cuda) or in the host's (end_to_end).
// Data are draws from a mixture, made before the clock starts; the start is that mixture with its means moved. For one
// mixture the time is an iteration's: a run of several less a run of one, over the iterations between. For the batch it
// is a whole call's; rows named iterations leave out what a call of one iteration takes.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "manyfit/manyfit.hpp"
#include "spread.hpp"

#if defined(MF_HAVE_CUDA)
#include "device_fits.hpp"
#endif

namespace {

using manyfit::covariance_structure;
using manyfit::executor;

struct work_point {
  const char* name;
  covariance_structure structure;
  std::int64_t fits, rows;
  int D, K, iterations;
};

constexpr work_point points[] = {{"a", covariance_structure::full, 1, 10'000'000, 1, 4, 10},
                                 {"b", covariance_structure::diagonal, 1, 1'000'000, 16, 64, 4},
                                 {"c", covariance_structure::full, 1, 200'000, 16, 64, 4},
                                 {"d", covariance_structure::diagonal, 1, 200'000, 32, 256, 4},
                                 {"e", covariance_structure::full, 10'000, 1000, 2, 3, 50}};
/// The same on a GPU: as large as PERFORMANCE asks, with iterations enough for what is measured to be some
/// milliseconds.
constexpr work_point cuda_points[] = {{"a", covariance_structure::full, 1, 10'000'000, 1, 4, 200},
                                      {"b", covariance_structure::diagonal, 1, 1'000'000, 16, 64, 40},
                                      {"c", covariance_structure::full, 1, 1'000'000, 16, 64, 10},
                                      {"d", covariance_structure::diagonal, 1, 10'000'000, 32, 256, 3},
                                      {"e", covariance_structure::full, 10'000, 1000, 2, 3, 50}};

/// Well apart in few dimensions, touching in many: no two centres alike, by a low-discrepancy sequence.
manyfit::mixture_results mixture_of(const work_point& p, double moved) {
  manyfit::mixture_results m = manyfit::empty_mixtures(1, p.K, p.D, p.structure);
  m.components[0] = p.K;
  for (int k = 0; k < p.K; ++k) {
    m.weights[static_cast<std::size_t>(k)] = 1.0 / p.K;
    for (int d = 0; d < p.D; ++d) {
      const std::size_t at = static_cast<std::size_t>(k * p.D + d);
      const double place = p.D == 1 ? k : 4 * std::fmod((k * p.D + d + 1) * 0.6180339887498949, 1.0);
      m.means[at] = 4 * place + moved * (d % 2 ? 1 : -1);
      for (int e = 0; e < p.D; ++e)
        m.covariances[at * static_cast<std::size_t>(p.D) + static_cast<std::size_t>(e)] = d == e ? 1 + moved : 0;
    }
  }
  return m;
}

/// The draws of one work point are kept until another's are wanted.
template <class T>
const std::vector<T>& draws(const work_point& p) {
  static std::map<std::string, std::vector<T>> kept;
  const std::string name = p.name + std::to_string(p.rows);
  if (!kept.contains(name)) {
    kept.clear();
    const std::vector<double> drawn = manyfit::simulate_mixture(executor::cpu(), mixture_of(p, 0), p.fits * p.rows, 1);
    kept[name].assign(drawn.begin(), drawn.end());
  }
  return kept[name];
}

/// `whole_call`: p.iterations in one call are timed, else what iterations after the first add: one, or a batch's all.
template <class T>
void run(benchmark::State& state, const work_point& p, const executor& where, const manyfit::point_batch<T>& data,
         bool whole_call) {
  const manyfit::mixture_results start = mixture_of(p, 0.25);
  manyfit::mixture_options options;
  options.covariance = p.structure;
  options.start = manyfit::mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.regularization = 0;
  bool good = true;
  std::int64_t done = 0;  // iterations of the last call's fits, all together
  const auto seconds = [&](int iterations) {
    options.max_iterations = iterations;
    done = 0;
    const auto from = std::chrono::steady_clock::now();
    const manyfit::mixture_results found = manyfit::fit_mixture(where, data, options);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - from;
    for (const manyfit::fit_status s : found.status)
      good = good && (s == manyfit::fit_status::max_iterations || s == manyfit::fit_status::converged);
    for (const std::int32_t i : found.iterations) done += i;
    return taken.count();
  };
  for (auto _ : state) {
    if (whole_call) {
      state.SetIterationTime(seconds(p.iterations));
    } else {
      const double one = seconds(1);
      const double more = seconds(1 + p.iterations) - one;
      // The likelihood may stop rising before the last iteration: what ran is what counts.
      const double ran = static_cast<double>(done) / static_cast<double>(p.fits) - 1;
      state.SetIterationTime(p.fits > 1 ? more * p.iterations / ran : more / ran);
      if (!(more > 0)) state.SkipWithError("the time between the two calls is lost in noise");
    }
    if (!good) state.SkipWithError("a fit ended without parameters");
  }
  using benchmark::Counter;
  const auto passes = static_cast<double>(whole_call || p.fits > 1 ? p.iterations : 1);
  state.counters["points/s"] =
      Counter(static_cast<double>(p.fits * p.rows) * passes, Counter::kIsIterationInvariantRate);
  if (p.fits > 1) state.counters["fits/s"] = Counter(static_cast<double>(p.fits), Counter::kIsIterationInvariantRate);
  state.counters["bytes"] = static_cast<double>(p.fits * p.rows * p.D) * sizeof(T) * passes;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;  // of the process so far
}

template <class T>
std::string label(const work_point& p) {
  return std::string("mixture/") + p.name + (sizeof(T) == 4 ? "/float" : "/double") + "/N=" + std::to_string(p.rows) +
         " D=" + std::to_string(p.D) + " K=" + std::to_string(p.K) +
         (p.fits > 1 ? " fits=" + std::to_string(p.fits) : "");
}

template <class T>
void add(const work_point& p, int threads) {
  const executor where = executor::cpu(threads);
  with_spread(benchmark::RegisterBenchmark((label<T>(p) + "/cpu/threads=" + std::to_string(where.threads())).c_str(),
                                           [=](benchmark::State& state) {
                                             run(state, p, where, manyfit::dense_points<T>(draws<T>(p), p.D, p.fits),
                                                 p.fits > 1);
                                           })
                  ->Iterations(1),
              7);
}

#if defined(MF_HAVE_CUDA)
/// The draws of one work point in device memory, kept until another's are wanted.
template <class T>
const device_array<T>& device_draws(const work_point& p) {
  static std::unique_ptr<device_array<T>> kept;
  static std::string of;
  const std::string name = label<T>(p);
  if (of != name) {
    kept.reset();
    kept = std::make_unique<device_array<T>>(draws<T>(p));
    of = name;
  }
  return *kept;
}

template <class T>
void add_cuda(const work_point& p, const std::string& kind) {
  with_spread(benchmark::RegisterBenchmark(
                  (label<T>(p) + kind).c_str(),
                  [=](benchmark::State& state) {
                    try {
                      const bool on_device = kind != "/cuda/end_to_end";
                      const auto space = on_device ? manyfit::memory_space::device : manyfit::memory_space::host;
                      const std::span<const T> values = on_device ? device_draws<T>(p).span() : draws<T>(p);
                      run(state, p, executor::cuda(), manyfit::dense_points<T>(values, p.D, p.fits, space),
                          kind == "/cuda/end_to_end" || (p.fits > 1 && kind == "/cuda"));
                    } catch (const std::exception& problem) {
                      state.SkipWithError(problem.what());
                    }
                  })
                  ->Iterations(1),
              11);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  for (const work_point& p : points) {
    for (const int threads : {0, 1}) add<double>(p, threads);
    for (const int threads : {0, 1}) add<float>(p, threads);
  }
#if defined(MF_HAVE_CUDA)
  if (executor::best().is_cuda()) {
    for (const work_point& p : cuda_points) {
      for (const char* kind : p.fits > 1 ? std::vector{"/cuda/iterations", "/cuda", "/cuda/end_to_end"}
                                         : std::vector{"/cuda", "/cuda/end_to_end"}) {
        add_cuda<float>(p, kind);
      }
    }
    for (const work_point& p : cuda_points) add_cuda<double>(p, p.fits > 1 ? "/cuda/iterations" : "/cuda");
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
