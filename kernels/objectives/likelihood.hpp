// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The mean log-likelihood of a model over a group's rows, Σ w log f / Σ w, with derivatives by one pass: an objective
// (contracts/objective.hpp). Algorithms see nothing else of models, rows and lanes. What a family knows better than the
// generic way are members that its likelihood has where the family has them: objectives/family_likelihood.hpp.
#pragma once

#include "kernels/contracts/model.hpp"

MF_NAMESPACE_BEGIN

/// Jets seeded at the parameters.
template <class S, int Order = 2, int P>
MF_FN vec<jet<S, P, Order>, P> seeds_at(const vec<double, P>& p) {
  vec<jet<S, P, Order>, P> seeds;
  for (int i = 0; i < P; ++i) seeds[i] = jet<S, P, Order>::variable(S(p[i]), i);
  return seeds;
}

/// A jet as a group sums it: value, gradient and, of order 2, Hessian.
template <int P, int Order>
inline constexpr int jet_numbers = 1 + P + (Order == 2 ? packed_size(P) : 0);
template <class S, int P, int Order>
MF_FN vec<S, jet_numbers<P, Order>> numbers_of(const jet<S, P, Order>& term) {
  vec<S, jet_numbers<P, Order>> out;
  out[0] = term.value;
  for (int i = 0; i < P; ++i) out[1 + i] = term.gradient[i];
  if constexpr (Order == 2)
    for (int i = 0; i < packed_size(P); ++i) out[1 + P + i] = term.hessian[i];
  return out;
}
/// `mean` and the sums divided by `weight`.
template <int P, int Order>
MF_FN void add_mean(jet<double, P, Order>& mean, const vec<double, jet_numbers<P, Order>>& sums, double weight) {
  mean.value += sums[0] / weight;
  for (int i = 0; i < P; ++i) mean.gradient[i] += sums[1 + i] / weight;
  if constexpr (Order == 2)
    for (int i = 0; i < packed_size(P); ++i) mean.hessian[i] += sums[1 + P + i] / weight;
}

/// The likelihood of `points`, a group that has loaded its sample, of which `summary` is what it found.
template <class Model, class Group>
struct likelihood {
  static_assert(model<Model>);
  static constexpr int dimension = Model::dimension;
  const Group& points;
  const sample_summary& summary;

  MF_FN static constexpr constraint constraint_of(int i) { return Model::constraint_of(i); }
  template <int Order>
  MF_FN_LARGE jet<double, dimension, Order> at(const vec<double, dimension>& p) const {
    const auto seeds = seeds_at<typename Group::scalar, Order>(p);
    jet<double, dimension, Order> mean(0.0);
    add_mean(mean, points.sum([&](const auto& row) { return numbers_of(Model::log_density(seeds, row)); }),
             summary.weight);
    return mean;
  }
  /// Σ w, of which the value is the mean.
  MF_FN double weight() const { return summary.weight; }
};

MF_NAMESPACE_END
