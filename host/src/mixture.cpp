// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/mixture.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "checks.hpp"
#include "mixture_attempts.hpp"
#include "progress.hpp"

namespace manyfit {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void throw_argument(const std::string& message) {
  throw error(error::kind::argument, message);
}

mixture_settings settings_from(const mixture_options& options, int dimensions, std::int64_t count) {
  const auto& range = options.components;
  if (range.fewest < 1 || range.most < range.fewest || range.most > max_components)
    throw_argument("components: " + std::to_string(range.fewest) + " to " + std::to_string(range.most) +
                   " given; at least 1, at most " + std::to_string(max_components) + ", fewest first");
  if (options.restarts < 1)
    throw_argument("restarts: " + std::to_string(options.restarts) + " given; 1 or more expected");
  if (options.max_iterations < 0)
    throw_argument("max_iterations: " + std::to_string(options.max_iterations) + " given; 0 or more expected");
  if (!(options.tolerance >= 0)) throw_argument("tolerance: a number of 0 or more expected");
  if (std::isnan(options.regularization) || std::isinf(options.regularization))
    throw_argument("regularization: a finite number expected");
  if (options.minibatch_rows < 0) throw_argument("minibatch_rows: 0 (whole passes) or more expected");
  check_choice("covariance", options.covariance, covariance_structure_count);
  check_choice("start", options.start, mixture_start_count);
  check_choice("select", options.select, 2);
  if (options.start == mixture_start::given) {
    const mixture_results* start = options.start_values;
    if (!start) throw_argument("start_values: mixture_start::given needs them");
    check(*start, "start_values");
    if (start->dimensions != dimensions)
      throw_argument("start_values: of " + std::to_string(start->dimensions) + " dimensions for points of " +
                     std::to_string(dimensions));
    if (start->count != 1 && start->count != count)
      throw_argument("start_values: " + std::to_string(start->count) + " mixtures given for " + std::to_string(count) +
                     " fits; one for all or one for each expected");
  }
  mixture_settings settings;
  settings.structure = options.covariance;
  settings.start = options.start;
  settings.max_iterations = options.max_iterations;
  settings.tolerance = options.tolerance;
  settings.seed = options.seed;
  settings.accelerate = options.accelerate;
  settings.restart_collapsed = options.restart_collapsed;
  settings.minibatch_rows = options.minibatch_rows;
  return settings;
}

/// The free parameters of a mixture: K − 1 weights, K means, and what its structure leaves free of the covariances.
std::int64_t count_free(covariance_structure structure, std::int64_t K, std::int64_t D) {
  const std::int64_t triangle = D * (D + 1) / 2;
  const std::int64_t covariances = structure == covariance_structure::full       ? K * triangle
                                   : structure == covariance_structure::diagonal ? K * D
                                   : structure == covariance_structure::tied     ? triangle
                                                                                 : K;
  return K - 1 + K * D + covariances;
}

/// What an attempt's parameters cost in the information criterion.
double price_of(const mixture_task& task, const mixture_options& options, int D) {
  const auto p = static_cast<double>(count_free(options.covariance, task.components, D));
  return options.select == information_criterion::bic ? p * std::log(static_cast<double>(task.observations)) : 2 * p;
}

/// An attempt's information criterion; NaN without parameters.
double criterion(const mixture_task& task, const mixture_options& options, int D) {
  return has_parameters(task.status) ? price_of(task, options, D) - 2 * task.log_likelihood : nan;
}

/// A criterion for as many parameters as the attempt has, with a log-likelihood of others, corrected for small samples;
/// ∞ where there are about as many parameters as rows. Sources: Hurvich & Tsai, Biometrika 76 (1989) 297–307;
/// McQuarrie, Statistics & Probability Letters 44 (1999) 79–86.
double corrected_criterion(const mixture_task& task, double log_likelihood, const mixture_options& options, int D) {
  const auto n = static_cast<double>(task.observations),
             p = static_cast<double>(count_free(options.covariance, task.components, D));
  if (!(n > p + 1)) return std::numeric_limits<double>::infinity();
  return price_of(task, options, D) * n / (n - p - 1) - 2 * log_likelihood;
}

/// The best attempt of one number of components, the first of equals. Where the caller says what is added to the
/// covariances, an attempt of which that alone keeps a component from collapsing is passed over, since its likelihood
/// is as high as that is low, unless all are such attempts. Without any that has parameters, the first.
const mixture_task& best_attempt(std::span<const mixture_task> attempts, bool callers_ridge) {
  const bool all_kept_by_regularization = std::all_of(
      attempts.begin(), attempts.end(),
      [](const mixture_task& attempt) { return attempt.kept_by_regularization || !has_parameters(attempt.status); });
  const mixture_task* best = attempts.data();
  double most = -std::numeric_limits<double>::infinity();
  for (const mixture_task& attempt : attempts) {
    if (!has_parameters(attempt.status) ||
        (callers_ridge && attempt.kept_by_regularization && !all_kept_by_regularization))
      continue;
    if (attempt.log_likelihood > most || !has_parameters(best->status)) {
      most = attempt.log_likelihood;
      best = &attempt;
    }
  }
  return *best;
}

/// A number of components that a fit can take.
struct size_choice {
  const mixture_task* attempt = nullptr;  ///< its best
  double criterion = nan;                 ///< as if it had been the only number asked for
  bool regularized = false;               ///< only what is added to its covariances keeps a component from collapsing
  bool comparable = true;                 ///< with those that needed no ridge
};

/// The lowest criterion among those that stand for choice, the first of equals; without any, the first.
std::size_t lowest(std::span<const size_choice> of) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < of.size(); ++i)
    if (of[i].comparable && !std::isnan(of[i].criterion) &&
        !(of[best].comparable && of[best].criterion <= of[i].criterion))
      best = i;
  return best;
}

