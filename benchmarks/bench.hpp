// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the benchmark programs share: data, the statistics that are reported, and main(). A row's name is
// work/detail/.../type/shape/where; its counters say what was done in one run (fits, values, bytes, flops, exps, logs),
// from which report.py computes rates and floors. Time is a whole call's, by the clock.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "manyfit/manyfit.hpp"
#include "reference/reference.hpp"

namespace bench {

inline double percentile(std::vector<double> v, double p) {
  std::sort(v.begin(), v.end());
  return v[static_cast<std::size_t>(std::lround(p * static_cast<double>(v.size() - 1)))];
}

/// Registers a row: medians with the 10 % and 90 % quantiles over repetitions.
template <class F>
benchmark::internal::Benchmark* add(const std::string& name, F run, int repetitions) {
  return benchmark::RegisterBenchmark(name.c_str(), run)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Repetitions(repetitions)
      ->ReportAggregatesOnly(true)
      ->ComputeStatistics("p10", [](const std::vector<double>& v) { return percentile(v, 0.1); })
      ->ComputeStatistics("p90", [](const std::vector<double>& v) { return percentile(v, 0.9); });
}

template <class F>
double seconds_of(F&& call) {
  const auto from = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

template <class T>
const char* type_name() {
  return sizeof(T) == 4 ? "float" : "double";
}

inline std::string where_name(int threads) {
  return "cpu/threads=" + std::to_string(manyfit::executor::cpu(threads).threads());
}

/// A batch of draws, in host memory.
template <class T>
struct drawn {
  std::vector<T> values;
  std::vector<std::int64_t> offsets;  ///< empty: dense
  std::int64_t fits = 0;
  manyfit::batch<T> view() const {
    const std::span<const T> all(values);
    return offsets.empty() ? manyfit::dense(all, fits) : manyfit::ragged(all, std::span<const std::int64_t>(offsets));
  }
  /// Sample `fit` in double.
  std::vector<double> sample(std::int64_t fit) const {
    const std::int64_t n = offsets.empty() ? static_cast<std::int64_t>(values.size()) / fits : 0;
    const std::int64_t begin = offsets.empty() ? fit * n : offsets[static_cast<std::size_t>(fit)];
    const std::int64_t end = offsets.empty() ? begin + n : offsets[static_cast<std::size_t>(fit) + 1];
    return {values.begin() + begin, values.begin() + end};
  }
};

inline std::vector<double> example_parameters(const manyfit::family_info& family) {
  std::vector<double> p;
  for (int i = 0; i < family.parameter_count; ++i) p.push_back(family.parameters[i].example);
  return p;
}

/// fits × n draws at the family's example parameters; the last batch asked for is kept.
template <class T>
const drawn<T>& dense_draws(const std::string& name, std::int64_t fits, std::int64_t n) {
  static std::map<std::string, drawn<T>> kept;
  const std::string key = name + " " + std::to_string(fits) + " " + std::to_string(n);
  if (!kept.contains(key)) {
    kept.clear();
    const manyfit::family_info& family = manyfit::find_family(name);
    const std::vector<double> p = example_parameters(family);
    drawn<T>& fresh = kept[key];
    fresh.fits = fits;
    fresh.values.reserve(static_cast<std::size_t>(fits * n));
    const std::int64_t at_once = std::max<std::int64_t>(1, 1'000'000 / n);
    for (std::int64_t begin = 0; begin < fits; begin += at_once) {
      const auto draws =
          manyfit::simulate(manyfit::executor::cpu(), family, {p.data(), 0, 1}, std::min(at_once, fits - begin), n,
                            {.seed = static_cast<std::uint64_t>(begin + 1)});
      fresh.values.insert(fresh.values.end(), draws.begin(), draws.end());
    }
  }
  return kept[key];
}

/// Offsets of sizes log-uniform from 1 to `largest`, by a low-discrepancy sequence, so that they repeat.
inline std::vector<std::int64_t> ragged_offsets(std::int64_t fits, double largest) {
  std::vector<std::int64_t> offsets{0};
  for (std::int64_t i = 0; i < fits; ++i) {
    const double u = std::fmod(static_cast<double>(i + 1) * 0.6180339887498949, 1.0);
    offsets.push_back(offsets.back() + static_cast<std::int64_t>(std::exp(u * std::log(largest))));
  }
  return offsets;
}

template <class T>
drawn<T> ragged_draws(const std::string& name, std::int64_t fits, double largest) {
  drawn<T> d;
  d.fits = fits;
  d.offsets = ragged_offsets(fits, largest);
  const drawn<T>& pool = dense_draws<T>(name, 1000, 1000);
  d.values.resize(static_cast<std::size_t>(d.offsets.back()));
  const auto range = static_cast<std::int64_t>(pool.values.size()) - static_cast<std::int64_t>(largest);
  for (std::int64_t i = 0; i < fits; ++i)  // copies, since a million samples are a thousand million values
    std::copy_n(pool.values.begin() + i * 7919 % range, d.offsets[i + 1] - d.offsets[i],
                d.values.begin() + d.offsets[i]);
  return d;
}

using plain_fit = reference::fitted (*)(std::span<const double>);

/// The reference's fit of a family, or null where there is none.
inline plain_fit plain_fit_of(const std::string& family) {
  static const std::map<std::string, plain_fit> known{
      {"normal", reference::fit_normal},       {"gamma", reference::fit_gamma},
      {"beta", reference::fit_beta},           {"weibull", reference::fit_weibull},
      {"student_t", reference::fit_student_t}, {"negative_binomial", reference::fit_negative_binomial}};
  const auto found = known.find(family);
  return found == known.end() ? nullptr : found->second;
}

/// Runs the programs' benchmarks; exit status 2 for a wrong command line.
inline int run_all(int argc, char** argv) {
  benchmark::AddCustomContext("manyfit", manyfit::version());
  benchmark::AddCustomContext("compiler", __VERSION__);
  for (const auto& device : manyfit::devices())
    benchmark::AddCustomContext(device.id, device.name + "; " + device.note);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace bench
