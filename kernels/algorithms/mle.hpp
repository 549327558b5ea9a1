// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Maximum likelihood for ONE fit, over a group: load the sample, find a start, climb by Newton, read the standard
// errors off the observed information. Families with sufficient statistics take one further pass over the data and no
// more; their work falls into gather (needs the group) and finish (scalar), so that a GPU warp can gather 32 fits and
// then finish one per lane. Each family's own shortcuts come from its file; see contracts/family.hpp.
#pragma once

#include "kernels/algorithms/newton.hpp"
#include "kernels/objectives/family_frame.hpp"

MF_NAMESPACE_BEGIN

/// The answer for one fit. NaN where a value does not exist.
template <int P>
struct fit_record {
  fit_status status = fit_status::not_run;
  int iterations = 0;
  std::int64_t observations = 0, missing = 0, left_out = 0, outside = 0;
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

/// Families whose information is nearly singular in their own parameters somewhere: there Newton runs, and information
/// is inverted, in other coordinates.
template <class Family>
concept has_orthogonal_coordinates = requires(typename Family::template params<double> p) {
  Family::is_nearly_singular(p);
};

/// Parameters, log-likelihood and status of `record` from where Newton ended; standard errors from the information
/// −weight · Hessian, restricted to the free parameters. `Orthogonal`: Newton ran in the family's other coordinates,
/// with nothing fixed.
template <class Family, bool Orthogonal = false, int P>
MF_FN_LARGE void conclude(const newton_result<P>& result, const sample_summary& summary, const fit_settings& settings,
                          fit_record<P>& record) {
  record.status = result.status;
  record.iterations += result.iterations;
  const bool usable = result.status == fit_status::converged || result.status == fit_status::max_iterations ||
                      result.status == fit_status::singular_information || result.status == fit_status::boundary;
  if (!usable) return;
  vec<jet<double, P>, P> natural;
  if constexpr (Orthogonal) {
    vec<jet<double, P>, P> seeds;
    for (int i = 0; i < P; ++i) seeds[i] = jet<double, P>::variable(result.parameters[i], i);
    natural = Family::from_orthogonal(seeds);
    for (int i = 0; i < P; ++i) record.parameters[i] = natural[i].value;
  } else {
    record.parameters = result.parameters;
  }
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
    vec<double, P> direction{};
    direction[i] = 1;
    if constexpr (Orthogonal)
      for (int j = 0; j < P; ++j) direction[j] = natural[i].gradient[j];
    const vec<double, P> solution = factor.solve(direction);
    double variance = solution[i];
    if constexpr (Orthogonal) {
      variance = 0;
      for (int j = 0; j < P; ++j) variance += direction[j] * solution[j];
    }
    record.std_errors[i] = sqrt(variance);
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

/// A fit in the frame of its sample, `body(record, settings in the frame)`, told of the data as they are.
template <class Family, class Body, int P = parameter_count<Family>>
MF_FN fit_record<P> fit_in_frame(const sample_summary& s, const fit_settings& settings, Body body) {
  fit_record<P> record;
  record.observations = present(s);
  record.missing = s.missing;
  record.left_out = s.left_out;
  record.outside = s.outside;
  record.status = refuse<Family>(s, settings);
  if (record.status != fit_status::not_run) return record;
  const bool framed = has_frame<Family> && s.in.active();
  body(record, framed ? into_frame<Family>(settings, s.in) : settings);
  if (!framed) return record;
  for (int i = 0; i < P; ++i) {
    const bool held = ((settings.fixed >> i) & 1u) && !is_missing(record.parameters[i]);
    const estimate outside = out_of_frame<Family>(i, {record.parameters[i], record.std_errors[i]}, s.in);
    record.parameters[i] = held ? settings.fixed_values[i] : outside.value;
    record.std_errors[i] = outside.std_error;
  }
  record.log_likelihood += s.weight * log_density_out_of_frame<Family>(s);
  return record;
}

/// What is left for Newton of the iterations that a fit may take.
MF_FN fit_settings after(const fit_settings& settings, int iterations) {
  fit_settings rest = settings;
  rest.max_iterations -= iterations;
  return rest;
}

template <class Family, int P = parameter_count<Family>>
MF_FN_LARGE fit_record<P> finish(const gathered<Family>& g, const fit_settings& given, double noise) {
  return fit_in_frame<Family>(g.summary, given, [&](fit_record<P>& record, const fit_settings& settings) {
    auto start = Family::start(g.means, g.summary, settings);
    record.iterations = start.iterations < settings.max_iterations ? start.iterations : settings.max_iterations;
    if (start.status != fit_status::not_run && free_parameters<Family>(settings) > 0) {
      conclude<Family>(ended(start), g.summary, settings, record);
      return;
    }
    hold_fixed(start.parameters, settings);
    const fit_settings rest = after(settings, record.iterations);
    const auto ask = [&](const newton_result<P>& at) { return verdict_of<Family>(at, g.summary, settings); };
    if constexpr (has_orthogonal_coordinates<Family>) {
      if (!settings.fixed && Family::is_nearly_singular(params_from<Family>(start.parameters))) {
        const auto end = maximise_by_newton<Family, P>(
            Family::to_orthogonal(start.parameters), rest, noise,
            [&](const vec<double, P>& q) {
              vec<jet<double, P>, P> seeds;
              for (int i = 0; i < P; ++i) seeds[i] = jet<double, P>::variable(q[i], i);
              return Family::mean_log_likelihood(params_from<Family>(Family::from_orthogonal(seeds)), g.means,
                                                 g.summary);
            },
            ask);
        conclude<Family, true>(end, g.summary, settings, record);
        return;
      }
    }
    const auto end = maximise_by_newton<Family, P>(
        start.parameters, rest, noise,
        [&](const vec<double, P>& p) {
          return Family::mean_log_likelihood(seeded<Family, double>(p), g.means, g.summary);
        },
        ask);
    conclude<Family>(end, g.summary, settings, record);
  });
}

/// Whether `a`, found later, is a better end than `b`: a maximum before none, and the higher of two. The same maximum
/// found again is no better, whatever its last digits.
template <int P>
MF_FN bool is_better(const newton_result<P>& a, const newton_result<P>& b) {
  const auto rank = [](fit_status s) {
    return s == fit_status::converged || s == fit_status::boundary || s == fit_status::singular_information ? 2
           : s == fit_status::max_iterations                                                                ? 1
                                                                                                            : 0;
  };
  const double height = b.objective.value;
  return rank(a.status) > rank(b.status) ||
         (rank(a.status) == rank(b.status) && a.objective.value > height + 1e-10 * (1 + abs(height)));
}

// Named here, since nvcc answers a requires-expression inside a lambda with yes.
template <class Family, class Points>
concept starts_from_points = requires(const Points& points, sample_summary s, fit_settings f) {
  Family::start(points, s, f);
};
template <class Family, class Points>
concept has_limit = requires(const Points& points, sample_summary s, fit_settings f) {
  Family::limit(points, s, f);
};
template <class Family>
concept has_lower_end = requires {
  Family::first_attempt;
};

/// Newton in the coordinates of Family::from_lower_end, from `p`; what is found, told in the family's own.
template <class Family, class Group, int P = parameter_count<Family>>
MF_FN_LARGE newton_result<P> climb_from_lower_end(const Group& points, const sample_summary& summary,
                                                  const fit_settings& settings, double noise, const vec<double, P>& p) {
  const auto own = [&](const vec<double, P>& q) { return Family::out_of_lower_end(q, summary); };
  newton_result<P> end = maximise_by_newton<typename Family::from_lower_end, P>(
      Family::into_lower_end(p, summary), settings, noise,
      [&](const vec<double, P>& q) {
        if (!Family::resolves_lower_end(q, summary)) return jet<double, P>(-constants::infinity);
        const auto p = params_from<Family>(own(q));
        return Family::in_lower_end(Family::template objective<true>(points, summary, p, q[0]), q);
      },
      [&](const newton_result<P>& at) {
        return verdict_of<Family>(newton_result<P>{own(at.parameters), at.objective, at.status, at.iterations}, summary,
                                  settings);
      });
  // No ascent is left but towards where a location no longer tells the end: the edge of what parameters can be.
  vec<double, P> nearer = end.parameters;
  nearer[0] *= 0.125;
  if (end.status == fit_status::max_iterations && end.iterations < settings.max_iterations &&
      !Family::resolves_lower_end(nearer, summary))
    end.status = fit_status::boundary;
  end.parameters = own(end.parameters);
  end.objective = mean_log_likelihood<Family>(points, summary, end.parameters);
  return end;
}

/// One fit whose likelihood needs the points in every iteration.
template <class Family, class Group, int P = parameter_count<Family>>
MF_FN_LARGE fit_record<P> iterate(const Group& points, const sample_summary& summary, const fit_settings& given,
                                  double noise) {
  return fit_in_frame<Family>(summary, given, [&](fit_record<P>& record, const fit_settings& settings) {
    start_point<P> start;
    if constexpr (starts_from_points<Family, Group>)
      start = Family::start(points, summary, settings);
    else
      for (int i = 0; i < P; ++i) start.parameters[i] = example_of<Family>(i);
    record.iterations = start.iterations < settings.max_iterations ? start.iterations : settings.max_iterations;
    newton_result<P> best = ended(start);
    if (start.status == fit_status::not_run) {
      const auto evaluate = [&](const vec<double, P>& p) { return mean_log_likelihood<Family>(points, summary, p); };
      const auto climb = [&](auto ask) {
        hold_fixed(start.parameters, settings);
        fit_settings rest = after(settings, record.iterations);
        if constexpr (has_lower_end<Family>)
          if (rest.max_iterations > Family::first_attempt) rest.max_iterations = Family::first_attempt;
        const auto end = maximise_by_newton<Family, P>(start.parameters, rest, noise, evaluate, ask);
        record.iterations += end.iterations;
        return end;
      };
      if constexpr (has_limit<Family, Group>) {
        auto limit = Family::limit(points, summary, settings);
        for (int tried = 0;; ++tried) {
          newton_result<P> end = climb([&](const newton_result<P>& at) {
            return Family::verdict(params_from<Family>(at.parameters), at.objective.value, limit);
          });
          if (end.status == fit_status::boundary) end = ended(limit.at_edge);
          if (tried == 0 || is_better(end, best)) best = end;
          if (record.iterations >= settings.max_iterations ||
              !Family::try_again(points, summary, settings, best.status, tried, start.parameters))
            break;
        }
      } else {
        best = climb([&](const newton_result<P>& at) { return verdict_of<Family>(at, summary, settings); });
        if constexpr (has_lower_end<Family>)
          if (best.status == fit_status::max_iterations && record.iterations < settings.max_iterations &&
              Family::suits_lower_end(best.parameters, settings)) {
            const auto end = climb_from_lower_end<Family>(points, summary, after(settings, record.iterations), noise,
                                                          best.parameters);
            record.iterations += end.iterations;
            if (is_better(end, best)) best = end;
          }
      }
    }
    best.iterations = 0;  // counted already
    conclude<Family>(best, summary, settings, record);
    // Supports that depend on what is held; a sum counts observations where none has a weight.
    if (record.status == fit_status::out_of_support && summary.weight == static_cast<double>(summary.observations)) {
      using S = typename Group::scalar;
      vec<S, P> held;
      for (int i = 0; i < P; ++i) held[i] = S(best.parameters[i]);
      const auto total = points.sum([&](const S& y) {
        return vec<S, 1>{
            select(log_kernel_of<Family>(params_from<Family>(held), y) == S(-constants::infinity), S(1), S(0))};
      });
      record.outside = static_cast<std::int64_t>(total[0] + 0.5);
    }
  });
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
  if (results.left_out) results.left_out[fit] = record.left_out;
  if (results.outside) results.outside[fit] = record.outside;
}

MF_NAMESPACE_END
