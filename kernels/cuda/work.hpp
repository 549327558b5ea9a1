// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the lanes of a kernel do, without a word of CUDA: take fits from a counter, largest first, and run each. The
// CUDA kernels call these with CUDA's lanes; tests call them with threads as lanes.
#pragma once

#include "kernels/algorithms/operations.hpp"
#include "kernels/cuda/work_list.hpp"
#include "kernels/groups/lanes_group.hpp"

MF_NAMESPACE_BEGIN

/// An operation on every sample of the work list. Where a fit needs sufficient statistics alone, a group gathers those
/// of as many samples as it has lanes, 32 at most, one after the other, and then finishes all at once, a lane each: a
/// solve by one lane for itself alone would leave the others idle. Fits that iterate are taken one at a time: the last
/// ones are the smallest, which may need the most iterations.
template <class Operation, class Family, class T, class Context>
MF_FN_LARGE void sample_work(Context& context, T* buffer, std::int64_t capacity, const work_list& work,
                             const batch_view<T>& batch, const typename Operation::given& given,
                             const typename Operation::results& results) {
  const double noise = sizeof(T) == 4 ? 0x1p-23 : 0x1p-52;
  lanes_group<family_rows<Family>, T, Context> points(context, buffer, capacity);
  const std::int64_t begin = work.bounds[0], end = work.bounds[1];
  std::int64_t own_count = 0;
  if constexpr (Operation::template gathers<Family>) {
    const int grain = grain_of(work, Context::width), own = context.lane() % Context::width;
    for (;;) {
      const std::int64_t first = begin + take(context, work, grain, own_count);
      if (first >= end) break;
      // Each lane looks up where one of the fits lies: reading that one after the other would wait for memory each
      // time.
      const int count = static_cast<int>(end - first < grain ? end - first : grain);
      const std::int64_t own_fit = work.fit(first + (own < count ? own : 0));
      const sample_place own_place = place_of(batch, own_fit);
      gathered<Family> mine;
      const auto sample_number = [&](int j) {
        return sample_at(batch, {context.broadcast(own_place.begin, j), context.broadcast(own_place.size, j)});
      };
      sample<T> current = sample_number(0);
      for (int j = 0; j < count; ++j) {
        const sample<T> next = j + 1 < count ? sample_number(j + 1) : sample<T>{};
        const gathered<Family> one = gather<Family>(points, points.load(current, next));
        if (context.lane() == j) mine = one;
        current = next;
      }
      if (context.lane() < count)
        store(finish(likelihood<Family, gathered<Family>>(mine), given, noise), results, own_fit);
    }
  } else {
    for (;;) {
      const std::int64_t position = begin + take(context, work, 1, own_count);
      if (position >= end) break;
      const std::int64_t fit = work.fit(position);
      const auto answer = Operation::template of<Family>(points, sample_of(batch, fit), given, fit, noise);
      if (context.lane() == 0) store(answer, results, fit);
    }
  }
}

/// out[i] of value i of fit `fit`; the lanes of the whole launch share the values. `constants[fit]` is log_constant at
/// the fit's parameters, NaN where they are not valid.
template <class Family, class T>
MF_FN_LARGE double log_density_of_value(T x, const parameters_view& parameters, std::int64_t fit, double constant) {
  constexpr int P = parameter_count<Family>;
  if (is_missing(constant)) return constants::nan;
  const vec<double, P> plain = parameters_of<P>(parameters, fit);
  vec<T, P> p;
  for (int i = 0; i < P; ++i) p[i] = static_cast<T>(plain[i]);
  return static_cast<double>(log_density_at<Family>(params_from<Family>(p), static_cast<T>(constant),
                                                    is_narrow<Family>(params_from<Family>(plain)), x));
}

/// log_constant at the parameters of one fit, NaN where they are not valid.
template <class Family>
MF_FN_LARGE double checked_log_constant(const parameters_view& parameters, std::int64_t fit) {
  constexpr int P = parameter_count<Family>;
  const vec<double, P> p = parameters_of<P>(parameters, fit);
  return valid_parameters<Family>(p) ? log_constant_of<Family, double>(params_from<Family>(p)) : constants::nan;
}

MF_NAMESPACE_END
