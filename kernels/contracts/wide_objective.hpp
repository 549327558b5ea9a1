// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Objectives of a dimension that is known at run time, and the likelihood of one fit as one of them. A wide objective O
// gives
//   o.dimension()                   how many parameters
//   o.constraint_of(i)              the range of parameter i
//   o.gradient(p, g)                its value at p; the gradient into g
//   o.hessian(p, g, h)              the same; the Hessian, a packed lower triangle, into h
//   o.weight()                      the weight of all data, of which the value is the mean
// where spans have the dimension's length. What climbs or samples whatever it is given, compiled once, takes one of
// these. An objective of a dimension that is known to the compiler (contracts/objective.hpp) becomes one by wide_view.
#pragma once

#include <algorithm>
#include <span>

#include "kernels/contracts/objective.hpp"

namespace manyfit {

template <class O>
concept wide_objective = requires(const O o, std::span<const double> p, std::span<double> out) {
  { o.dimension() } -> std::same_as<int>;
  { o.constraint_of(0) } -> std::same_as<constraint>;
  { o.gradient(p, out) } -> std::same_as<double>;
  { o.hessian(p, out, out) } -> std::same_as<double>;
  { o.weight() } -> std::same_as<double>;
};

/// An objective whose type is not told: one fit's mean log-likelihood in its frame. Valid while its maker lives.
class any_objective {
 public:
  using evaluate = double (*)(const void* self, const double* p, double* gradient, double* hessian);
  any_objective(const void* self, int dimension, double weight, constraint (*ranges)(int), evaluate function)
      : self_(self), dimension_(dimension), weight_(weight), ranges_(ranges), evaluate_(function) {}

  int dimension() const { return dimension_; }
  constraint constraint_of(int i) const { return ranges_(i); }
  double weight() const { return weight_; }
  double gradient(std::span<const double> p, std::span<double> g) const {
    return evaluate_(self_, p.data(), g.data(), nullptr);
  }
  double hessian(std::span<const double> p, std::span<double> g, std::span<double> h) const {
    return evaluate_(self_, p.data(), g.data(), h.data());
  }

 private:
  const void* self_;
  int dimension_;
  double weight_;
  constraint (*ranges_)(int);
  evaluate evaluate_;
};
static_assert(wide_objective<any_objective>);

/// Is shown the fits of a batch one after the other, on several threads at once.
struct fit_visitor {
  void* self;
  void (*visit)(void* self, std::int64_t fit, const loaded_sample& loaded, const any_objective& likelihood);
};

}  // namespace manyfit

MF_NAMESPACE_BEGIN

/// An objective seen as a wide one. Valid while the objective lives.
template <objective O>
class wide_view {
  static constexpr int P = O::dimension;

 public:
  explicit wide_view(const O& inner) : inner_(inner) {}

  int dimension() const { return P; }
  constraint constraint_of(int i) const { return O::constraint_of(i); }
  double weight() const { return inner_.weight(); }
  double gradient(std::span<const double> p, std::span<double> g) const {
    const auto e = inner_.template at<1>(point(p.data()));
    std::copy_n(e.gradient, P, g.data());
    return e.value;
  }
  double hessian(std::span<const double> p, std::span<double> g, std::span<double> h) const {
    const auto e = inner_.template at<2>(point(p.data()));
    std::copy_n(e.gradient, P, g.data());
    std::copy_n(e.hessian, packed_size(P), h.data());
    return e.value;
  }
  /// The same without its type.
  operator any_objective() const {
    return {this, P, weight(), [](int i) { return O::constraint_of(i); },
            [](const void* self, const double* p, double* g, double* h) {
              const wide_view& view = *static_cast<const wide_view*>(self);
              return h ? view.hessian({p, P}, {g, P}, {h, packed_size(P)}) : view.gradient({p, P}, {g, P});
            }};
  }

 private:
  static vec<double, P> point(const double* p) {
    vec<double, P> at;
    std::copy_n(p, P, at.v);
    return at;
  }
  const O& inner_;
};

MF_NAMESPACE_END
