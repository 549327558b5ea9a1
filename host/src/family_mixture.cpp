// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/family_mixture.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "checks.hpp"
#include "cpu_dispatch.hpp"
#include "family_settings.hpp"
#include "kernels/algorithms/em.hpp"
#include "kernels/cpu/mixture_of_passes.hpp"
#include "manyfit/fit.hpp"
#include "manyfit/score.hpp"
#include "progress.hpp"

namespace manyfit {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

[[noreturn]] void refuse(const std::string& message) {
  throw error(error::kind::argument, message);
}

void require_cpu(const executor& where) {
  if (where.is_cuda())
    throw error(error::kind::device, "mixtures of families run on the CPU only; use executor::cpu()");
}

/// `fits`: what an M step needs is checked too, such as that a number of trials is given.
mixture_part part_for(const mixture_component& component, bool fits) {
  mixture_part part;
  if (!component.family) {
    if (!std::isfinite(component.at)) refuse("point_mass: a finite value expected");
    part.at = component.at;
    return part;
  }
  part.family = component.family;
  part.functions = &functions_of(*component.family);
  if (!fits) return part;
  fit_options options;
  options.std_errors = false;
  options.fixed = component.fixed;
  part.settings = settings_from(*component.family, options);
  return part;
}

/// Refuses components whose supports EM cannot move: their densities do not fall before they end, so that a component
/// keeps a share of every value it was given at the start.
void require_ends_that_move(std::span<const mixture_part> parts) {
  for (const mixture_part& part : parts)
    if (has_free_ends(part, moving_support::jumps))
      refuse(std::string("a mixture of ") + part.family->name +
             ": EM cannot move a support, and would return the one that it starts with\n"
             "hold every parameter that it depends on at a value, or fit another family");
}

int room_for(std::span<const mixture_component> parts) {
  int room = 1;
  for (const mixture_component& part : parts)
    if (part.family) room = std::max(room, part.family->parameter_count);
  return room;
}

void check(const family_mixture_options& options, std::int64_t count, int parts, int room) {
  const auto& range = options.components;
  if (parts == 1 && (range.fewest < 1 || range.most < range.fewest || range.most > max_components))
    refuse("components: " + std::to_string(range.fewest) + " to " + std::to_string(range.most) +
           " given; at least 1, at most " + std::to_string(max_components) + ", fewest first");
  if (options.restarts < 1) refuse("restarts: " + std::to_string(options.restarts) + " given; 1 or more expected");
  if (options.max_iterations < 0)
    refuse("max_iterations: " + std::to_string(options.max_iterations) + " given; 0 or more expected");
  if (!(options.tolerance >= 0)) refuse("tolerance: a number of 0 or more expected");
  check_choice("start", options.start, mixture_start_count);
  check_choice("select", options.select, 2);
  if (options.start != mixture_start::given) return;
  const family_mixture_results* start = options.start_values;
  if (!start) refuse("start_values: mixture_start::given needs them");
  check(*start, "start_values");
  if (start->count != 1 && start->count != count)
    refuse("start_values: " + std::to_string(start->count) + " mixtures given for " + std::to_string(count) +
           " fits; one for all or one for each expected");
  if (parts > 1 && start->max_components != parts)
    refuse("start_values: mixtures of " + std::to_string(start->max_components) + " components given for a list of " +
           std::to_string(parts));
  if (start->parameter_room != room)
    refuse("start_values: components of up to " + std::to_string(start->parameter_room) + " parameters given; up to " +
           std::to_string(room) + " expected");
  for (const std::int32_t K : start->components)
    if (parts > 1 && K != parts)
      refuse("start_values: a mixture of " + std::to_string(K) + " components in room for " +
             std::to_string(start->max_components));
}

bool has_parameters(fit_status status) {
  return status == fit_status::converged || status == fit_status::max_iterations;
}

std::int64_t count_free(std::span<const mixture_component> parts, int K) {
  std::int64_t free = K - 1;
  for (int k = 0; k < K; ++k) {
    const mixture_component& part = parts.size() == 1 ? parts[0] : parts[static_cast<std::size_t>(k)];
    if (part.family) free += part.family->parameter_count - static_cast<std::int64_t>(part.fixed.size());
  }
  return free;
}

/// One attempt at a fit and how it went.
struct mixture_run {
  mixture_attempt attempt;
  em_climb climb;
};

/// A run into the results, its components in order of their means where they are of one family.
void keep(const mixture_run& run, std::int64_t fit, bool sorted, family_mixture_results& r) {
  const mixture_attempt& a = run.attempt;
  const auto K = a.weights.size();
  std::vector<std::size_t> order(K);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (sorted)
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a.means[i] < a.means[j]; });
  const auto room = static_cast<std::size_t>(r.parameter_room);
  for (std::size_t k = 0; k < K; ++k) {
    const std::size_t to = static_cast<std::size_t>(r.first_component(fit)) + k;
    r.weights[to] = a.weights[order[k]];
    r.means[to] = a.means[order[k]];
    std::copy_n(a.parameters.begin() + static_cast<std::ptrdiff_t>(order[k] * room), room,
                r.parameters.begin() + static_cast<std::ptrdiff_t>(to * room));
  }
  r.log_likelihood[static_cast<std::size_t>(fit)] = run.climb.log_likelihood;
  if (!r.log_likelihood_trace.empty()) r.log_likelihood_trace[static_cast<std::size_t>(fit)] = run.climb.trace;
}

