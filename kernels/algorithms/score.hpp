// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The primitives below a fit, for ONE value or ONE sample: the log-density, and the log-likelihood as its weighted sum.
#pragma once

#include "kernels/objectives/family_frame.hpp"
#include "kernels/operations.hpp"

MF_NAMESPACE_BEGIN

/// Parameters of fit number `fit`.
template <int P>
MF_FN vec<double, P> parameters_of(const parameters_view& view, std::int64_t fit) {
  vec<double, P> p;
  for (int i = 0; i < P; ++i) p[i] = view.values[i * view.row + fit * view.stride];
  return p;
}

/// Whether every parameter lies inside its constraint.
template <class Family, int P = parameter_count<Family>>
MF_FN bool valid_parameters(const vec<double, P>& p) {
  bool valid = true;
  for (int i = 0; i < P; ++i) {
    const constraint kind = constraint_of<Family>(i);
    valid = valid && is_finite(p[i]) && (kind == constraint::real || p[i] > 0) &&
            (kind != constraint::probability || p[i] < 1);
  }
  return valid;
}

/// One draw; NaN where the parameters are not valid. A variate beyond the doubles' range is clamped to its end.
template <class Family, class Random, int P = parameter_count<Family>>
MF_FN double draw_of(const vec<double, P>& p, Random& random) {
  if (!valid_parameters<Family>(p)) return constants::nan;
  constexpr double most = std::numeric_limits<double>::max();
  return minimum(maximum(Family::sample(params_from<Family>(p), random), -most), most);
}

/// Families whose density is a small difference of large terms at some parameters.
template <class Family>
concept has_log_density_where_narrow = requires(typename Family::template params<double> p, double x) {
  Family::is_narrow(p);
  Family::log_density_where_narrow(p, x);
};
/// Whether the terms cancel at these parameters: the same for all values, so decided outside a loop.
template <class Family>
MF_FN bool is_narrow(const typename Family::template params<double>& p) {
  if constexpr (has_log_density_where_narrow<Family>)
    return Family::is_narrow(p);
  else
    return false;
}

/// log f(x) for scalars S: −inf outside the support, NaN for a missing x. `constant` is log_constant at p, `narrow`
/// what is_narrow says of it.
template <class Family, class S, class Params>
MF_FN S log_density_at(const Params& p, const S& constant, bool narrow, const S& x) {
  const auto inside = Family::support::contains(x) && is_finite(x);
  const S masked = select(inside, x, S(0.5));
  S value;
  if constexpr (has_log_density_where_narrow<Family>)
    value = narrow ? Family::log_density_where_narrow(p, masked)
                   : log_kernel_of<Family>(p, coordinate_of<Family>(masked)) + constant;
  else
    value = log_kernel_of<Family>(p, coordinate_of<Family>(masked)) + constant;
  return select(is_missing(x), S(constants::nan), select(inside, value, S(-constants::infinity)));
}

/// Σ w log f(x) over one sample; −inf when a value lies outside the support, NaN when one is not finite or the
/// parameters are not valid, 0 for an empty sample.
template <class Family, class Group, int P = parameter_count<Family>>
MF_FN_LARGE double log_likelihood_of(const Group& points, const sample_summary& summary,
                                     const vec<double, P>& parameters) {
  using S = typename Group::scalar;
  if (summary.nonfinite > 0 || !valid_parameters<Family>(parameters)) return constants::nan;
  if (summary.outside > 0) return -constants::infinity;
  if (summary.observations == 0) return 0;
  vec<double, P> here = parameters;
  if constexpr (has_frame<Family>)
    for (int i = 0; i < P && summary.in.active(); ++i) here[i] = into_frame<Family>(i, parameters[i], summary.in);
  vec<S, P> plain;
  for (int i = 0; i < P; ++i) plain[i] = S(here[i]);
  const auto p = params_from<Family>(plain);
  const double outside = log_density_out_of_frame<Family>(summary);
  if constexpr (has_log_density_where_narrow<Family> && !has_coordinate<Family>)
    if (Family::is_narrow(params_from<Family>(here)))
      return points.sum([&](const S& y) { return vec<S, 1>{Family::log_density_where_narrow(p, y)}; })[0] +
             summary.weight * outside;
  const auto total = points.sum([&](const S& y) { return vec<S, 1>{log_kernel_of<Family>(p, y)}; });
  // Where the support depends on the parameters a density of 0 shows only now; a sum may have made it 0 · inf.
  if (!is_finite(total[0]) &&
      points.minimum_of([&](const S& y) { return log_kernel_of<Family>(p, y); }) == -constants::infinity)
    return -constants::infinity;
  return total[0] + summary.weight * (log_constant_of<Family, double>(params_from<Family>(here)) + outside);
}

/// The operation: log-likelihoods.
struct log_likelihood_operation : sample_operation<parameters_view, log_likelihood_view> {
  template <class Family, class Group, class T>
  MF_FN static double of(Group& points, const sample<T>& raw, const parameters_view& parameters, std::int64_t fit,
                         double) {
    return log_likelihood_of<Family>(points, points.load(raw), parameters_of<parameter_count<Family>>(parameters, fit));
  }
};

MF_NAMESPACE_END
