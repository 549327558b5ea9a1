// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The EM attempts of some of a call's fits: a task for every start of every number of components, laid out fit by fit.
// They climb with nothing added to the covariances, unless the caller says how much. An attempt of which a component
// collapses is set aside. Only where all attempts of a fit's number of components do, they climb again, over a ridge
// that is raised until one holds.
#pragma once

#include <algorithm>
#include <atomic>
#include <limits>
#include <type_traits>
#include <vector>

#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"
#include "wide_points.hpp"

namespace manyfit {

/// Fractions of a coordinate's variance that are added, one rung after the other, while every attempt collapses.
inline constexpr double ridge_ladder[] = {1e-6, 1e-5, 1e-4, 1e-3};

inline bool has_parameters(fit_status status) {
  return status == fit_status::converged || status == fit_status::max_iterations || status == fit_status::regularized;
}

/// What is added to the covariances' diagonals, [D]: a fraction of each coordinate's own variance; of a constant one's,
/// of the mean variance of the others; and, as a spherical covariance is one number, the mean of these for all.
inline void set_ridge(const double* variances, int D, double fraction, covariance_structure structure, double* ridge) {
  double sum = 0, varying = 0;
  for (int d = 0; d < D; ++d) {
    sum += variances[d];
    varying += variances[d] > 0 ? 1 : 0;
  }
  const double mean = structure == covariance_structure::spherical ? sum / D : sum / varying;
  for (int d = 0; d < D; ++d)
    ridge[d] = fraction * (variances[d] > 0 && structure != covariance_structure::spherical ? variances[d] : mean);
}

/// Which attempts there are of every fit.
struct attempt_plan {
  int fewest = 1, most = 1;  ///< components
  std::int64_t restarts = 1;
  const mixture_results* start = nullptr;  ///< not null: one attempt per fit, from here
  double regularization = -1;              ///< as in mixture_options
  std::int64_t trace_numbers = 0;          ///< of each attempt
};

template <class T>
class mixture_attempts {
 public:
  mixture_attempts(const executor& where, const point_batch<T>& data, const mixture_settings& settings,
                   const attempt_plan& plan)
      : where_(where), data_(data), settings_(settings), plan_(plan), D_(data.dimensions()) {}

  std::int64_t attempts_per_fit() const { return sizes_tried() * plan_.restarts; }
  std::int64_t sizes_tried() const { return plan_.start ? 1 : plan_.most - plan_.fewest + 1; }

  /// Lays out the attempts of fits from `begin` on, as many as need little memory; returns the fit after them.
  std::int64_t lay_out(std::int64_t begin) {
    constexpr std::int64_t most_numbers = std::int64_t{1} << 22;
    first_fit_ = begin;
    std::int64_t end = begin, numbers = 0;
    for (; end < data_.count(); ++end) {
      std::int64_t own = 0;
      for (std::int64_t i = 0; i < attempts_per_fit(); ++i) own += numbers_of(components_of(end, i)) + 16;
      if (end > begin && numbers + own > most_numbers) break;
      numbers += own;
    }
    tasks_.assign(static_cast<std::size_t>((end - begin) * attempts_per_fit()), {});
    memory_.assign(static_cast<std::size_t>(numbers), std::numeric_limits<double>::quiet_NaN());
    double* workspace = memory_.data();
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      mixture_task& task = tasks_[i];
      const std::int64_t number = static_cast<std::int64_t>(i) % attempts_per_fit();
      task.fit = begin + static_cast<std::int64_t>(i) / attempts_per_fit();
      task.stream = static_cast<std::uint64_t>(number % plan_.restarts);
      task.components = components_of(task.fit, number);
      workspace = give_workspace(task, workspace, plan_.trace_numbers > 0);
      if (plan_.regularization > 0) {
        std::fill_n(ridge_of(task), D_, plan_.regularization);
        task.ridge = ridge_of(task);
      }
      begin_anew(task);
    }
    return end;
  }

  /// Runs all, and again what has to be.
  void climb(std::atomic<std::int64_t>* completed, std::atomic<double>* latest) {
    launch(data_, settings_, tasks_.data(), static_cast<std::int64_t>(tasks_.size()), completed, latest);
    if constexpr (std::is_same_v<T, float>) look_again_in_double();
    if (plan_.regularization < 0) regularize();
  }

  /// The attempts of the fit's number `size` of components, counted from the fewest.
  std::span<const mixture_task> attempts(std::int64_t fit, std::int64_t size) const {
    return {tasks_.data() + first_attempt(fit, size), static_cast<std::size_t>(plan_.restarts)};
  }

  /// A fit's number of components, counted from the fewest.
  struct place {
    std::int64_t fit, size;
  };
  /// The best log-likelihoods with one covariance for all components and nothing added to it; NaN where it is singular.
  std::vector<double> tied_likelihoods(const std::vector<place>& places) const {
    std::vector<mixture_task> some;
    std::int64_t numbers = 0;
    for (const place& at : places)
      for (const mixture_task& task : attempts(at.fit, at.size)) {
        some.push_back(task);
        numbers += numbers_of(task.components);
      }
    std::vector<double> memory(static_cast<std::size_t>(numbers));
    double* workspace = memory.data();
    for (mixture_task& task : some) {
      workspace = give_workspace(task, workspace, false);
      begin_anew(task);
    }
    mixture_settings tied = settings_;
    tied.structure = covariance_structure::tied;
    run_in_double(some, tied);
    std::vector<double> best;
    for (std::size_t i = 0; i < some.size(); i += static_cast<std::size_t>(plan_.restarts)) {
      best.push_back(std::numeric_limits<double>::quiet_NaN());
      for (std::size_t j = i; j < i + static_cast<std::size_t>(plan_.restarts); ++j)
        if (has_parameters(some[j].status) && !(some[j].log_likelihood <= best.back()))
          best.back() = some[j].log_likelihood;
    }
    return best;
  }

