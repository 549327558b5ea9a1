// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Throughput by size: from one fit to a million of n = 100, and from 10 points a fit to a million, 4,000,000 values in
// all. Where one row overtakes another is where it pays to change, above all to a GPU, whose rows are a call's on data
// in host memory, transfers included: the smaller the batch, the more they weigh.
#include "bench.hpp"

namespace {

using manyfit::executor;

void count(benchmark::State& state, std::int64_t fits, std::int64_t n) {
  using benchmark::Counter;
  state.counters["fits"] = static_cast<double>(fits);
  state.counters["n"] = static_cast<double>(n);
  state.counters["fits/s"] = Counter(static_cast<double>(fits), Counter::kIsIterationInvariantRate);
  state.counters["values/s"] = Counter(static_cast<double>(fits * n), Counter::kIsIterationInvariantRate);
}

template <class T>
void add(const std::string& sweep, const std::string& family, const executor& where, const std::string& place,
         std::int64_t fits, std::int64_t n) {
  bench::add(
      "sweep_" + sweep + "/" + family + "/" + bench::type_name<T>() + "/fits=" + std::to_string(fits) +
          " n=" + std::to_string(n) + "/" + place,
      [=](benchmark::State& state) {
        const auto& d = bench::dense_draws<T>(family, fits, n);
        const manyfit::family_info& info = manyfit::find_family(family);
        for (auto _ : state)
          state.SetIterationTime(bench::seconds_of(
              [&] { benchmark::DoNotOptimize(manyfit::fit(where, info, d.view()).log_likelihood.data()); }));
        count(state, fits, n);
      },
      5)
      ->MinTime(0.05);
}

void add_reference(const std::string& sweep, const std::string& family, std::int64_t fits, std::int64_t n) {
  bench::add(
      "sweep_" + sweep + "/" + family + "/double/fits=" + std::to_string(fits) + " n=" + std::to_string(n) +
          "/reference",
      [=](benchmark::State& state) {
        const auto& d = bench::dense_draws<double>(family, fits, n);
        const bench::plain_fit plain = bench::plain_fit_of(family);
        double sum = 0;
        for (auto _ : state)
          state.SetIterationTime(bench::seconds_of([&] {
            for (std::int64_t i = 0; i < fits; ++i)
              sum += plain({d.values.data() + i * n, static_cast<std::size_t>(n)}).log_likelihood;
          }));
        benchmark::DoNotOptimize(sum);
        count(state, fits, n);
      },
      3)
      ->MinTime(0.05);
}

void add_all(const std::string& sweep, std::int64_t fits, std::int64_t n) {
  for (const std::string family : {"gamma", "weibull"}) {
    add_reference(sweep, family, fits, n);
    add<double>(sweep, family, executor::cpu(1), bench::where_name(1), fits, n);
    add<double>(sweep, family, executor::cpu(), bench::where_name(0), fits, n);
    if (!executor::best().is_cuda()) continue;
    add<double>(sweep, family, executor::best(), "cuda/end_to_end", fits, n);
    add<float>(sweep, family, executor::best(), "cuda/end_to_end", fits, n);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (std::int64_t fits = 1; fits <= 1'000'000; fits *= 10) add_all("fits", fits, 100);
  for (std::int64_t n = 10; n <= 1'000'000; n *= 10) add_all("points", 4'000'000 / n, n);
  return bench::run_all(argc, argv);
}
