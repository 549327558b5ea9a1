// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Work points f, g, h and i of the plan: millions of univariate fits, dense with n = 1000 and ragged, on every CPU
// thread, on one, and on a GPU where there is one. Data are random draws, made before the clock starts. CPU times are
// wall-clock time of one call of fit() on data in memory. CUDA rows named kernels are the device's own time from data
// in device memory to results there, by events; those named cuda a whole call of fit() on data in device memory, with
// the results' way to the host; end_to_end one on data in host memory.
#include "bench.hpp"

#if defined(MF_HAVE_CUDA)
#include <memory>

#include "device_fits.hpp"
#endif

namespace {

using bench::drawn;
using manyfit::batch;
using manyfit::executor;
using manyfit::family_info;

/// The smallest fraction of fits that must converge, or the benchmark measured something else.
bool converged(const manyfit::fit_results& r, benchmark::State& state) {
  const auto good = r.count_of(manyfit::fit_status::converged);
  if (static_cast<double>(good) >= 0.95 * static_cast<double>(r.count)) return true;
  state.SkipWithError(("only " + std::to_string(good) + " of " + std::to_string(r.count) + " fits converged").c_str());
  return false;
}

/// The worst relative difference of log-likelihoods to the reference's on the first fits; NaN where it has none.
template <class T>
double error_of(const manyfit::fit_results& r, const drawn<T>& d) {
  const bench::plain_fit plain = bench::plain_fit_of(r.family->name);
  if (!plain) return std::nan("");
  double worst = 0;
  for (std::int64_t fit = 0; fit < std::min({d.fits, r.count, std::int64_t{200}}); ++fit) {
    const auto at = static_cast<std::size_t>(fit);
    if (r.status[at] != manyfit::fit_status::converged) continue;
    const double wanted = plain(d.sample(fit)).log_likelihood;
    worst = std::max(worst, std::abs(r.log_likelihood[at] - wanted) / (1 + std::abs(wanted)));
  }
  return worst;
}

/// Counted: every value is read once and has one logarithm where the family needs one; an iterative fit's further
/// passes are its iterations times one transcendental function a value.
void count(benchmark::State& state, const family_info& family, double fits, double values, double iterations,
           std::size_t size) {
  using benchmark::Counter;
  state.counters["fits/s"] = Counter(fits, Counter::kIsIterationInvariantRate);
  state.counters["values/s"] = Counter(values, Counter::kIsIterationInvariantRate);
  state.counters["us/fit"] = Counter(fits * 1e-6, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["bytes"] = values * static_cast<double>(size);
  state.counters["logs"] = std::string_view(family.name) == "weibull" ? values : 0;
  state.counters["exps"] = std::string_view(family.name) == "weibull" ? values * iterations : 0;
}

template <class T>
manyfit::fit_results run(benchmark::State& state, const executor& where, const family_info& family,
                         const batch<T>& data, std::int64_t values, bool ragged) {
  bool good = true;
  manyfit::fit_results r;
  for (auto _ : state) {
    state.SetIterationTime(bench::seconds_of([&] { r = manyfit::fit(where, family, data); }));
    if (good) good = ragged || converged(r, state);
  }
  double iterations = 0;
  for (const std::int32_t i : r.iterations) iterations += i;
  const auto fits = static_cast<double>(data.count());
  count(state, family, fits, static_cast<double>(values), iterations / fits, sizeof(T));
  return r;
}

template <class T>
void add_cpu(const std::string& name, int threads) {
  bench::add(
      "fit/" + name + "/" + bench::type_name<T>() + "/n=1000/" + bench::where_name(threads),
      [=](benchmark::State& state) {
        const family_info& family = manyfit::find_family(name);
        const drawn<T>& d = bench::dense_draws<T>(name, 4000, 1000);
        const auto r = run(state, executor::cpu(threads), family, d.view(), 4'000'000, false);
        state.counters["error"] = error_of(r, d);
      },
      9);
}

template <class T>
void add_ragged_cpu(const std::string& name, int threads) {
  bench::add(
      "fit/" + name + "/" + bench::type_name<T>() + "/ragged 1..10000/" + bench::where_name(threads),
      [=](benchmark::State& state) {
        const drawn<T> d = bench::ragged_draws<T>(name, 20000, 10000);
        run(state, executor::cpu(threads), manyfit::find_family(name), d.view(),
            static_cast<std::int64_t>(d.values.size()), true);
      },
      5);
}

/// The plain reference on the same draws, one thread.
void add_reference(const std::string& name, bool ragged) {
  bench::add(
      "fit/" + name + "/double/" + (ragged ? "ragged 1..10000" : "n=1000") + "/reference",
      [=](benchmark::State& state) {
        const drawn<double> d =
            ragged ? bench::ragged_draws<double>(name, 20000, 10000) : bench::dense_draws<double>(name, 4000, 1000);
        const bench::plain_fit plain = bench::plain_fit_of(name);
        std::vector<std::int64_t> offsets = d.offsets;
        if (!ragged)
          for (std::int64_t i = 0; i <= d.fits; ++i) offsets.push_back(i * 1000);
        double sum = 0;
        for (auto _ : state)
          state.SetIterationTime(bench::seconds_of([&] {
            for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
              const auto n = static_cast<std::size_t>(offsets[i + 1] - offsets[i]);
              sum += plain({d.values.data() + offsets[i], n}).log_likelihood;
            }
          }));
        benchmark::DoNotOptimize(sum);
        count(state, manyfit::find_family(name), static_cast<double>(d.fits), static_cast<double>(d.values.size()), 0,
              sizeof(double));
      },
      5);
}

#if defined(MF_HAVE_CUDA)
/// Which part of a fit on a GPU a row times.
enum class timed { kernels, call, end_to_end };

/// Samples on the device, and here the pool of 4000 that they repeat; kept while rows of the same name follow each
/// other: every repetition asks anew.
template <class T>
struct device_draws {
  drawn<T> pool;
  std::vector<std::int64_t> offsets;
  device_fits<T> device;
  device_draws(const std::string& name, std::int64_t fits, bool ragged)
      : pool(bench::dense_draws<T>(name, 4000, 1000)),
        offsets(ragged ? bench::ragged_offsets(fits, 10000) : std::vector<std::int64_t>{}),
        device(manyfit::find_family(name), pool.values, static_cast<std::size_t>(ragged ? offsets.back() : fits * 1000),
               offsets, fits) {}

