// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What is asked of a family from outside its type: by climbs of a posterior, which are compiled once for all families.
// Beside what contracts/family.hpp lists a family may give
//   F::corner                       the parameter in which its log-density has a corner at every value: no maximum
//                                   shows there by derivatives; with it F::expected_information(params<double>), per
//                                   observation, a diagonal
//   F::ends_at(minimum, maximum, lowest, highest)     the range of every parameter beyond which a sample between these
//                                   would have no density, where the density does not fall to 0 before
#pragma once

#include "kernels/contracts/family_rows.hpp"

namespace manyfit {

/// log f(x) of a distribution with these parameters, in the family's order, and its derivatives in x, into out[3].
/// −infinity outside the support.
using value_density = void (*)(const double* parameters, double x, double* out);

struct family_traits {
  const parameter* parameters;
  int count;
  bool logs;        ///< coordinates are logarithms
  bool shifts;      ///< a shift of the data leaves the family what it is
  int corner = -1;  ///< see F::corner
  void (*expected_information)(const double* p, double* diagonal) = nullptr;
  void (*ends_at)(double minimum, double maximum, double* lowest, double* highest) = nullptr;
  value_density density = nullptr;  ///< of continuous families
};

}  // namespace manyfit

MF_NAMESPACE_BEGIN

template <class Family>
void value_density_of(const double* parameters, double x, double* out) {
  constexpr int P = parameter_count<Family>;
  using S = jet<double, 1>;
  if (!Family::support::contains(x) || !is_finite(x)) {
    out[0] = -constants::infinity;
    out[1] = out[2] = 0;
    return;
  }
  vec<double, P> plain;
  vec<S, P> constant;
  for (int i = 0; i < P; ++i) constant[i] = plain[i] = parameters[i];
  const S value = log_kernel_of<Family>(params_from<Family>(constant), coordinate_of<Family>(S::variable(x, 0)));
  out[0] = value.value + log_constant_of<Family, double>(params_from<Family>(plain));
  out[1] = value.gradient[0];
  out[2] = value.hessian[0];
}

template <class Family>
constexpr family_traits traits_of() {
  constexpr int P = parameter_count<Family>;
  family_traits traits{Family::parameters, P, has_log_coordinate<Family>, can_shift<Family>};
  if constexpr (requires { Family::corner; }) {
    traits.corner = Family::corner;
    traits.expected_information = [](const double* p, double* diagonal) {
      vec<double, P> here;
      for (int i = 0; i < P; ++i) here[i] = p[i];
      const auto information = Family::expected_information(params_from<Family>(here));
      for (int i = 0; i < P; ++i) diagonal[i] = information[i];
    };
  }
  if constexpr (requires(double* ends) { Family::ends_at(0.0, 1.0, ends, ends); }) traits.ends_at = &Family::ends_at;
  if constexpr (!Family::support::discrete) traits.density = &value_density_of<Family>;
  return traits;
}

MF_NAMESPACE_END