/// The sizes that a fit can take, each as it would be alone. One of which every attempt collapses has a likelihood that
/// is as high as its ridge is low. It stands against the best size that needs no ridge only where it is the better one
/// with one covariance for all components, too: it is taken for where its components lie, not for how narrow one is.
template <class T>
std::vector<size_choice> choices(const mixture_attempts<T>& attempts, std::int64_t begin, std::int64_t end,
                                 const mixture_options& options, int D) {
  const std::int64_t sizes = attempts.sizes_tried();
  const bool ladder = options.regularization < 0;
  std::vector<size_choice> all;
  for (std::int64_t fit = begin; fit < end; ++fit)
    for (std::int64_t size = 0; size < sizes; ++size) {
      const mixture_task& attempt = best_attempt(attempts.attempts(fit, size), !ladder);
      size_choice& each = all.emplace_back();
      each.attempt = &attempt;
      each.criterion = criterion(attempt, options, D);
      each.regularized =
          has_parameters(attempt.status) && (ladder ? attempt.ridge != nullptr : attempt.kept_by_regularization);
    }
  // Of every fit that has doubtful sizes the best size without a ridge, then those.
  std::vector<typename mixture_attempts<T>::place> tied;
  std::vector<size_choice*> doubtful;
  for (std::int64_t fit = begin; fit < end; ++fit) {
    const auto own =
        std::span(all).subspan(static_cast<std::size_t>((fit - begin) * sizes), static_cast<std::size_t>(sizes));
    for (size_choice& each : own) each.comparable = !each.regularized;
    size_choice& plain = own[lowest(own)];
    if (!plain.comparable || std::isnan(plain.criterion)) {
      for (size_choice& each : own) each.comparable = true;
      continue;
    }
    bool first = true;
    for (size_choice& each : own) {
      if (each.comparable || !(each.criterion < plain.criterion)) continue;
      for (size_choice* const one : {&plain, &each}) {
        if (one == &plain && !std::exchange(first, false)) continue;
        tied.push_back({fit, one - own.data()});
        doubtful.push_back(one);
      }
    }
  }
  const std::vector<double> reached = attempts.tied_likelihoods(tied);
  double plain = nan;
  for (std::size_t i = 0; i < doubtful.size(); ++i) {
    const double value = corrected_criterion(*doubtful[i]->attempt, reached[i], options, D);
    if (!doubtful[i]->regularized)
      plain = value;
    else
      doubtful[i]->comparable = value < plain;
  }
  return all;
}

