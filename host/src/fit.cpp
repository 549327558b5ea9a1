// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/fit.hpp"

#include <cmath>
#include <limits>

#include "checks.hpp"
#include "cpu_dispatch.hpp"
#include "cuda_backend.hpp"
#include "family_settings.hpp"
#include "kernels/math/normal.hpp"
#include "kernels/operations.hpp"
#include "priors.hpp"
#include "progress.hpp"

namespace manyfit {

fit_settings settings_from(const family_info& family, const fit_options& options) {
  fit_settings settings;
  if (options.max_iterations < 0)
    throw error(error::kind::argument,
                "max_iterations: " + std::to_string(options.max_iterations) + " given; 0 or more expected");
  if (!(options.tolerance >= 0))
    throw error(error::kind::argument,
                "tolerance: " + std::to_string(options.tolerance) + " given; 0 or more expected");
  settings.max_iterations = options.max_iterations;
  settings.tolerance = options.tolerance;
  settings.std_errors = options.std_errors;
  for (const auto& [name, value] : options.fixed) {
    const int p = find_parameter(family, name);
    const constraint kind = family.parameters[p].kind;
    const bool valid = std::isfinite(value) && (kind == constraint::real || value > 0) &&
                       (kind != constraint::probability || value < 1) &&
                       (kind != constraint::count || value == std::floor(value));
    if (!valid)
      throw error(error::kind::argument, std::string(family.name) + ": " + name + " cannot be fixed at " +
                                             std::to_string(value) + "; expected " + describe(kind));
    settings.fixed |= 1u << p;
    settings.fixed_values[p] = value;
  }
  for (int p = 0; p < family.parameter_count; ++p)
    if (family.parameters[p].kind == constraint::count && !((settings.fixed >> p) & 1u))
      throw error(error::kind::argument, std::string(family.name) + " needs its parameter " +
                                             family.parameters[p].name + " fixed, as in {{\"" +
                                             family.parameters[p].name + "\", 10}}");
  return settings;
}

namespace {

fit_results empty_results(const family_info& family, std::int64_t count, const executor& where) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<std::size_t>(count), all = n * static_cast<std::size_t>(family.parameter_count);
  fit_results r;
  r.family = &family;
  r.count = count;
  r.device = where.name();
  r.parameters.assign(all, nan);
  r.std_errors.assign(all, nan);
  r.log_likelihood.assign(n, nan);
  r.iterations.assign(n, 0);
  r.status.assign(n, fit_status::not_run);
  r.observations.assign(n, 0);
  r.missing.assign(n, 0);
  r.left_out.assign(n, 0);
  r.outside.assign(n, 0);
  return r;
}

/// From the fits by maximum likelihood in `results` to those of the posterior.
template <class T>
void climb_posteriors(const executor& where, const family_info& family, const batch<T>& data,
                      const posterior_problem& problem, const fit_results_view& results,
                      std::atomic<std::int64_t>* completed) {
  struct {
    const posterior_problem& problem;
    const fit_results_view& results;
    std::atomic<std::int64_t>* completed;
  } state{problem, results, completed};
  const fit_visitor climbs{
      &state, [](void* self, std::int64_t fit, const loaded_sample& loaded, const any_objective& likelihood) {
        auto& call = *static_cast<decltype(state)*>(self);
        climb_at_once(call.problem, loaded, likelihood, call.results, fit);
        if (call.completed) call.completed->fetch_add(1, std::memory_order_relaxed);
      }};
  visits_of(family).template of<T>()(data.view, climbs, where.threads());
}

template <class T>
fit_results fit_any(const executor& where, const family_info& family, const batch<T>& data,
                    const fit_options& options) {
  fit_settings settings = settings_from(family, options);
  const std::vector<parameter_prior> priors = priors_from(family, options);
  const posterior_problem problem{family.traits, settings, priors, 0x1p-52};
  check(data);
  fit_results r = empty_results(family, data.count(), where);
  r.fixed = settings.fixed;
  if (!priors.empty()) {
    r.log_posterior.assign(r.log_likelihood.size(), std::numeric_limits<double>::quiet_NaN());
    settings.std_errors = false;  // of what the climbs start from
  }
  if (data.count() == 0) return r;
  const fit_results_view view{r.parameters.data(), r.std_errors.data(),   r.log_likelihood.data(), r.iterations.data(),
                              r.status.data(),     r.observations.data(), r.missing.data(),        data.count(),
                              r.left_out.data(),   r.outside.data(),      r.log_posterior.data()};
  if (where.is_cuda()) {
    if (priors.empty())
      cuda::fit(where, family, data, settings, view, options.progress);
    else
      cuda::fit_posterior(where, family, data, settings, problem, view, options.progress);
    return r;
  }
  require_host_memory(data.memory);
  const auto run = cell_of(cpu_table_of<T>(family).fit, family, "fit");
  run_with_progress(data.count(), options.progress, [&](std::atomic<std::int64_t>* completed) {
    run(data.view, settings, view, where.threads(), priors.empty() ? completed : nullptr);
    if (!priors.empty()) climb_posteriors(where, family, data, problem, view, completed);
  });
  return r;
}

}  // namespace

fit_results fit(const executor& where, const family_info& family, const batch<double>& data,
                const fit_options& options) {
  return guarded([&] { return fit_any(where, family, data, options); });
}
fit_results fit(const executor& where, const family_info& family, const batch<float>& data,
                const fit_options& options) {
  return guarded([&] { return fit_any(where, family, data, options); });
}

int fit_results::free_parameters() const {
  int free = 0;
  for (int p = 0; p < parameter_count(); ++p) free += !((fixed >> p) & 1u);
  return free;
}

double fit_results::aic(std::int64_t fit) const {
  return 2.0 * free_parameters() - 2 * log_likelihood[checked_index("fits", fit, log_likelihood.size())];
}

double fit_results::bic(std::int64_t fit) const {
  return free_parameters() *
             std::log(static_cast<double>(observations[checked_index("fits", fit, observations.size())])) -
         2 * log_likelihood[checked_index("fits", fit, log_likelihood.size())];
}

fit_results::bounds fit_results::interval(int p, std::int64_t fit, double level) const {
  if (!(level > 0 && level < 1))
    throw error(error::kind::argument,
                "level: " + std::to_string(level) + " given; a probability between 0 and 1 expected");
  const double value = parameter(p, fit), half = normal_quantile(0.5 + level / 2) * std_error(p, fit);
  switch (family->parameters[p].kind) {
    case constraint::positive: {
      const double factor = std::exp(half / value);
      return {value / factor, value * factor};
    }
    case constraint::probability: {
      const double odds = value / (1 - value), factor = std::exp(half / (value * (1 - value)));
      return {odds / factor / (1 + odds / factor), odds * factor / (1 + odds * factor)};
    }
    default:
      return {value - half, value + half};
  }
}

std::int64_t fit_results::count_of(fit_status which) const {
  std::int64_t n = 0;
  for (const fit_status s : status) n += s == which;
  return n;
}

}  // namespace manyfit
