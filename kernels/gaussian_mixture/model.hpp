// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The Gaussian mixture f(y) = Σ_k π_k N(y; μ_k, Σ_k) for ONE fit, in coordinates y that the group has centred and
// scaled: its memory, the M step (statistics to parameters) and what the E step reads (parameters to whitening
// factors). Densities are never expanded into yᵀAy + bᵀy, which loses digits as a component narrows: a component's
// distance is |W_k y − W_k μ_k|² with W_k the inverse Cholesky factor of Σ_k. Source: McLachlan & Peel, Finite Mixture
// Models (2000), sections 3.2 and 3.8; Celeux & Govaert, Pattern Recognition 28 (1995) 781–793 for the structures.
#pragma once

#include "kernels/gaussian_mixture/views.hpp"
#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

/// Statistics of one component: Σ r, Σ r y_d, then by structure Σ r y_i y_j (packed lower triangle), Σ r y_d²,
/// Σ r |y|², or nothing, since a tied covariance needs the second moments of all points only.
MF_FN constexpr int product_features(covariance_structure structure, int D) {
  switch (structure) {
    case covariance_structure::full:
      return packed_size(D);
    case covariance_structure::diagonal:
      return D;
    case covariance_structure::spherical:
      return 1;
    default:
      return 0;
  }
}
MF_FN constexpr int features(covariance_structure structure, int D) {
  return 1 + D + product_features(structure, D);
}

/// Numbers that hold the covariances of K components.
MF_FN constexpr std::int64_t covariance_numbers(covariance_structure structure, int D, std::int64_t K) {
  return structure == covariance_structure::tied ? packed_size(D) : K * product_features(structure, D);
}

/// One mixture's memory. The state θ is contiguous, so that it can be kept, taken back and extrapolated.
struct mixture_model {
  int D = 0, K = 0;
  covariance_structure structure = covariance_structure::full;
  /// How the E step measures distance: a triangular factor per component, or a scale per coordinate.
  bool triangular = false;
  double collapse = 1e-10;  ///< a variance, in units of 1 + mean², at or below which a component has collapsed
  double total_weight = 0;  ///< Σ w over the points

  double* state = nullptr;           ///< [state_numbers()]: weights [K], means [K × D], covariances
  double* before = nullptr;          ///< [state_numbers()]: the state to go back to
  double* origin = nullptr;          ///< [state_numbers()]: where an accelerated cycle began
  double* average = nullptr;         ///< [K × features()]: stepwise EM's running statistics
  double* constant = nullptr;        ///< [K]: log π_k − ½ log |2π Σ_k|
  double* offset = nullptr;          ///< [K × D]: W_k μ_k
  double* factor = nullptr;          ///< W_k: [K × packed_size(D)] lower triangles, or [K × D] scales
  double* transform = nullptr;       ///< [packed_size(D)]: applied to every point before the E step; null: none
  double* statistics = nullptr;      ///< [K × features()]
  double* second_moments = nullptr;  ///< [packed_size(D)]: Σ w y yᵀ over all points; tied only
  double* moments = nullptr;         ///< [packed_size(D)]: the same over the rows of the last pass; tied only
  double* ridge = nullptr;           ///< [D]: added to the diagonal of every covariance
  double* good = nullptr;            ///< [K + 1]: 1 where the component is sound; last: the tied covariance
  double* centre = nullptr;          ///< [D]: the model's coordinates are y = (x − centre) · scale
  double* scale = nullptr;           ///< [D]: powers of two, so that they round nothing
  double* variance = nullptr;        ///< [D]: of the data, in units of x
  double* moments_model = nullptr;   ///< tied: memory for a model with one full component

