// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "kernels/algorithms/posterior_climb.hpp"

#include <algorithm>
#include <bit>

#include "kernels/algorithms/framed_posterior.hpp"
#include "kernels/algorithms/mle.hpp"

namespace manyfit {

using namespace posteriors;

namespace {

/// A family's numbers, value, gradient and Hessian, with zeros for what it has not.
jet<double, P> widened(const double* numbers, int count) {
  jet<double, P> e(numbers[0]);
  std::copy_n(numbers + 1, count, e.gradient);
  std::copy_n(numbers + 1 + count, packed_size(count), e.hessian);
  return e;
}

/// The number of a double in their order, and back.
std::int64_t ordinal(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits < 0 ? INT64_MIN - bits : bits;
}
double of_ordinal(std::int64_t n) {
  return std::bit_cast<double>(n < 0 ? INT64_MIN - n : n);
}

/// The last double from `center` towards `limit` where the density is not 0; it is an interval where it is not.
double end_of_support(value_density density, const double* values, double center, double limit) {
  if (inside(density, values, limit)) return limit;
  std::int64_t in = ordinal(center), out = ordinal(limit);
  while (in + 1 != out && in - 1 != out) {
    const std::int64_t middle = in / 2 + out / 2 + (in % 2 + out % 2) / 2;
    (inside(density, values, of_ordinal(middle)) ? in : out) = middle;
  }
  return of_ordinal(in);
}

/// Suspends a climb until the likelihood is known at a point.
struct likelihood_at {
  const double* point;
  const double* numbers = nullptr;
  posterior_climb::promise_type* promise = nullptr;

