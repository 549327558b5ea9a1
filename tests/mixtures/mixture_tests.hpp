// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Samples of Gaussian mixtures, and EM as a textbook has it, in long double.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "manyfit/manyfit.hpp"

namespace manyfit::tests {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr covariance_structure structures[] = {covariance_structure::full, covariance_structure::diagonal,
                                                      covariance_structure::tied, covariance_structure::spherical};

inline bool has_parameters(fit_status status) {
  return status == fit_status::converged || status == fit_status::max_iterations || status == fit_status::regularized;
}

/// All numbers of a golden file of numbers with one line of names, row by row.
inline std::vector<double> read_numbers(const std::string& name) {
  std::ifstream file(std::string(MF_GOLDEN_DIR) + "/" + name);
  std::string line, cell;
  std::getline(file, line);
  std::vector<double> values;
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    while (std::getline(cells, cell, ',')) values.push_back(cell == "null" ? nan : std::stod(cell));
  }
  return values;
}

/// n points around K random centres, coordinates near `offset`.
inline std::vector<double> draw_points(std::int64_t n, int D, int K, double offset, std::uint64_t seed,
                                       double apart = 3) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> centres(static_cast<std::size_t>(K * D)), values;
  for (double& c : centres) c = offset + apart * normal(random);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto k = static_cast<int>(random() % static_cast<unsigned>(K));
    const double common = normal(random);
    for (int d = 0; d < D; ++d)
      values.push_back(centres[static_cast<std::size_t>(k * D + d)] +
                       (0.6 + 0.2 * d) * (normal(random) + 0.5 * common));
  }
  return values;
}

/// A start near the truth of nothing in particular: K rows as means, a shared covariance that is no identity.
inline mixture_results start_at_rows(const std::vector<double>& values, int D, int K, covariance_structure structure) {
  mixture_results start = empty_mixtures(1, K, D, structure);
  const std::size_t n = values.size() / static_cast<std::size_t>(D);
  start.components[0] = K;
  for (int k = 0; k < K; ++k) {
    start.weights[static_cast<std::size_t>(k)] = (1.0 + k % 2) / K;
    for (int d = 0; d < D; ++d) {
      const std::size_t row = (n * static_cast<std::size_t>(2 * k + 1)) / static_cast<std::size_t>(2 * K);
      start.means[static_cast<std::size_t>(k * D + d)] =
          values[row * static_cast<std::size_t>(D) + static_cast<std::size_t>(d)];
      for (int e = 0; e < D; ++e)
        start.covariances[static_cast<std::size_t>((k * D + d) * D + e)] = d == e ? 2.0 + 0.1 * d : 0.3;
    }
  }
  return start;
}

/// Exactly so many iterations of EM from `start`, which must outlive the options, with a trace and nothing added.
inline mixture_options exactly(int iterations, const mixture_results& start) {
  mixture_options options;
  options.start = mixture_start::given;
  options.start_values = &start;
  options.covariance = start.covariance;
  options.regularization = 0;
  options.tolerance = 0;
  options.max_iterations = iterations;
  options.trace = true;
  return options;
}

/// EM from a start for a number of iterations, without regularisation, in long double throughout.
struct textbook {
  using real = long double;
  int D, K;
  covariance_structure structure;
  std::vector<real> weights, means, covariances, trace;

  textbook(const mixture_results& start, covariance_structure s)
      : D(start.dimensions),
        K(start.components[0]),
        structure(s),
        weights(start.weights.begin(), start.weights.begin() + K),
        means(start.means.begin(), start.means.begin() + K * D),
        covariances(start.covariances.begin(), start.covariances.begin() + K * D * D) {
    real sum = 0;
    for (const real w : weights) sum += w;
    for (real& w : weights) w /= sum;
    restrict_covariances();
  }

