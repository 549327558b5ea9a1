// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Maximum likelihood for ONE fit, over a group: load the sample, find a start, climb by Newton, read the standard
// errors off the observed information. Families with sufficient statistics take one further pass over the data and no
// more; their work falls into gather (needs the group) and finish (scalar), so that a GPU warp can gather 32 fits and
// then finish one per lane. Each family's own shortcuts come from its file; see families/family.hpp.
#pragma once

#include "kernels/algorithms/newton.hpp"
#include "kernels/groups/group.hpp"

MF_NAMESPACE_BEGIN

/// The answer for one fit. NaN where a value does not exist.
template <int P>
struct fit_record {
  fit_status status = fit_status::not_run;
  int iterations = 0;
  std::int64_t observations = 0, missing = 0;
  double log_likelihood = constants::nan;
  vec<double, P> parameters, std_errors;

  MF_FN fit_record() {
    for (int i = 0; i < P; ++i) parameters[i] = std_errors[i] = constants::nan;
  }
};

template <class Family>
MF_FN int free_parameters(const fit_settings& settings) {
  int free = 0;
  for (int i = 0; i < parameter_count<Family>; ++i) free += !((settings.fixed >> i) & 1u);
  return free;
}

template <class Family>
concept survives_constant_sample = requires {
  Family::fits_constant_sample;
};

/// Values that are there, with a weight other than 0: what a fit reports as its number of observations.
MF_FN std::int64_t present(const sample_summary& s) {
  return s.observations + s.outside + s.nonfinite;
}

/// What makes a sample unfit for estimation, or not_run when nothing does.
template <class Family>
MF_FN fit_status refuse(const sample_summary& s, const fit_settings& settings) {
  const int free = free_parameters<Family>(settings);
  if (s.nonfinite > 0) return fit_status::nonfinite;
  if (s.outside > 0) return fit_status::out_of_support;
  if (s.observations < (free > 1 ? free : 1) || !(s.weight > 0)) return fit_status::too_few;
  if constexpr (!Family::support::discrete && !survives_constant_sample<Family> && parameter_count<Family> != 1)
    if (free == parameter_count<Family> && s.minimum == s.maximum) return fit_status::constant_sample;
  return fit_status::not_run;
}

/// The family's verdict on a point of the path; not_run when it has none.
template <class Family, int P>
MF_FN fit_status verdict_of(const newton_result<P>& at, const sample_summary& summary, const fit_settings& settings) {
  static_assert(
      !requires(typename Family::template params<double> p) { Family::verdict(p, settings); },
      "F::verdict takes (params<double>, sample_summary, fit_settings)");
  if constexpr (has_verdict<Family>)
    return Family::verdict(params_from<Family>(at.parameters), summary, settings);
  else
    return fit_status::not_run;
}

/// Parameters, log-likelihood and status of `record` from where Newton ended; standard errors from the information
/// −weight · Hessian, restricted to the free parameters.
template <class Family, int P>
MF_FN_LARGE void conclude(const newton_result<P>& result, const sample_summary& summary, const fit_settings& settings,
                          fit_record<P>& record) {
  record.status = result.status;
  record.iterations += result.iterations;
  const bool usable = result.status == fit_status::converged || result.status == fit_status::max_iterations ||
                      result.status == fit_status::singular_information || result.status == fit_status::boundary;
  if (!usable) return;
  record.parameters = result.parameters;
  record.log_likelihood = summary.weight * result.objective.value;
  if (!settings.std_errors || result.status != fit_status::converged) return;
  // A parameter without information (the end of a uniform distribution) has no standard error and disturbs no other's.
  bool left_out[P];
  for (int i = 0; i < P; ++i) left_out[i] = ((settings.fixed >> i) & 1u) || result.objective.hessian[packed(i, i)] == 0;
  vec<double, packed_size(P)> information;
  for (int i = 0; i < P; ++i)
    for (int j = 0; j <= i; ++j)
      information[packed(i, j)] =
          left_out[i] || left_out[j] ? (i == j ? 1.0 : 0.0) : -summary.weight * result.objective.hessian[packed(i, j)];
  const cholesky<P> factor(information);
  if (!factor.positive_definite) {
    record.status = fit_status::singular_information;
    return;
  }
  for (int i = 0; i < P; ++i) {
    if (left_out[i]) continue;
    vec<double, P> unit{};
    unit[i] = 1;
    record.std_errors[i] = sqrt(factor.solve(unit)[i]);
  }
}

