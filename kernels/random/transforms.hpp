// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Continuous variates from a stream of random words (stream.hpp), in double, on host and device alike. Our own, since
// cuRAND's host and device transforms differ. No draw keeps state for the next. discrete.hpp has the counts. Every loop
// has a bound that no stream of words reaches, and every sampler a limit law where its own arithmetic would overflow,
// so that no parameter hangs it.
#pragma once

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

template <class Random>
MF_FN_LARGE double draw_uniform(Random& random) {
  return random.uniform();
}

/// Exponential with mean 1, by inversion.
template <class Random>
MF_FN_LARGE double draw_exponential(Random& random) {
  return -log(random.uniform());
}

/// Standard normal. Source: Box & Muller, Annals of Mathematical Statistics 29 (1958) 610–611; the second variate of
/// the pair is given up, so that no state outlives the draw.
template <class Random>
MF_FN_LARGE double draw_normal(Random& random) {
  const double radius = sqrt(-2 * log(random.uniform()));
  return radius * cos(2 * constants::pi * random.uniform());
}

/// Rejections before a sampler gives up and returns its mode; each accepts at least every third proposal.
inline constexpr int most_rejections = 1000;

/// A gamma variate of shape d + 1/3 and scale 1, divided by d, for d >= 2/3. The squeeze, which takes what the exact
/// test would take as well, spares most draws two logarithms. Source: Marsaglia & Tsang, ACM Transactions on
/// Mathematical Software 26 (2000) 363–372.
template <class Random>
MF_FN_LARGE double draw_cube(Random& random, double d) {
  const double c = 1 / sqrt(9 * d);
  for (int tried = 0; tried < most_rejections; ++tried) {
    const double x = draw_normal(random);
    const double root = 1 + c * x;
    const double u = random.uniform();
    if (!(root > 0)) continue;
    const double v = root * root * root;
    if (u < 1 - 0.0331 * square(square(x))) return v;
    if (log(u) < 0.5 * x * x + d * (1 - v + log(v))) return v;
  }
  return 1;
}

/// Log of a gamma variate with scale 1, for any shape > 0: at shapes near 0 the variate itself would underflow. For
/// shape < 1 by Marsaglia & Tsang's boost by u^(1/shape), section 6.
template <class Random>
MF_FN_LARGE double draw_log_gamma(Random& random, double shape) {
  const double boost = shape < 1 ? log(random.uniform()) / shape : 0.0;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  return log(d) + log(draw_cube(random, d)) + boost;
}

/// Gamma with scale 1; 0 where it is below the smallest double.
template <class Random>
MF_FN_LARGE double draw_gamma(Random& random, double shape) {
  if (shape < 1) return exp(draw_log_gamma(random, shape));
  const double d = shape - 1.0 / 3;
  return d * draw_cube(random, d);
}

template <class Random>
MF_FN_LARGE double draw_chi_squared(Random& random, double degrees_of_freedom) {
  return 2 * draw_gamma(random, 0.5 * degrees_of_freedom);
}

/// Beta as g_a / (g_a + g_b), in logs: with both shapes tiny, both gammas may underflow. Source: Johnson, Kotz &
/// Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 25.
template <class Random>
MF_FN_LARGE double draw_beta(Random& random, double a, double b) {
  const double log_a = draw_log_gamma(random, a);
  const double log_b = draw_log_gamma(random, b);
  if (!is_finite(log_a) || !is_finite(log_b)) return random.uniform() * (a + b) < a ? 1 : 0;  // shapes below 1e-305
  return 1 / (1 + exp(log_b - log_a));
}

/// Von Mises in [−pi, pi), for concentration ≥ 0. Source: Best & Fisher, Applied Statistics 28 (1979) 152–157,
/// rearranged so that nothing cancels: their rho for small concentrations and 1 − rho, 1 − cos(angle) for large ones.
/// Beyond a concentration of 1e30 the normal limit, which differs by 1 part in it.
template <class Random>
MF_FN_LARGE double draw_von_mises(Random& random, double mean, double concentration) {
  const auto turned = [](double angle) {
    return angle - 2 * constants::pi * floor((angle + constants::pi) / (2 * constants::pi));
  };
  if (concentration > 1e30) return turned(mean + draw_normal(random) / sqrt(concentration));
  const double root = sqrt(1 + 4 * concentration * concentration);
  const double tau = 1 + root;
  const double denominator = tau + sqrt(2 * tau);
  const double rho = 2 * concentration / denominator;
  const double one_minus_rho = (1 + 1 / (root + 2 * concentration) + sqrt(2 * tau)) / denominator;
  // The envelope is a wrapped Cauchy, whose half angle is atan((1 - rho) / (1 + rho) tan(pi u / 2)).
  double half_angle = 0;
  for (int tried = 0; tried < most_rejections; ++tried) {
    const double quarter = 0.5 * constants::pi * random.uniform();
    const double opposite = one_minus_rho * sin(quarter), adjacent = (1 + rho) * cos(quarter);
    const double one_minus_cosine = 2 * square(opposite) / (square(opposite) + square(adjacent));
    const double c = 0.25 * square(one_minus_rho) * denominator + concentration * one_minus_cosine;
    const double u = random.uniform();
    half_angle = atan(opposite / adjacent);
    if (c * (2 - c) > u || log(c / u) + 1 >= c) break;
  }
  return turned(mean + (random.uniform() < 0.5 ? -2 : 2) * half_angle);
}

/// Inverse Gaussian with the given mean and shape. Source: Michael, Schucany & Haas, The American Statistician 30
/// (1976) 88–90; the smaller root of their quadratic is taken as a quotient, which does not cancel. For a mean far
/// beyond the shape the limit is shape / χ² (Lévy's law).
template <class Random>
MF_FN_LARGE double draw_inverse_gaussian(Random& random, double mean, double shape) {
  const double chi_squared = square(draw_normal(random)), w = 0.5 * mean * chi_squared / shape;
  if (!(w < 1e150)) return shape / chi_squared;
  const double smaller = 1 / (1 + w + sqrt(w * (2 + w)));  // in units of the mean; the larger root is its inverse
  return mean * (random.uniform() * (1 + smaller) <= 1 ? smaller : 1 / smaller);
}

MF_NAMESPACE_END
