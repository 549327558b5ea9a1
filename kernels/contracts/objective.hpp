// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What is climbed or sampled. An objective O of a few parameters gives
//   O::dimension              how many
//   O::constraint_of(i)       the range of parameter i
//   o.at<Order>(p)            value, gradient and (order 2) Hessian at parameters p inside their ranges, as a jet;
//                             a mean log-likelihood (plus what a prior says, per unit of weight): tolerances count
//                             on it
//   o.weight()                the weight of all data, of which the value is the mean
// and may give
//   O::longest_last_step      where a step that is short in standard errors may be long in a parameter: the longest, in
//                             the parameters' unconstrained coordinates, with which an iteration may end
// Whoever sums, sums inside at(): all lanes of a group call it together, and each gets the same bits.
#pragma once

#include <concepts>

#include "kernels/contracts/parameter.hpp"
#include "kernels/math/jet.hpp"
#include "kernels/views.hpp"

MF_NAMESPACE_BEGIN

template <class O>
concept objective = requires(const O o, vec<double, O::dimension> p) {
  { o.constraint_of(0) } -> std::same_as<constraint>;
  { o.template at<1>(p) } -> std::same_as<jet<double, O::dimension, 1>>;
  { o.template at<2>(p) } -> std::same_as<jet<double, O::dimension, 2>>;
  { o.weight() } -> std::same_as<double>;
};

/// Where a climb starts, or the answer itself.
template <int P>
struct start_point {
  vec<double, P> parameters;
  fit_status status = fit_status::not_run;      ///< anything else: the fit ends here with these parameters
  double mean_log_likelihood = constants::nan;  ///< only read when the fit ends here
  vec<double, P> information{};                 ///< per observation, diagonal; only read when the fit ends here as
                                                ///< converged (likelihoods without derivatives); 0: no standard error
  int iterations = 0;                           ///< passes spent on the start, counted into the fit's iterations
};

MF_NAMESPACE_END
