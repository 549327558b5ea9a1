// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// An objective on the real line: in the logarithm of a positive parameter and the log-odds of a probability. With the
// logarithm of the Jacobian it is the density of the unconstrained coordinates, which a sampler needs; without it a
// maximum is where it was.
#pragma once

#include "kernels/contracts/objective.hpp"

MF_NAMESPACE_BEGIN

/// First and second derivative of a parameter with respect to its unconstrained coordinate, at parameter value p.
struct transform_derivatives {
  double first, second;
};
MF_FN transform_derivatives derivatives_at(constraint kind, double p) {
  if (kind == constraint::positive) return {p, p};
  if (kind == constraint::probability) return {p * (1 - p), p * (1 - p) * (1 - 2 * p)};
  return {1, 0};
}

/// The parameter at unconstrained coordinate u.
MF_FN_LARGE double constrained(constraint kind, double u) {
  if (kind == constraint::positive) return exp(u);
  if (kind == constraint::probability) return 1 / (1 + exp(-u));
  return u;
}
MF_FN_LARGE double unconstrained_coordinate(constraint kind, double p) {
  if (kind == constraint::positive) return log(p);
  if (kind == constraint::probability) return log(p) - log1p(-p);
  return p;
}

/// The parameter after a step of `step` in its unconstrained coordinate.
MF_FN_LARGE double stepped(constraint kind, double p, double step) {
  if (kind == constraint::positive) return p * exp(step);
  if (kind == constraint::probability) {
    const double odds = p / (1 - p) * exp(step);
    return odds / (1 + odds);
  }
  return p + step;
}

/// The parameters of an objective: how many, in which ranges. What Newton needs of it but for its value.
template <class O>
struct space_of {
  static constexpr int dimension = O::dimension;
  static constexpr double longest_last_step = [] {
    if constexpr (requires { O::longest_last_step; })
      return O::longest_last_step;
    else
      return constants::infinity;
  }();
  MF_FN static constexpr constraint constraint_of(int i) { return O::constraint_of(i); }
};

/// Score and negative Hessian of an objective in unconstrained coordinates; a fixed parameter gets score 0, unit
/// diagonal.
template <int P>
struct unconstrained_derivatives {
  vec<double, P> score;
  vec<double, packed_size(P)> curvature;

  template <class Space>
  MF_FN_LARGE unconstrained_derivatives(const Space& space, const vec<double, P>& p, const jet<double, P>& e,
                                        std::uint32_t fixed) {
    transform_derivatives t[P];
    for (int i = 0; i < P; ++i) t[i] = derivatives_at(space.constraint_of(i), p[i]);
    for (int i = 0; i < P; ++i) {
      const bool free_i = !((fixed >> i) & 1u);
      score[i] = free_i ? e.gradient[i] * t[i].first : 0.0;
      for (int j = 0; j <= i; ++j) {
        const bool free = free_i && !((fixed >> j) & 1u);
        double second = e.hessian[packed(i, j)] * t[i].first * t[j].first;
        if (i == j) second += e.gradient[i] * t[i].second;
        curvature[packed(i, j)] = free ? -second : (i == j ? 1.0 : 0.0);
      }
    }
  }
};

template <class Space, int P = Space::dimension>
MF_FN_CALL unconstrained_derivatives<P> called_derivatives(const Space& space, const vec<double, P>& p,
                                                           const jet<double, P>& e, std::uint32_t fixed) {
  return {space, p, e, fixed};
}
/// The same. Of three parameters and more a call, so that what it is given lies in memory while a GPU evaluates the
/// objective; fewer stay in registers.
template <class Space, int P = Space::dimension>
MF_FN unconstrained_derivatives<P> derivatives_in_unconstrained(const Space& space, const vec<double, P>& p,
                                                                const jet<double, P>& e, std::uint32_t fixed) {
  if constexpr (P > 2)
    return called_derivatives(space, p, e, fixed);
  else
    return {space, p, e, fixed};
}

/// O in unconstrained coordinates. `Jacobian`: with its logarithm, per unit of o.weight(), as the value of O is.
template <objective O, bool Jacobian = false>
struct unconstrained {
  static constexpr int dimension = O::dimension;
  O inner;

  MF_FN static constexpr constraint constraint_of(int) { return constraint::real; }
  MF_FN vec<double, dimension> natural(const vec<double, dimension>& u) const {
    vec<double, dimension> p;
    for (int i = 0; i < dimension; ++i) p[i] = constrained(O::constraint_of(i), u[i]);
    return p;
  }
  template <int Order>
  MF_FN_LARGE jet<double, dimension, Order> at(const vec<double, dimension>& u) const {
    const auto p = natural(u);
    auto e = inner.template at<Order>(p);
    if constexpr (Order == 2) {
      const unconstrained_derivatives<dimension> all_free(space_of<O>(), p, e, 0);
      for (int i = 0; i < dimension; ++i) e.gradient[i] = all_free.score[i];
      for (int i = 0; i < packed_size(dimension); ++i) e.hessian[i] = -all_free.curvature[i];
    } else {
      for (int i = 0; i < dimension; ++i) e.gradient[i] *= derivatives_at(O::constraint_of(i), p[i]).first;
    }
    if constexpr (Jacobian) {
      const double per_weight = 1 / inner.weight();
      for (int i = 0; i < dimension; ++i) {
        const constraint kind = O::constraint_of(i);
        if (kind == constraint::real) continue;
        // log dp/du is u for a positive parameter, log p + log(1 − p) for a probability.
        const bool odds = kind == constraint::probability;
        e.value += per_weight * (odds ? log(p[i]) + log1p(-p[i]) : u[i]);
        e.gradient[i] += per_weight * (odds ? 1 - 2 * p[i] : 1.0);
        if constexpr (Order == 2)
          if (odds) e.hessian[packed(i, i)] -= per_weight * 2 * p[i] * (1 - p[i]);
      }
    }
    return e;
  }
  MF_FN double weight() const { return inner.weight(); }
};

MF_NAMESPACE_END
