// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/family_mixture.hpp"

#include <algorithm>
#include <atomic>
#include <deque>

#include "checks.hpp"
#include "family_mixture_attempts.hpp"
#include "family_settings.hpp"
#include "mixture_parts.hpp"
#include "progress.hpp"

namespace manyfit {

mixture_part part_for(const mixture_component& component, bool fits) {
  mixture_part part;
  if (!component.family) {
    if (!std::isfinite(component.at)) throw_argument("point_mass: a finite value expected");
    part.at = component.at;
    return part;
  }
  part.family = component.family;
  part.functions = &for_mixtures(cpu_table_of<double>(*component.family), *component.family);
  if (!fits) return part;
  fit_options options;
  options.std_errors = false;
  options.fixed = component.fixed;
  part.settings = settings_from(*component.family, options);
  return part;
}

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Refuses components whose supports EM cannot move: their densities do not fall before they end, so that a component
/// keeps a responsibility for every value it was given at the start.
void require_ends_that_move(std::span<const mixture_part> parts) {
  for (const mixture_part& part : parts)
    if (has_free_ends(part, moving_support::jumps))
      throw_argument(std::string("a mixture of ") + part.family->name +
                     ": EM cannot move a support, and would return the one that it starts with\n"
                     "hold every parameter that it depends on at a value, or fit another family");
}

int parameter_stride_of(std::span<const mixture_component> parts) {
  int parameter_stride = 1;
  for (const mixture_component& part : parts)
    if (part.family) parameter_stride = std::max(parameter_stride, part.family->parameter_count);
  return parameter_stride;
}

void check(const family_mixture_options& options, std::int64_t count, int parts, int parameter_stride, int columns) {
  const auto& range = options.components;
  if (parts == 1 && (range.fewest < 1 || range.most < range.fewest || range.most > max_components))
    throw_argument("components: " + std::to_string(range.fewest) + " to " + std::to_string(range.most) +
                   " given; at least 1, at most " + std::to_string(max_components) + ", fewest first");
  if (options.restarts < 1)
    throw_argument("restarts: " + std::to_string(options.restarts) + " given; 1 or more expected");
  if (options.max_iterations < 0)
    throw_argument("max_iterations: " + std::to_string(options.max_iterations) + " given; 0 or more expected");
  if (!(options.tolerance >= 0)) throw_argument("tolerance: a number of 0 or more expected");
  check_choice("start", options.start, mixture_start_count);
  check_choice("select", options.select, 2);
  if (options.start != mixture_start::given) return;
  const family_mixture_results* start = options.start_values;
  if (!start) throw_argument("start_values: mixture_start::given needs them");
  check(*start, "start_values");
  if (start->count != 1 && start->count != count)
    throw_argument("start_values: " + std::to_string(start->count) + " mixtures given for " + std::to_string(count) +
                   " fits; one for all or one for each expected");
  if (parts > 1 && start->max_components != parts)
    throw_argument("start_values: mixtures of " + std::to_string(start->max_components) +
                   " components given for a list of " + std::to_string(parts));
  if (start->parameter_stride != parameter_stride)
    throw_argument("start_values: components of up to " + std::to_string(start->parameter_stride) +
                   " parameters given; up to " + std::to_string(parameter_stride) + " expected");
  if (start->columns != columns)
    throw_argument("start_values: mixtures over " + std::to_string(start->columns) + " columns given; over " +
                   std::to_string(columns) + " expected");
  for (const std::int32_t K : start->components)
    if (parts > 1 && K != parts)
      throw_argument("start_values: a mixture of " + std::to_string(K) + " components in capacity for " +
                     std::to_string(start->max_components));
}

/// Numbers from which on the attempts of one fit go one after another, each on all threads, instead of side by side.
constexpr std::int64_t large_sample = 1 << 17;

template <class T>
std::int64_t rows_of(const batch_view<T>& data, std::int64_t fit) {
  return place_of(data, fit).size;
}
template <class T>
std::int64_t rows_of(const points_view<T>& data, std::int64_t fit) {
  return data.rows(fit);
}

/// All attempts of a fit are one task where there are many fits; a single fit's attempts are distributed, or, where it
/// is large, the work inside them.
template <class View>
void run_on_cpu(const executor& where, const View& data, mixture_fits& fits, std::atomic<std::int64_t>* completed,
                std::atomic<double>& latest) {
  const std::int64_t each = fits.attempts_of_a_fit();
  const auto consider = [&](std::int64_t fit, std::int64_t number, const fit_attempt& one) {
    if (fits.consider(fit, number, one)) latest.store(one.climb.log_likelihood, std::memory_order_relaxed);
  };
  if (data.count != 1) {
    parallel_for(where.threads(), data.count, 1, [&](std::int64_t fit) {
      const mixture_sample sample = read_mixture_sample(data, fit, fits.fewest_coded_values());
      for (std::int64_t number = 0; number < each; ++number) {
        fit_attempt one = fits.attempt_of(fit, number, sample);
        fits.climb(one, 1);
        consider(fit, number, one);
      }
      if (completed) completed->fetch_add(each, std::memory_order_relaxed);
    });
    return;
  }
  const mixture_sample sample = read_mixture_sample(data, 0, fits.fewest_coded_values());
  std::vector<fit_attempt> candidates;
  for (std::int64_t number = 0; number < each; ++number) candidates.push_back(fits.attempt_of(0, number, sample));
  const bool inside = sample.observations * static_cast<std::int64_t>(sample.column_count()) >= large_sample;
  parallel_for(inside ? 1 : where.threads(), each, 1, [&](std::int64_t number) {
    fits.climb(candidates[static_cast<std::size_t>(number)], inside ? where.threads() : 1);
    if (completed) completed->fetch_add(1, std::memory_order_relaxed);
  });
  for (std::int64_t number = 0; number < each; ++number)
    consider(0, number, candidates[static_cast<std::size_t>(number)]);
}

/// Attempts of equally many components go side by side, as many as the device has memory for; each of them is the same
/// in any company. Samples are read and starts are made on the host.
template <class View>
void run_on_device(const executor& where, const View& data, mixture_fits& fits, std::atomic<std::int64_t>* completed,
                   std::atomic<double>& latest) {
  struct place {
    int components;
    std::int64_t fit, number;
  };
  std::vector<place> all;
  for (std::int64_t fit = 0; fit < data.count; ++fit)
    for (std::int64_t number = 0; number < fits.attempts_of_a_fit(); ++number)
      all.push_back({fits.components(fit, number), fit, number});
  std::stable_sort(all.begin(), all.end(), [](const place& a, const place& b) { return a.components < b.components; });
  constexpr std::size_t most_attempts = 1 << 16;
  for (std::size_t begin = 0; begin < all.size();) {
    const auto K = static_cast<std::size_t>(all[begin].components);
    const std::int64_t capacity = cuda::family_mixture_values(where, K, fits.columns());
    std::deque<mixture_sample> samples;
    std::vector<place> climbing;
    std::vector<mixture_attempt> attempts;
    std::vector<em_climb> climbs;
    std::int64_t values = 0;
    std::size_t end = begin;
    const auto finish = [&](const place& at, fit_attempt one) {
      if (fits.consider(at.fit, at.number, one)) latest.store(one.climb.log_likelihood, std::memory_order_relaxed);
    };
    for (; end < all.size() && static_cast<std::size_t>(all[end].components) == K && end - begin < most_attempts;
         ++end) {
      const place& at = all[end];
      if (end > begin && values + rows_of(data, at.fit) > capacity) break;
      if (end == begin || all[end - 1].fit != at.fit) samples.push_back(read_mixture_sample(data, at.fit, 0));
      fit_attempt one = fits.attempt_of(at.fit, at.number, samples.back());
      if (one.climb.step == em_step::done) {
        finish(at, std::move(one));
        continue;
      }
      values += samples.back().observations;
      climbing.push_back(at);
      attempts.push_back(std::move(one.attempt));
      climbs.push_back(std::move(one.climb));
    }
    if (!attempts.empty()) fits.climb_on(where, attempts, climbs);
    for (std::size_t i = 0; i < climbing.size(); ++i)
      finish(climbing[i], {std::move(attempts[i]), std::move(climbs[i])});
    if (completed) completed->fetch_add(static_cast<std::int64_t>(end - begin), std::memory_order_relaxed);
    begin = end;
  }
}

int columns_of(const batch<double>&) {
  return 1;
}
int columns_of(const batch<float>&) {
  return 1;
}
template <class T>
int columns_of(const point_batch<T>& data) {
  return data.dimensions();
}

/// `data`: a batch<T> or a point_batch<T> of several coordinates.
template <class Data>
family_mixture_results fit_any(const executor& where, std::vector<mixture_component> parts, const Data& data,
                               const family_mixture_options& options) {
  if (!where.is_cuda()) require_host_memory(data.memory);
  check(data);
  const int D = columns_of(data);
  if (parts.empty()) throw_argument("components: none given; one or more expected");
  const bool given = options.start == mixture_start::given, listed = parts.size() > 1;
  check(options, data.count(), static_cast<int>(parts.size()), parameter_stride_of(parts), D);
  const family_mixture_results* start = given ? options.start_values : nullptr;
  const int fewest = listed ? static_cast<int>(parts.size()) : given ? 1 : options.components.fewest;
  const int most = listed ? static_cast<int>(parts.size()) : given ? 1 : options.components.most;
  std::vector<mixture_part> seen;
  for (const mixture_component& part : parts) {
    seen.push_back(part_for(part, true));
    if (where.is_cuda() && part.family) for_mixtures(cuda::table_of<double>(*part.family), *part.family);
  }
  if (listed || (given ? *std::max_element(start->components.begin(), start->components.end()) : most) > 1)
    require_ends_that_move(seen);
  family_mixture_results r =
      given && start->count > 1
          ? empty_family_mixtures(start->components, std::move(parts), D)
          : empty_family_mixtures(data.count(), given ? start->components[0] : most, std::move(parts), D);
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
  run_with_progress(r.count * fits.attempts_of_a_fit(), report, [&](std::atomic<std::int64_t>* completed) {
    if (!where.is_cuda())
      run_on_cpu(where, data.view, fits, completed, latest);
    else if (data.memory == memory_space::host)
      run_on_device(where, data.view, fits, completed, latest);
    else
      run_on_device(where, cuda::copy_of(where, data).view(data.view), fits, completed, latest);
  });
  return r;
}

/// Empty mixtures of the sizes that stand in `r`, `capacity` components in all.
family_mixture_results with_capacity(family_mixture_results r, std::int64_t capacity,
                                     std::vector<mixture_component> parts, int columns) {
  const auto D = static_cast<std::size_t>(columns);
  r.parameter_stride = parameter_stride_of(parts);
  r.columns = columns;
  r.parts = std::move(parts);
  const std::size_t n = r.components.size(), all = static_cast<std::size_t>(capacity);
  r.count = static_cast<std::int64_t>(n);
  r.weights.assign(all, nan);
  r.parameters.assign(all * D * static_cast<std::size_t>(r.parameter_stride), nan);
  r.means.assign(all * D, nan);
  r.log_likelihood.assign(n, nan);
  r.iterations.assign(n, 0);
  r.status.assign(n, fit_status::not_run);
  r.observations.assign(n, 0);
  r.missing.assign(n, 0);
  r.left_out.assign(n, 0);
  r.outside.assign(n, 0);
  return r;
}

void require_columns(int columns, std::span<const mixture_component> parts) {
  if (columns < 1 || columns > max_dimensions || (columns > 1 && parts.size() != 1))
    throw_argument("empty_family_mixtures: " + std::to_string(columns) + " columns of " + std::to_string(parts.size()) +
                   " parts given; 1 to " + std::to_string(max_dimensions) +
                   ", of several one family for all, expected");
}

}  // namespace