/// What the fits of a call have in common, and which of their runs is the best so far.
class mixture_fits {
 public:
  mixture_fits(std::vector<mixture_part> parts, const family_mixture_options& options, int fewest,
               family_mixture_results& results)
      : options_(options),
        given_(options.start == mixture_start::given),
        listed_(parts.size() > 1),
        fewest_(fewest),
        restarts_(given_ ? 1 : options.restarts),
        parts_(std::move(parts)),
        r_(results),
        best_(static_cast<std::size_t>(results.count), std::numeric_limits<double>::infinity()) {
    if (!listed_) parts_.resize(static_cast<std::size_t>(results.max_components), parts_[0]);
  }

  em_settings settings() const { return {options_.max_iterations, options_.tolerance, options_.restart_collapsed}; }
  bool spread() const { return options_.start != mixture_start::random; }
  std::int64_t runs_of_a_fit() const { return restarts_ * (given_ ? 1 : r_.tried); }
  int components(std::int64_t fit, std::int64_t number) const {
    return given_ ? options_.start_values->components[source(fit)] : fewest_ + static_cast<int>(number / restarts_);
  }
  std::span<const mixture_part> parts(std::size_t K) const { return std::span(parts_).first(K); }

  /// Run number `number` of a fit, at its start; done already where the sample is unfit.
  mixture_run run_of(std::int64_t fit, std::int64_t number, const mixture_sample& sample) const {
    const int K = components(fit, number);
    const auto stream = static_cast<std::uint64_t>(number % restarts_);
    mixture_run run{{&sample, stream, philox_stream(options_.seed, stream, static_cast<std::uint32_t>(K))}, {}};
    mixture_attempt& a = run.attempt;
    a.weights.resize(static_cast<std::size_t>(K));
    if (given_) {
      run.climb.step = em_step::look;
      const family_mixture_results& start = *options_.start_values;
      const auto at = static_cast<std::int64_t>(source(fit));
      double sum = 0;
      for (int k = 0; k < K; ++k) sum += start.weight(at, k);
      for (int k = 0; k < K; ++k) {
        a.weights[static_cast<std::size_t>(k)] = start.weight(at, k) / sum;
        for (int p = 0; p < r_.parameter_room; ++p) a.parameters.push_back(start.parameter(at, k, p));
      }
    }
    if (const fit_status unfit = unfit_for(sample, parts(a.weights.size())); unfit != fit_status::not_run)
      run.climb.fail(unfit);
    return run;
  }

