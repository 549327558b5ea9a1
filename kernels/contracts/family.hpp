// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a family is. Required of a family F:
//   F::name                          what it is called on the command line and in results
//   F::parameters                    array of `parameter`: name, constraint, an example value, meaning
//   F::params<T>                     aggregate of the parameters in that order
//   F::support                       one of data/support.hpp, or its like
//   F::log_density(params<T>, y)     templated on the scalar, branch-free in y
// In place of log_density a family may give its two halves, so that what does not depend on y is computed once per fit:
//   F::log_kernel(params<T>, y), F::log_constant(params<T>)     log_density = log_kernel + log_constant
// Optional, each used when present:
//   F::coordinate(x)                 a transform worth doing once per value; all functions of y get y = coordinate(x)
//   F::coordinate_is_log             says that coordinate(x) is log x
//   F::statistics(y, summary)        vec<S, K> of sufficient statistics per value (the summary gives a centre), with
//   F::mean_log_likelihood(params<T>, means, summary)    of their weighted means: no further pass over the data
//   F::log_arguments(y, summary), F::logarithms, F::takes_logs(summary, limit)     where takes_logs says so, the
//                                    statistics are these, the last `logarithms` of them, which lie in [1/limit,
//                                    limit], after taking their logarithm: a group may then multiply many values and
//                                    take one logarithm
//   F::start(points or means, summary, settings)         where Newton starts; exact where a closed form exists
//   F::derivatives(params<S>, y)     log_kernel (or log_density) with derivatives by hand, as a jet<S, P>
//   F::objective(points, summary, params<double>)        the whole mean log-likelihood with derivatives, where a few
//                                    sums say more cheaply what derivatives() would add up
//   F::is_narrow(params<double>), F::log_density_where_narrow(params<S>, x)     where the first says that the
//                                    terms of log_density cancel, score takes the second, of x itself
//   F::is_nearly_singular(params<double>), F::to_orthogonal(vec), F::from_orthogonal(vec<T, P>)     where the first
//                                    says that the information is nearly singular, Newton runs in these coordinates
//                                    and standard errors come from there; constraints are those of the parameters
//   F::verdict(params<double>, summary, settings)        a status other than not_run ends the iteration there
//   F::limit(points, summary, settings)       the answer at the edge of the parameter space, found before the
//                                    iteration: a struct with `start_point at_edge`, taken when the verdict is
//                                    `boundary`; with it
//   F::verdict(params<double>, mean_log_likelihood, limit)   takes the other verdict's place, and may move at_edge; and
//   F::try_again(points, summary, settings, status, tried, parameters)     where to climb from once more, if at all
//   F::sample(params<double>, random)         one draw
//   F::ends                          a moving_support, where the support has an end that depends on parameters
// What is missing falls back to the generic way (jets; damped Newton from the example values). All of this becomes
// members of the family's likelihood, objectives/family_likelihood.hpp.
#pragma once

#include <concepts>
#include <iterator>
#include <utility>

#include "kernels/contracts/objective.hpp"
#include "kernels/data/rows.hpp"
#include "kernels/registry.hpp"

MF_NAMESPACE_BEGIN

template <class Family>
inline constexpr int parameter_count = static_cast<int>(std::size(Family::parameters));

/// The constraint of parameter i, usable in device code (which cannot index a host array).
template <class Family, int... I>
MF_FN constexpr constraint constraint_of(int i, std::integer_sequence<int, I...>) {
  constraint kind = constraint::real;
  ((kind = i == I ? std::integral_constant<constraint, Family::parameters[I].kind>::value : kind), ...);
  return kind;
}
template <class Family>
MF_FN constexpr constraint constraint_of(int i) {
  return constraint_of<Family>(i, std::make_integer_sequence<int, parameter_count<Family>>());
}

