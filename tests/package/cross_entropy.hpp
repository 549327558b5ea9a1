// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The operation that new_operation.sh adds to a copy of the tree.
#pragma once

#include "kernels/algorithms/score.hpp"

MF_NAMESPACE_BEGIN

/// −Σ w log f(x) / Σ w of a sample, nats. Of densities: there is none for a discrete family.
struct cross_entropy_operation : sample_operation<parameters_view, cross_entropy_view> {
  template <class Family>
  static constexpr bool exists = !Family::support::discrete;
  template <class Family, class Group, class T>
  MF_FN_LARGE static double of(Group& points, const sample<T>& raw, const parameters_view& parameters, std::int64_t fit,
                               double) {
    const sample_summary summary = points.load(raw);
    const auto p = parameters_of<parameter_count<Family>>(parameters, fit);
    return -log_likelihood_of<Family>(points, summary, p) / summary.weight;
  }
};

MF_NAMESPACE_END