  bool await_ready() const noexcept { return false; }
  void await_suspend(posterior_climb::handle h) noexcept {
    promise = &h.promise();
    promise->point = point;
  }
  const double* await_resume() const noexcept { return promise->numbers; }
};

/// How a climb has ended: also by that the posterior levels off, or has no bound, towards the edge of a parameter's
/// range. It levels off where the last step was long although it gained next to nothing; `p` is then moved to the edge.
fit_status status_at_edge(const framed_problem& of, const newton_climb<run_time_space>& climb,
                          const fit_settings& settings, double weight, point& p) {
  const newton_result<P>& end = climb.best;
  // Not level, and yet no step that climbs: rounding hides what is left of a way into a singularity.
  const bool gave_up = end.status == fit_status::singular_information ||
                       (end.status == fit_status::max_iterations && end.iterations < settings.max_iterations);
  const bool stuck = gave_up && weight * climb.next.decrement > 1e-6;
  if (stuck) return fit_status::unbounded_likelihood;
  fit_status status = end.status;
  const auto at = derivatives_in_unconstrained(of.space, end.parameters, end.objective, settings.fixed);
  for (int i = 0; i < of.family.count; ++i) {
    const constraint kind = of.space.constraint_of(i);
    if (((settings.fixed >> i) & 1u) || (kind != constraint::positive && kind != constraint::probability)) continue;
    const double own = end.parameters[i], score = at.score[i];
    const bool is_far = of.is_at_edge(i, own);
    const bool is_long = abs(score) > 1e-2 * abs(at.curvature[packed(i, i)]) && abs(climb.next.step[i]) > 1e-2;
    if (!is_far && (!is_long || end.status == fit_status::max_iterations)) continue;
    if (weight * abs(score) > 1e-6) return fit_status::unbounded_likelihood;  // each step gains as much as the last
    const bool up = score > 0 || (score == 0 && own > 0.5);
    p[i] = !up ? 0 : kind == constraint::probability ? 1 : constants::infinity;
    status = fit_status::boundary;
  }
  return status;
}

/// What is written at the end of a climb; a status alone where there is no answer.
void write(const fit_results_view& results, std::int64_t fit, const fit_record<P>& record, int count,
           double log_posterior) {
  for (int i = 0; i < count; ++i) {
    results.parameters[i * results.stride + fit] = record.parameters[i];
    results.std_errors[i * results.stride + fit] = record.std_errors[i];
  }
  results.log_likelihood[fit] = record.log_likelihood;
  results.iterations[fit] = record.iterations;
  results.status[fit] = record.status;
  results.log_posterior[fit] = log_posterior;
}

}  // namespace

parameter_prior make_prior(int parameter, const family_info& distribution, std::span<const double> values) {
  parameter_prior prior;
  prior.parameter = parameter;
  prior.distribution = distribution.traits;
  std::copy(values.begin(), values.end(), prior.values);
  // Draws tell where the distribution lies, whichever it is.
  double draws[101];
  (*distribution.simulate)({prior.values, 0, 1}, 1, std::size(draws), 0, nullptr, draws, 1);
  double* const last = std::remove_if(std::begin(draws), std::end(draws), [&](double x) {
    return !is_finite(x) || !inside(prior.distribution->density, prior.values, x);
  });
  if (last == draws) {  // none: all its weight rounds to an end
    prior.center = prior.lowest = prior.highest = constants::nan;
    return prior;
  }
  double* const middle = draws + (last - draws) / 2;
  std::nth_element(draws, middle, last);
  prior.center = *middle;
  constexpr double most = std::numeric_limits<double>::max();
  prior.lowest = end_of_support(prior.distribution->density, prior.values, prior.center, -most);
  prior.highest = end_of_support(prior.distribution->density, prior.values, prior.center, most);
  return prior;
}

posterior_climb climb_posterior(const posterior_problem& given, loaded_sample loaded, fit_results_view results,
                                std::int64_t fit) {
  const fit_status before = results.status[fit];
  const family_traits& family = *given.family;
  fit_record<P> record;
  if (before == fit_status::nonfinite || before == fit_status::out_of_support || !(loaded.weight > 0)) {
    record.status =
        before == fit_status::nonfinite || before == fit_status::out_of_support ? before : fit_status::too_few;
    write(results, fit, record, family.count, constants::nan);
    co_return;
  }
  const framed_problem of(given, loaded);
  point p{};
  for (int i = 0; i < P; ++i)
    p[i] = of.is_free(i) ? of.start_of(i, results.parameters[i * results.stride + fit], given.priors)
                         : of.settings.fixed_values[i];
  const double weight = loaded.weight;
  const auto posterior_of = [&](const double* numbers, const point& at) {
    return posterior<given_likelihood, framed_priors<P>>{{of.space, widened(numbers, family.count), weight}, of.belief}
        .template at<2>(at);
  };
  // A start without density: supports that depend on parameters take all of the sample in once a scale is large.
  const double* numbers = nullptr;
  jet<double, P> here;
  for (int larger = 0; larger < 60; ++larger) {
    numbers = co_await likelihood_at{p.v};
    here = posterior_of(numbers, p);
    if (is_finite(here.value)) break;
    for (int i = 0; i < family.count; ++i)
      if (of.is_free(i) && family.parameters[i].tracks == tracking::scale) p[i] = std::min(4 * p[i], of.most[i]);
  }

  // Parameters that are fixed at an end of their range, and those that came off it again.
  std::uint32_t active = of.at_ends(p, here, 0), released = 0;
  const int corner = family.corner;
  const std::uint32_t corner_bit = corner >= 0 && of.is_free(corner) ? 1u << corner : 0;
  corner_search search = of.search_at(p);
  const bool searches = corner_bit && of.has_prior(corner);
  active &= ~corner_bit;
  fit_settings settings = of.settings;
  newton_climb<run_time_space> climb(p);
  for (;;) {  // over the places of a corner
    if (searches) p[corner] = search.position();
    for (;;) {  // over what is fixed at the ends of ranges
      settings.fixed = of.settings.fixed | active | corner_bit;
      settings.max_iterations = of.settings.max_iterations - record.iterations;
      int crossed = -1;
      const auto ask = [&](const newton_result<P>& at) {
        const std::uint32_t ahead = of.ends_ahead(at.parameters, at.objective) & ~(settings.fixed | released);
        crossed = ahead ? std::countr_zero(ahead) : -1;
        return ahead || of.any_at_edge(at.parameters) ? fit_status::boundary : fit_status::not_run;
      };
      climb = newton_climb<run_time_space>(p);
      numbers = co_await likelihood_at{climb.wanted().v};
      bool goes_on = climb.begin(of.space, posterior_of(numbers, climb.wanted()), settings, given.noise);
      while (goes_on) {
        numbers = co_await likelihood_at{climb.wanted().v};
        goes_on = climb.advance(of.space, posterior_of(numbers, climb.wanted()), settings, given.noise, ask);
      }
      if (!searches) record.iterations += climb.best.iterations;
      const newton_result<P>& end = climb.best;
      p = end.parameters;
      if (crossed >= 0) {
        const point before_end = p;
        p[crossed] = of.end_ahead(crossed, p, end.objective);
        numbers = co_await likelihood_at{p.v};
        here = posterior_of(numbers, p);
        // Where there is no density at the very end it is approached like any other point.
        (is_finite(here.value) ? active : released) |= 1u << crossed;
        if (!is_finite(here.value)) p = before_end;
        continue;
      }
      const std::uint32_t inward = active & ~of.at_ends(p, end.objective, active);
      if (inward == 0 || !is_finite(end.objective.value)) break;
      active &= ~inward;
      released |= inward;
    }
    if (!searches) break;
    ++record.iterations;
    const fit_status found = climb.best.status;
    if (found != fit_status::converged && found != fit_status::singular_information) break;
    if (record.iterations >= of.settings.max_iterations) {
      climb.best.status = fit_status::max_iterations;
      break;
    }
    if (!search.advance(climb.best.objective.gradient[corner], climb.best.objective.value)) {
      p[corner] = search.best();
      if (p[corner] == of.least[corner] || p[corner] == of.most[corner]) active |= corner_bit;
      break;
    }
  }

  record.status = climb.best.status;
  if (record.status == fit_status::out_of_support || !is_finite(climb.best.objective.value)) {
    write(results, fit, record, family.count, constants::nan);
    co_return;
  }
  point answer = p;
  record.status = status_at_edge(of, climb, settings, weight, answer);
  if (record.status == fit_status::unbounded_likelihood) {
    write(results, fit, record, family.count, constants::nan);
    co_return;
  }
  // At the answer once more: the last step was taken without looking.
  numbers = co_await likelihood_at{p.v};
  const jet<double, P> likelihood = widened(numbers, family.count);
  newton_result<P> end{p, posterior_of(numbers, p), record.status, 0};
  for (int i = 0; i < family.count; ++i)
    if (record.status == fit_status::converged && (active >> i & 1u) && p[i] != of.data_end[i] &&
        p[i] != of.kinks[i].at)
      end.status = record.status = fit_status::boundary;
  if (corner_bit) {  // no curvature shows at a corner: the expected one stands for it
    double expected[P];
    family.expected_information(p.v, expected);
    for (int i = 0; i < family.count; ++i)
      end.objective.hessian[packed(corner, i)] -= likelihood.hessian[packed(corner, i)];
    end.objective.hessian[packed(corner, corner)] -= expected[corner];
  }
  settings.fixed = of.settings.fixed | active;
  settings.std_errors = of.settings.std_errors;
  conclude_at(own_coordinates(), weight, end, settings, record);
  const double outside = weight * loaded.log_density_out_of_frame;
  const double prior = of.belief.log_density(p);
  record.log_likelihood = weight * likelihood.value + outside;
  for (int i = 0; i < family.count; ++i) {
    const estimate natural =
        out_of_frame(family.parameters[i].tracks, family.logs, estimate{answer[i], record.std_errors[i]}, of.belief.in);
    record.parameters[i] = of.is_free(i) ? natural.value : given.settings.fixed_values[i];
    record.std_errors[i] = natural.std_error;
  }
  write(results, fit, record, family.count, record.log_likelihood + prior);
}

void climb_at_once(const posterior_problem& problem, const loaded_sample& loaded, const any_objective& likelihood,
                   const fit_results_view& results, std::int64_t fit) {
  const int count = problem.family->count;
  double numbers[1 + P + packed_size(P)];
  posterior_climb climb = climb_posterior(problem, loaded, results, fit);
  while (const double* const p = climb.wanted()) {
    numbers[0] =
        likelihood.hessian({p, static_cast<std::size_t>(count)}, {numbers + 1, static_cast<std::size_t>(count)},
                           {numbers + 1 + count, static_cast<std::size_t>(packed_size(count))});
    climb.answer(numbers);
  }
}

}  // namespace manyfit
