// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What crosses from the host into kernels: plain views by value, and what a fit may end as. The same types for every
// instruction set and device, so they stand outside the per-target namespace.
#pragma once

#include <cstdint>

namespace manyfit {

/// How one fit ended. "Usable" says whether its parameters and log-likelihood may be used.
enum class fit_status : std::int32_t {
  not_run = 0,           ///< the fit was not attempted; nothing is usable
  converged,             ///< a local maximum was reached to tolerance; all usable
  max_iterations,        ///< stopped at the iteration cap; the last iterate is usable as an approximation only
  too_few,               ///< fewer observations than free parameters (of a mixture: components); nothing usable
  constant_sample,       ///< all observations equal where the likelihood then has no maximum; nothing usable
  out_of_support,        ///< an observation lies outside the family's support; nothing usable
  nonfinite,             ///< an observation or weight is infinite, or a weight negative; nothing usable
  unbounded_likelihood,  ///< the likelihood grows without limit along the path taken; nothing usable
  boundary,              ///< the maximum lies at the edge of the parameter space; parameters (the limit, possibly
                         ///< infinite) and log-likelihood usable, no standard errors
  singular_information,  ///< a maximum, but the information matrix is not positive definite; parameters usable
  collapsed_component,   ///< a mixture component collapsed onto too few points; nothing usable
  regularized,           ///< a Gaussian mixture of which a component collapses from every start, kept from it by what
                         ///< was added to the covariances' diagonals; all usable, with that in mind
};
inline constexpr int fit_status_count = 12;

/// Most parameters that a family or a density of the caller's own may have.
inline constexpr int max_parameters = 8;

/// A batch of samples, ragged or dense; host or device memory according to who is given it. T is float or double.
template <class T>
struct batch_view {
  const T* values = nullptr;   ///< all samples end to end, [offsets[count]] or [count × size]; NaN = missing
  const T* weights = nullptr;  ///< one per value, or null for all ones; NaN or 0 leaves the value out
  const std::int64_t* offsets = nullptr;  ///< ragged: [count + 1], offsets[0] may be > 0; null when dense
  std::int64_t size = 0;                  ///< dense: values per sample
  std::int64_t count = 0;                 ///< number of samples (= fits)
};

/// Where results go: arrays over fits, parameters as [parameter][fit] with `stride` fits per parameter row.
struct fit_results_view {
  double* parameters = nullptr;        ///< [P × stride], in the family's own parametrisation; NaN where there is none
  double* std_errors = nullptr;        ///< [P × stride], observed information; NaN where there is none
  double* log_likelihood = nullptr;    ///< [count], in nats, all constants included; NaN where there is none
  std::int32_t* iterations = nullptr;  ///< [count], evaluations of the likelihood's derivatives after the first
  fit_status* status = nullptr;        ///< [count]
  std::int64_t* observations = nullptr;  ///< [count], values present with a weight other than 0
  std::int64_t* missing = nullptr;       ///< [count], NaN value or NaN weight
  std::int64_t stride = 0;
  std::int64_t* left_out = nullptr;  ///< [count] or null, values of weight 0: observations + missing + left out are all
  std::int64_t* outside = nullptr;   ///< [count] or null, finite values outside the support: out_of_support when not 0
  double* log_posterior = nullptr;   ///< [count], of a fit with priors: log-likelihood and log prior densities
};

/// What holds for every fit of a call.
struct fit_settings {
  std::int32_t max_iterations = 200;  ///< Newton iterations before max_iterations is reported
  double tolerance = 0;  ///< Newton decrement g'H⁻¹g of the mean log-likelihood at which to stop; 0: default
  bool std_errors = true;
  std::uint32_t fixed = 0;  ///< bit i set: parameter i is fixed at fixed_values[i]
  double fixed_values[max_parameters] = {};
};

/// What reading a sample told, for whoever climbs from outside; coordinates are those of its frame (data/frame.hpp).
struct loaded_sample {
  double weight = 0;                          ///< Σw
  double mean = 0, minimum = 0, maximum = 0;  ///< of the coordinates
  double unit = 1, pivot = 0, stretch = 1;    ///< the frame
  double log_density_out_of_frame = 0;        ///< what the mean log-likelihood in the frame lacks of that of the data
};

/// Parameters of many distributions of one family, [parameter][fit], stride fits apart; stride 0 = one set for all.
struct parameters_view {
  const double* values = nullptr;
  std::int64_t stride = 0;
  std::int64_t row = 0;  ///< distance between parameters; equals stride for a batch, 1 for one shared set
};

}  // namespace manyfit