/// The example value of parameter i: where the generic start begins.
template <class Family, int... I>
MF_FN constexpr double example_of(int i, std::integer_sequence<int, I...>) {
  double value = 0;
  ((value = i == I ? Family::parameters[I].example : value), ...);
  return value;
}
template <class Family>
MF_FN constexpr double example_of(int i) {
  return example_of<Family>(i, std::make_integer_sequence<int, parameter_count<Family>>());
}

template <class Family, class T, int... I>
MF_FN auto params_from(const vec<T, sizeof...(I)>& v, std::integer_sequence<int, I...>) {
  return typename Family::template params<T>{v[I]...};
}
/// A family's named parameters from a vector in the order of F::parameters.
template <class Family, class T>
MF_FN auto params_from(const vec<T, parameter_count<Family>>& v) {
  return params_from<Family, T>(v, std::make_integer_sequence<int, parameter_count<Family>>());
}

template <class Family>
concept has_log_kernel = requires(typename Family::template params<double> p, double y) {
  { Family::log_kernel(p, y) } -> std::convertible_to<double>;
  { Family::log_constant(p) } -> std::convertible_to<double>;
};
template <class Family>
concept has_log_density = requires(typename Family::template params<double> p, double y) {
  { Family::log_density(p, y) } -> std::convertible_to<double>;
};
template <class Family>
concept family = requires {
  { Family::name } -> std::convertible_to<const char*>;
  { Family::parameters[0] } -> std::convertible_to<parameter>;
  { Family::support::text } -> std::convertible_to<const char*>;
}
&&(has_log_kernel<Family> || has_log_density<Family>);

/// Families by their names on the command line: families::weibull is manyfit::weibull. families::gamma has no shorter
/// name, since math.h declares a function gamma(), which `using namespace manyfit` would make ambiguous.
namespace families {
using namespace manyfit;
}

template <class Family>
concept has_coordinate = requires(double x) {
  Family::coordinate(x);
};
template <class Family>
concept has_statistics = requires(double y, sample_summary s) {
  Family::statistics(y, s);
};
template <class Family>
concept has_log_arguments = requires(double y, sample_summary s) {
  Family::log_arguments(y, s);
  Family::logarithms;
};
template <class Family>
concept has_derivatives = requires(typename Family::template params<double> p, double y) {
  Family::derivatives(p, y);
};
template <class Family>
concept has_verdict = requires(typename Family::template params<double> p, sample_summary s, fit_settings f) {
  Family::verdict(p, s, f);
};

template <class Family>
constexpr moving_support ends_of() {
  if constexpr (requires { Family::ends; })
    return Family::ends;
  else
    return moving_support::none;
}

/// What a family is, without a table of operations.
template <class Family>
constexpr family_info description_of() {
  return {.name = Family::name,
          .parameters = Family::parameters,
          .parameter_count = parameter_count<Family>,
          .support = Family::support::text,
          .discrete = Family::support::discrete,
          .ends = ends_of<Family>(),
          .uses_sufficient_statistics = has_statistics<Family>};
}

/// Four arguments of logarithms within [1/largest, largest] may be multiplied.
template <class S>
inline constexpr double largest_log_argument = is_single<S> ? 1e9 : 1e70;

/// The coordinate of x: the family's, or x itself.
template <class Family, class S>
MF_FN S coordinate_of(const S& x) {
  if constexpr (has_coordinate<Family>)
    return Family::coordinate(x);
  else
    return x;
}

/// The part of log f that depends on y, and the part that does not.
template <class Family, class P, class S>
MF_FN auto log_kernel_of(const P& p, const S& y) {
  if constexpr (has_log_kernel<Family>)
    return Family::log_kernel(p, y);
  else
    return Family::log_density(p, y);
}
template <class Family, class T>
MF_FN T log_constant_of(const typename Family::template params<T>& p) {
  if constexpr (has_log_kernel<Family>)
    return Family::log_constant(p);
  else
    return T(0);
}

MF_NAMESPACE_END