  void run(const std::vector<double>& values, const std::vector<double>& row_weights, int iterations) {
    const std::size_t n = values.size() / static_cast<std::size_t>(D);
    std::vector<real> r(n * static_cast<std::size_t>(K)), w(n, 1);
    for (std::size_t i = 0; i < n; ++i) {
      if (!row_weights.empty()) w[i] = row_weights[i];
      for (int d = 0; d < D; ++d)
        if (std::isnan(values[i * static_cast<std::size_t>(D) + static_cast<std::size_t>(d)])) w[i] = 0;
    }
    for (int t = 0;; ++t) {
      real value = 0, total = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (!(w[i] > 0)) continue;
        real* const responsibilities = &r[i * static_cast<std::size_t>(K)];
        real most = -INFINITY, sum = 0;
        for (int k = 0; k < K; ++k)
          most = std::max(most, responsibilities[k] = log_term(&values[i * static_cast<std::size_t>(D)], k));
        for (int k = 0; k < K; ++k) sum += responsibilities[k] = std::exp(responsibilities[k] - most);
        for (int k = 0; k < K; ++k) responsibilities[k] *= w[i] / sum;
        value += w[i] * (most + std::log(sum));
        total += w[i];
      }
      trace.push_back(value);
      if (t == iterations) return;
      maximise(values, w, r, n, total);
    }
  }

 private:
  std::size_t at(int k, int i, int j) const { return static_cast<std::size_t>((k * D + i) * D + j); }

  real log_term(const double* x, int k) const {
    std::vector<real> A(covariances.begin() + k * D * D, covariances.begin() + (k + 1) * D * D);
    std::vector<real> z(static_cast<std::size_t>(D));
    for (int d = 0; d < D; ++d) z[static_cast<std::size_t>(d)] = x[d] - means[static_cast<std::size_t>(k * D + d)];
    real value = std::log(weights[static_cast<std::size_t>(k)]) - real(0.5) * D * std::log(2 * std::acos(real(-1)));
    for (int i = 0; i < D; ++i) {  // LDLᵀ, row by row
      const real pivot = A[static_cast<std::size_t>(i * D + i)], zi = z[static_cast<std::size_t>(i)];
      value -= real(0.5) * (std::log(pivot) + zi * zi / pivot);
      for (int j = i + 1; j < D; ++j) {
        const real factor = A[static_cast<std::size_t>(j * D + i)] / pivot;
        for (int l = i; l < D; ++l)
          A[static_cast<std::size_t>(j * D + l)] -= factor * A[static_cast<std::size_t>(i * D + l)];
        z[static_cast<std::size_t>(j)] -= factor * zi;
      }
    }
    return value;
  }

  void maximise(const std::vector<double>& values, const std::vector<real>& w, const std::vector<real>& r,
                std::size_t n, real total) {
    const auto dims = static_cast<std::size_t>(D), comps = static_cast<std::size_t>(K);
    for (int k = 0; k < K; ++k) {
      real sum = 0;
      std::vector<real> mean(dims, 0);
      for (std::size_t i = 0; i < n; ++i) {
        if (!(w[i] > 0)) continue;
        sum += r[i * comps + static_cast<std::size_t>(k)];
        for (std::size_t d = 0; d < dims; ++d)
          mean[d] += r[i * comps + static_cast<std::size_t>(k)] * values[i * dims + d];
      }
      for (real& m : mean) m /= sum;
      for (int i = 0; i < D; ++i)
        for (int j = 0; j < D; ++j) {
          real s = 0;
          for (std::size_t p = 0; p < n; ++p)
            if (w[p] > 0)
              s += r[p * comps + static_cast<std::size_t>(k)] *
                   (values[p * dims + static_cast<std::size_t>(i)] - mean[static_cast<std::size_t>(i)]) *
                   (values[p * dims + static_cast<std::size_t>(j)] - mean[static_cast<std::size_t>(j)]);
          covariances[at(k, i, j)] = s / sum;
        }
      for (int d = 0; d < D; ++d) means[static_cast<std::size_t>(k * D + d)] = mean[static_cast<std::size_t>(d)];
      weights[static_cast<std::size_t>(k)] = sum / total;
    }
    restrict_covariances();
  }

  void restrict_covariances() {
    std::vector<real> pooled(static_cast<std::size_t>(D * D), 0);
    for (int k = 0; k < K; ++k)
      for (int i = 0; i < D * D; ++i)
        pooled[static_cast<std::size_t>(i)] +=
            weights[static_cast<std::size_t>(k)] * covariances[static_cast<std::size_t>(k * D * D + i)];
    for (int k = 0; k < K; ++k) {
      real mean_variance = 0;
      for (int d = 0; d < D; ++d) mean_variance += covariances[at(k, d, d)] / D;
      for (int i = 0; i < D; ++i)
        for (int j = 0; j < D; ++j) {
          real& s = covariances[at(k, i, j)];
          if (structure == covariance_structure::tied) s = pooled[static_cast<std::size_t>(i * D + j)];
          if (structure == covariance_structure::diagonal && i != j) s = 0;
          if (structure == covariance_structure::spherical) s = i == j ? mean_variance : 0;
        }
    }
  }
};

inline bool same_bits(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// Whether fit i of a and fit j of b agree in every bit.
inline bool same_fit(const mixture_results& a, std::int64_t i, const mixture_results& b, std::int64_t j) {
  const auto x = static_cast<std::size_t>(i), y = static_cast<std::size_t>(j);
  if (a.components[x] != b.components[y] || a.status[x] != b.status[y] || a.iterations[x] != b.iterations[y] ||
      a.observations[x] != b.observations[y] || a.missing[x] != b.missing[y] || a.left_out[x] != b.left_out[y] ||
      std::memcmp(&a.log_likelihood[x], &b.log_likelihood[y], sizeof(double)) != 0)
    return false;
  for (int k = 0; k < a.components[x]; ++k) {
    const double u = a.weight(i, k), v = b.weight(j, k);
    if (std::memcmp(&u, &v, sizeof u) != 0 || !same_bits(a.mean(i, k), b.mean(j, k)) ||
        !same_bits(a.covariance_of(i, k), b.covariance_of(j, k)))
      return false;
  }
  return true;
}

}  // namespace manyfit::tests
