// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "reference/reference.hpp"

namespace reference {
namespace {

/// What the density of a component needs: the inverse of its Cholesky factor (or of its standard deviations) and the
/// logarithm of weight over normaliser.
struct prepared {
  int D, K;
  bool full;
  std::vector<double> factors, constants, means;

  prepared(const mixture& m, covariance structure)
      : D(m.D), K(m.K), full(structure == covariance::full), means(m.means) {
    for (int k = 0; k < K; ++k) {
      double log_determinant = 0;
      if (full) {
        const std::vector<double> inverse = inverse_factor(m.covariances.data() + k * D * D, log_determinant);
        factors.insert(factors.end(), inverse.begin(), inverse.end());
      } else {
        for (int d = 0; d < D; ++d) {
          const double variance = m.covariances[static_cast<std::size_t>(k * D + d)];
          log_determinant += std::log(variance);
          factors.push_back(1 / std::sqrt(variance));
        }
      }
      const double weight = m.weights[static_cast<std::size_t>(k)];
      constants.push_back(std::log(weight) - 0.5 * (D * std::log(2 * std::numbers::pi) + log_determinant));
    }
  }

  /// Inverse of the lower Cholesky factor of a [D × D] matrix, lower too.
  std::vector<double> inverse_factor(const double* a, double& log_determinant) const {
    std::vector<double> l(static_cast<std::size_t>(D * D)), inverse(static_cast<std::size_t>(D * D));
    const auto at = [this](int i, int j) { return static_cast<std::size_t>(i * D + j); };
    for (int i = 0; i < D; ++i) {
      for (int j = 0; j <= i; ++j) {
        double sum = a[at(i, j)];
        for (int c = 0; c < j; ++c) sum -= l[at(i, c)] * l[at(j, c)];
        l[at(i, j)] = i == j ? std::sqrt(sum) : sum / l[at(j, j)];
      }
      log_determinant += 2 * std::log(l[at(i, i)]);
    }
    for (int j = 0; j < D; ++j)
      for (int i = j; i < D; ++i) {
        double sum = i == j ? 1 : 0;
        for (int c = j; c < i; ++c) sum -= l[at(i, c)] * inverse[at(c, j)];
        inverse[at(i, j)] = sum / l[at(i, i)];
      }
    return inverse;
  }

  /// Puts a row's responsibilities into out[K]; returns its log-density. `difference` is scratch [D].
  double responsibilities(const double* row, double* out, double* difference) const {
    double largest = -HUGE_VAL;
    for (int k = 0; k < K; ++k) {
      const double* mean = means.data() + k * D;
      double squares = 0;
      if (full) {
        const double* inverse = factors.data() + k * D * D;
        for (int d = 0; d < D; ++d) difference[d] = row[d] - mean[d];
        for (int i = 0; i < D; ++i) {
          double z = 0;
          for (int j = 0; j <= i; ++j) z += inverse[i * D + j] * difference[j];
          squares += z * z;
        }
      } else {
        const double* inverse = factors.data() + k * D;
        for (int d = 0; d < D; ++d) {
          const double z = (row[d] - mean[d]) * inverse[d];
          squares += z * z;
        }
      }
      out[k] = constants[static_cast<std::size_t>(k)] - 0.5 * squares;
      largest = std::max(largest, out[k]);
    }
    double sum = 0;
    // Below that a responsibility counts for nothing, and subnormal numbers would cost a hundred times as much.
    for (int k = 0; k < K; ++k) sum += out[k] = out[k] - largest < -600 ? 0 : std::exp(out[k] - largest);
    for (int k = 0; k < K; ++k) out[k] /= sum;
    return largest + std::log(sum);
  }
};

}  // namespace

mixture_fit fit_mixture(std::span<const double> values, covariance structure, const mixture& start, int iterations) {
  const int D = start.D, K = start.K;
  const bool full = structure == covariance::full;
  const int squares_size = full ? D * D : D;
  const auto rows = static_cast<long>(values.size()) / D;
  mixture_fit result{start, {}};
  mixture& m = result.model;
  std::vector<double> centre(static_cast<std::size_t>(D)), row_of(static_cast<std::size_t>(K)),
      difference(centre.size());
  for (int k = 0; k < K; ++k)
    for (int d = 0; d < D; ++d)
      centre[static_cast<std::size_t>(d)] += start.means[static_cast<std::size_t>(k * D + d)] / K;
  std::vector<double> count(row_of.size()), first(row_of.size() * centre.size());
  std::vector<double> second(row_of.size() * static_cast<std::size_t>(squares_size));
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const prepared components(m, structure);
    std::fill(count.begin(), count.end(), 0);
    std::fill(first.begin(), first.end(), 0);
    std::fill(second.begin(), second.end(), 0);
    double likelihood = 0;
    for (long i = 0; i < rows; ++i) {
      const double* row = values.data() + i * D;
      likelihood += components.responsibilities(row, row_of.data(), difference.data());
      for (int d = 0; d < D; ++d)
        difference[static_cast<std::size_t>(d)] = row[d] - centre[static_cast<std::size_t>(d)];
      for (int k = 0; k < K; ++k) {
        const double r = row_of[static_cast<std::size_t>(k)];
        count[static_cast<std::size_t>(k)] += r;
        double* sums = first.data() + k * D;
        double* squares = second.data() + k * squares_size;
        for (int d = 0; d < D; ++d) {
          const double weighted = r * difference[static_cast<std::size_t>(d)];
          sums[d] += weighted;
          if (full)
            for (int e = 0; e <= d; ++e) squares[d * D + e] += weighted * difference[static_cast<std::size_t>(e)];
          else
            squares[d] += weighted * difference[static_cast<std::size_t>(d)];
        }
      }
    }
    result.log_likelihood.push_back(likelihood);
    for (int k = 0; k < K; ++k) {
      const double n = count[static_cast<std::size_t>(k)];
      m.weights[static_cast<std::size_t>(k)] = n / static_cast<double>(rows);
      const double* sums = first.data() + k * D;
      const double* squares = second.data() + k * squares_size;
      double* covariances = m.covariances.data() + k * squares_size;
      for (int d = 0; d < D; ++d) {
        m.means[static_cast<std::size_t>(k * D + d)] = centre[static_cast<std::size_t>(d)] + sums[d] / n;
        if (full)
          for (int e = 0; e <= d; ++e)
            covariances[d * D + e] = covariances[e * D + d] = squares[d * D + e] / n - sums[d] / n * (sums[e] / n);
        else
          covariances[d] = squares[d] / n - sums[d] / n * (sums[d] / n);
      }
    }
  }
  return result;
}

std::vector<double> responsibilities(std::span<const double> values, covariance structure, const mixture& model) {
  const prepared components(model, structure);
  const auto rows = values.size() / static_cast<std::size_t>(model.D), K = static_cast<std::size_t>(model.K);
  std::vector<double> out(rows * K), difference(static_cast<std::size_t>(model.D));
  for (std::size_t i = 0; i < rows; ++i)
    components.responsibilities(values.data() + i * static_cast<std::size_t>(model.D), out.data() + i * K,
                                difference.data());
  return out;
}

}  // namespace reference