/// Copies a task's answer into the results, its components in order of their means. `rows`: of the fit.
void keep(const mixture_task& task, bool sorted, std::int64_t rows, mixture_results& r) {
  const std::int64_t fit = task.fit, D = r.dimensions, square = D * D;
  r.components[fit] = task.components;
  r.status[fit] = task.status;
  r.iterations[fit] = task.iterations;
  r.observations[fit] = task.observations;
  r.missing[fit] = task.missing;
  r.left_out[fit] = rows - task.observations - task.missing;
  for (int d = 0; d < D; ++d) r.constant[fit * D + d] = task.variances[d] == 0 ? 1 : 0;
  if (!has_parameters(task.status)) return;
  r.log_likelihood[fit] = task.log_likelihood;
  if (task.ridge) std::copy_n(task.ridge, D, r.regularization.data() + fit * D);
  std::vector<int> order(static_cast<std::size_t>(task.components));
  std::iota(order.begin(), order.end(), 0);
  const double* means = task.parameters.means;
  if (sorted)
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return std::lexicographical_compare(means + a * D, means + (a + 1) * D, means + b * D, means + (b + 1) * D);
    });
  for (int k = 0; k < task.components; ++k) {
    const std::int64_t to = r.first_component(fit) + k, from = order[static_cast<std::size_t>(k)];
    r.weights[to] = task.parameters.weights[from];
    std::copy_n(means + from * D, D, r.means.data() + to * D);
    std::copy_n(task.parameters.covariances + from * square, square, r.covariances.data() + to * square);
  }
  if (task.trace) r.log_likelihood_trace[fit].assign(task.trace, task.trace + task.iterations + 1);
}

template <class T>
mixture_results fit_any(const executor& where, const point_batch<T>& data, const mixture_options& options) {
  check(data);
  const int D = data.dimensions();
  const mixture_settings settings = settings_from(options, D, data.count());
  const bool given = options.start == mixture_start::given;
  const mixture_results* start = given ? options.start_values : nullptr;
  const int fewest = given ? 0 : options.components.fewest, most = given ? 0 : options.components.most;
  mixture_results r = given && start->count > 1
                          ? empty_mixtures(start->components, D, options.covariance)
                          : empty_mixtures(data.count(), given ? start->components[0] : most, D, options.covariance);
  r.device = where.name();
  if (!given) {
    r.fewest_components = fewest;
    r.tried = most - fewest + 1;
    r.criteria.assign(static_cast<std::size_t>(r.count * r.tried), nan);
    r.criteria_regularized.assign(r.criteria.size(), 0);
  }
  if (options.trace) r.log_likelihood_trace.resize(static_cast<std::size_t>(data.count()));
  if (data.count() == 0) return r;
  if (!where.is_cuda()) require_host_memory(data.memory);

  // Every start of every number of components is a task; fits are taken in chunks whose tasks' memory stays small.
  const std::int64_t trace_numbers = options.trace ? settings.max_iterations + std::int64_t{1} : 0;
  const std::int64_t restarts = given ? 1 : options.restarts;
  const std::int64_t widest = given ? start->max_components : most;
  product_of("components, restarts and trace of one fit",
             {most - fewest + 1, restarts, widest * (1 + D + std::int64_t{D} * D) + trace_numbers + 16});
  mixture_attempts<T> attempts(where, data, settings,
                               {fewest, most, restarts, start, options.regularization, trace_numbers});
  const std::int64_t each = attempts.attempts_per_fit(), sizes = attempts.sizes_tried();
  std::atomic<double> latest{nan};
  for (std::int64_t begin = 0; begin < data.count();) {
    const std::int64_t end = attempts.lay_out(begin);
    std::function<void(std::int64_t, std::int64_t)> report;
    if (options.progress)
      report = [&](std::int64_t done, std::int64_t) {
        options.progress(begin * each + done, data.count() * each, latest.load(std::memory_order_relaxed));
      };
    std::vector<size_choice> found;
    run_with_progress((end - begin) * each, report, [&](std::atomic<std::int64_t>* completed) {
      attempts.climb(completed, &latest);
      found = choices(attempts, begin, end, options, D);
    });
    for (std::int64_t fit = begin; fit < end; ++fit) {
      const auto own =
          std::span(found).subspan(static_cast<std::size_t>((fit - begin) * sizes), static_cast<std::size_t>(sizes));
      keep(*own[lowest(own)].attempt, !given, data.view.rows(fit), r);
      for (std::size_t size = 0; !given && size < own.size(); ++size) {
        const std::size_t at = static_cast<std::size_t>(fit * sizes) + size;
        r.criteria[at] = own[size].criterion;
        r.criteria_regularized[at] = own[size].regularized;
      }
    }
    begin = end;
  }
  return r;
}