  /// Takes a run to its end on the CPU.
  void climb(mixture_run& run, int threads) const {
    if (run.climb.step == em_step::done) return;
    const auto all = parts(run.attempt.weights.size());
    cpu_mixture_passes passes(all, r_.parameter_room, run.attempt, cpu_mixture_functions().share_out, threads);
    mixture_of model(passes, all, r_.parameter_room, {&run.attempt, 1}, spread());
    run_em(model, {&run.climb, 1}, settings());
  }

  /// Keeps the run where it is better than those of smaller numbers; true where it has parameters and is.
  bool consider(std::int64_t fit, std::int64_t number, const mixture_run& run) {
    const auto at = static_cast<std::size_t>(fit);
    const mixture_sample& sample = *run.attempt.sample;
    const int K = static_cast<int>(run.attempt.weights.size());
    const bool usable = has_parameters(run.climb.status);
    double value = std::numeric_limits<double>::infinity();
    if (usable) {
      const auto p = static_cast<double>(count_free(r_.parts, K));
      const bool bic = options_.select == information_criterion::bic;
      value = (bic ? p * std::log(static_cast<double>(sample.observations)) : 2 * p) - 2 * run.climb.log_likelihood;
      if (!given_) {
        double& known = r_.criteria[static_cast<std::size_t>(fit * r_.tried + K - fewest_)];
        if (!(known <= value)) known = value;
      }
    }
    if (number > 0 && !(value < best_[at])) return false;
    best_[at] = value;
    r_.components[at] = K;
    r_.status[at] = run.climb.status;
    r_.iterations[at] = run.climb.iterations;
    r_.observations[at] = sample.observations + sample.nonfinite;
    r_.missing[at] = sample.missing;
    r_.left_out[at] = sample.left_out;
    if (usable) keep(run, fit, !given_ && !listed_, r_);
    return usable;
  }

 private:
  std::size_t source(std::int64_t fit) const {
    return given_ && options_.start_values->count > 1 ? static_cast<std::size_t>(fit) : 0;
  }

  const family_mixture_options& options_;
  bool given_, listed_;
  int fewest_;
  std::int64_t restarts_;
  std::vector<mixture_part> parts_;
  family_mixture_results& r_;
  std::vector<double> best_;
};

/// Values from which on the runs of one fit go one after another, each on all threads, instead of side by side.
constexpr std::int64_t large_sample = 1 << 17;

/// All runs of a fit are one piece of work where there are many fits; a single fit's runs are shared out, or, where it
/// is large, the work inside them.
template <class T>
void run_on_cpu(const executor& where, const batch_view<T>& data, mixture_fits& fits,
                std::atomic<std::int64_t>* completed, std::atomic<double>& latest) {
  const std::int64_t each = fits.runs_of_a_fit();
  const auto consider = [&](std::int64_t fit, std::int64_t number, const mixture_run& run) {
    if (fits.consider(fit, number, run)) latest.store(run.climb.log_likelihood, std::memory_order_relaxed);
  };
  if (data.count != 1) {
    parallel_for(where.threads(), data.count, 1, [&](std::int64_t fit) {
      const mixture_sample sample = read_mixture_sample(data, fit);
      for (std::int64_t number = 0; number < each; ++number) {
        mixture_run run = fits.run_of(fit, number, sample);
        fits.climb(run, 1);
        consider(fit, number, run);
      }
      if (completed) completed->fetch_add(each, std::memory_order_relaxed);
    });
    return;
  }
  const mixture_sample sample = read_mixture_sample(data, 0);
  std::vector<mixture_run> runs;
  for (std::int64_t number = 0; number < each; ++number) runs.push_back(fits.run_of(0, number, sample));
  const bool inside = sample.observations >= large_sample;
  parallel_for(inside ? 1 : where.threads(), each, 1, [&](std::int64_t number) {
    fits.climb(runs[static_cast<std::size_t>(number)], inside ? where.threads() : 1);
    if (completed) completed->fetch_add(1, std::memory_order_relaxed);
  });
  for (std::int64_t number = 0; number < each; ++number) consider(0, number, runs[static_cast<std::size_t>(number)]);
}

