// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <random>

#include "reference/reference.hpp"

namespace reference {

void gamma_log_density(std::span<const double> x, double shape, double rate, std::span<double> out) {
  const double constant = shape * std::log(rate) - std::lgamma(shape);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = constant + (shape - 1) * std::log(x[i]) - rate * x[i];
}

double gamma_log_likelihood(std::span<const double> x, double shape, double rate) {
  const double constant = shape * std::log(rate) - std::lgamma(shape);
  double sum = 0;
  for (const double v : x) sum += constant + (shape - 1) * std::log(v) - rate * v;
  return sum;
}

void simulate_gamma(std::uint64_t seed, double shape, double rate, std::span<double> out) {
  std::mt19937_64 words(seed);
  std::gamma_distribution<double> draw(shape, 1 / rate);
  for (double& v : out) v = draw(words);
}

}  // namespace reference
