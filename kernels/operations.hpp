// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The operations, as data: what can be done with a batch of samples and a family. A table holds one function for each,
// of one family for one type of data on one target; algorithms/operations.hpp fills it. Each operation writes to a view
// of its own, so that no function fits into another's place. Null: there is no such cell in this build.
#pragma once

#include "kernels/core.hpp"
#include "kernels/targets.hpp"

namespace manyfit {

/// Where an operation puts a number per value, in input order, or per sample.
struct number_view {
  double* values = nullptr;     ///< [size]
  std::int64_t size = 0;        ///< read by CUDA only
  double* workspace = nullptr;  ///< [count] of CUDA, where there is a number per value
};
struct log_density_view : number_view {};
struct log_likelihood_view : number_view {};

template <class Target, class T>
struct operations {
  template <class Given, class Results>
  using function = typename Target::template function<T, Given, Results>;

  function<fit_settings, fit_results_view> fit = nullptr;
  function<parameters_view, log_density_view> log_density = nullptr;
  function<parameters_view, log_likelihood_view> log_likelihood = nullptr;
};

}  // namespace manyfit

MF_NAMESPACE_BEGIN

/// What is done to a sample: a struct derived from this one with
///   template <class Family, class Group, class T>
///   static auto of(Group&, const sample<T>&, const Given&, std::int64_t fit, double noise)
/// which all lanes of a team run together, and store(answer, const Results&, fit), which one lane calls with its
/// answer, unless that is a number. `noise`: the relative rounding of the target's arithmetic. Loops, kernels and
/// launches are the targets'.
template <class Given, class Results>
struct sample_operation {
  using given = Given;
  using results = Results;
  /// Whether there is a cell for the family.
  template <class Family>
  static constexpr bool exists = true;
  /// Whether lanes gather the statistics of a sample each and then finish all at once: cuda/work.hpp.
  template <class Family>
  static constexpr bool gathers = false;
  /// Whether derivatives are taken over the sample again and again, for which CUDA gives a thread more registers.
  template <class Family>
  static constexpr bool iterates = false;
};

MF_FN void store(double number, const number_view& results, std::int64_t fit) {
  results.values[fit] = number;
}

MF_NAMESPACE_END
