// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The spread of repeated measurements: PERFORMANCE wants a median with its tenth and ninetieth percentiles.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

/// The percentile of `values` (a copy: it is sorted), linear between neighbours.
template <int Percent>
double percentile(const std::vector<double>& values) {
  std::vector<double> sorted(values);
  std::sort(sorted.begin(), sorted.end());
  const double at = static_cast<double>(sorted.size() - 1) * Percent / 100;
  const auto below = static_cast<std::size_t>(at), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

/// A row timed by hand, in milliseconds, `repetitions` times; reported as mean, median, deviation, p10 and p90.
inline benchmark::internal::Benchmark* with_spread(benchmark::internal::Benchmark* row, int repetitions) {
  return row->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Repetitions(repetitions)
      ->ReportAggregatesOnly(true)
      ->ComputeStatistics("p10", percentile<10>)
      ->ComputeStatistics("p90", percentile<90>);
}
