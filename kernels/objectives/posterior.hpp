// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A likelihood and a prior: what a MAP estimate climbs and a sampler draws from. A prior Q is a log-density of the
// parameters, q.log_density(p) of a vec<T, dimension>, templated on the scalar: jets give its derivatives.
#pragma once

#include "kernels/objectives/likelihood.hpp"

MF_NAMESPACE_BEGIN

template <class Q, int P>
concept prior = requires(const Q q, vec<jet<double, P>, P> p) {
  { q.log_density(p) } -> std::convertible_to<jet<double, P>>;
};

/// Per unit of the likelihood's weight, as that is: (Σ w log f + log prior) / Σ w.
template <objective Likelihood, prior<Likelihood::dimension> Prior>
struct posterior {
  static constexpr int dimension = Likelihood::dimension;
  Likelihood data;
  Prior belief;

  MF_FN static constexpr constraint constraint_of(int i) { return Likelihood::constraint_of(i); }
  template <int Order>
  MF_FN_LARGE jet<double, dimension, Order> at(const vec<double, dimension>& p) const {
    return data.template at<Order>(p) + belief.log_density(seeds_at<double, Order>(p)) * (1 / data.weight());
  }
  MF_FN double weight() const { return data.weight(); }
};

MF_NAMESPACE_END
