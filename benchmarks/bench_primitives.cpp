// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The primitives by themselves: log-densities per value, their sums per sample, responsibilities, draws. A call's time
// includes making its result, in manyfit as in the reference.
#include "bench.hpp"

namespace {

using manyfit::executor;

constexpr std::int64_t fits = 4000, n = 1000;

void count(benchmark::State& state, double values, double bytes, double exps, double logs, double flops) {
  state.counters["values/s"] = benchmark::Counter(values, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes"] = bytes;
  state.counters["exps"] = exps;
  state.counters["logs"] = logs;
  state.counters["flops"] = flops;
}

template <class F>
void measure(benchmark::State& state, F call) {
  for (auto _ : state) state.SetIterationTime(bench::seconds_of(call));
}

/// `run(T{}, where)` on one thread and on all, in double and float.
template <class F>
void add_cpu(const std::string& name, F run) {
  for (const int threads : {1, 0}) {
    bench::add(
        name + "/double/" + bench::where_name(threads),
        [=](benchmark::State& state) { run(state, double{}, executor::cpu(threads)); }, 7);
    bench::add(
        name + "/float/" + bench::where_name(threads),
        [=](benchmark::State& state) { run(state, float{}, executor::cpu(threads)); }, 7);
  }
}

const std::vector<double>& gamma_parameters() {
  static const std::vector<double> p = bench::example_parameters(manyfit::find_family("gamma"));
  return p;
}

void add_densities() {
  constexpr double values = fits * n;
  bench::add(
      "log_density/gamma/double/reference",
      [](benchmark::State& state) {
        const auto& d = bench::dense_draws<double>("gamma", fits, n);
        const auto& p = gamma_parameters();
        measure(state, [&] {
          std::vector<double> out(d.values.size());
          reference::gamma_log_density(d.values, p[0], p[1], out);
          benchmark::DoNotOptimize(out.data());
        });
        count(state, values, values * 16, 0, values, values * 4);
      },
      5);
  add_cpu("log_density/gamma", [](benchmark::State& state, auto type, const executor& where) {
    using T = decltype(type);
    const auto& d = bench::dense_draws<T>("gamma", fits, n);
    const manyfit::parameters_view p{gamma_parameters().data(), 0, 1};
    measure(state, [&] {
      benchmark::DoNotOptimize(manyfit::log_density(where, manyfit::find_family("gamma"), d.view(), p).data());
    });
    count(state, values, values * (sizeof(T) + 8), 0, values, values * 4);
  });
  bench::add(
      "log_likelihood/gamma/double/reference",
      [](benchmark::State& state) {
        const auto& d = bench::dense_draws<double>("gamma", fits, n);
        const auto& p = gamma_parameters();
        measure(state, [&] {
          std::vector<double> out;
          for (std::int64_t i = 0; i < fits; ++i)
            out.push_back(reference::gamma_log_likelihood({d.values.data() + i * n, n}, p[0], p[1]));
          benchmark::DoNotOptimize(out.data());
        });
        count(state, values, values * 8, 0, values, values * 4);
      },
      5);
  add_cpu("log_likelihood/gamma", [](benchmark::State& state, auto type, const executor& where) {
    using T = decltype(type);
    const auto& d = bench::dense_draws<T>("gamma", fits, n);
    const manyfit::parameters_view p{gamma_parameters().data(), 0, 1};
    measure(state, [&] {
      benchmark::DoNotOptimize(manyfit::log_likelihood(where, manyfit::find_family("gamma"), d.view(), p).data());
    });
    count(state, values, values * sizeof(T), 0, values, values * 4);
  });
}

constexpr int D = 4, K = 16;
constexpr std::int64_t rows = 200'000;

manyfit::mixture_results some_mixture() {
  manyfit::mixture_results m = manyfit::empty_mixtures(1, K, D, manyfit::covariance_structure::full);
  m.components[0] = K;
  for (std::size_t k = 0; k < K; ++k) {
    m.weights[k] = 1.0 / K;
    for (std::size_t d = 0; d < D; ++d) {
      m.means[k * D + d] = 6 * std::sin(3.0 * static_cast<double>(k * D + d) + 1);
      for (std::size_t e = 0; e < D; ++e) m.covariances[(k * D + d) * D + e] = d == e ? 1.0 : 0.3;
    }
  }
  return m;
}

void add_responsibilities() {
  constexpr double cells = static_cast<double>(rows) * K, flops = cells * 2 * (D * (D + 1) / 2 + D);
  const std::string name = "responsibilities/N=200000 D=4 K=16";
  bench::add(
      name + "/double/reference",
      [=](benchmark::State& state) {
        const manyfit::mixture_results m = some_mixture();
        const auto x = manyfit::simulate_mixture(executor::cpu(), m, rows, 1);
        const reference::mixture plain{D, K, m.weights, m.means, m.covariances};
        measure(state, [&] {
          benchmark::DoNotOptimize(reference::responsibilities(x, reference::covariance::full, plain).data());
        });
        count(state, rows, cells * 8 + rows * D * 8, cells, rows, flops);
      },
      5);
  add_cpu(name, [=](benchmark::State& state, auto type, const executor& where) {
    using T = decltype(type);
    const manyfit::mixture_results m = some_mixture();
    const auto drawn = manyfit::simulate_mixture(executor::cpu(), m, rows, 1);
    const std::vector<T> x(drawn.begin(), drawn.end());
    const auto data = manyfit::dense_points<T>(x, D, 1);
    measure(state, [&] {
      benchmark::DoNotOptimize(
          manyfit::score_mixture(where, data, m, {.responsibilities = true}).responsibilities.data());
    });
    count(state, rows, cells * 8 + static_cast<double>(rows * D * sizeof(T)), cells, rows, flops);
  });
}

void add_simulation() {
  constexpr double values = fits * n;
  bench::add(
      "simulate/gamma/double/reference",
      [](benchmark::State& state) {
        const auto& p = gamma_parameters();
        measure(state, [&] {
          std::vector<double> out(fits * n);
          reference::simulate_gamma(1, p[0], p[1], out);
          benchmark::DoNotOptimize(out.data());
        });
        count(state, values, values * 8, 0, 0, 0);
      },
      5);
  for (const int threads : {1, 0})
    bench::add(
        "simulate/gamma/double/" + bench::where_name(threads),
        [=](benchmark::State& state) {
          const manyfit::parameters_view p{gamma_parameters().data(), 0, 1};
          measure(state, [&] {
            benchmark::DoNotOptimize(
                manyfit::simulate(executor::cpu(threads), manyfit::find_family("gamma"), p, fits, n).data());
          });
          count(state, values, values * 8, 0, 0, 0);
        },
        7);
}

}  // namespace

int main(int argc, char** argv) {
  add_densities();
  add_responsibilities();
  add_simulation();
  return bench::run_all(argc, argv);
}
