// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Scores under a Gaussian mixture: the prepared model, and the score of one point by one lane.
#pragma once

#include "kernels/gaussian_mixture/fit.hpp"

MF_NAMESPACE_BEGIN

/// The structure that scores are computed with: the same densities, fewer cases.
MF_FN constexpr covariance_structure score_structure(covariance_structure structure) {
  return structure == covariance_structure::tied        ? covariance_structure::full
         : structure == covariance_structure::spherical ? covariance_structure::diagonal
                                                        : structure;
}

/// Sets a bound model (D, K, structure set) to parameters: coordinates centred and scaled by the mixture's own moments,
/// factors prepared. A component of weight 0 gets the constant `absent`. False where the parameters are no mixture.
MF_FN_LARGE bool prepare_scores(mixture_model& m, const mixture_parameters& parameters, double absent) {
  const int D = m.D, K = m.K;
  double total = 0;
  for (int k = 0; k < K; ++k) total += parameters.weights[k];
  for (int d = 0; d < D; ++d) {
    double mean = 0, variance = 0;
    for (int k = 0; k < K; ++k) mean += parameters.weights[k] / total * parameters.means[std::int64_t{k} * D + d];
    for (int k = 0; k < K; ++k)
      variance += parameters.weights[k] / total *
                  (parameters.covariances[(std::int64_t{k} * D + d) * D + d] +
                   square(parameters.means[std::int64_t{k} * D + d] - mean));
    if (!(variance > 0) || !is_finite(variance) || !is_finite(mean)) return false;
    m.centre[d] = mean;
    m.scale[d] = scale_for(variance);
  }
  m.collapse = 0;
  import_parameters(m, parameters);
  for (int k = 0; k < K; ++k) {
    // A component of weight 0 is part of no point; its factors must be sound all the same.
    const double weight = m.weights()[k];
    if (weight == 0) m.weights()[k] = 1;
    prepare_component(m, k);
    m.weights()[k] = weight;
    if (!(m.good[k] > 0)) return false;
    if (weight == 0) m.constant[k] = absent;
  }
  return true;
}

/// Numbers that score_point reads of a mixture: how to read points [3 D], then per component its constant, offset [D]
/// and triangular factor.
MF_FN constexpr std::int64_t score_numbers(int D, std::int64_t K) {
  return 3 * std::int64_t{D} + K * (1 + D + packed_size(D));
}
/// Writes them, in T.
template <class T>
void write_score_numbers(const mixture_model& m, T* to) {
  for (int d = 0; d < m.D; ++d) {
    to[d] = static_cast<T>(m.centre[d]);
    to[m.D + d] = static_cast<T>(m.centre[d] - static_cast<double>(to[d]));
    to[2 * m.D + d] = static_cast<T>(m.scale[d]);
  }
  to += 3 * m.D;
  for (int k = 0; k < m.K; ++k) {
    *to++ = static_cast<T>(m.constant[k]);
    for (int d = 0; d < m.D; ++d) *to++ = static_cast<T>(m.offset[std::int64_t{k} * m.D + d]);
    for (int i = 0; i < m.D; ++i)
      for (int j = 0; j <= i; ++j)
        *to++ = static_cast<T>(m.triangular ? m.factor[std::int64_t{k} * packed_size(m.D) + packed(i, j)]
                               : i == j     ? m.factor[std::int64_t{k} * m.D + i]
                                            : 0.0);
  }
}

/// log π_k N(x) for one component; numbers: its own.
template <class T>
MF_FN_LARGE T component_density(const T* x, int D, const T* map, const T* numbers) {
  T distance = 0;
  const T* const offset = numbers + 1;
  const T* factor = offset + D;
  for (int i = 0; i < D; ++i) {
    T z = -offset[i];
    for (int j = 0; j <= i; ++j) z += *factor++ * (((x[j] - map[j]) - map[D + j]) * map[2 * D + j]);
    distance += z * z;
  }
  return numbers[0] - T(0.5) * distance;
}

/// The score of one point. Goes through the components once for the sum and once for the responsibilities, so that K
/// may be anything. NaN, and label −1, for a point with a coordinate that is no number, or K = 0.
template <class T>
MF_FN_LARGE void score_point(const T* x, int D, int K, const T* numbers, double shift, double* log_density,
                             double* responsibilities, std::int32_t* label) {
  const bool usable = K > 0 && all_finite(x, D);
  *log_density = constants::nan;
  if (label) *label = -1;
  if (!usable) {
    for (int k = 0; responsibilities && k < K; ++k) responsibilities[k] = constants::nan;
    return;
  }
  const T* const components = numbers + 3 * D;
  const int each = 1 + D + packed_size(D);
  T most = 0, sum = 0;
  int likeliest = 0;
  for (int k = 0; k < K; ++k) {
    const T density = component_density(x, D, numbers, components + std::int64_t{k} * each);
    if (k == 0 || density > most) {
      sum = k == 0 ? T(1) : sum * exp(most - density) + T(1);
      most = density;
      likeliest = k;
    } else {
      sum += exp(density - most);
    }
  }
  *log_density = static_cast<double>(most + log(sum)) + shift;
  if (label) *label = likeliest;
  for (int k = 0; responsibilities && k < K; ++k)
    responsibilities[k] =
        static_cast<double>(exp(component_density(x, D, numbers, components + std::int64_t{k} * each) - most) / sum);
}

MF_NAMESPACE_END
