// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Work points a to e of the plan: Gaussian mixtures by EM, one over many points and ten thousand at once, on every CPU
// thread and on one, and on a GPU where there is one. Data are draws from a mixture, made before the clock starts; the
// start is that mixture with its means moved. For one mixture the time is an iteration's: a run of several less a run
// of one, over the iterations between. For the batch it is a whole call's. On a GPU, data are in device memory; rows
// named iterations are what a batch's iterations after the first add to a call, those named end_to_end a whole call on
// data in host memory.
#include "bench.hpp"

#include <sys/resource.h>

#if defined(MF_HAVE_CUDA)
#include <memory>

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

/// Rows that are drawn at most for a GPU; more of them repeat these.
[[maybe_unused]] constexpr std::int64_t most_drawn = 1'000'000;
constexpr work_point points[] = {{"a", covariance_structure::full, 1, 10'000'000, 1, 4, 10},
                                 {"b", covariance_structure::diagonal, 1, 1'000'000, 16, 64, 4},
                                 {"c", covariance_structure::full, 1, 200'000, 16, 64, 4},
                                 {"d", covariance_structure::diagonal, 1, 200'000, 32, 256, 4},
                                 {"e", covariance_structure::full, 10'000, 1000, 2, 3, 50}};
/// On a GPU as large as the plan asks, with iterations enough for what is measured to be some milliseconds.
[[maybe_unused]] constexpr work_point cuda_points[] = {{"a", covariance_structure::full, 1, 10'000'000, 1, 4, 200},
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

/// What a run's iterations need at least: 2 FMAs per coordinate for the density and 2 for the sums (diagonal), as many
/// as a triangle has elements and D more for each of the two (full), an exponential per point and component, a
/// logarithm per point, the points read once per iteration.
void count(benchmark::State& state, const work_point& p, std::size_t size, double passes) {
  using benchmark::Counter;
  const double rows = static_cast<double>(p.fits * p.rows) * passes, cells = rows * p.K;
  const double products = p.structure == covariance_structure::full ? p.D * (p.D + 1) / 2 + p.D : 2 * p.D;
  state.counters["points/s"] = Counter(rows, Counter::kIsIterationInvariantRate);
  if (p.fits > 1) state.counters["fits/s"] = Counter(static_cast<double>(p.fits), Counter::kIsIterationInvariantRate);
  state.counters["bytes"] = rows * p.D * static_cast<double>(size);
  state.counters["flops"] = cells * 2 * 2 * products;
  state.counters["exps"] = cells;
  state.counters["logs"] = rows;
}

/// EM from `start`, which must outlive the options, with nothing added and no early end.
manyfit::mixture_options from(const manyfit::mixture_results& start) {
  manyfit::mixture_options options;
  options.covariance = start.covariance;
  options.start = manyfit::mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.regularization = 0;
  return options;
}

reference::mixture plain_start(const work_point& p) {
  const manyfit::mixture_results start = mixture_of(p, 0.25);
  reference::mixture plain{p.D, p.K, start.weights, start.means, {}};
  for (std::size_t i = 0; i < start.means.size(); ++i)
    for (std::size_t e = 0; e < static_cast<std::size_t>(p.D); ++e)
      if (p.structure == covariance_structure::full || e == i % static_cast<std::size_t>(p.D))
        plain.covariances.push_back(start.covariances[i * static_cast<std::size_t>(p.D) + e]);
  return plain;
}

/// The reference's log-likelihood of the first fit after `iterations`, kept, since it takes seconds.
double plain_log_likelihood(const work_point& p, int iterations) {
  static std::map<std::string, double> kept;
  if (kept.contains(p.name)) return kept[p.name];
  const std::vector<double>& x = draws<double>(p);
  const auto kind =
      p.structure == covariance_structure::full ? reference::covariance::full : reference::covariance::diagonal;
  return kept[p.name] = reference::fit_mixture({x.data(), static_cast<std::size_t>(p.rows * p.D)}, kind, plain_start(p),
                                               iterations + 1)
                            .log_likelihood.back();
}

template <class T>
void run(benchmark::State& state, const work_point& p, int threads) {
  const double wanted = plain_log_likelihood(p, 2);
  const auto data = manyfit::dense_points<T>(draws<T>(p), p.D, p.fits);
  const manyfit::mixture_results start = mixture_of(p, 0.25);
  manyfit::mixture_options options = from(start);
  bool good = true;
  double log_likelihood = 0;
  const auto seconds = [&](int iterations) {
    options.max_iterations = iterations;
    manyfit::mixture_results found;
    const double taken =
        bench::seconds_of([&] { found = manyfit::fit_mixture(executor::cpu(threads), data, options); });
    for (const manyfit::fit_status s : found.status)
      good = good && (s == manyfit::fit_status::max_iterations || s == manyfit::fit_status::converged);
    log_likelihood = found.log_likelihood[0];
    return taken;
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
  count(state, p, sizeof(T), p.fits > 1 ? p.iterations + 1 : 1);
  seconds(2);
  state.counters["error"] = std::abs(log_likelihood - wanted) / std::abs(wanted);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;  // of the process so far
}

void run_reference(benchmark::State& state, const work_point& p) {
  const std::vector<double>& x = draws<double>(p);
  const reference::mixture start = plain_start(p);
  const auto kind =
      p.structure == covariance_structure::full ? reference::covariance::full : reference::covariance::diagonal;
  const std::int64_t fits = std::min<std::int64_t>(p.fits, 200);  // they are all alike
  const int iterations = p.fits > 1 ? p.iterations + 1 : 1;       // the last for the log-likelihood at the end
  const auto size = static_cast<std::size_t>(p.rows * p.D);
  for (auto _ : state) {
    const double taken = bench::seconds_of([&] {
      for (std::int64_t fit = 0; fit < fits; ++fit)
        benchmark::DoNotOptimize(
            reference::fit_mixture({x.data() + static_cast<std::size_t>(fit) * size, size}, kind, start, iterations)
                .log_likelihood.back());
    });
    state.SetIterationTime(taken * static_cast<double>(p.fits) / static_cast<double>(fits));
  }
  count(state, p, sizeof(double), iterations);
}

std::string name_of(const work_point& p, const char* type) {
  return std::string("mixture/") + p.name + "/" + type + "/N=" + std::to_string(p.rows) + " D=" + std::to_string(p.D) +
         " K=" + std::to_string(p.K) + (p.fits > 1 ? " fits=" + std::to_string(p.fits) : "");
}

template <class T>
void add(const work_point& p, int threads) {
  bench::add(
      name_of(p, bench::type_name<T>()) + "/" + bench::where_name(threads),
      [p, threads](benchmark::State& state) { run<T>(state, p, threads); }, 7)
      ->Iterations(1);
}

#if defined(MF_HAVE_CUDA)
/// A work point of which only the rows that are drawn are there: of one fit, a whole part.
work_point pool_of(const work_point& p) {
  work_point pool = p;
  if (p.fits == 1) pool.rows = std::min(p.rows, most_drawn);
  return pool;
}

/// The points of one work point in device memory, the pool repeated; kept until another's are wanted.
template <class T>
const device_array<T>& device_draws(const work_point& p) {
  static std::unique_ptr<device_array<T>> kept;
  static std::string of;
  const std::string name = name_of(p, bench::type_name<T>());
  if (of != name) {
    of.clear();
    kept.reset();
    kept = std::make_unique<device_array<T>>(draws<T>(pool_of(p)), static_cast<std::size_t>(p.fits * p.rows * p.D));
    of = name;
  }
  return *kept;
}

/// The same in host memory.
template <class T>
std::vector<T> host_draws(const work_point& p) {
  const std::vector<T>& pool = draws<T>(pool_of(p));
  std::vector<T> all;
  all.reserve(static_cast<std::size_t>(p.fits * p.rows * p.D));
  while (all.size() < static_cast<std::size_t>(p.fits * p.rows * p.D)) all.insert(all.end(), pool.begin(), pool.end());
  return all;
}

/// How far the log-likelihood after two iterations lies from the CPU's in double on the same numbers: of the pool where
/// there is one fit, whose likelihood, repeated, is the whole's.
template <class T>
double error_on_cuda(const work_point& p, const manyfit::mixture_results& start) {
  static std::map<std::string, double> kept;  // every repetition asks
  if (const auto found = kept.find(p.name); found != kept.end()) return found->second;
  const work_point pool = pool_of(p);
  const std::vector<T>& drawn = draws<T>(pool);
  const std::int64_t fits = std::min<std::int64_t>(p.fits, 100);
  const std::vector<double> numbers(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(fits * pool.rows * p.D));
  manyfit::mixture_options options = from(start);
  options.max_iterations = 2;
  const auto wanted = manyfit::fit_mixture(executor::cpu(), manyfit::dense_points<double>(numbers, p.D, fits), options);
  const auto data = manyfit::dense_points<T>(device_draws<T>(p).span(), p.D, p.fits, manyfit::memory_space::device);
  const auto found = manyfit::fit_mixture(executor::cuda(), data, options);
  double worst = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(fits); ++i) {
    const double ll = wanted.log_likelihood[i] * static_cast<double>(p.rows) / static_cast<double>(pool.rows);
    const double apart = std::abs(found.log_likelihood[i] - ll) / std::abs(ll);
    worst = apart <= worst ? worst : apart;  // NaN is the worst of all
  }
  return kept[p.name] = worst;
}

/// What a row on a GPU times: iterations after a call's first (one mixture: each; a batch: all), or a whole call.
enum class timed { iterations, call, end_to_end };

template <class T>
void run_cuda(benchmark::State& state, const work_point& p, timed what) {
  const bool in_host = what == timed::end_to_end;
  const std::vector<T> host = in_host ? host_draws<T>(p) : std::vector<T>{};
  const std::span<const T> values = in_host ? std::span<const T>(host) : device_draws<T>(p).span();
  const auto data = manyfit::dense_points<T>(values, p.D, p.fits,
                                             in_host ? manyfit::memory_space::host : manyfit::memory_space::device);
  const manyfit::mixture_results start = mixture_of(p, 0.25);
  manyfit::mixture_options options = from(start);
  double done = 0;  // iterations of the last call, per fit
  const auto seconds = [&](int iterations) {
    options.max_iterations = iterations;
    manyfit::mixture_results found;
    const double taken = bench::seconds_of([&] { found = manyfit::fit_mixture(executor::cuda(), data, options); });
    done = 0;
    for (const std::int32_t i : found.iterations) done += static_cast<double>(i) / static_cast<double>(p.fits);
    for (const manyfit::fit_status s : found.status)
      if (s != manyfit::fit_status::max_iterations && s != manyfit::fit_status::converged)
        state.SkipWithError("a fit ended without parameters");
    return taken;
  };
  seconds(1);  // warm
  for (auto _ : state) {
    if (what != timed::iterations) {
      state.SetIterationTime(seconds(p.iterations));
      continue;
    }
    const double one = seconds(1), more = seconds(1 + p.iterations) - one;
    // The likelihood may stop rising before the last iteration: what ran is what counts.
    state.SetIterationTime(more / (done - 1) * (p.fits > 1 ? p.iterations : 1));
    if (!(more > 0)) state.SkipWithError("the time between the two calls is lost in noise");
  }
  const double passes = what != timed::iterations ? p.iterations + 1 : p.fits > 1 ? p.iterations : 1;
  count(state, p, sizeof(T), passes);
  if (!in_host) state.counters["error"] = error_on_cuda<T>(p, start);
}

template <class T>
void add_cuda(const work_point& p, timed what) {
  const char* const kind[] = {p.fits > 1 ? "/cuda/iterations" : "/cuda", "/cuda", "/cuda/end_to_end"};
  bench::add(
      name_of(p, bench::type_name<T>()) + kind[static_cast<int>(what)],
      [=](benchmark::State& state) {
        try {
          run_cuda<T>(state, p, what);
        } catch (const std::exception& problem) {
          state.SkipWithError(problem.what());
        }
      },
      what == timed::end_to_end ? 3 : 7)
      ->Iterations(1);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  for (const work_point& p : points) {
    bench::add(
        name_of(p, "double") + "/reference", [p](benchmark::State& state) { run_reference(state, p); }, 3)
        ->Iterations(1);
    for (const int threads : {1, 0}) add<double>(p, threads);
    for (const int threads : {1, 0}) add<float>(p, threads);
  }
#if defined(MF_HAVE_CUDA)
  if (executor::best().is_cuda()) {
    for (const work_point& p : cuda_points) {
      add_cuda<float>(p, timed::iterations);
      if (p.fits > 1) add_cuda<float>(p, timed::call);
      add_cuda<float>(p, timed::end_to_end);
    }
    for (const work_point& p : cuda_points) add_cuda<double>(p, timed::iterations);
  }
#endif
  return bench::run_all(argc, argv);
}