family_mixture_results empty_family_mixtures(std::int64_t count, int components, std::vector<mixture_component> parts,
                                             int columns) {
  require_columns(columns, parts);
  if (components < 1 || (parts.size() != 1 && parts.size() != static_cast<std::size_t>(components)))
    throw_argument("empty_family_mixtures: " + std::to_string(parts.size()) + " parts given for " +
                   std::to_string(components) +
                   " components; one for all or one each, and 1 component or more, expected");
  product_of("empty_family_mixtures", {count, components, columns, parameter_stride_of(parts)});
  family_mixture_results r;
  r.max_components = components;
  r.components.assign(static_cast<std::size_t>(count), components);
  return with_capacity(std::move(r), count * components, std::move(parts), columns);
}

family_mixture_results empty_family_mixtures(std::span<const std::int32_t> components,
                                             std::vector<mixture_component> parts, int columns) {
  require_columns(columns, parts);
  family_mixture_results r;
  r.components.assign(components.begin(), components.end());
  r.component_offsets.push_back(0);
  for (const std::int32_t K : components) {
    if (K < 1)
      throw_argument("empty_family_mixtures: a mixture of " + std::to_string(K) + " components; 1 or more expected");
    r.component_offsets.push_back(r.component_offsets.back() + K);
    r.max_components = std::max<int>(r.max_components, K);
  }
  product_of("empty_family_mixtures", {r.component_offsets.back(), columns, parameter_stride_of(parts)});
  return with_capacity(std::move(r), r.component_offsets.back(), std::move(parts), columns);
}

