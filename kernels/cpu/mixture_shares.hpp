// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The E step of a mixture of families for a piece of the sample: log-densities to shares and their sums, in one pass.
// Log-sum-exp about the largest term, so that nothing overflows; a share that underflows where the density is not 0
// stays at exp(−650) of its weight: numbers below the normal range take a hundred times as long, and a weight of 0
// would send the family's fit down its path for values that are left out.
#pragma once

#include "kernels/gaussian_mixture/functions.hpp"
#include "kernels/math/pack.hpp"

MF_NAMESPACE_BEGIN

inline double share_out(int K, std::int64_t count, std::int64_t stride, const double* x, const double* w,
                        const double* log_weight, double* table, component_sums* sums) {
  double total = 0;
  bool outside = false;
  pack none(0.0);  // NaN once a log-density is
  for (int k = 0; k < K; ++k) sums[k].weight = sums[k].first = sums[k].second = sums[k].log_density = 0;
  constexpr std::int64_t block = 1024;
  alignas(64) double norm[block];
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const std::int64_t size = count - begin < block ? count - begin : block;
    pack block_total(0.0);
    for (std::int64_t i = 0; i < size; i += pack::lanes) {
      pack most(-constants::infinity), sum(0.0);
      for (int k = 0; k < K; ++k) {
        const pack term = pack::load(table + k * stride + begin + i) + pack(log_weight[k]);
        none += select(term == term, pack(0.0), pack(constants::nan));
        most = maximum(most, term);
      }
      outside = outside || any(most == pack(-constants::infinity));
      for (int k = 0; k < K; ++k) sum += exp(pack::load(table + k * stride + begin + i) + pack(log_weight[k]) - most);
      const pack value = most + log(sum);
      value.store(norm + i);
      block_total += pack::load(w + begin + i) * value;
    }
    total += sum_of_lanes(block_total);
    for (int k = 0; k < K; ++k) {
      double* const own = table + k * stride + begin;
      pack weight(0.0), first(0.0), second(0.0), density(0.0);
      for (std::int64_t i = 0; i < size; i += pack::lanes) {
        const pack l = pack::load(own + i);
        const auto possible = l > pack(-constants::infinity);
        const pack exponent = maximum(l + pack(log_weight[k]) - pack::load(norm + i), pack(-650.0));
        const pack share = select(possible, pack::load(w + begin + i) * exp(exponent), pack(0.0));
        const pack d = pack::load(x + begin + i) - pack(sums[k].centre), sd = share * d;
        share.store(own + i);
        weight += share;
        first += sd;
        second += sd * d;
        density += select(possible, share * l, pack(0.0));
      }
      sums[k].weight += sum_of_lanes(weight);
      sums[k].first += sum_of_lanes(first);
      sums[k].second += sum_of_lanes(second);
      sums[k].log_density += sum_of_lanes(density);
    }
  }
  total += sum_of_lanes(none);
  return outside && total != total && sum_of_lanes(none) == 0 ? -constants::infinity : total;
}

MF_NAMESPACE_END