/// Puts the caller's fixed values into a vector of parameters.
template <int P>
MF_FN void hold_fixed(vec<double, P>& parameters, const fit_settings& settings) {
  for (int i = 0; i < P; ++i)
    if ((settings.fixed >> i) & 1u) parameters[i] = settings.fixed_values[i];
}

/// A fit that ends where it starts, as if Newton had ended there.
template <int P>
MF_FN newton_result<P> ended(const start_point<P>& start) {
  newton_result<P> end{start.parameters, jet<double, P>(start.mean_log_likelihood), start.status, 0};
  for (int i = 0; i < P; ++i) end.objective.hessian[packed(i, i)] = -start.information[i];
  return end;
}

/// Jets seeded at the parameters.
template <class Family, class S, int P = parameter_count<Family>>
MF_FN auto seeded(const vec<double, P>& p) {
  vec<jet<S, P>, P> seeds;
  for (int i = 0; i < P; ++i) seeds[i] = jet<S, P>::variable(S(p[i]), i);
  return params_from<Family>(seeds);
}

/// The mean log-likelihood with derivatives, by one pass over the points: the generic way, by jets or by the family's
/// derivatives of one term.
template <class Family, class Group, int P = parameter_count<Family>>
MF_FN_LARGE jet<double, P> sum_of_terms(const Group& points, const sample_summary& summary, const vec<double, P>& p) {
  using S = typename Group::scalar;
  constexpr int K = 1 + P + packed_size(P);
  const auto constant = log_constant_of<Family, jet<double, P>>(seeded<Family, double>(p));
  const auto seeds = seeded<Family, S>(p);
  vec<S, P> plain;
  for (int i = 0; i < P; ++i) plain[i] = S(p[i]);
  const auto parameters = params_from<Family>(plain);
  const auto total = points.sum([&](const S& y) {
    jet<S, P> term;
    if constexpr (has_derivatives<Family>)
      term = Family::derivatives(parameters, y);
    else
      term = log_kernel_of<Family>(seeds, y);
    vec<S, K> out;
    out[0] = term.value;
    for (int i = 0; i < P; ++i) out[1 + i] = term.gradient[i];
    for (int i = 0; i < packed_size(P); ++i) out[1 + P + i] = term.hessian[i];
    return out;
  });
  jet<double, P> mean = constant;
  const double w = summary.weight;
  mean.value += total[0] / w;
  for (int i = 0; i < P; ++i) mean.gradient[i] += total[1 + i] / w;
  for (int i = 0; i < packed_size(P); ++i) mean.hessian[i] += total[1 + P + i] / w;
  return mean;
}

/// The mean log-likelihood with derivatives, by the family's own objective where it has one.
template <class Family, class Group, int P = parameter_count<Family>>
MF_FN_LARGE jet<double, P> mean_log_likelihood(const Group& points, const sample_summary& summary,
                                               const vec<double, P>& p) {
  if constexpr (requires { Family::objective(points, summary, params_from<Family>(p)); })
    return Family::objective(points, summary, params_from<Family>(p));
  else
    return sum_of_terms<Family>(points, summary, p);
}

/// What a family with sufficient statistics needs of its sample.
template <class Family>
struct gathered {
  static constexpr int K = decltype(Family::statistics(0.0, sample_summary{}))::size();
  sample_summary summary;
  vec<double, K> means;
};

template <class Family, class Group>
MF_FN_LARGE gathered<Family> gather(const Group& points, const sample_summary& loaded) {
  using S = typename Group::scalar;
  gathered<Family> g{loaded, {}};
  const sample_summary summary = g.summary;
  if constexpr (requires { Group::multiplies_logs; } && has_log_arguments<Family>) {
    if (summary.weight > 0 && Family::takes_logs(summary, largest_log_argument<S>)) {
      const auto total = points.template sum_with_logs<Family::logarithms>(
          [&](const S& y) { return Family::log_arguments(y, summary); });
      for (int k = 0; k < gathered<Family>::K; ++k) g.means[k] = total[k] / summary.weight;
      return g;
    }
  }
  if (summary.weight > 0) {
    const auto total = points.sum([&](const S& y) { return Family::statistics(y, summary); });
    for (int k = 0; k < gathered<Family>::K; ++k) g.means[k] = total[k] / summary.weight;
  }
  return g;
}