/// Empty mixtures of the sizes that stand in `r`, `capacity` components in all.
mixture_results with_capacity(mixture_results r, std::int64_t capacity, int dimensions,
                              covariance_structure structure) {
  const std::size_t n = r.components.size(), K = static_cast<std::size_t>(capacity),
                    D = static_cast<std::size_t>(dimensions);
  r.count = static_cast<std::int64_t>(n);
  r.dimensions = dimensions;
  r.covariance = structure;
  r.weights.assign(K, nan);
  r.means.assign(K * D, nan);
  r.covariances.assign(K * D * D, nan);
  r.regularization.assign(n * D, 0.0);
  r.constant.assign(n * D, 0);
  r.log_likelihood.assign(n, nan);
  r.iterations.assign(n, 0);
  r.status.assign(n, fit_status::not_run);
  r.observations.assign(n, 0);
  r.missing.assign(n, 0);
  r.left_out.assign(n, 0);
  return r;
}

}  // namespace

mixture_results empty_mixtures(std::int64_t count, int max_components, int dimensions, covariance_structure structure) {
  if (max_components < 1 || dimensions < 1)
    throw_argument("empty_mixtures: " + std::to_string(max_components) + " components of " +
                   std::to_string(dimensions) + " dimensions asked for; 1 or more of both expected");
  check_choice("covariance", structure, covariance_structure_count);
  product_of("empty_mixtures", {count, max_components, dimensions, dimensions});
  mixture_results r;
  r.max_components = max_components;
  r.components.assign(static_cast<std::size_t>(count), max_components);
  return with_capacity(std::move(r), count * max_components, dimensions, structure);
}

mixture_results empty_mixtures(std::span<const std::int32_t> components, int dimensions,
                               covariance_structure structure) {
  mixture_results r;
  r.components.assign(components.begin(), components.end());
  r.component_offsets.push_back(0);
  for (const std::int32_t K : components) {
    if (K < 1) throw_argument("empty_mixtures: a mixture of " + std::to_string(K) + " components; 1 or more expected");
    r.component_offsets.push_back(r.component_offsets.back() + K);
    r.max_components = std::max<int>(r.max_components, K);
  }
  return with_capacity(std::move(r), r.component_offsets.back(), dimensions, structure);
}

std::int64_t mixture_results::free_parameters(std::int64_t fit) const {
  return count_free(covariance, components[checked_index("fits", fit, components.size())], dimensions);
}
double mixture_results::aic(std::int64_t fit) const {
  return 2.0 * static_cast<double>(free_parameters(fit)) -
         2 * log_likelihood[checked_index("fits", fit, log_likelihood.size())];
}
double mixture_results::bic(std::int64_t fit) const {
  return static_cast<double>(free_parameters(fit)) *
             std::log(static_cast<double>(observations[checked_index("fits", fit, observations.size())])) -
         2 * log_likelihood[checked_index("fits", fit, log_likelihood.size())];
}

mixture_results fit_mixture(const executor& where, const point_batch<double>& data, const mixture_options& options) {
  return guarded([&] { return fit_any(where, data, options); });
}
mixture_results fit_mixture(const executor& where, const point_batch<float>& data, const mixture_options& options) {
  return guarded([&] { return fit_any(where, data, options); });
}

}  // namespace manyfit