  /// All samples in host memory.
  const drawn<T>& host() {
    if (host_.values.empty()) {
      host_.fits = device.fits();
      host_.offsets = offsets;
      host_.values.resize(static_cast<std::size_t>(device.value_count()));
      for (std::size_t i = 0; i < host_.values.size(); i += pool.values.size())
        std::copy_n(pool.values.begin(), std::min(pool.values.size(), host_.values.size() - i),
                    host_.values.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return host_;
  }

 private:
  drawn<T> host_;
};
template <class T>
device_draws<T>& kept_draws(const std::string& name, std::int64_t fits, bool ragged) {
  static std::unique_ptr<device_draws<T>> kept;
  static std::string of;
  const std::string wanted = name + std::to_string(fits) + (ragged ? "ragged" : "");
  if (of != wanted) {
    of.clear();
    kept.reset();
    kept = std::make_unique<device_draws<T>>(name, fits, ragged);
    kept->device.kernel_seconds();  // warm
    of = wanted;
  }
  return *kept;
}

template <class T>
void time_kernels(benchmark::State& state, const family_info& family, device_fits<T>& d) {
  for (auto _ : state) state.SetIterationTime(d.kernel_seconds());
  if (!d.ragged() && !(d.converged_fraction() >= 0.95)) state.SkipWithError("fewer than 95 of 100 fits converged");
  const double iterations = d.mean_iterations();
  count(state, family, static_cast<double>(d.fits()), static_cast<double>(d.value_count()), iterations, sizeof(T));
  state.counters["mean_iterations"] = iterations;
}

template <class T>
void add_cuda(const std::string& name, std::int64_t fits, bool ragged, timed what) {
  const char* const kind[] = {"/cuda/kernels", "/cuda", "/cuda/end_to_end"};
  const std::string shape = ragged ? "ragged 1..10000" : "n=1000";
  bench::add(
      "fit/" + name + "/" + bench::type_name<T>() + "/" + shape + "/fits=" + std::to_string(fits) +
          kind[static_cast<int>(what)],
      [=](benchmark::State& state) {
        try {
          const family_info& family = manyfit::find_family(name);
          device_draws<T>& d = kept_draws<T>(name, fits, ragged);
          if (what == timed::kernels) return time_kernels(state, family, d.device);
          const auto data = what == timed::call ? d.device.batch() : d.host().view();
          const auto r = run(state, executor::cuda(), family, data, d.device.value_count(), ragged);
          if (!ragged) state.counters["error"] = error_of(r, d.pool);
        } catch (const std::exception& problem) {
          state.SkipWithError(problem.what());
        }
      },
      what == timed::end_to_end ? 3 : 7)
      ->Iterations(1);
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
    if (bench::plain_fit_of(name)) add_reference(name, false);
    add_cpu<double>(name, 1);
    add_cpu<double>(name, 0);
    add_cpu<float>(name, 0);
  }
  for (const std::string name : {"gamma", "weibull"}) {
    add_reference(name, true);
    add_ragged_cpu<double>(name, 1);
    add_ragged_cpu<double>(name, 0);
    add_ragged_cpu<float>(name, 0);
  }
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
  return bench::run_all(argc, argv);
}
