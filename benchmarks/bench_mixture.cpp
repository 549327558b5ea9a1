// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Work points a to e of the plan: Gaussian mixtures by EM, one over many points and ten thousand at once, on every CPU
// thread and on one. Data are draws from a mixture, made before the clock starts; the start is that mixture with its
// means moved. For one mixture the time is an iteration's: a run of several less a run of one, over the iterations
// between. For the batch it is a whole call's.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "manyfit/manyfit.hpp"

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
  if (!kept.contains(p.name)) {
    kept.clear();
    const std::vector<double> drawn = manyfit::simulate_mixture(executor::cpu(), mixture_of(p, 0), p.fits * p.rows, 1);
    kept[p.name].assign(drawn.begin(), drawn.end());
  }
  return kept[p.name];
}

template <class T>
void run(benchmark::State& state, const work_point& p, int threads) {
  const auto data = manyfit::dense_points<T>(draws<T>(p), p.D, p.fits);
  const manyfit::mixture_results start = mixture_of(p, 0.25);
  manyfit::mixture_options options;
  options.covariance = p.structure;
  options.start = manyfit::mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.regularization = 0;
  bool good = true;
  const auto seconds = [&](int iterations) {
    options.max_iterations = iterations;
    const auto from = std::chrono::steady_clock::now();
    const manyfit::mixture_results found = manyfit::fit_mixture(executor::cpu(threads), data, options);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - from;
    for (const manyfit::fit_status s : found.status)
      good = good && (s == manyfit::fit_status::max_iterations || s == manyfit::fit_status::converged);
    return taken.count();
  };
  for (auto _ : state) {
    if (p.fits > 1) {
      state.SetIterationTime(seconds(p.iterations));
    } else {
      const double one = seconds(1);
      state.SetIterationTime((seconds(1 + p.iterations) - one) / p.iterations);
    }
    if (!good) state.SkipWithError("a fit ended without parameters");
  }
  using benchmark::Counter;
  const auto passes = static_cast<double>(p.fits > 1 ? p.iterations : 1);
  state.counters["points/s"] =
      Counter(static_cast<double>(p.fits * p.rows) * passes, Counter::kIsIterationInvariantRate);
  if (p.fits > 1) state.counters["fits/s"] = Counter(static_cast<double>(p.fits), Counter::kIsIterationInvariantRate);
  state.counters["bytes"] = static_cast<double>(p.fits * p.rows * p.D) * sizeof(T) * passes;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;  // of the process so far
}

template <class T>
void add(const work_point& p, int threads) {
  const std::string label = std::string("mixture/") + p.name + (sizeof(T) == 4 ? "/float" : "/double") +
                            "/N=" + std::to_string(p.rows) + " D=" + std::to_string(p.D) + " K=" + std::to_string(p.K) +
                            (p.fits > 1 ? " fits=" + std::to_string(p.fits) : "") +
                            "/cpu/threads=" + std::to_string(executor::cpu(threads).threads());
  benchmark::RegisterBenchmark(label.c_str(), [p, threads](benchmark::State& state) { run<T>(state, p, threads); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1)
      ->Repetitions(7)
      ->ReportAggregatesOnly(true);
}

}  // namespace

int main(int argc, char** argv) {
  for (const work_point& p : points) {
    for (const int threads : {0, 1}) add<double>(p, threads);
    for (const int threads : {0, 1}) add<float>(p, threads);
  }
  benchmark::AddCustomContext("manyfit", manyfit::version());
  for (const auto& device : manyfit::devices())
    benchmark::AddCustomContext(device.id, device.name + "; " + device.note);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
