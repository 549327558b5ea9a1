// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The reference of the benchmarks: the same work in plain C++, scalar loops on one thread in double, as a good
// programmer would write it for one sample at hand, with the standard library and Boost's special functions. It knows
// nothing of manyfit. It does less than manyfit: no standard errors, no status, no weights, no missing values.
// tests/reference holds its answers to manyfit's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace reference {

struct fitted {
  std::vector<double> parameters;  ///< in the order of manyfit's family
  double log_likelihood = 0;
};

/// Mean and standard deviation (divided by n).
fitted fit_normal(std::span<const double> x);
/// shape, rate. Newton on log(shape) - digamma(shape) = log(mean) - mean(log), Minka 2002.
fitted fit_gamma(std::span<const double> x);
/// alpha, beta. Newton on the two equations of the mean logarithms.
fitted fit_beta(std::span<const double> x);
/// shape, scale. Newton on the profile equation of the shape.
fitted fit_weibull(std::span<const double> x);
/// df, location, scale. Fisher scoring with step halving; Lange, Little and Taylor 1989.
fitted fit_student_t(std::span<const double> x);
/// size, mean. Newton on the profile score of the size, summed over how many counts lie above each value, so that no
/// digamma function is needed; Johnson, Kotz and Kemp, Univariate Discrete Distributions.
fitted fit_negative_binomial(std::span<const double> x);

enum class covariance { full, diagonal };

struct mixture {
  int D = 0, K = 0;
  std::vector<double> weights;      ///< [K]
  std::vector<double> means;        ///< [K × D]
  std::vector<double> covariances;  ///< [K × D × D] full, [K × D] variances when diagonal
};

struct mixture_fit {
  mixture model;
  std::vector<double> log_likelihood;  ///< before each iteration
};

/// EM for `iterations` iterations from `start`; values [rows × D]. One pass an iteration: densities, responsibilities
/// and sums of a row while it is at hand, about the start's mean.
mixture_fit fit_mixture(std::span<const double> values, covariance structure, const mixture& start, int iterations);

/// Rows × K responsibilities.
std::vector<double> responsibilities(std::span<const double> values, covariance structure, const mixture& model);

/// log-density of every value under gamma(shape, rate).
void gamma_log_density(std::span<const double> x, double shape, double rate, std::span<double> out);
/// Sum of the above, in a loop of its own.
double gamma_log_likelihood(std::span<const double> x, double shape, double rate);
/// Draws by the standard library's generator and distribution.
void simulate_gamma(std::uint64_t seed, double shape, double rate, std::span<double> out);

}  // namespace reference
