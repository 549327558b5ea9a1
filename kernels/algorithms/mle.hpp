// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Maximum likelihood for ONE fit, over its likelihood (objectives/): find a start, climb by Newton, read the standard
// errors off the observed information. What a likelihood offers beyond an objective is asked for by concepts. Where it
// comes from sufficient statistics the work falls into gather (needs the group) and this (scalar), so that a GPU warp
// can gather 32 fits and then finish one per lane.
#pragma once

#include <type_traits>

#include "kernels/algorithms/newton.hpp"
#include "kernels/objectives/statistics_likelihood.hpp"
#include "kernels/operations.hpp"

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

/// Objectives in other coordinates than their parameters, which natural(q) gives with derivatives.
template <class O>
concept in_other_coordinates = requires(const O o, vec<double, O::dimension> q) {
  { o.natural(q)[0] } -> std::convertible_to<jet<double, O::dimension>>;
};

/// Newton's coordinates are the parameters themselves.
struct own_coordinates {};

/// Parameters, log-likelihood and status of `record` from where Newton ended; standard errors from the information,
/// restricted to the free parameters. `natural`: the parameters with derivatives in Newton's coordinates, where those
/// are others; in them nothing is fixed. Stays a call, which must see no group: a lane's group would then lie in memory
/// on a GPU, through all passes.
template <class Natural, int P>
MF_FN_CALL void conclude_at(const Natural& natural, double weight, const newton_result<P>& result,
                            const fit_settings& settings, fit_record<P>& record) {
  constexpr bool moved = !std::is_same_v<Natural, own_coordinates>;
  if constexpr (moved)
    for (int i = 0; i < P; ++i) record.parameters[i] = natural[i].value;
  else
    record.parameters = result.parameters;
  record.log_likelihood = weight * result.objective.value;
  if (!settings.std_errors || result.status != fit_status::converged) return;
  // A parameter without information (the end of a uniform distribution) has no standard error and disturbs no other's.
  bool left_out[P];
  for (int i = 0; i < P; ++i) left_out[i] = ((settings.fixed >> i) & 1u) || result.objective.hessian[packed(i, i)] == 0;
  vec<double, packed_size(P)> information;
  for (int i = 0; i < P; ++i)
    for (int j = 0; j <= i; ++j)
      information[packed(i, j)] =
          left_out[i] || left_out[j] ? (i == j ? 1.0 : 0.0) : -weight * result.objective.hessian[packed(i, j)];
  const cholesky<P> factor(information);
  if (!factor.positive_definite) {
    record.status = fit_status::singular_information;
    return;
  }
  for (int i = 0; i < P; ++i) {
    if (left_out[i]) continue;
    vec<double, P> direction{};
    direction[i] = 1;
    if constexpr (moved)
      for (int j = 0; j < P; ++j) direction[j] = natural[i].gradient[j];
    const vec<double, P> solution = factor.solve(direction);
    double variance = solution[i];
    if constexpr (moved) {
      variance = 0;
      for (int j = 0; j < P; ++j) variance += direction[j] * solution[j];
    }
    record.std_errors[i] = sqrt(variance);
  }
}