template <class T>
family_mixture_results fit_any(const executor& where, std::vector<mixture_component> parts, const batch<T>& data,
                               const family_mixture_options& options) {
  require_cpu(where);
  require_host_memory(data.memory);
  check(data);
  if (parts.empty()) refuse("components: none given; one or more expected");
  const bool given = options.start == mixture_start::given, listed = parts.size() > 1;
  check(options, data.count(), static_cast<int>(parts.size()), room_for(parts));
  const family_mixture_results* start = given ? options.start_values : nullptr;
  const int fewest = listed ? static_cast<int>(parts.size()) : given ? 1 : options.components.fewest;
  const int most = listed ? static_cast<int>(parts.size()) : given ? 1 : options.components.most;
  std::vector<mixture_part> seen;
  for (const mixture_component& part : parts) seen.push_back(part_for(part, true));
  if (listed || (given ? *std::max_element(start->components.begin(), start->components.end()) : most) > 1)
    require_ends_that_move(seen);
  family_mixture_results r =
      given && start->count > 1
          ? empty_family_mixtures(start->components, std::move(parts))
          : empty_family_mixtures(data.count(), given ? start->components[0] : most, std::move(parts));
  r.device = where.name();
  if (!given) {
    r.fewest_components = fewest;
    r.tried = most - fewest + 1;
    r.criteria.assign(static_cast<std::size_t>(r.count * r.tried), nan);
  }
  if (options.trace) r.log_likelihood_trace.resize(static_cast<std::size_t>(r.count));

  mixture_fits fits(std::move(seen), options, fewest, r);
  std::atomic<double> latest{nan};
  std::function<void(std::int64_t, std::int64_t)> report;
  if (options.progress)
    report = [&](std::int64_t done, std::int64_t total) {
      options.progress(done, total, latest.load(std::memory_order_relaxed));
    };
  run_with_progress(r.count * fits.runs_of_a_fit(), report, [&](std::atomic<std::int64_t>* completed) {
    run_on_cpu(where, data.view, fits, completed, latest);
  });
  return r;
}

template <class T>
mixture_scores score_any(const executor& where, const batch<T>& data, const family_mixture_results& mixtures,
                         const mixture_score_options& options) {
  require_cpu(where);
  require_host_memory(data.memory);
  check(data);
  check(mixtures, "score_mixture");
  product_of("responsibilities", {data.value_count, mixtures.max_components});
  if (mixtures.count != 1 && mixtures.count != data.count())
    refuse("score_mixture: " + std::to_string(mixtures.count) + " mixtures for " + std::to_string(data.count()) +
           " samples; one for all or one for each expected");
  std::vector<mixture_part> seen;
  for (const mixture_component& part : mixtures.parts) seen.push_back(part_for(part, false));
  const auto values = static_cast<std::size_t>(data.value_count),
             width = static_cast<std::size_t>(mixtures.max_components);
  mixture_scores scores;
  scores.log_density.assign(values, nan);
  if (options.responsibilities) scores.responsibilities.assign(values * width, nan);
  if (options.labels) scores.labels.assign(values, -1);
  constexpr std::int64_t piece = 4096;  // values at a time
  parallel_for(where.threads(), data.count(), 1, [&](std::int64_t fit) {
    const std::int64_t source = mixtures.count == 1 ? 0 : fit;
    if (!(mixtures.weight(source, 0) >= 0)) return;
    const std::int64_t begin = data.view.offsets ? data.view.offsets[fit] : fit * data.view.size;
    const std::int64_t end = data.view.offsets ? data.view.offsets[fit + 1] : begin + data.view.size;
    const int K = mixtures.components[static_cast<std::size_t>(source)];
    double total = 0;  // weights given by hand need not sum to one
    for (int k = 0; k < K; ++k) total += mixtures.weight(source, k);
    std::vector<double> x, terms;
    for (std::int64_t first = begin; first < end; first += piece) {
      const auto n = static_cast<std::size_t>(std::min(piece, end - first));
      x.assign(data.view.values + first, data.view.values + first + static_cast<std::int64_t>(n));
      terms.resize(static_cast<std::size_t>(K) * n);
      for (int k = 0; k < K; ++k) {
        double* const to = terms.data() + static_cast<std::size_t>(k) * n;
        component_log_density(
            seen.size() == 1 ? seen[0] : seen[static_cast<std::size_t>(k)],
            mixtures.parameters.data() + (mixtures.first_component(source) + k) * mixtures.parameter_room, x, to);
        for (std::size_t i = 0; i < n; ++i) to[i] += std::log(mixtures.weight(source, k) / total);
      }
      for (std::size_t i = 0; i < n; ++i) {
        if (std::isnan(x[i])) continue;
        const std::size_t row = static_cast<std::size_t>(first) + i;
        double most = -std::numeric_limits<double>::infinity(), sum = 0;
        int likeliest = 0;
        bool usable = true;  // parameters that the family cannot have give no density
        for (int k = 0; k < K; ++k) {
          const double term = terms[static_cast<std::size_t>(k) * n + i];
          usable = usable && !std::isnan(term);
          if (term > most) {
            most = term;
            likeliest = k;
          }
        }
        if (!usable) continue;
        if (std::isinf(most)) {  // outside every support: a density of 0, and no share for anyone
          scores.log_density[row] = most;
          continue;
        }
        for (int k = 0; k < K; ++k) sum += std::exp(terms[static_cast<std::size_t>(k) * n + i] - most);
        scores.log_density[row] = most + std::log(sum);
        if (options.labels) scores.labels[row] = likeliest;
        for (int k = 0; k < K && options.responsibilities; ++k)
          scores.responsibilities[row * width + static_cast<std::size_t>(k)] =
              std::exp(terms[static_cast<std::size_t>(k) * n + i] - most) / sum;
      }
    }
  });
  return scores;
}

