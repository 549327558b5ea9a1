// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E step of a mixture along a walk (groups/walk.hpp): log-densities to responsibilities times weights, and
// their sums. Log-sum-exp about the largest term, so that nothing overflows; a responsibility that underflows where the
// density is not 0 stays at exp(−650) of its weight: numbers below the normal range take a hundred times as long on a
// CPU, and a weight of 0 would send the family's fit down its path for values that are left out.
#pragma once

#include "kernels/math/scalar.hpp"

namespace manyfit {

/// What an E step says of one component: sums over the values, weighted by its responsibilities.
struct component_sums {
  double centre = 0;       ///< in: about which the powers are taken
  double weight = 0;       ///< Σ responsibility
  double first = 0;        ///< Σ responsibility (x − centre)
  double second = 0;       ///< Σ responsibility (x − centre)²
  double log_density = 0;  ///< Σ responsibility log f(x)
};

}  // namespace manyfit

MF_NAMESPACE_BEGIN

/// table [K × stride]: in: log f_k(x_i); out: responsibilities. x, w [count]; a walk in packs needs them whole, padded
/// with w = 0 and finite x. sums, log_weight: of component k at k × apart. Returns the log-likelihood: −∞ where a value
/// is outside every component's support, NaN where a log-density is.
template <class Walk>
MF_FN_LARGE double find_responsibilities(Walk& walk, int K, std::int64_t count, std::int64_t stride, const double* x,
                                         const double* w, const double* log_weight, double* table, component_sums* sums,
                                         std::int64_t apart = 1) {
  using S = typename Walk::scalar;
  double total = 0;
  S none(0.0), outside(0.0);  // none: NaN once a log-density is
  if (walk.leads()) {
    MF_ROLLED
    for (int k = 0; k < K; ++k) {
      component_sums& s = sums[k * apart];
      s.weight = s.first = s.second = s.log_density = 0;
    }
  }
  const std::int64_t tile = walk.tile(count);
  for (std::int64_t begin = 0; begin < count; begin += tile) {
    const std::int64_t size = count - begin < tile ? count - begin : tile;
    vec<S, 1> tile_total{S(0.0)};
    walk.each(size, [&](std::int64_t i) {
      const double* const own = table + begin + i;
      S most(-constants::infinity), sum(0.0);
      MF_ROLLED
      for (int k = 0; k < K; ++k) {
        const S term = walk.load(own + k * stride) + S(log_weight[k * apart]);
        none += select(term == term, S(0.0), S(constants::nan));
        most = maximum(most, term);
      }
      outside += select(most == S(-constants::infinity), S(1.0), S(0.0));
      MF_ROLLED
      for (int k = 0; k < K; ++k) sum += exp(walk.load(own + k * stride) + S(log_weight[k * apart]) - most);
      const S value = most + log(sum);
      walk.store(walk.kept + i, value);
      tile_total[0] += walk.load(w + begin + i) * value;
    });
    total += walk.sum(tile_total)[0];
    MF_ROLLED
    for (int k = 0; k < K; ++k) {
      double* const own = table + k * stride + begin;
      component_sums& to = sums[k * apart];
      const S center(to.centre), constant(log_weight[k * apart]);
      vec<S, 4> part{S(0.0), S(0.0), S(0.0), S(0.0)};
      walk.each(size, [&](std::int64_t i) {
        const S l = walk.load(own + i);
        const auto possible = l > S(-constants::infinity);
        const S exponent = maximum(l + constant - walk.load(walk.kept + i), S(-650.0));
        const S responsibility = select(possible, walk.load(w + begin + i) * exp(exponent), S(0.0));
        const S d = walk.load(x + begin + i) - center, sd = responsibility * d;
        walk.store(own + i, responsibility);
        part[0] += responsibility;
        part[1] += sd;
        part[2] += sd * d;
        part[3] += select(possible, responsibility * l, S(0.0));
      });
      const vec<double, 4> all = walk.sum(part);
      if (!walk.leads()) continue;
      to.weight += all[0];
      to.first += all[1];
      to.second += all[2];
      to.log_density += all[3];
    }
  }
  const vec<double, 2> odd = walk.sum(vec<S, 2>{none, outside});
  total += odd[0];
  return odd[1] > 0 && total != total && odd[0] == 0 ? -constants::infinity : total;
}

/// The sums of one component over a column x [count] of which cells may be missing, by its responsibilities, but those
/// of its log-density.
template <class Walk>
MF_FN_LARGE void column_sums(Walk& walk, std::int64_t count, const double* x, const double* responsibilities,
                             component_sums& to) {
  using S = typename Walk::scalar;
  const S center(to.centre);
  vec<S, 3> powers{S(0.0), S(0.0), S(0.0)};
  walk.each(count, [&](std::int64_t i) {
    const S value = walk.load(x + i);
    const auto present = value == value;
    const S responsibility = select(present, walk.load(responsibilities + i), S(0.0));
    const S d = select(present, value - center, S(0.0)), responsibility_d = responsibility * d;
    powers[0] += responsibility;
    powers[1] += responsibility_d;
    powers[2] += responsibility_d * d;
  });
  const vec<double, 3> all = walk.sum(powers);
  if (!walk.leads()) return;
  to.weight = all[0];
  to.first = all[1];
  to.second = all[2];
}

/// A responsibility of this much of a value and less is none to a component whose support has an end that EM moves:
/// else no end could ever pass the value. It leaves the log-likelihood at this much per value of where it was.
MF_FN double responsibility_that_counts(double responsibility, double w) {
  return responsibility > 1e-14 * w ? responsibility : 0;
}

/// log f of a point mass, which is a density only beside others like it.
MF_FN double point_mass_log_density(double x, double at) {
  return x == at ? 0 : -constants::infinity;
}

MF_NAMESPACE_END
