// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/mixture.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

#include "checks.hpp"
#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"
#include "progress.hpp"

namespace manyfit {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void refuse(const std::string& message) {
  throw error(error::kind::argument, message);
}

mixture_settings settings_from(const mixture_options& options, int dimensions, std::int64_t count) {
  const auto& range = options.components;
  if (range.fewest < 1 || range.most < range.fewest || range.most > max_components)
    refuse("components: " + std::to_string(range.fewest) + " to " + std::to_string(range.most) +
           " given; at least 1, at most " + std::to_string(max_components) + ", fewest first");
  if (options.restarts < 1) refuse("restarts: " + std::to_string(options.restarts) + " given; 1 or more expected");
  if (options.max_iterations < 0)
    refuse("max_iterations: " + std::to_string(options.max_iterations) + " given; 0 or more expected");
  if (!(options.tolerance >= 0)) refuse("tolerance: a number of 0 or more expected");
  if (std::isnan(options.regularization) || std::isinf(options.regularization))
    refuse("regularization: a finite number expected");
  if (options.batch_rows < 0) refuse("batch_rows: 0 (whole passes) or more expected");
  check_choice("covariance", options.covariance, covariance_structure_count);
  check_choice("start", options.start, 3);
  check_choice("select", options.select, 2);
  if (options.start == mixture_start::given) {
    const mixture_results* start = options.start_values;
    if (!start) refuse("start_values: mixture_start::given needs them");
    check(*start, "start_values");
    if (start->dimensions != dimensions)
      refuse("start_values: of " + std::to_string(start->dimensions) + " dimensions for points of " +
             std::to_string(dimensions));
    if (start->count != 1 && start->count != count)
      refuse("start_values: " + std::to_string(start->count) + " mixtures given for " + std::to_string(count) +
             " fits; one for all or one for each expected");
  }
  mixture_settings settings;
  settings.structure = options.covariance;
  settings.start = options.start;
  settings.max_iterations = options.max_iterations;
  settings.tolerance = options.tolerance;
  settings.regularization = options.regularization;
  settings.seed = options.seed;
  settings.accelerate = options.accelerate;
  settings.restart_collapsed = options.restart_collapsed;
  settings.batch_rows = options.batch_rows;
  return settings;
}

/// Room for the parameters of K components.
struct parameter_room {
  std::int64_t K, D;
  std::int64_t numbers() const { return K + K * D + K * D * D; }
  mixture_parameters at(double* memory) const { return {memory, memory + K, memory + K + K * D}; }
};

/// The free parameters of a mixture: K − 1 weights, K means, and what its structure leaves free of the covariances.
std::int64_t count_free(covariance_structure structure, std::int64_t K, std::int64_t D) {
  const std::int64_t triangle = D * (D + 1) / 2;
  const std::int64_t covariances = structure == covariance_structure::full       ? K * triangle
                                   : structure == covariance_structure::diagonal ? K * D
                                   : structure == covariance_structure::tied     ? triangle
                                                                                 : K;
  return K - 1 + K * D + covariances;
}

bool has_parameters(fit_status status) {
  return status == fit_status::converged || status == fit_status::max_iterations;
}

/// A task's information criterion; NaN without parameters.
double criterion(const mixture_task& task, const mixture_options& options, int D) {
  if (!has_parameters(task.status)) return nan;
  const auto p = static_cast<double>(count_free(options.covariance, task.components, D));
  const double price =
      options.select == information_criterion::bic ? p * std::log(static_cast<double>(task.observations)) : 2 * p;
  return price - 2 * task.log_likelihood;
}

/// The task to keep: the highest likelihood of each number of components, the best criterion of those; ties to the
/// first. A run of which only the regularisation keeps a component from collapsing is passed over, since its likelihood
/// is as high as the regularisation is low, unless there is no other. Without any that has parameters, the first.
/// criteria: of each number of components, or null.
const mixture_task& best_of(const mixture_task* begin, const mixture_task* end, const mixture_options& options, int D,
                            double* criteria) {
  const mixture_task* best = begin;
  const bool all_held =
      std::all_of(begin, end, [](const mixture_task& each) { return each.held || !has_parameters(each.status); });
  double best_value = std::numeric_limits<double>::infinity();
  for (const mixture_task* task = begin; task != end; ++task) {
    const double value = task->held && !all_held ? nan : criterion(*task, options, D);
    if (criteria) {
      double& known = criteria[task->components - begin->components];
      if (!(known <= value)) known = std::isnan(value) ? known : value;
    }
    if (value < best_value) {
      best_value = value;
      best = task;
    }
  }
  return *best;
}

/// Copies a task's answer into the results, its components in order of their means.
void keep(const mixture_task& task, bool sorted, const double* trace, mixture_results& r) {
  const std::int64_t fit = task.fit, D = r.dimensions, square = D * D;
  r.components[fit] = task.components;
  r.status[fit] = task.status;
  r.iterations[fit] = task.iterations;
  r.observations[fit] = task.observations;
  r.missing[fit] = task.missing;
  if (!has_parameters(task.status)) return;
  r.log_likelihood[fit] = task.log_likelihood;
  std::vector<int> order(static_cast<std::size_t>(task.components));
  std::iota(order.begin(), order.end(), 0);
  const double* means = task.parameters.means;
  if (sorted)
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return std::lexicographical_compare(means + a * D, means + (a + 1) * D, means + b * D, means + (b + 1) * D);
    });
  for (int k = 0; k < task.components; ++k) {
    const std::int64_t to = fit * r.max_components + k, from = order[static_cast<std::size_t>(k)];
    r.weights[to] = task.parameters.weights[from];
    std::copy_n(means + from * D, D, r.means.data() + to * D);
    std::copy_n(task.parameters.covariances + from * square, square, r.covariances.data() + to * square);
  }
  if (trace) r.log_likelihood_trace[fit].assign(trace, trace + task.iterations + 1);
}

