// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The likelihood of a family, with what the family's file says beyond its density as members: how a climb starts, when
// it ends, what a frame does to parameters, other coordinates for where its own are poor. A member is there where the
// family has it, and algorithms ask for it by a concept. With sufficient statistics the likelihood is one of those, and
// takes no pass over the rows: statistics_likelihood.hpp. contracts/family.hpp has the list.
#pragma once

#include "kernels/objectives/family_frame.hpp"
#include "kernels/objectives/likelihood.hpp"

MF_NAMESPACE_BEGIN

template <class Family>
concept survives_constant_sample = requires {
  Family::fits_constant_sample;
};

template <int P>
MF_FN int free_parameters(const fit_settings& settings) {
  int free = 0;
  for (int i = 0; i < P; ++i) free += !((settings.fixed >> i) & 1u);
  return free;
}

/// A family's parameters at jets seeded there.
template <class Family, class S, int Order = 2, int P = parameter_count<Family>>
MF_FN auto seeded(const vec<double, P>& p) {
  return params_from<Family>(seeds_at<S, Order>(p));
}

/// The mean log-likelihood with derivatives, by one pass over the points: the generic way, by jets or by the family's
/// derivatives of one term.
template <class Family, int Order = 2, class Group, int P = parameter_count<Family>>
MF_FN_LARGE jet<double, P, Order> sum_of_terms(const Group& points, const sample_summary& summary,
                                               const vec<double, P>& p) {
  using S = typename Group::scalar;
  const auto constant = log_constant_of<Family, jet<double, P, Order>>(seeded<Family, double, Order>(p));
  const auto seeds = seeded<Family, S, Order>(p);
  vec<S, P> plain;
  for (int i = 0; i < P; ++i) plain[i] = S(p[i]);
  const auto parameters = params_from<Family>(plain);
  const auto total = points.sum([&](const S& y) {
    jet<S, P, Order> term;
    if constexpr (has_derivatives<Family>)
      term = of_order<Order>(Family::derivatives(parameters, y));
    else
      term = log_kernel_of<Family>(seeds, y);
    return numbers_of(term);
  });
  jet<double, P, Order> mean = constant;
  add_mean(mean, total, summary.weight);
  return mean;
}

/// The mean log-likelihood with derivatives, by the family's own objective where it has one.
template <class Family, int Order = 2, class Group, int P = parameter_count<Family>>
MF_FN_LARGE jet<double, P, Order> mean_log_likelihood(const Group& points, const sample_summary& summary,
                                                      const vec<double, P>& p) {
  if constexpr (requires { Family::objective(points, summary, params_from<Family>(p)); })
    return of_order<Order>(Family::objective(points, summary, params_from<Family>(p)));
  else
    return sum_of_terms<Family, Order>(points, summary, p);
}

template <class Family>
constexpr double longest_last_step_of() {
  if constexpr (requires { Family::longest_last_step; })
    return Family::longest_last_step;
  else
    return constants::infinity;
}

/// What does not depend on how the likelihood is summed.
template <class Family>
struct family_refinements {
  using model_type = Family;
  static constexpr int dimension = parameter_count<Family>;
  static constexpr double longest_last_step = longest_last_step_of<Family>();
  static constexpr bool has_frames = has_frame<Family>;
  using parameters_type = vec<double, dimension>;
  const sample_summary& summary;

  MF_FN static constexpr constraint constraint_of(int i) { return manyfit::constraint_of<Family>(i); }
  MF_FN double weight() const { return summary.weight; }

  /// What makes the sample unfit for estimation, or not_run when nothing does.
  MF_FN fit_status unfit(const fit_settings& settings) const {
    const sample_summary& s = summary;
    const int free = free_parameters<dimension>(settings);
    if (s.nonfinite > 0) return fit_status::nonfinite;
    if (s.outside > 0) return fit_status::out_of_support;
    if (s.observations < (free > 1 ? free : 1) || !(s.weight > 0)) return fit_status::too_few;
    if constexpr (!Family::support::discrete && !survives_constant_sample<Family> && dimension != 1)
      if (free == dimension && s.minimum == s.maximum) return fit_status::constant_sample;
    return fit_status::not_run;
  }

  /// The family's verdict on a point of the path; not_run when it has none.
  MF_FN fit_status verdict(const parameters_type& p, const fit_settings& settings) const {
    static_assert(
        !requires(typename Family::template params<double> named) { Family::verdict(named, settings); },
        "F::verdict takes (params<double>, sample_summary, fit_settings)");
    if constexpr (has_verdict<Family>)
      return Family::verdict(params_from<Family>(p), summary, settings);
    else
      return fit_status::not_run;
  }