/// Empty mixtures of the sizes that stand in `r`, `room` components in all.
family_mixture_results with_room(family_mixture_results r, std::int64_t room, std::vector<mixture_component> parts) {
  r.parameter_room = room_for(parts);
  r.parts = std::move(parts);
  const std::size_t n = r.components.size(), all = static_cast<std::size_t>(room);
  r.count = static_cast<std::int64_t>(n);
  r.weights.assign(all, nan);
  r.parameters.assign(all * static_cast<std::size_t>(r.parameter_room), nan);
  r.means.assign(all, nan);
  r.log_likelihood.assign(n, nan);
  r.iterations.assign(n, 0);
  r.status.assign(n, fit_status::not_run);
  r.observations.assign(n, 0);
  r.missing.assign(n, 0);
  r.left_out.assign(n, 0);
  return r;
}

std::vector<double> simulate_any(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                 std::uint64_t seed, std::span<const std::uint64_t> streams) {
  if (size < 0) refuse("size: " + std::to_string(size) + " given; 0 or more expected");
  if (!streams.empty() && static_cast<std::int64_t>(streams.size()) != mixtures.count)
    refuse("streams: " + std::to_string(streams.size()) + " given for " + std::to_string(mixtures.count) +
           " mixtures; one for each expected");
  check(mixtures, "simulate_mixture");
  product_of("simulate_mixture", {mixtures.count, size});
  const auto n = static_cast<std::size_t>(size);
  std::vector<double> out(static_cast<std::size_t>(mixtures.count) * n, nan);
  for (std::int64_t fit = 0; fit < mixtures.count; ++fit) {
    if (!(mixtures.weight(fit, 0) >= 0)) continue;
    const std::uint64_t stream =
        streams.empty() ? static_cast<std::uint64_t>(fit) : streams[static_cast<std::size_t>(fit)];
    const int K = mixtures.components[static_cast<std::size_t>(fit)];
    // Which component each value comes from, by words of its own; then every component's draws, of which it takes one.
    std::vector<int> source(n);
    for (std::size_t i = 0; i < n; ++i) {
      philox_stream random(~seed, stream, static_cast<std::uint32_t>(i));
      double target = random.uniform();
      int k = 0;
      while (k + 1 < K && target >= mixtures.weight(fit, k)) target -= mixtures.weight(fit, k++);
      source[i] = k;
    }
    double* const to = out.data() + static_cast<std::size_t>(fit) * n;
    for (int k = 0; k < K; ++k) {
      const mixture_component& part = mixtures.part(k);
      std::vector<double> draws;
      if (part.family) {
        const double* parameters =
            mixtures.parameters.data() + (mixtures.first_component(fit) + k) * mixtures.parameter_room;
        draws = simulate(where, *part.family, {parameters, 0, 1}, 1, size,
                         {.seed = seed + static_cast<std::uint64_t>(k), .streams = {stream}});
      }
      for (std::size_t i = 0; i < n; ++i)
        if (source[i] == k) to[i] = part.family ? draws[i] : part.at;
    }
  }
  return out;
}

}  // namespace