  MF_FN std::int64_t state_numbers() const { return K + std::int64_t{K} * D + covariance_numbers(structure, D, K); }
  MF_FN int features_each() const { return features(structure, D); }
  MF_FN double* weights() const { return state; }
  MF_FN double* mean(int k) const { return state + K + std::int64_t{k} * D; }
  MF_FN double* covariance(int k) const {
    const std::int64_t each = product_features(structure, D);
    return state + K + std::int64_t{K} * D + (structure == covariance_structure::tied ? 0 : k * each);
  }
  MF_FN const double* statistics_of(int k) const { return statistics + std::int64_t{k} * features_each(); }
  MF_FN std::int64_t factor_numbers_each() const { return triangular ? packed_size(D) : D; }
  /// Σ log scale: log f(x) = log f(y) + this.
  MF_FN_LARGE double log_volume() const {
    double sum = 0;
    for (int d = 0; d < D; ++d) sum += log(scale[d]);
    return sum;
  }

  /// Doubles of memory that a model needs, the larger of the two forms of factor included.
  static MF_FN std::int64_t memory(covariance_structure structure, int D, std::int64_t K) {
    const bool tied = structure == covariance_structure::tied;
    return own_memory(structure, D, K) + (tied ? 3 * packed_size(D) + own_memory(covariance_structure::full, D, 1) : 0);
  }
  static MF_FN std::int64_t own_memory(covariance_structure structure, int D, std::int64_t K) {
    const std::int64_t states = K + K * D + covariance_numbers(structure, D, K);
    const std::int64_t factors = structure == covariance_structure::full ? packed_size(D) : D;
    return 3 * states + 2 * K + 1 + K * D + K * factors + 2 * K * features(structure, D) + 4 * D;
  }
  /// Lays the arrays out in memory(...) doubles.
  MF_FN_CALL void bind(double* memory) {
    const auto take = [&memory](std::int64_t count) {
      double* const at = memory;
      memory += count;
      return at;
    };
    const bool full = structure == covariance_structure::full, tied = structure == covariance_structure::tied;
    triangular = full;
    state = take(state_numbers());
    before = take(state_numbers());
    origin = take(state_numbers());
    constant = take(K);
    good = take(K + 1);
    offset = take(std::int64_t{K} * D);
    factor = take(std::int64_t{K} * (full ? packed_size(D) : D));
    statistics = take(std::int64_t{K} * features_each());
    average = take(std::int64_t{K} * features_each());
    ridge = take(D);
    centre = take(D);
    scale = take(D);
    variance = take(D);
    if (!tied) return;
    transform = take(packed_size(D));
    second_moments = take(packed_size(D));
    moments = take(packed_size(D));
    moments_model = take(1);
  }
};

/// whitening_factor, inlined. With a constant D and local arrays all of it is in registers.
MF_FN double whitening_factor_here(const double* matrix, int D, double threshold, double* W) {
  double log_determinant = 0;
  for (int i = 0; i < D; ++i) {
    const double diagonal = matrix[packed(i, i)];
    for (int j = 0; j <= i; ++j) {
      double sum = matrix[packed(i, j)];
      for (int l = 0; l < j; ++l) sum -= W[packed(i, l)] * W[packed(j, l)];
      if (i == j) {
        if (!(sum > threshold * diagonal) || !is_finite(sum)) return constants::nan;
        W[packed(i, i)] = sqrt(sum);
        log_determinant += log(W[packed(i, i)]);
      } else {
        W[packed(i, j)] = sum / W[packed(j, j)];
      }
    }
  }
  // The inverse of a lower triangle, row by row: row i needs the rows above it, already inverted, and its own old row.
  for (int i = 0; i < D; ++i) {
    const double inverse = 1 / W[packed(i, i)];
    for (int j = 0; j < i; ++j) {
      double sum = 0;
      for (int l = j; l < i; ++l) sum += W[packed(i, l)] * W[packed(l, j)];
      W[packed(i, j)] = sum;  // overwrites L_ij, which no later element of this row needs
    }
    for (int j = 0; j < i; ++j) W[packed(i, j)] *= -inverse;
    W[packed(i, i)] = inverse;
  }
  return log_determinant;
}

/// W = L⁻¹ for the Cholesky factor L of `matrix` (packed lower triangles); returns Σ log L_ii, or NaN when a pivot is
/// at or below `threshold` times its diagonal. In place is allowed.
MF_FN_CALL double whitening_factor(const double* matrix, int D, double threshold, double* W) {
  return whitening_factor_here(matrix, D, threshold, W);
}

