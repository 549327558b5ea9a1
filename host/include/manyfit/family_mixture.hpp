// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of any registered family, and of different families, by EM: a family's weighted fit is its M step.
//   auto two = manyfit::fit_mixture(manyfit::executor::cpu(), manyfit::find_family("poisson"), data, {.components =
//   2}); std::vector<manyfit::mixture_component> inflated{manyfit::point_mass(0), {&manyfit::find_family("poisson")}};
//   auto zip = manyfit::fit_mixture(manyfit::executor::cpu(), inflated, data);
// Of points with D coordinates a component is the product of one distribution of its family for each of them; of
// bernoulli these are latent classes:
//   auto classes = manyfit::fit_mixture(manyfit::executor::cpu(), manyfit::find_family("bernoulli"),
//                                       manyfit::points<double>(answers, 12), {.components = {1, 6}});
// Runs on the CPU and on CUDA, where many starts and fits go side by side; data are doubles in both, and densities of
// your own on the CPU only. Samples are read, and starts are made, on the host: a batch in device memory is copied
// there. Memory: K + 2 numbers for every value (of points: K for a row, and 1 for a cell, or a byte for up to four
// cells of counts of few values) of the fit that a CPU thread is on, the responsibilities among them; on a device K + 3
// (of points: 2 K + D + 3) for every value or row of every start that is there at once, at least one. A component whose
// best parameter lies at an edge of its range (a t that wants to be normal, a class that answers one question always
// alike) takes a value just inside: 1e8 for infinity, 1e-12 from 0 and 1 for a probability.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "manyfit/batch.hpp"
#include "manyfit/executor.hpp"
#include "manyfit/families.hpp"
#include "manyfit/mixture.hpp"

namespace manyfit {

/// One component of a mixture of families.
struct mixture_component {
  const family_info* family = nullptr;       ///< null: all probability at the value `at`
  double at = 0;                             ///< of a point mass
  std::map<std::string, double> fixed = {};  ///< parameters fixed at a value: {{"trials", 10}}
};

/// All probability at one value: with a family of counts, zero inflation.
inline mixture_component point_mass(double at) {
  return {nullptr, at};
}

struct family_mixture_results;

/// How to fit mixtures of families. Every member has a default.
struct family_mixture_options {
  component_range components = 2;  ///< of one family; a list of components has its own number
  information_criterion select = information_criterion::bic;
  /// automatic and kmeans_plus_plus are one: the first attempt splits at quantiles, the others, and all attempts of
  /// points with several coordinates, at k-means++ seeds (distances in units of each coordinate's standard deviation).
  mixture_start start = mixture_start::automatic;
  /// Independent starts of every fit; the one with the highest log-likelihood is kept. Not used with a given start.
  int restarts = 10;
  const family_mixture_results* start_values = nullptr;  ///< with mixture_start::given: one for all fits, or one each
  int max_iterations = 1000;
  /// Stop when an iteration raises the mean log-likelihood by less than this; 0 runs exactly max_iterations, and the
  /// status is that.
  double tolerance = 1e-8;
  std::uint64_t seed = 0;
  bool trace = false;  ///< keep the log-likelihood of the start and after every iteration
  /// An attempt of which a component collapses starts anew at random (the trace may fall there), in place of a status.
  bool restart_collapsed = false;
  /// Of one family: parameters fixed at a value in every component, and for every coordinate.
  std::map<std::string, double> fixed = {};
  std::function<void(std::int64_t done, std::int64_t total, double log_likelihood)> progress = {};
};

/// Fitted mixtures, in host memory. Every fit has capacity for max_components components, of which it leaves NaN what
/// it does not need; mixtures that were made from a list of sizes have capacity for just their own (component_offsets).
/// Components of one family are in ascending order of the mean of the data that they account for (of points: of the
/// first coordinate), except with a given start; a list of components keeps its order.
struct family_mixture_results {
  std::int64_t count = 0;
  std::vector<mixture_component> parts;  ///< one: the family of all components; else [Kmax], each component's own
  int max_components = 1;                ///< Kmax
  int parameter_stride = 0;              ///< P: the most parameters that a distribution has
  int columns = 1;                       ///< D: a component has a distribution for each
  std::string device;
  std::vector<std::int32_t> components;  ///< [count]: K of each fit
  /// [count + 1]: where each fit's components begin in weights, parameters and means; empty: Kmax places for each.
  std::vector<std::int64_t> component_offsets;
  std::vector<double> weights;             ///< [count × Kmax]
  std::vector<double> parameters;          ///< [count × Kmax × D × P], in the families' own parametrisations
  std::vector<double> means;               ///< [count × Kmax × D], of the data by responsibility
  std::vector<double> log_likelihood;      ///< [count], nats
  std::vector<std::int32_t> iterations;    ///< [count]
  std::vector<fit_status> status;          ///< [count]
  std::vector<std::int64_t> observations;  ///< [count], values or rows used
  std::vector<std::int64_t> missing;       ///< [count], NaN values or weights; rows that are NaN in all coordinates
  std::vector<std::int64_t> left_out;      ///< [count], of weight 0; these three sum to the fit's values or rows
  std::vector<std::int64_t> outside;  ///< [count], out_of_support: numbers that are in no component's support; else 0
  std::vector<std::vector<double>> log_likelihood_trace;  ///< [count], or empty; entry t: after t iterations
  int fewest_components = 1, tried = 0;                   ///< as in mixture_results
  std::vector<double> criteria;                           ///< [count × tried], as in mixture_results

