// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Points drawn from a Gaussian mixture: one build for every instruction set and without contraction, so that draws
// repeat everywhere.
#include <vector>

#include "kernels/cpu/parallel.hpp"
#include "kernels/gaussian_mixture/functions.hpp"
#include "kernels/random/philox_cpu.hpp"
#include "kernels/random/transforms.hpp"

namespace manyfit {

namespace {

/// L with L Lᵀ = matrix [D × D], row-major lower triangle; a direction without variance gets none.
void factor_of(const double* matrix, int D, double* L) {
  for (int i = 0; i < D; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = matrix[i * D + j];
      for (int l = 0; l < j; ++l) sum -= L[i * D + l] * L[j * D + l];
      if (i == j)
        L[i * D + i] = sum > 0 ? sqrt(sum) : 0;
      else
        L[i * D + j] = L[j * D + j] > 0 ? sum / L[j * D + j] : 0;
    }
}

}  // namespace

void simulate_mixture_points(int dimensions, int components, const mixture_parameters& parameters, std::int64_t size,
                             std::uint64_t seed, std::uint64_t stream, double* out, int threads) {
  const int D = dimensions;
  const std::int64_t square = std::int64_t{D} * D;
  std::vector<double> factors(static_cast<std::size_t>(square * components));
  double total = 0;
  for (int k = 0; k < components; ++k) {
    factor_of(parameters.covariances + k * square, D, factors.data() + k * square);
    total += parameters.weights[k];
  }
  parallel_for(
      threads, size, 1024, [&](int) { return std::vector<double>(static_cast<std::size_t>(D)); },
      [&](std::vector<double>& normals, std::int64_t i) {
        philox_stream random(seed, stream, static_cast<std::uint32_t>(i));
        double left = random.uniform() * total;
        int k = 0;
        while (k + 1 < components && left >= parameters.weights[k]) left -= parameters.weights[k++];
        for (double& z : normals) z = draw_normal(random);
        const double* const L = factors.data() + k * square;
        for (int d = 0; d < D; ++d) {
          double x = parameters.means[std::int64_t{k} * D + d];
          for (int j = 0; j <= d; ++j) x += L[d * D + j] * normals[static_cast<std::size_t>(j)];
          out[i * D + d] = x;
        }
      });
}

}  // namespace manyfit
