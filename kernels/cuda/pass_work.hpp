// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// One pass for climbs that are stepped from outside (algorithms/posterior_climb.hpp): the likelihood of every fit, with
// derivatives, where its climb wants it. As cuda/work.hpp without a word of CUDA.
#pragma once

#include "kernels/cuda/functions.hpp"
#include "kernels/cuda/work.hpp"

MF_NAMESPACE_BEGIN

/// The mean log-likelihood of a loaded sample, whichever way the family's is made.
template <class Family, class Group, int P = parameter_count<Family>>
MF_FN_LARGE jet<double, P> likelihood_at(const Group& points, const sample_summary& summary, const vec<double, P>& p) {
  if constexpr (has_statistics<Family>) {
    const gathered<Family> statistics = gather<Family>(points, summary);
    return likelihood<Family, gathered<Family>>(statistics).template at<2>(p);
  } else {
    return likelihood<Family, Group>(points, summary).template at<2>(p);
  }
}

template <class Family, class T, class Context>
MF_FN_LARGE void pass_work(Context& context, T* buffer, std::int64_t capacity, const work_list& work,
                           const batch_view<T>& batch, const pass_view& pass) {
  constexpr int P = parameter_count<Family>, numbers = jet_numbers<P, 2>;
  lanes_group<family_rows<Family>, T, Context> points(context, buffer, capacity);
  const std::int64_t begin = work.bounds[0], end = work.bounds[1];
  std::int64_t own_count = 0;
  for (;;) {
    const std::int64_t position = begin + take(context, work, 1, own_count);
    if (position >= end) break;
    const std::int64_t fit = work.fit(position);
    if (pass.points && context.uniform(is_missing(pass.points[fit * P]))) continue;
    const sample_summary summary = points.load(sample_of(batch, fit));
    if (!pass.points) {
      if (context.lane() == 0) pass.loaded[fit] = loaded_of<Family>(summary);
      continue;
    }
    vec<double, P> p;
    for (int i = 0; i < P; ++i) p[i] = pass.points[fit * P + i];
    const vec<double, numbers> answer = numbers_of(likelihood_at<Family>(points, summary, p));
    if (context.lane() == 0)
      for (int k = 0; k < numbers; ++k) pass.answers[fit * numbers + k] = answer[k];
  }
}

MF_NAMESPACE_END