  /// Members that take a number throw error::kind::argument for one that there is not.
  const mixture_component& part(int k) const {
    return parts[checked_index("parts", parts.size() == 1 ? 0 : k, parts.size())];
  }
  std::int64_t first_component(std::int64_t fit) const {
    return component_offsets.empty() ? fit * max_components
                                     : component_offsets[checked_index("fits", fit, component_offsets.size())];
  }
  /// k: below the fit's own K, or, without component_offsets, below Kmax.
  double weight(std::int64_t fit, int k) const {
    return weights[checked_index("weights", first_component(fit) + k, weights.size())];
  }
  double parameter(std::int64_t fit, int k, int p) const { return parameter(fit, k, 0, p); }
  /// Of column d.
  double parameter(std::int64_t fit, int k, int d, int p) const {
    return parameters[checked_index("parameters", ((first_component(fit) + k) * columns + d) * parameter_stride + p,
                                    parameters.size())];
  }
  /// K − 1 weights and the components' parameters that are not fixed, for every column.
  std::int64_t free_parameters(std::int64_t fit) const;
  /// AIC = 2p − 2 log-likelihood; BIC = p ln(observations) − 2 log-likelihood. Lower is better. Observations are rows,
  /// whatever their weights.
  double aic(std::int64_t fit) const;
  double bic(std::int64_t fit) const;
};

/// Capacity for `count` mixtures of `components` components, all NaN and not_run: to fill in a start by hand. `parts`:
/// one for all components, or one each; of several columns one.
family_mixture_results empty_family_mixtures(std::int64_t count, int components, std::vector<mixture_component> parts,
                                             int columns = 1);
/// The same with capacity for just components[i] components in mixture i, 1 or more.
family_mixture_results empty_family_mixtures(std::span<const std::int32_t> components,
                                             std::vector<mixture_component> parts, int columns = 1);

/// Fits a mixture of one family, or of a list of components, to every sample. Throws `error` for a wrong call only,
/// such as uniform components with a free end: EM cannot move a support whose density does not fall before it ends.
/// Where it does (gev, generalized_pareto) a component loses a value of which it has 1e-14 and less, and every other
/// start gives it a part of the sample alone. Each fit has its status: `too_few` with fewer values of positive weight
/// than components, or than two (one is enough for one component of one free parameter), else as fit() or fit_mixture()
/// of points says.
family_mixture_results fit_mixture(const executor& where, const family_info& family, const batch<double>& data,
                                   const family_mixture_options& options = {});
family_mixture_results fit_mixture(const executor& where, const family_info& family, const batch<float>& data,
                                   const family_mixture_options& options = {});
family_mixture_results fit_mixture(const executor& where, std::span<const mixture_component> components,
                                   const batch<double>& data, const family_mixture_options& options = {});
family_mixture_results fit_mixture(const executor& where, std::span<const mixture_component> components,
                                   const batch<float>& data, const family_mixture_options& options = {});
/// Mixtures of products: log f(x) = log Σ_k π_k Π_d f(x_d | θ_kd), of points with D coordinates; with one coordinate
/// what the above give for its values, bit by bit. Coordinates are independent within a component. A missing cell
/// contributes nothing to its row's density (its factor is 1), and nothing to its coordinate's parameters; a row counts
/// as missing when its weight is, or all of its cells are. `too_few` is also a sample without a number in one
/// coordinate, `constant_sample` one with a constant coordinate where the family has no maximum for that,
/// `collapsed_component` also one without weight in one coordinate. A class whose answers to a question are all alike
/// is none of these: see above for its probability. Source: Goodman, Biometrika 61 (1974) 215–231 (latent classes).
family_mixture_results fit_mixture(const executor& where, const family_info& family, const point_batch<double>& data,
                                   const family_mixture_options& options = {});
family_mixture_results fit_mixture(const executor& where, const family_info& family, const point_batch<float>& data,
                                   const family_mixture_options& options = {});

/// Scores every sample under its own fit, or all under the one that there is; as score_mixture() of points.
mixture_scores score_mixture(const executor& where, const batch<double>& data, const family_mixture_results& mixtures,
                             const mixture_score_options& options = {});
mixture_scores score_mixture(const executor& where, const batch<float>& data, const family_mixture_results& mixtures,
                             const mixture_score_options& options = {});
/// Of points, whose missing cells contribute nothing; those of several coordinates are scored on the CPU whatever the
/// executor.
mixture_scores score_mixture(const executor& where, const point_batch<double>& data,
                             const family_mixture_results& mixtures, const mixture_score_options& options = {});
mixture_scores score_mixture(const executor& where, const point_batch<float>& data,
                             const family_mixture_results& mixtures, const mixture_score_options& options = {});

/// `size` values or points from each mixture: [count × size × D], host memory; NaN where a fit has no usable
/// parameters.
std::vector<double> simulate_mixture(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                     std::uint64_t seed = 0, std::span<const std::uint64_t> streams = {});

}  // namespace manyfit
