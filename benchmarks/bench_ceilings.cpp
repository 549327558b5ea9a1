// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The ceilings of this machine's processor, on one thread and on all: reading memory, fused multiply-adds,
// exponentials, logarithms.
#include <thread>

#include "bench.hpp"
#include "ceilings.hpp"
#include "kernels/registry.hpp"

#define MF_DECLARE(set)                \
  namespace manyfit::set {             \
  extern const ceilings ceilings_here; \
  }
MF_DECLARE(baseline)
MF_DECLARE(avx2)
MF_DECLARE(avx512)

/// Those of the best instruction set that this processor has and this build knows.
const ceilings& best_ceilings() {
  const ceilings* known[manyfit::instruction_set_count] = {};
#if defined(MF_CEILINGS_BASELINE)
  known[0] = &manyfit::baseline::ceilings_here;
#endif
#if defined(MF_CEILINGS_AVX2)
  known[1] = &manyfit::avx2::ceilings_here;
#endif
#if defined(MF_CEILINGS_AVX512)
  known[2] = &manyfit::avx512::ceilings_here;
#endif
  for (int set = static_cast<int>(manyfit::best_instruction_set()); set >= 0; --set)
    if (known[set]) return *known[set];
  throw std::runtime_error("this build has no code for this processor");
}

namespace {

/// Runs `work` on every one of `threads` threads at once.
template <class F>
void on_all(int threads, F work) {
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(work, t);
  work(0);
  for (std::thread& t : others) t.join();
}

void add_rate(const std::string& what, const char* unit, int threads, std::size_t (*run)(std::size_t), double factor) {
  bench::add(
      "ceiling/" + what + "/" + bench::where_name(threads),
      [=](benchmark::State& state) {
        constexpr std::size_t count = 200'000'000;
        const int used = manyfit::executor::cpu(threads).threads();
        for (auto _ : state)
          state.SetIterationTime(
              bench::seconds_of([&] { on_all(used, [&](int) { benchmark::DoNotOptimize(run(count)); }); }));
        state.counters[unit] = benchmark::Counter(static_cast<double>(count) * used * factor,
                                                  benchmark::Counter::kIsIterationInvariantRate);
      },
      5);
}

template <class T>
void add_read(int threads, double (*read)(const T*, std::size_t)) {
  bench::add(
      std::string("ceiling/read/") + bench::type_name<T>() + "/" + bench::where_name(threads),
      [=](benchmark::State& state) {
        const int used = manyfit::executor::cpu(threads).threads();
        const std::size_t each = (std::size_t{1} << 30) / sizeof(T) / static_cast<std::size_t>(used);
        const std::vector<T> values(each * static_cast<std::size_t>(used), T(1));
        for (auto _ : state)
          state.SetIterationTime(bench::seconds_of([&] {
            on_all(used, [&](int t) {
              benchmark::DoNotOptimize(read(values.data() + each * static_cast<std::size_t>(t), each));
            });
          }));
        state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(values.size() * sizeof(T)),
                                                       benchmark::Counter::kIsIterationInvariantRate);
      },
      5);
}

}  // namespace

int main(int argc, char** argv) {
  const ceilings& c = best_ceilings();
  for (const int threads : {1, 0}) {
    add_read<double>(threads, c.read_double);
    add_read<float>(threads, c.read_float);
    add_rate("fma/double", "flop/s", threads, c.fma_double, 2);
    add_rate("fma/float", "flop/s", threads, c.fma_float, 2);
    add_rate("exp/double", "exp/s", threads, c.exp_double, 1);
    add_rate("exp/float", "exp/s", threads, c.exp_float, 1);
    add_rate("log/double", "log/s", threads, c.log_double, 1);
  }
  return bench::run_all(argc, argv);
}
