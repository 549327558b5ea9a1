// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Mixtures of registered univariate families by EM, one or thousands at once, of one family or of several:
//   auto gammas = manyfit::fit_mixture(manyfit::executor::best(), "gamma", batch, {.components = {1, 4}});
//   auto inflated = manyfit::fit_mixture_of(manyfit::executor::best(), {"point_mass", "poisson"}, batch);
// The E step takes the families' log-densities, the M step is each family's own weighted fit. Gaussian mixtures in D
// dimensions: manyfit/mixture.hpp. CPU only so far: a CUDA executor throws error::kind::device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manyfit/batch.hpp"
#include "manyfit/families.hpp"
#include "manyfit/mixture.hpp"

namespace manyfit {

/// One component of a mixture of different families: a registered family, or "point_mass", which only mixtures know:
/// probability one at its `location` (0 unless fixed elsewhere) and no free parameter. Beside a continuous family that
/// has values at the location, the likelihood counts the point's probability and the family's density there alike.
struct component_family {
  std::string name;
  std::map<std::string, double> fixed;  ///< parameters held at a value: {{"trials", 10}}
  component_family(const char* family, std::map<std::string, double> held = {})  // NOLINT: {"point_mass", "poisson"}
      : name(family), fixed(std::move(held)) {}
  component_family(std::string family, std::map<std::string, double> held = {})  // NOLINT
      : name(std::move(family)), fixed(std::move(held)) {}
};

/// The point mass as results name it: one parameter, `location`. It is not among all_families().
const family_info& point_mass_family();

struct family_mixture_results;

/// How to fit mixtures of families. Every member has a default.
struct family_mixture_options {
  component_range components = 2;  ///< not read by fit_mixture_of, whose list says it, nor with start_values
  information_criterion select = information_criterion::bic;
  /// Independent starts of every fit; the one with the highest log-likelihood is kept. The first splits the sample at
  /// its quantiles, the others at random (k-means++). Not used with start_values.
  int restarts = 10;
  /// Start values, one mixture per fit or one for all fits; components and order are its own. Null: starts are made.
  const family_mixture_results* start_values = nullptr;
  int max_iterations = 1000;  ///< EM iterations after which a fit ends as max_iterations
  /// Stop when an iteration raises the mean log-likelihood by less than this; 0 runs exactly max_iterations.
  double tolerance = 1e-8;
  /// fit_mixture only: parameters held at a value in every component, by name: {{"trials", 10}}.
  std::map<std::string, double> fixed = {};
  std::uint64_t seed = 0;
  bool trace = false;  ///< keep the log-likelihood of the start and after every iteration
  /// A mixture of which a component collapses is started anew (the trace may fall there), in place of a status.
  bool restart_collapsed = false;
  /// Called from the calling thread now and then: EM runs done, runs in all, and the last log-likelihood known.
  std::function<void(std::int64_t done, std::int64_t total, double log_likelihood)> progress = {};
};

/// Fitted mixtures, in host memory. Fits with fewer than max_components components leave the rest of their room NaN.
/// Components of the same family are in ascending order of the mean of the data weighted by their responsibilities,
/// those of different families in the order in which they were asked for; with start_values in the start's order.
struct family_mixture_results {
  std::int64_t count = 0;
  int max_components = 1;  ///< Kmax
  int parameter_room = 1;  ///< P: the most parameters that a component's family has
  std::string device;
  std::vector<const family_info*> families;  ///< [Kmax], of the components of every fit
  std::vector<std::uint32_t> fixed;          ///< [Kmax]: bit p: parameter p was held fixed
  std::vector<std::int32_t> components;      ///< [count]: K of each fit
  std::vector<double> weights;               ///< [count × Kmax]
  std::vector<double> parameters;            ///< [count × Kmax × P], in the family's order; NaN beyond its own
  std::vector<double> log_likelihood;        ///< [count], nats
  std::vector<std::int32_t> iterations;      ///< [count], of the run that was kept
  std::vector<fit_status> status;            ///< [count]
  std::vector<std::int64_t> observations;    ///< [count], values used
  std::vector<std::int64_t> missing;         ///< [count], NaN values or weights, left out
  std::vector<std::vector<double>> log_likelihood_trace;  ///< [count], or empty; entry t: after t iterations

  double weight(std::int64_t fit, int k) const { return weights[fit * max_components + k]; }
  double parameter(std::int64_t fit, int k, int p) const {
    return parameters[(fit * max_components + k) * parameter_room + p];
  }
  double parameter(std::int64_t fit, int k, std::string_view name) const {
    return parameter(fit, k, find_parameter(*families[static_cast<std::size_t>(k)], name));
  }
  /// K − 1 weights and the components' parameters that are not fixed.
  std::int64_t free_parameters(std::int64_t fit) const;
  /// AIC = 2p − 2 log-likelihood; BIC = p ln(observations) − 2 log-likelihood. Lower is better.
  double aic(std::int64_t fit) const;
  double bic(std::int64_t fit) const;
};

/// Room for `count` mixtures of these components, all NaN and not_run: to fill in a start or a model by hand.
family_mixture_results empty_family_mixtures(std::int64_t count, std::span<const component_family> components);

/// Fits a mixture of one family to every sample. Throws `error` for a wrong call only; each fit has its status:
/// converged, max_iterations (both with parameters), too_few (fewer values than free parameters), nonfinite,
/// out_of_support (a value that no component can take), collapsed_component, or what the family's own fit to the whole
/// sample ends as where no start can be made (constant_sample, unbounded_likelihood, ...). Memory beside the results:
/// at most 8 (K + 4) bytes per value of the largest sample and thread, the responsibilities of the run in hand among
/// them.
family_mixture_results fit_mixture(const executor& where, std::string_view family, const batch<double>& data,
                                   const family_mixture_options& options = {});
family_mixture_results fit_mixture(const executor& where, std::string_view family, const batch<float>& data,
                                   const family_mixture_options& options = {});

/// Fits a mixture of exactly these components to every sample; otherwise as fit_mixture. Zero-inflated Poisson:
/// {"point_mass", "poisson"}.
family_mixture_results fit_mixture_of(const executor& where, const std::vector<component_family>& components,
                                      const batch<double>& data, const family_mixture_options& options = {});
family_mixture_results fit_mixture_of(const executor& where, const std::vector<component_family>& components,
                                      const batch<float>& data, const family_mixture_options& options = {});

/// Scores every sample of `data` under its own fit of `mixtures`, or all under the one that there is: log-densities
/// (−inf where no component can take the value), and on demand responsibilities and labels (NaN and −1 there).
mixture_scores score_mixture(const executor& where, const batch<double>& data, const family_mixture_results& mixtures,
                             const mixture_score_options& options = {});
mixture_scores score_mixture(const executor& where, const batch<float>& data, const family_mixture_results& mixtures,
                             const mixture_score_options& options = {});

/// `size` draws from each mixture: [count × size], host memory; NaN where a fit has no usable parameters. Philox words
/// by seed and the fit's stream (its index, unless `streams` [count] says otherwise), as simulate().
std::vector<double> simulate_mixture(const executor& where, const family_mixture_results& mixtures, std::int64_t size,
                                     std::uint64_t seed = 0, std::span<const std::uint64_t> streams = {});

}  // namespace manyfit