template <class Family, int P = parameter_count<Family>>
MF_FN_LARGE fit_record<P> finish(const gathered<Family>& g, const fit_settings& settings, double noise) {
  fit_record<P> record;
  record.observations = present(g.summary);
  record.missing = g.summary.missing;
  record.status = refuse<Family>(g.summary, settings);
  if (record.status != fit_status::not_run) return record;
  auto start = Family::start(g.means, g.summary, settings);
  record.iterations = start.iterations;
  if (start.status != fit_status::not_run && free_parameters<Family>(settings) > 0) {
    conclude<Family>(ended(start), g.summary, settings, record);
    return record;
  }
  hold_fixed(start.parameters, settings);
  const auto end = maximise_by_newton<Family, P>(
      start.parameters, settings, noise,
      [&](const vec<double, P>& p) {
        return Family::mean_log_likelihood(seeded<Family, double>(p), g.means, g.summary);
      },
      [&](const newton_result<P>& at) { return verdict_of<Family>(at, g.summary, settings); });
  conclude<Family>(end, g.summary, settings, record);
  return record;
}

/// One fit whose likelihood needs the points in every iteration.
template <class Family, class Group, int P = parameter_count<Family>>
MF_FN_LARGE fit_record<P> iterate(const Group& points, const sample_summary& summary, const fit_settings& settings,
                                  double noise) {
  fit_record<P> record;
  record.observations = present(summary);
  record.missing = summary.missing;
  record.status = refuse<Family>(summary, settings);
  if (record.status != fit_status::not_run) return record;
  start_point<P> start;
  if constexpr (requires { Family::start(points, summary, settings); })
    start = Family::start(points, summary, settings);
  else
    for (int i = 0; i < P; ++i) start.parameters[i] = example_of<Family>(i);
  record.iterations = start.iterations;
  static_assert(
      !requires { Family::limit(points, summary); }, "F::limit takes (points, sample_summary, fit_settings)");
  newton_result<P> end = ended(start);
  if (start.status == fit_status::not_run) {
    hold_fixed(start.parameters, settings);
    const auto evaluate = [&](const vec<double, P>& p) { return mean_log_likelihood<Family>(points, summary, p); };
    if constexpr (requires { Family::limit(points, summary, settings); }) {
      const auto limit = Family::limit(points, summary, settings);
      end = maximise_by_newton<Family, P>(start.parameters, settings, noise, evaluate, [&](const newton_result<P>& at) {
        return Family::verdict(params_from<Family>(at.parameters), at.objective.value, limit);
      });
      if (end.status == fit_status::boundary) {
        const int iterations = end.iterations;
        end = ended(limit.at_edge);
        end.iterations = iterations;
      }
    } else {
      end = maximise_by_newton<Family, P>(start.parameters, settings, noise, evaluate, [&](const newton_result<P>& at) {
        return verdict_of<Family>(at, summary, settings);
      });
    }
  }
  conclude<Family>(end, summary, settings, record);
  if constexpr (requires { Family::finish(record, summary); }) Family::finish(record, summary);
  return record;
}

/// One fit over a group that has loaded its sample, whichever way its family is made.
template <class Family, class Group>
MF_FN_LARGE auto fit_loaded(const Group& points, const sample_summary& summary, const fit_settings& settings,
                            double noise) {
  if constexpr (has_statistics<Family>)
    return finish<Family>(gather<Family>(points, summary), settings, noise);
  else
    return iterate<Family>(points, summary, settings, noise);
}

/// One fit over a group.
template <class Family, class Group, class T>
MF_FN_LARGE auto fit_one(Group& points, const sample<T>& raw, const fit_settings& settings, double noise) {
  return fit_loaded<Family>(points, points.load(raw), settings, noise);
}

/// Writes fit number `fit` of a batch into the results' arrays.
template <int P>
MF_FN void store(const fit_record<P>& record, const fit_results_view& results, std::int64_t fit) {
  for (int i = 0; i < P; ++i) {
    results.parameters[i * results.stride + fit] = record.parameters[i];
    results.std_errors[i * results.stride + fit] = record.std_errors[i];
  }
  results.log_likelihood[fit] = record.log_likelihood;
  results.iterations[fit] = record.iterations;
  results.status[fit] = record.status;
  results.observations[fit] = record.observations;
  results.missing[fit] = record.missing;
}

MF_NAMESPACE_END