 private:
  std::int64_t source_of(std::int64_t fit) const { return plan_.start->count > 1 ? fit : 0; }
  std::int32_t components_of(std::int64_t fit, std::int64_t number) const {
    if (plan_.start) return plan_.start->components[static_cast<std::size_t>(source_of(fit))];
    return plan_.fewest + static_cast<std::int32_t>(number / plan_.restarts);
  }
  std::size_t first_attempt(std::int64_t fit, std::int64_t size) const {
    return static_cast<std::size_t>((fit - first_fit_) * attempts_per_fit() + size * plan_.restarts);
  }

  /// Of an attempt: weights, means, covariances; ridge; variances; trace.
  std::int64_t parameter_numbers(std::int64_t K) const { return K * (1 + D_ + std::int64_t{D_} * D_); }
  std::int64_t numbers_of(std::int64_t K) const { return parameter_numbers(K) + 2 * D_ + plan_.trace_numbers; }
  double* ridge_of(const mixture_task& task) const {
    return task.parameters.weights + parameter_numbers(task.components);
  }
  double* give_workspace(mixture_task& task, double* workspace, bool traced) const {
    const std::int64_t K = task.components;
    task.parameters = {workspace, workspace + K, workspace + K + K * D_};
    task.ridge = nullptr;
    task.variances = ridge_of(task) + D_;
    task.trace = traced ? task.variances + D_ : nullptr;
    return workspace + numbers_of(K);
  }
  /// Back to before the attempt, its start included.
  void begin_anew(mixture_task& task) const {
    task.log_likelihood = std::numeric_limits<double>::quiet_NaN();
    task.iterations = 0;
    task.status = fit_status::not_run;
    task.kept_by_regularization = false;
    if (!plan_.start) return;
    const std::int64_t first = plan_.start->first_component(source_of(task.fit)), K = task.components, D = D_;
    std::copy_n(plan_.start->weights.data() + first, K, task.parameters.weights);
    std::copy_n(plan_.start->means.data() + first * D, K * D, task.parameters.means);
    std::copy_n(plan_.start->covariances.data() + first * D * D, K * D * D, task.parameters.covariances);
  }
  void put_on_rung(mixture_task& task, double fraction) const {
    begin_anew(task);
    set_ridge(task.variances, D_, fraction, settings_.structure, ridge_of(task));
    task.ridge = ridge_of(task);
  }

  template <class U>
  void launch(const point_batch<U>& data, const mixture_settings& settings, mixture_task* tasks, std::int64_t count,
              std::atomic<std::int64_t>* completed, std::atomic<double>* latest) const {
    if (where_.is_cuda()) return cuda::run_mixtures(where_, data, settings, tasks, count, completed, latest);
    cpu_mixture_functions().of<U>().run(data.view, settings, tasks, count, where_.threads(), completed, latest);
  }
  void run_in_double(std::vector<mixture_task>& some, const mixture_settings& settings) const {
    const auto run = [&](const point_batch<double>& data, mixture_task* tasks, std::int64_t count) {
      launch(data, settings, tasks, count, nullptr, nullptr);
    };
    if (some.empty()) return;
    if constexpr (std::is_same_v<T, double>)
      run(data_, some.data(), static_cast<std::int64_t>(some.size()));
    else
      run_on_wide_points(where_, data_, some, run);
  }
  /// The same for some of the own tasks, ascending.
  void run_in_double(const std::vector<std::size_t>& which) {
    std::vector<mixture_task> some;
    for (const std::size_t i : which) some.push_back(tasks_[i]);
    run_in_double(some, settings_);
    for (std::size_t i = 0; i < which.size(); ++i) tasks_[which[i]] = some[i];
  }

  void look_again_in_double() {
    std::vector<std::size_t> collapsed;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i].status != fit_status::collapsed_component) continue;
      begin_anew(tasks_[i]);
      collapsed.push_back(i);
    }
    run_in_double(collapsed);
  }

  void regularize() {
    const auto count = static_cast<std::size_t>(plan_.restarts);
    const auto all_collapsed = [&](std::size_t first) {
      return std::all_of(tasks_.begin() + static_cast<std::ptrdiff_t>(first),
                         tasks_.begin() + static_cast<std::ptrdiff_t>(first + count),
                         [](const mixture_task& task) { return task.status == fit_status::collapsed_component; });
    };
    std::vector<std::size_t> waiting, which;  // first attempts of a number of components; attempts
    for (std::size_t first = 0; first < tasks_.size(); first += count)
      if (all_collapsed(first)) waiting.push_back(first);
    for (const double fraction : ridge_ladder) {
      which.clear();
      for (const std::size_t first : waiting)
        for (std::size_t i = first; i < first + count; ++i) {
          put_on_rung(tasks_[i], fraction);
          which.push_back(i);
        }
      run_in_double(which);
      for (const std::size_t i : which)
        if (tasks_[i].status == fit_status::converged) tasks_[i].status = fit_status::regularized;
      std::erase_if(waiting, [&](std::size_t first) { return !all_collapsed(first); });
    }
  }

  const executor& where_;
  const point_batch<T>& data_;
  const mixture_settings& settings_;
  attempt_plan plan_;
  int D_;
  std::int64_t first_fit_ = 0;
  std::vector<mixture_task> tasks_;
  std::vector<double> memory_;
};

}  // namespace manyfit
