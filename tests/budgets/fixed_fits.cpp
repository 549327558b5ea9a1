// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The fixed work whose instructions tests/budgets/run.sh counts: `fixed_fits NAME` does one row of the table below on
// one thread. Draws are made first and cost what they cost in every run, so run.sh counts inside the work alone.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "manyfit/manyfit.hpp"

namespace {

constexpr std::int64_t points = 1000;

/// Not inlined: run.sh switches counting on when this is entered. Says whether the work was what it should be.
__attribute__((noinline)) bool counted_work(const manyfit::family_info& family, const std::vector<double>& values,
                                            std::int64_t fits) {
  const auto results =
      manyfit::fit(manyfit::executor::cpu(1), family, manyfit::dense(std::span<const double>(values), fits));
  return results.count_of(manyfit::fit_status::converged) == fits;
}
__attribute__((noinline)) bool counted_work(const manyfit::point_batch<double>& data,
                                            const manyfit::mixture_options& options) {
  const auto results = manyfit::fit_mixture(manyfit::executor::cpu(1), data, options);
  for (const manyfit::fit_status s : results.status)
    if (s != manyfit::fit_status::max_iterations && s != manyfit::fit_status::converged) return false;
  return true;
}

__attribute__((noinline)) bool counted_work(const manyfit::family_info& family, const manyfit::batch<double>& data,
                                            const manyfit::family_mixture_options& options) {
  const auto results = manyfit::fit_mixture(manyfit::executor::cpu(1), family, data, options);
  for (const manyfit::fit_status s : results.status)
    if (s != manyfit::fit_status::max_iterations) return false;
  return true;
}

struct family_row {
  const char* name;
  std::int64_t fits;
};
constexpr family_row families[] = {
    {"gamma", 200}, {"beta", 200}, {"weibull", 200}, {"student_t", 50}, {"negative_binomial", 200}};

bool fit_family(const family_row& r) {
  const auto& family = manyfit::find_family(r.name);
  std::vector<double> examples;
  for (int i = 0; i < family.parameter_count; ++i) examples.push_back(family.parameters[i].example);
  const auto values =
      manyfit::simulate(manyfit::executor::cpu(1), family, {examples.data(), 0, 1}, r.fits, points, {.seed = 1});
  return counted_work(family, values, r.fits);
}

/// Work points of the plan, smaller: an iteration's instructions are what they are.
struct mixture_row {
  const char* name;
  manyfit::covariance_structure structure;
  std::int64_t fits, rows;
  int D, K, iterations;
};
constexpr mixture_row mixtures[] = {{"mixture_a", manyfit::covariance_structure::full, 1, 20000, 1, 4, 5},
                                    {"mixture_b", manyfit::covariance_structure::diagonal, 1, 2000, 16, 64, 4},
                                    {"mixture_c", manyfit::covariance_structure::full, 1, 1000, 16, 32, 4},
                                    {"mixture_e", manyfit::covariance_structure::full, 10, 1000, 2, 3, 20}};

bool fit_mixtures(const mixture_row& r) {
  manyfit::mixture_results start = manyfit::empty_mixtures(1, r.K, r.D, r.structure);
  start.components[0] = r.K;
  for (int k = 0; k < r.K; ++k) {
    start.weights[static_cast<std::size_t>(k)] = 1.0 / r.K;
    for (int d = 0; d < r.D; ++d) {
      const auto at = static_cast<std::size_t>(k * r.D + d);
      start.means[at] = r.D == 1 ? 3.0 * k : 16 * std::fmod(static_cast<double>(at + 1) * 0.6180339887498949, 1.0);
      for (int e = 0; e < r.D; ++e)
        start.covariances[at * static_cast<std::size_t>(r.D) + static_cast<std::size_t>(e)] = d == e;
    }
  }
  const auto values = manyfit::simulate_mixture(manyfit::executor::cpu(1), start, r.fits * r.rows, 1);
  for (double& mean : start.means) mean += 0.25;
  manyfit::mixture_options options;
  options.covariance = r.structure;
  options.start = manyfit::mixture_start::given;
  options.start_values = &start;
  options.tolerance = 0;
  options.regularization = 0;
  options.max_iterations = r.iterations;
  return counted_work(manyfit::dense_points<double>(values, r.D, r.fits), options);
}

/// Of small samples too, so that what is done once for an iteration counts.
constexpr family_row family_mixtures[] = {{"mixture_of_gamma", 10}, {"mixture_of_exponential", 40}};

bool fit_family_mixtures(const family_row& r) {
  const auto& family = manyfit::find_family(r.name + std::strlen("mixture_of_"));
  manyfit::family_mixture_results truth = manyfit::empty_family_mixtures(1, 2, {{&family}});
  truth.weights = {0.4, 0.6};
  for (int k = 0; k < 2; ++k)
    for (int p = 0; p < family.parameter_count; ++p)
      truth.parameters[static_cast<std::size_t>(k * family.parameter_count + p)] =
          (k == 0 ? 1 : 3) * family.parameters[p].example;
  const auto values = manyfit::simulate_mixture(manyfit::executor::cpu(1), truth, 30 * 40, 1);
  return counted_work(family, manyfit::dense<double>(values, r.fits),
                      {.restarts = 3, .max_iterations = 20, .tolerance = 0});
}

int said(bool good, const char* name) {
  if (!good) std::fprintf(stderr, "fixed_fits: not every fit of %s ended as it should\n", name);
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const wanted = argc == 2 ? argv[1] : "";
  for (const family_row& r : families)
    if (std::strcmp(wanted, r.name) == 0) return said(fit_family(r), wanted);
  for (const mixture_row& r : mixtures)
    if (std::strcmp(wanted, r.name) == 0) return said(fit_mixtures(r), wanted);
  for (const family_row& r : family_mixtures)
    if (std::strcmp(wanted, r.name) == 0) return said(fit_family_mixtures(r), wanted);
  std::fprintf(stderr, "fixed_fits: give one of:");
  for (const family_row& r : families) std::fprintf(stderr, " %s", r.name);
  for (const mixture_row& r : mixtures) std::fprintf(stderr, " %s", r.name);
  for (const family_row& r : family_mixtures) std::fprintf(stderr, " %s", r.name);
  std::fprintf(stderr, "\n");
  return 2;
}