/// What `record` says of a climb on `over` that ended so.
template <class O, int P = O::dimension>
MF_FN void conclude(const O& over, const newton_result<P>& result, const fit_settings& settings,
                    fit_record<P>& record) {
  record.status = result.status;
  record.iterations += result.iterations;
  const bool usable = result.status == fit_status::converged || result.status == fit_status::max_iterations ||
                      result.status == fit_status::singular_information || result.status == fit_status::boundary;
  if (!usable) return;
  if constexpr (in_other_coordinates<O>)
    conclude_at(over.natural(result.parameters), over.weight(), result, settings, record);
  else
    conclude_at(own_coordinates(), over.weight(), result, settings, record);
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

/// A fit in the frame of its sample, `body(record, settings in the frame)`, told of the data as they are.
template <class L, class Body, int P = L::dimension>
MF_FN fit_record<P> fit_in_frame(const L& over, const fit_settings& settings, Body body) {
  const sample_summary& s = over.summary;
  fit_record<P> record;
  record.observations = present(s);
  record.missing = s.missing;
  record.left_out = s.left_out;
  record.outside = s.outside;
  record.status = over.unfit(settings);
  if (record.status != fit_status::not_run) return record;
  const bool framed = L::has_frames && s.in.active();
  body(record, framed ? over.in_frame(settings) : settings);
  if (!framed) return record;
  for (int i = 0; i < P; ++i) {
    const bool is_fixed = ((settings.fixed >> i) & 1u) && !is_missing(record.parameters[i]);
    const estimate outside = over.out_of_frame(i, {record.parameters[i], record.std_errors[i]});
    record.parameters[i] = is_fixed ? settings.fixed_values[i] : outside.value;
    record.std_errors[i] = outside.std_error;
  }
  record.log_likelihood += s.weight * over.log_density_out_of_frame();
  return record;
}

/// What is left for Newton of the iterations that a fit may take.
MF_FN fit_settings after(const fit_settings& settings, int iterations) {
  fit_settings rest = settings;
  rest.max_iterations -= iterations;
  return rest;
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
/// Keeps the better end, the found one if it is the first. A call of its own: what it is given lies in memory, not in
/// registers, while a GPU climbs once more.
template <int P>
MF_FN_CALL void keep_better(const newton_result<P>& found, bool first, newton_result<P>& best) {
  if (first || is_better(found, best)) best = found;
}

/// Likelihoods with an answer at the edge of the parameter space, which a verdict may choose.
template <class L>
concept has_limit = requires(const L over, fit_settings settings) {
  over.limit(settings);
};
template <class L>
concept has_lower_end_coordinates = requires(const L over) {
  in_lower_end(over);
};
template <class L>
concept has_regular_coordinates = requires(const L over) {
  in_orthogonal_coordinates(over);
};

/// From `p` in the coordinates of the lower end; what is found, told in the family's own.
template <class L, int P = L::dimension>
MF_FN_LARGE newton_result<P> climb_from_lower_end(const L& over, const fit_settings& settings, double noise,
                                                  const vec<double, P>& p) {
  const auto there = in_lower_end(over);
  newton_result<P> end = climb_over_rows(there, there.into(p), settings, noise, [&](const newton_result<P>& at) {
    return over.verdict(there.natural(at.parameters), settings);
  });
  // No ascent is left but towards where a location no longer tells the end: the edge of what parameters can be.
  if (end.status == fit_status::max_iterations && end.iterations < settings.max_iterations &&
      there.is_at_edge(end.parameters))
    end.status = fit_status::boundary;
  end.parameters = there.natural(end.parameters);
  end.objective = over.template at<2>(end.parameters);
  return end;
}

/// The highest maximum that is found from a start, over rows that every iteration takes a pass of.
template <class L, int P = L::dimension>
MF_FN_LARGE newton_result<P> climb(const L& over, start_point<P>& start, const fit_settings& settings, double noise,
                                   fit_record<P>& record) {
  const auto from_start = [&](auto ask) {
    hold_fixed(start.parameters, settings);
    fit_settings rest = after(settings, record.iterations);
    if constexpr (has_lower_end_coordinates<L>) {
      constexpr int first_attempt = decltype(in_lower_end(over))::first_attempt;
      if (rest.max_iterations > first_attempt) rest.max_iterations = first_attempt;
    }
    const auto end = climb_over_rows(over, start.parameters, rest, noise, ask);
    record.iterations += end.iterations;
    return end;
  };
  newton_result<P> best;
  if constexpr (has_limit<L>) {
    auto limit = over.limit(settings);
    for (int tried = 0;; ++tried) {
      newton_result<P> end = from_start(
          [&](const newton_result<P>& at) { return over.verdict_beside(limit, at.parameters, at.objective.value); });
      if (end.status == fit_status::boundary) end = ended(limit.at_edge);
      keep_better(end, tried == 0, best);
      if (record.iterations >= settings.max_iterations ||
          !over.try_again(settings, best.status, tried, start.parameters))
        break;
    }
  } else {
    best = from_start([&](const newton_result<P>& at) { return over.verdict(at.parameters, settings); });
    if constexpr (has_lower_end_coordinates<L>)
      if (best.status == fit_status::max_iterations && record.iterations < settings.max_iterations &&
          decltype(in_lower_end(over))::suits(best.parameters, settings)) {
        const auto end = climb_from_lower_end(over, after(settings, record.iterations), noise, best.parameters);
        record.iterations += end.iterations;
        keep_better(end, false, best);
      }
  }
  best.iterations = 0;  // counted already
  return best;
}

/// One fit whose likelihood needs the points in every iteration.
template <class L, int P = L::dimension>
MF_FN_LARGE fit_record<P> iterate(const L& over, const fit_settings& given, double noise) {
  return fit_in_frame(over, given, [&](fit_record<P>& record, const fit_settings& settings) {
    start_point<P> start = over.start(settings);
    record.iterations = start.iterations < settings.max_iterations ? start.iterations : settings.max_iterations;
    newton_result<P> best = ended(start);
    if (start.status == fit_status::not_run) best = climb(over, start, settings, noise, record);
    conclude(over, best, settings, record);
    // A sum counts observations where none has a weight.
    if (record.status == fit_status::out_of_support && over.weight() == static_cast<double>(over.summary.observations))
      record.outside = over.rows_without_density(best.parameters);
  });
}

/// One fit from sufficient statistics.
template <class L, int P = L::dimension>
MF_FN_LARGE fit_record<P> finish(const L& over, const fit_settings& given, double noise) {
  return fit_in_frame(over, given, [&](fit_record<P>& record, const fit_settings& settings) {
    start_point<P> start = over.start(settings);
    record.iterations = start.iterations < settings.max_iterations ? start.iterations : settings.max_iterations;
    if (start.status != fit_status::not_run && free_parameters<P>(settings) > 0) {
      conclude(over, ended(start), settings, record);
      return;
    }
    hold_fixed(start.parameters, settings);
    const fit_settings rest = after(settings, record.iterations);
    if constexpr (has_regular_coordinates<L>) {
      const auto regular = in_orthogonal_coordinates(over);
      if (regular.suits(start.parameters, settings)) {
        conclude(regular, maximise_by_newton(regular, regular.into(start.parameters), rest, noise), settings, record);
        return;
      }
    }
    const auto ask = [&](const newton_result<P>& at) { return over.verdict(at.parameters, settings); };
    conclude(over, maximise_by_newton(over, start.parameters, rest, noise, ask), settings, record);
  });
}

/// One fit of a family over a group that has loaded its sample, whichever way the family is made.
template <class Family, class Group>
MF_FN_LARGE auto fit_loaded(const Group& points, const sample_summary& summary, const fit_settings& settings,
                            double noise) {
  if constexpr (has_statistics<Family>) {
    const gathered<Family> statistics = gather<Family>(points, summary);
    return finish(likelihood<Family, gathered<Family>>(statistics), settings, noise);
  } else {
    return iterate(likelihood<Family, Group>(points, summary), settings, noise);
  }
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

/// The operation: maximum likelihood. Always inlined, since g++ contracts by the shape of what calls fit_one.
struct fit_operation : sample_operation<fit_settings, fit_results_view> {
  template <class Family>
  static constexpr bool gathers = has_statistics<Family>;
  template <class Family>
  static constexpr bool iterates = !has_statistics<Family>;
  template <class Family, class Group, class T>
  MF_FN static auto of(Group& points, const sample<T>& raw, const fit_settings& settings, std::int64_t, double noise) {
    return fit_one<Family>(points, raw, settings, noise);
  }
};

MF_NAMESPACE_END
