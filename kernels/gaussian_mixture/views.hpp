// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What crosses from the host into the kernels of Gaussian mixtures: plain views by value, the same for every
// instruction set and device.
#pragma once

#include <cstdint>

#include "kernels/views.hpp"

namespace manyfit {

/// What the components' covariance matrices may be.
enum class covariance_structure : std::int32_t {
  full,      ///< a matrix of its own for every component
  diagonal,  ///< a diagonal matrix of its own for every component
  tied,      ///< one full matrix for all components
  spherical  ///< a multiple of the identity for every component
};
inline constexpr int covariance_structure_count = 4;

/// Most coordinates of a point and most components of a mixture.
inline constexpr int max_dimensions = 1024;
inline constexpr int max_components = 65536;

/// Rows of one fit that are read when they are needed, since they may not all fit into memory. Host code only.
template <class T>
struct points_reader {
  const void* source = nullptr;
  /// Rows [first, first + count) into values [count × dimensions] and, where `weighted`, weights [count]. Called from
  /// several threads at once; what it throws ends the call.
  void (*read)(const void* source, std::int64_t first, std::int64_t count, T* values, T* weights) = nullptr;
  bool weighted = false;
};

/// Points of D coordinates for many fits, row-major: coordinate d of row i is values[i * dimensions + d]. A row with a
/// NaN coordinate or weight is missing.
template <class T>
struct points_view {
  const T* values = nullptr;              ///< [rows × dimensions]
  const T* weights = nullptr;             ///< [rows], or null for all ones
  const std::int64_t* offsets = nullptr;  ///< ragged: [count + 1] in rows, never falling; null when dense
  std::int64_t size = 0;                  ///< dense: rows per fit
  std::int64_t count = 0;                 ///< fits
  std::int32_t dimensions = 1;
  const points_reader<T>* reader = nullptr;  ///< not null: the rows of the one fit come from here, `size` of them

  std::int64_t first_row(std::int64_t fit) const { return offsets ? offsets[fit] : fit * size; }
  std::int64_t rows(std::int64_t fit) const { return offsets ? offsets[fit + 1] - offsets[fit] : size; }
};

/// The parameters of one mixture: weights [K], means [K × D], covariances [K × D × D], whole symmetric matrices
/// whatever the structure.
struct mixture_parameters {
  double* weights = nullptr;
  double* means = nullptr;
  double* covariances = nullptr;
};

/// How a mixture is started.
enum class mixture_start : std::int32_t {
  kmeans_plus_plus,  ///< k-means++ seeds among max(512, 32 K) rows drawn at random, then ten rounds of k-means
  random,            ///< means at distinct rows drawn at random, every component about as wide as the data
  given,             ///< by the caller
  automatic  ///< attempts take turns: k-means++ with k-means, k-means++ seeds as wide as the data, the first, random
};
inline constexpr int mixture_start_count = 4;

/// What holds for every mixture of a call.
struct mixture_settings {
  covariance_structure structure = covariance_structure::full;
  mixture_start start = mixture_start::automatic;
  std::int32_t max_iterations = 1000;
  double tolerance = 1e-8;          ///< gain of the mean log-likelihood below which to stop; 0: never before the cap
  std::uint64_t seed = 0;           ///< of the starts
  bool accelerate = false;          ///< SQUAREM steps, taken back where they lose likelihood
  bool restart_collapsed = false;   ///< a collapsed component starts anew at a random row
  std::int64_t minibatch_rows = 0;  ///< > 0: stepwise EM, an approximation, with so many rows per step
};

/// One attempt: which rows, how many components, from which start, and where its answer goes.
struct mixture_task {
  std::int64_t fit = 0;           ///< which fit's rows
  std::int32_t components = 1;    ///< K
  std::uint64_t stream = 0;       ///< of the random words of its start
  mixture_parameters parameters;  ///< in: the start, where it is given; out: where EM ended
  const double* ridge = nullptr;  ///< [D]: added to covariances' diagonals, in squared units; null: nothing is
  double* variances = nullptr;    ///< [D] or null; out: of the rows, a coordinate each, where any row counts
  double* trace = nullptr;    ///< [max_iterations + 1] or null: log-likelihood of the start and after every iteration
  double log_likelihood = 0;  ///< nats, at the parameters; NaN where there is none
  std::int32_t iterations = 0;
  fit_status status = fit_status::not_run;
  std::int64_t observations = 0, missing = 0;
  bool kept_by_regularization = false;  ///< a component has collapsed but for the ridge
};

}  // namespace manyfit