std::int64_t family_mixture_results::free_parameters(std::int64_t fit) const {
  return count_free(parts, components[checked_index("fits", fit, components.size())], columns);
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

template <class T>
family_mixture_results fit_points(const executor& where, const family_info& family, const point_batch<T>& data,
                                  const family_mixture_options& options) {
  check(data);
  if (data.view.reader) throw_argument("a mixture of products: rows in memory expected");
  std::vector<mixture_component> parts{{&family, 0, options.fixed}};
  if (data.dimensions() == 1) return fit_any(where, std::move(parts), values_of(data), options);
  return fit_any(where, std::move(parts), data, options);
}

#define MF_MIXTURE(T)                                                                                              \
  family_mixture_results fit_mixture(const executor& where, const family_info& family, const batch<T>& data,       \
                                     const family_mixture_options& options) {                                      \
    return guarded([&] { return fit_any(where, {{&family, 0, options.fixed}}, data, options); });                  \
  }                                                                                                                \
  family_mixture_results fit_mixture(const executor& where, std::span<const mixture_component> components,         \
                                     const batch<T>& data, const family_mixture_options& options) {                \
    return guarded([&] {                                                                                           \
      return fit_any(where, std::vector<mixture_component>(components.begin(), components.end()), data, options);  \
    });                                                                                                            \
  }                                                                                                                \
  family_mixture_results fit_mixture(const executor& where, const family_info& family, const point_batch<T>& data, \
                                     const family_mixture_options& options) {                                      \
    return guarded([&] { return fit_points(where, family, data, options); });                                      \
  }
MF_MIXTURE(double)
MF_MIXTURE(float)
#undef MF_MIXTURE

}  // namespace manyfit