  MF_FN fit_settings in_frame(const fit_settings& settings) const { return into_frame<Family>(settings, summary.in); }
  MF_FN estimate out_of_frame(int i, const estimate& p) const {
    return manyfit::out_of_frame<Family>(i, p, summary.in);
  }
  /// What the mean log-likelihood in the frame lacks of that of the data as they are.
  MF_FN double log_density_out_of_frame() const { return manyfit::log_density_out_of_frame<Family>(summary); }
};

// Named here, since nvcc answers a requires-expression inside a lambda with yes.
template <class Family, class Points>
concept starts_from_points = requires(const Points& points, sample_summary s, fit_settings f) {
  Family::start(points, s, f);
};
template <class Family, class Points>
concept limits_likelihood = requires(const Points& points, sample_summary s, fit_settings f) {
  Family::limit(points, s, f);
};
template <class Family>
concept has_lower_end = requires {
  Family::first_attempt;
};
/// Over the rows of a group.
template <family Family, class Group>
struct likelihood<Family, Group> : family_refinements<Family> {
  using family_refinements<Family>::dimension, family_refinements<Family>::summary;
  using parameters_type = vec<double, dimension>;
  const Group& points;

  MF_FN likelihood(const Group& group, const sample_summary& loaded)
      : family_refinements<Family>{loaded}, points(group) {}

  template <int Order>
  MF_FN_LARGE jet<double, dimension, Order> at(const parameters_type& p) const {
    return mean_log_likelihood<Family, Order>(points, summary, p);
  }

  MF_FN start_point<dimension> start(const fit_settings& settings) const {
    if constexpr (starts_from_points<Family, Group>) {
      return Family::start(points, summary, settings);
    } else {
      start_point<dimension> example;
      for (int i = 0; i < dimension; ++i) example.parameters[i] = example_of<Family>(i);
      return example;
    }
  }

  /// The answer at the edge of the parameter space, and the verdict that may choose it.
  MF_FN auto limit(const fit_settings& settings) const requires(limits_likelihood<Family, Group>) {
    return Family::limit(points, summary, settings);
  }
  template <class Limit>
  MF_FN fit_status verdict_beside(Limit& limit, const parameters_type& p, double value) const {
    return Family::verdict(params_from<Family>(p), value, limit);
  }
  /// Where to climb from once more, into `p`, if at all.
  MF_FN bool try_again(const fit_settings& settings, fit_status found, int tried, parameters_type& p) const {
    return Family::try_again(points, summary, settings, found, tried, p);
  }

  /// Supports that depend on what is fixed: how many rows have a density of 0 at p, where no row has a weight.
  MF_FN_LARGE std::int64_t rows_without_density(const parameters_type& p) const {
    using S = typename Group::scalar;
    vec<S, dimension> parameters_at;
    for (int i = 0; i < dimension; ++i) parameters_at[i] = S(p[i]);
    const auto total = points.sum([&](const S& y) {
      return vec<S, 1>{
          select(log_kernel_of<Family>(params_from<Family>(parameters_at), y) == S(-constants::infinity), S(1), S(0))};
    });
    return static_cast<std::int64_t>(total[0] + 0.5);
  }
};

/// The likelihood of a family in coordinates that its file calls those of the lower end; see gev.
template <class Family, class Group>
struct lower_end_likelihood {
  static constexpr int dimension = parameter_count<Family>;
  static constexpr int first_attempt = Family::first_attempt;  ///< iterations in the family's own parameters before
  using parameters_type = vec<double, dimension>;
  const likelihood<Family, Group>& own;

  MF_FN static constexpr constraint constraint_of(int i) {
    return manyfit::constraint_of<typename Family::from_lower_end>(i);
  }
  MF_FN double weight() const { return own.weight(); }
  MF_FN parameters_type into(const parameters_type& p) const { return Family::into_lower_end(p, own.summary); }
  MF_FN parameters_type natural(const parameters_type& q) const { return Family::out_of_lower_end(q, own.summary); }
  template <int Order>
  MF_FN_LARGE jet<double, dimension, Order> at(const parameters_type& q) const {
    if (!Family::resolves_lower_end(q, own.summary)) return jet<double, dimension, Order>(-constants::infinity);
    const auto p = params_from<Family>(natural(q));
    return of_order<Order>(Family::in_lower_end(Family::template objective<true>(own.points, own.summary, p, q[0]), q));
  }
  /// Whether a location as a double hardly tells any more where the end is.
  MF_FN bool is_at_edge(parameters_type q) const {
    q[0] *= 0.125;
    return !Family::resolves_lower_end(q, own.summary);
  }
  /// Whether a climb that ended at p goes on here.
  MF_FN static bool suits(const parameters_type& p, const fit_settings& settings) {
    return Family::suits_lower_end(p, settings);
  }
};
template <has_lower_end Family, class Group>
MF_FN lower_end_likelihood<Family, Group> in_lower_end(const likelihood<Family, Group>& own) {
  return {own};
}

MF_NAMESPACE_END