template <class T>
mixture_results fit_any(const executor& where, const point_batch<T>& data, const mixture_options& options) {
  check(data);
  const int D = data.dimensions();
  const mixture_settings settings = settings_from(options, D, data.count());
  const bool given = options.start == mixture_start::given;
  const mixture_results* start = given ? options.start_values : nullptr;
  const int fewest = given ? 0 : options.components.fewest, most = given ? 0 : options.components.most;
  const int widest = given ? start->max_components : most;
  mixture_results r = empty_mixtures(data.count(), widest, D, options.covariance);
  r.device = where.name();
  if (!given) {
    r.fewest_components = fewest;
    r.tried = most - fewest + 1;
    r.criteria.assign(static_cast<std::size_t>(r.count * r.tried), nan);
  }
  if (options.trace) r.log_likelihood_trace.resize(static_cast<std::size_t>(data.count()));
  if (data.count() == 0) return r;
  if (!where.is_cuda()) require_host_memory(data.memory);

  // Every start of every number of components is a task; fits are taken in runs whose tasks' memory stays small.
  const std::int64_t restarts = given ? 1 : options.restarts, each = (most - fewest + 1) * restarts;
  const parameter_room widest_room{widest, D};
  const std::int64_t trace_numbers = options.trace ? settings.max_iterations + std::int64_t{1} : 0;
  const std::int64_t numbers = widest_room.numbers() + trace_numbers;
  const std::int64_t of_a_fit = product_of("components, restarts and trace of one fit", {each, numbers + 16});
  const std::int64_t at_once = std::max<std::int64_t>(1, (std::int64_t{1} << 22) / of_a_fit);
  std::vector<mixture_task> tasks;
  std::vector<double> memory;
  std::atomic<double> latest{nan};
  for (std::int64_t begin = 0; begin < data.count(); begin += at_once) {
    const std::int64_t end = std::min(data.count(), begin + at_once);
    tasks.assign(static_cast<std::size_t>((end - begin) * each), {});
    memory.assign(static_cast<std::size_t>((end - begin) * each * numbers), nan);
    for (std::int64_t i = 0; i < (end - begin) * each; ++i) {
      mixture_task& task = tasks[static_cast<std::size_t>(i)];
      double* room = memory.data() + i * numbers;
      task.fit = begin + i / each;
      task.stream = static_cast<std::uint64_t>(i % restarts);
      task.log_likelihood = nan;
      task.trace = options.trace ? room + widest_room.numbers() : nullptr;
      const std::int64_t source = given && start->count > 1 ? task.fit : 0;
      task.components = given ? start->components[source] : fewest + static_cast<int>(i % each / restarts);
      task.parameters = parameter_room{task.components, D}.at(room);
      if (given) {
        const std::int64_t first = source * start->max_components, K = task.components;
        std::copy_n(start->weights.data() + first, K, task.parameters.weights);
        std::copy_n(start->means.data() + first * D, K * D, task.parameters.means);
        std::copy_n(start->covariances.data() + first * D * D, K * D * D, task.parameters.covariances);
      }
    }
    std::function<void(std::int64_t, std::int64_t)> report;
    if (options.progress)
      report = [&](std::int64_t done, std::int64_t) {
        options.progress(begin * each + done, data.count() * each, latest.load(std::memory_order_relaxed));
      };
    run_with_progress(static_cast<std::int64_t>(tasks.size()), report, [&](std::atomic<std::int64_t>* completed) {
      const auto count = static_cast<std::int64_t>(tasks.size());
      if (where.is_cuda()) return cuda::run_mixtures(where, data, settings, tasks.data(), count, completed, &latest);
      const mixture_cpu_functions& functions = cpu_mixture_functions();
      if constexpr (std::is_same_v<T, double>)
        functions.run_f64(data.view, settings, tasks.data(), count, where.threads(), completed, &latest);
      else
        functions.run_f32(data.view, settings, tasks.data(), count, where.threads(), completed, &latest);
    });
    for (std::int64_t fit = begin; fit < end; ++fit) {
      const mixture_task* first = tasks.data() + (fit - begin) * each;
      const mixture_task& best =
          best_of(first, first + each, options, D, given ? nullptr : r.criteria.data() + fit * r.tried);
      keep(best, !given, best.trace, r);
    }
  }
  return r;
}

}  // namespace

mixture_results empty_mixtures(std::int64_t count, int max_components, int dimensions, covariance_structure structure) {
  if (max_components < 1 || dimensions < 1)
    refuse("empty_mixtures: " + std::to_string(max_components) + " components of " + std::to_string(dimensions) +
           " dimensions asked for; 1 or more of both expected");
  check_choice("covariance", structure, covariance_structure_count);
  product_of("empty_mixtures", {count, max_components, dimensions, dimensions});
  const auto n = static_cast<std::size_t>(count), K = static_cast<std::size_t>(max_components),
             D = static_cast<std::size_t>(dimensions);
  mixture_results r;
  r.count = count;
  r.dimensions = dimensions;
  r.max_components = max_components;
  r.covariance = structure;
  r.components.assign(n, max_components);
  r.weights.assign(n * K, nan);
  r.means.assign(n * K * D, nan);
  r.covariances.assign(n * K * D * D, nan);
  r.log_likelihood.assign(n, nan);
  r.iterations.assign(n, 0);
  r.status.assign(n, fit_status::not_run);
  r.observations.assign(n, 0);
  r.missing.assign(n, 0);
  return r;
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
