// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Priors of a fit's parameters as seen from the frame of its sample (data/frame.hpp). A prior is stated in the data's
// own scale; where the parameter is a location far from 0 its distribution is put into the same frame, so that nothing
// cancels, and elsewhere it is evaluated at the parameter out of the frame.
#pragma once

#include <array>

#include "kernels/contracts/family_traits.hpp"
#include "kernels/objectives/family_frame.hpp"

MF_NAMESPACE_BEGIN

/// The prior of one parameter.
struct framed_prior {
  int parameter;
  value_density density;
  double values[max_parameters];  ///< of the distribution, in `in`
  tracking kind;                  ///< how the parameter leaves the sample's frame
  bool logs;
  bool moved;  ///< whether the distribution is in a frame of its own
  frame in;    ///< that: x / unit − pivot

  /// What the density is asked for, of the parameter in the sample's frame.
  template <class T>
  T own(const T& p, const frame& of_sample) const {
    if (!moved) return out_of_frame(kind, logs, p, of_sample);
    return kind == tracking::scale ? expm1(log(p) / of_sample.stretch) : p;
  }
  /// log density of the parameter of the data as they are, with derivatives in the parameter in the frame.
  template <int P, int Order>
  jet<double, P, Order> at(const jet<double, P, Order>& p, const frame& of_sample) const {
    using S = jet<double, 1>;
    const S x = own(S::variable(p.value, 0), of_sample);
    double out[3];
    density(values, x.value, out);
    const double slope = x.gradient[0];
    return chain(p, out[0] - log(in.unit), out[1] * slope, out[2] * slope * slope + out[1] * x.hessian[0]);
  }
};

MF_FN double density_at(const framed_prior& prior, double p, const frame& in) {
  return prior.at(jet<double, 1>(p), in).value;
}
template <int P, int Order>
MF_FN jet<double, P, Order> density_at(const framed_prior& prior, const jet<double, P, Order>& p, const frame& in) {
  return prior.at(p, in);
}

/// The sum of a fit's, as posterior (objectives/posterior.hpp) takes it. The parameters are `Capacity` numbers of which
/// a family uses the first.
template <int Capacity>
struct framed_priors {
  std::array<framed_prior, Capacity> of;
  int count = 0;
  frame in;

  template <class T>
  T log_density(const vec<T, Capacity>& p) const {
    T sum(0.0);
    for (int k = 0; k < count; ++k) sum = sum + density_at(of[k], p[of[k].parameter], in);
    return sum;
  }
  /// Adds the prior of parameter `parameter` of `family`, `distribution` at `values`.
  void add(const family_traits& family, int parameter, const family_traits& distribution, const double* values) {
    framed_prior& each = of[count++];
    each = {parameter, distribution.density, {}, family.parameters[parameter].tracks, family.logs, false, {}};
    if (in.active() && distribution.shifts && !distribution.logs) {
      each.moved = true;
      if (each.kind == tracking::location)
        each.in = {in.unit, in.pivot};
      else if (each.kind == tracking::log_scale)
        each.in = {1 / in.stretch, in.stretch * log(in.unit)};
      else if (each.kind == tracking::scale && family.logs && in.pivot != 0)
        each.in = {in.unit, 1};
      else
        each.moved = false;
    }
    for (int i = 0; i < distribution.count; ++i)
      each.values[i] =
          each.moved ? into_frame(distribution.parameters[i].tracks, false, values[i], each.in) : values[i];
  }
};

MF_NAMESPACE_END
