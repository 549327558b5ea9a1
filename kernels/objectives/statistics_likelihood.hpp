// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The likelihood of a family that has sufficient statistics, which one pass over the rows gathers: no further one is
// taken, and all that follows is work for one lane.
#pragma once

#include "kernels/objectives/family_likelihood.hpp"

MF_NAMESPACE_BEGIN

/// A sample's sufficient statistics: all that a family which has them needs of it.
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

/// From sufficient statistics.
template <family Family>
struct likelihood<Family, gathered<Family>> : family_refinements<Family> {
  using family_refinements<Family>::dimension, family_refinements<Family>::summary;
  using parameters_type = vec<double, dimension>;
  const gathered<Family>& statistics;

  MF_FN explicit likelihood(const gathered<Family>& g) : family_refinements<Family>{g.summary}, statistics(g) {}

  template <int Order>
  MF_FN_LARGE jet<double, dimension, Order> at(const parameters_type& p) const {
    return Family::mean_log_likelihood(seeded<Family, double, Order>(p), statistics.means, statistics.summary);
  }
  MF_FN start_point<dimension> start(const fit_settings& settings) const {
    return Family::start(statistics.means, summary, settings);
  }
};

/// Families whose information is nearly singular in their own parameters somewhere: there Newton runs, and information
/// is inverted, in other coordinates.
template <class Family>
concept has_orthogonal_coordinates = requires(typename Family::template params<double> p) {
  Family::is_nearly_singular(p);
};

/// The same in coordinates in which the information is not nearly singular. Their constraints are the parameters'.
template <class Family>
struct orthogonal_likelihood : family_refinements<Family> {
  using family_refinements<Family>::dimension, family_refinements<Family>::summary;
  using parameters_type = vec<double, dimension>;
  const gathered<Family>& statistics;

  MF_FN explicit orthogonal_likelihood(const gathered<Family>& g)
      : family_refinements<Family>{g.summary}, statistics(g) {}

  MF_FN static parameters_type into(const parameters_type& p) { return Family::to_orthogonal(p); }
  /// The parameters at q, with derivatives.
  MF_FN static vec<jet<double, dimension>, dimension> natural(const parameters_type& q) {
    return Family::from_orthogonal(seeds_at<double>(q));
  }
  template <int Order>
  MF_FN_LARGE jet<double, dimension, Order> at(const parameters_type& q) const {
    return Family::mean_log_likelihood(params_from<Family>(Family::from_orthogonal(seeds_at<double, Order>(q))),
                                       statistics.means, summary);
  }
  /// Whether a climb from p runs here.
  MF_FN static bool suits(const parameters_type& p, const fit_settings& settings) {
    return !settings.fixed && Family::is_nearly_singular(params_from<Family>(p));
  }
};
template <has_orthogonal_coordinates Family>
MF_FN orthogonal_likelihood<Family> in_orthogonal_coordinates(const likelihood<Family, gathered<Family>>& own) {
  return orthogonal_likelihood<Family>(own.statistics);
}

MF_NAMESPACE_END