/// out = W v for a packed lower triangle W.
MF_FN void multiply_lower(const double* W, const double* v, int D, double* out) {
  for (int i = 0; i < D; ++i) {
    double sum = 0;
    for (int j = 0; j <= i; ++j) sum += W[packed(i, j)] * v[j];
    out[i] = sum;
  }
}

/// Whether a variance is too small, relative to the square of its mean, to have any correct digit.
MF_FN bool has_collapsed(const mixture_model& m, double variance, double mean) {
  return !(variance > m.collapse * (1 + mean * mean)) || !is_finite(variance);
}

MF_FN bool has_sound_mean(const mixture_model& m, int k) {
  bool sound = m.weights()[k] > 0 && is_finite(m.weights()[k]);
  for (int d = 0; d < m.D; ++d) sound = sound && is_finite(m.mean(k)[d]);
  return sound;
}
MF_FN bool has_sound_diagonal(const mixture_model& m, int k) {
  bool sound = true;
  for (int d = 0; d < m.D; ++d) sound = sound && !has_collapsed(m, m.covariance(k)[packed(d, d)], m.mean(k)[d]);
  return sound;
}
MF_FN void conclude_component(const mixture_model& m, int k, bool sound, double half_log_determinant) {
  m.good[k] = sound;
  m.constant[k] = log(m.weights()[k]) - m.D * constants::half_log_two_pi - half_log_determinant;
}

/// prepare_component where the compiler knows D, or (Known = 0) does not.
template <int Known>
MF_FN void prepare_known(const mixture_model& m, int k) {
  const int D = Known > 0 ? Known : m.D;
  const double* const mean = m.mean(k);
  const double* const covariance = m.covariance(k);
  double* const W = m.factor + k * m.factor_numbers_each();
  double* const offset = m.offset + std::int64_t{k} * D;
  double half_log_determinant = 0;
  bool sound = has_sound_mean(m, k);
  switch (m.structure) {
    case covariance_structure::full:
      sound = sound && has_sound_diagonal(m, k);
      if constexpr (Known > 0) {
        double matrix[packed_size(Known)], factor[packed_size(Known)] = {}, moved[Known], centre[Known];
        for (int e = 0; e < packed_size(Known); ++e) matrix[e] = covariance[e];
        for (int d = 0; d < Known; ++d) centre[d] = mean[d];
        half_log_determinant = whitening_factor_here(matrix, Known, m.collapse, factor);
        multiply_lower(factor, centre, Known, moved);
        for (int e = 0; e < packed_size(Known); ++e) W[e] = factor[e];
        for (int d = 0; d < Known; ++d) offset[d] = moved[d];
      } else {
        half_log_determinant = whitening_factor(covariance, D, m.collapse, W);
        multiply_lower(W, mean, D, offset);
      }
      sound = sound && is_finite(half_log_determinant);
      break;
    case covariance_structure::tied:
      for (int d = 0; d < D; ++d) {
        W[d] = 1;
        half_log_determinant -= log(m.transform[packed(d, d)]);
      }
      multiply_lower(m.transform, mean, D, offset);
      break;
    default:
      for (int d = 0; d < D; ++d) {
        const double variance = covariance[m.structure == covariance_structure::diagonal ? d : 0];
        sound = sound && !has_collapsed(m, variance, mean[d]);
        W[d] = 1 / sqrt(variance);
        offset[d] = mean[d] * W[d];
        half_log_determinant += 0.5 * log(variance);
      }
  }
  conclude_component(m, k, sound, half_log_determinant);
}

template <int Size>
struct known_size {
  static constexpr int value = Size;
};
/// On a GPU the sizes of small mixtures are compile-time constants: a lane executes these steps serially, so loads and
/// loop overhead count.
template <class Step>
MF_FN void by_known_size(int D, Step step) {
#if defined(__CUDACC__)
  if (D == 1) return step(known_size<1>());
  if (D == 2) return step(known_size<2>());
#endif
  static_cast<void>(D);
  step(known_size<0>());
}

