// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Counts from a stream of random words, as doubles, on host and device alike. Both rejection samplers compare with an
// exact log-probability in Loader's saddle-point form, so that they stay right at means where k log(mean) − log k!
// cancels. Sources: Hörmann, The transformed rejection method for generating Poisson random variables, Insurance:
// Mathematics and Economics 12 (1993) 39–45 (PTRS); Hörmann, The generation of binomial random variates, J. Statist.
// Comput. Simul. 46 (1993) 101–110 (BTRS); Loader, Fast and accurate computation of binomial probabilities (2000).
#pragma once

#include "kernels/math/gamma.hpp"
#include "kernels/math/log1p_minus.hpp"
#include "kernels/random/transforms.hpp"

MF_NAMESPACE_BEGIN

/// log k! − (k + ½) log k + k − ½ log 2π for whole k ≥ 1.
MF_FN_LARGE double stirling_error(double k) {
  if (k == 1) return 0.081061466795327258220;
  if (k == 2) return 0.041340695955409294094;
  double numerator, denominator;
  stirling_remainder(k, numerator, denominator);
  return numerator / denominator;
}

/// k log(mean / k) + k − mean for k > 0, as k (log1p(d) − d), d = mean / k − 1: minus Loader's deviance.
MF_FN_LARGE double minus_deviance(double k, double mean) {
  return k * log1p_minus((mean - k) / k);
}

/// Log-probability of whole k ≥ 0 under a Poisson distribution; absolute error about 1e-15 (1 + |value|).
MF_FN_LARGE double log_poisson(double k, double mean) {
  if (k == 0) return -mean;
  return minus_deviance(k, mean) - stirling_error(k) - 0.5 * log(2 * constants::pi * k);
}

/// Log-probability of whole 0 ≤ k ≤ n under a binomial distribution, 0 < p < 1.
MF_FN_LARGE double log_binomial(double k, double n, double p) {
  if (k == 0) return n * log1p(-p);
  if (k == n) return n * log(p);
  return minus_deviance(k, n * p) + minus_deviance(n - k, n * (1 - p)) + stirling_error(n) - stirling_error(k) -
         stirling_error(n - k) - 0.5 * log(2 * constants::pi * k * ((n - k) / n));
}

/// Poisson, mean ≥ 0: inversion below 10, PTRS above, the normal limit beyond 1e18 (skewness 1e-9; counts that large
/// are whole hundreds as doubles).
template <class Random>
MF_FN_LARGE double draw_poisson(Random& random, double mean) {
  if (!(mean >= 10)) {
    double u = random.uniform(), probability = exp(-mean), k = 0;
    // The sum of rounded probabilities may stay below u: 200 is beyond the last that adds anything.
    while (u > probability && k < 200) {
      u -= probability;
      ++k;
      probability *= mean / k;
    }
    return k;
  }
  if (mean > 1e18) return floor(minimum(mean + sqrt(mean) * draw_normal(random), 0x1.fffffffffffffp1023));
  const double b = 0.931 + 2.53 * sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (int tried = 0; tried < most_rejections; ++tried) {
    const double u = random.uniform() - 0.5;
    const double v = random.uniform();
    const double distance = 0.5 - abs(u);
    const double k = floor((2 * a / distance + b) * u + mean + 0.43);
    if (distance >= 0.07 && v <= v_r) return k;
    if (k < 0 || (distance < 0.013 && v > distance)) continue;
    if (log(v * inverse_alpha / (a / (distance * distance) + b)) <= log_poisson(k, mean)) return k;
  }
  return floor(mean);
}

/// Binomial, whole n ≥ 0 and 0 ≤ p ≤ 1: inversion where n min(p, 1 − p) < 10, the normal limit where that is beyond
/// 1e18, BTRS elsewhere.
template <class Random>
MF_FN_LARGE double draw_binomial(Random& random, double n, double probability_of_success) {
  const bool mirrored = probability_of_success > 0.5;
  const double p = mirrored ? 1 - probability_of_success : probability_of_success;
  double k = 0;
  if (n * p < 10) {
    const double odds = p / (1 - p);
    double u = random.uniform(), probability = exp(n * log1p(-p));
    while (u > probability && k < n && k < 200) {
      u -= probability;
      ++k;
      probability *= odds * (n - k + 1) / k;
    }
    return mirrored ? n - k : k;
  }
  const double deviation = sqrt(n * p * (1 - p));
  if (n * p > 1e18) {
    k = minimum(floor(n * p + deviation * draw_normal(random) + 0.5), n);
    return mirrored ? n - k : k;
  }
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double alpha = (2.83 + 5.1 / b) * deviation;
  const double v_r = 0.92 - 4.2 / b;
  const double at_mode = log_binomial(floor((n + 1) * p), n, p);
  for (int tried = 0; tried < most_rejections; ++tried) {
    const double u = random.uniform() - 0.5;
    const double v = random.uniform();
    const double distance = 0.5 - abs(u);
    k = floor((2 * a / distance + b) * u + n * p + 0.5);
    if (k < 0 || k > n) continue;
    if (distance >= 0.07 && v <= v_r) return mirrored ? n - k : k;
    if (log(v * alpha / (a / (distance * distance) + b)) <= log_binomial(k, n, p) - at_mode)
      return mirrored ? n - k : k;
  }
  k = floor((n + 1) * p);
  return mirrored ? n - k : k;
}

/// Failures before the first success, 0 < p ≤ 1, by inversion.
template <class Random>
MF_FN_LARGE double draw_geometric(Random& random, double p) {
  return floor(log(random.uniform()) / log1p(-p));
}

/// Negative binomial with the given mean and size (variance mean + mean² / size), as a Poisson whose mean is gamma: by
/// its logarithm where the variate or the factor would leave the doubles' range, and the mean itself where it varies by
/// no part of 1e-50.
template <class Random>
MF_FN_LARGE double draw_negative_binomial(Random& random, double size, double mean) {
  if (size > 1e100) return draw_poisson(random, mean);
  if (mean / size > 1e100)
    return draw_poisson(random, exp(minimum(draw_log_gamma(random, size) + (log(mean) - log(size)), 709.0)));
  return draw_poisson(random, draw_gamma(random, size) * (mean / size));
}

MF_NAMESPACE_END