family_mixture_results empty_family_mixtures(std::int64_t count, int components, std::vector<mixture_component> parts) {
  if (components < 1 || (parts.size() != 1 && parts.size() != static_cast<std::size_t>(components)))
    refuse("empty_family_mixtures: " + std::to_string(parts.size()) + " parts given for " + std::to_string(components) +
           " components; one for all or one each, and 1 component or more, expected");
  product_of("empty_family_mixtures", {count, components, room_for(parts)});
  family_mixture_results r;
  r.max_components = components;
  r.components.assign(static_cast<std::size_t>(count), components);
  return with_room(std::move(r), count * components, std::move(parts));
}

family_mixture_results empty_family_mixtures(std::span<const std::int32_t> components,
                                             std::vector<mixture_component> parts) {
  family_mixture_results r;
  r.components.assign(components.begin(), components.end());
  r.component_offsets.push_back(0);
  for (const std::int32_t K : components) {
    if (K < 1) refuse("empty_family_mixtures: a mixture of " + std::to_string(K) + " components; 1 or more expected");
    r.component_offsets.push_back(r.component_offsets.back() + K);
    r.max_components = std::max<int>(r.max_components, K);
  }
  product_of("empty_family_mixtures", {r.component_offsets.back(), room_for(parts)});
  return with_room(std::move(r), r.component_offsets.back(), std::move(parts));
}

std::int64_t family_mixture_results::free_parameters(std::int64_t fit) const {
  return count_free(parts, components[checked_index("fits", fit, components.size())]);
}
double family_mixture_results::aic(std::int64_t fit) const {
  return 2.0 * static_cast<double>(free_parameters(fit)) -
         2 * log_likelihood[checked_index("fits", fit, log_likelihood.size())];
}
double family_mixture_results::bic(std::int64_t fit) const {
  const std::size_t at = checked_index("fits", fit, std::min(observations.size(), log_likelihood.size()));
  return static_cast<double>(free_parameters(fit)) * std::log(static_cast<double>(observations[at])) -
         2 * log_likelihood[at];
}

#define MF_MIXTURE(T)                                                                                               \
  family_mixture_results fit_mixture(const executor& where, const family_info& family, const batch<T>& data,        \
                                     const family_mixture_options& options) {                                       \
    return guarded([&] { return fit_any(where, {{&family, 0, options.fixed}}, data, options); });                   \
  }                                                                                                                 \
  family_mixture_results fit_mixture(const executor& where, std::span<const mixture_component> components,          \
                                     const batch<T>& data, const family_mixture_options& options) {                 \
    return guarded([&] {                                                                                            \
      return fit_any(where, std::vector<mixture_component>(components.begin(), components.end()), data, options);   \
    });                                                                                                             \
  }                                                                                                                 \
  mixture_scores score_mixture(const executor& where, const batch<T>& data, const family_mixture_results& mixtures, \
                               const mixture_score_options& options) {                                              \
    return guarded([&] { return score_any(where, data, mixtures, options); });                                      \
  }
MF_MIXTURE(double)
MF_MIXTURE(float)
#undef MF_MIXTURE

std::vector<double> simulate_mixture(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                     std::uint64_t seed, std::span<const std::uint64_t> streams) {
  return guarded([&] { return simulate_any(where, mixtures, size, seed, streams); });
}

}  // namespace manyfit