/// Prepares the E step of component k from its parameters. Tied: `transform` must have been computed before.
MF_FN_CALL void prepare_component(const mixture_model& m, int k) {
  by_known_size(m.D, [&](auto known) { prepare_known<known.value>(m, k); });
}

/// The M step's covariances from a component's statistics; `products`: those after the sums of coordinates.
MF_FN double full_covariance(const mixture_model& m, const double* products, double n, const double* mean, int i,
                             int j) {
  return products[packed(i, j)] / n - mean[i] * mean[j] + (i == j ? m.ridge[i] : 0.0);
}
MF_FN double diagonal_covariance(const mixture_model& m, const double* products, double n, const double* mean, int d) {
  return products[d] / n - mean[d] * mean[d] + m.ridge[d];
}
MF_FN double spherical_covariance(const mixture_model& m, const double* products, double n, const double* mean) {
  double square = 0;
  for (int d = 0; d < m.D; ++d) square += mean[d] * mean[d];
  return (products[0] / n - square) / m.D + m.ridge[0];
}

/// M step of component k: weight, mean and, unless tied, covariance from its statistics.
MF_FN_CALL void maximise_component(const mixture_model& m, int k) {
  const int D = m.D;
  const double* const s = m.statistics_of(k);
  double* const mean = m.mean(k);
  double* const covariance = m.covariance(k);
  const double n = s[0];
  m.weights()[k] = n / m.total_weight;
  for (int d = 0; d < D; ++d) mean[d] = s[1 + d] / n;
  const double* const products = s + 1 + D;
  switch (m.structure) {
    case covariance_structure::full:
      for (int i = 0; i < D; ++i)
        for (int j = 0; j <= i; ++j) covariance[packed(i, j)] = full_covariance(m, products, n, mean, i, j);
      break;
    case covariance_structure::diagonal:
      for (int d = 0; d < D; ++d) covariance[d] = diagonal_covariance(m, products, n, mean, d);
      break;
    case covariance_structure::spherical:
      covariance[0] = spherical_covariance(m, products, n, mean);
      break;
    default:
      break;
  }
}

/// Row i of element e = packed(i, j) of a lower triangle.
MF_FN_LARGE int row_of_packed(int e) {
  int i = static_cast<int>((sqrt(8.0f * static_cast<float>(e) + 1.0f) - 1.0f) * 0.5f);
  while (packed_size(i) > e) --i;
  while (packed_size(i + 1) <= e) ++i;
  return i;
}
/// The same step in parts: number i of K × (1 + D) weights and means, then, when all are there, number i of
/// K × product_features() covariances.
MF_FN_CALL void maximise_mean(const mixture_model& m, int i) {
  const int k = i / (1 + m.D), d = i - k * (1 + m.D) - 1;
  const double* const s = m.statistics_of(k);
  if (d < 0)
    m.weights()[k] = s[0] / m.total_weight;
  else
    m.mean(k)[d] = s[1 + d] / s[0];
}
MF_FN_CALL void maximise_covariance(const mixture_model& m, int i) {
  const int each = product_features(m.structure, m.D), k = i / each, e = i - k * each;
  const double* const s = m.statistics_of(k);
  const double* const products = s + 1 + m.D;
  double& to = m.covariance(k)[e];
  if (m.structure == covariance_structure::full) {
    const int row = row_of_packed(e);
    to = full_covariance(m, products, s[0], m.mean(k), row, e - packed_size(row));
  } else if (m.structure == covariance_structure::diagonal) {
    to = diagonal_covariance(m, products, s[0], m.mean(k), e);
  } else {
    to = spherical_covariance(m, products, s[0], m.mean(k));
  }
}

/// Element (i, j) of the tied covariance: what the second moments of all points leave after the components' means.
MF_FN_CALL double tied_covariance(const mixture_model& m, int i, int j) {
  double sum = m.second_moments[packed(i, j)];
  for (int k = 0; k < m.K; ++k) sum -= m.statistics_of(k)[0] * m.mean(k)[i] * m.mean(k)[j];
  return sum / m.total_weight + (i == j ? m.ridge[i] : 0.0);
}

MF_NAMESPACE_END
