// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Gaussian mixtures by EM: one over many points, or thousands at once over ragged samples.
//   auto rows = manyfit::points<double>(values, 2);
//   auto mixture = manyfit::fit_mixture(manyfit::executor::best(), rows, {.components = {1, 6}});
// Mixtures of other families: manyfit/family_mixture.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/gaussian_mixture/views.hpp"
#include "manyfit/batch.hpp"
#include "manyfit/executor.hpp"
#include "manyfit/status.hpp"

namespace manyfit {

/// Points of `dimensions` coordinates, one sample per fit; a view: the caller keeps the data alive. T is float or
/// double. A row with a NaN coordinate or weight is missing: left out and counted.
template <class T>
struct point_batch {
  points_view<T> view;
  memory_space memory = memory_space::host;
  std::int64_t row_count = 0;  ///< rows in all

  std::int64_t count() const { return view.count; }
  int dimensions() const { return view.dimensions; }

  /// The same points with a weight per row, >= 0: the exponent of the row's density in the likelihood, so that a row of
  /// weight 2 counts as two equal ones, but in BIC, whose n is the number of rows. NaN makes the row missing; a row of
  /// weight 0 is left out, whatever its coordinates.
  point_batch weighted(std::span<const T> weights) const;
};

/// One fit over all rows: values[rows × dimensions], row-major.
template <class T>
point_batch<T> points(std::span<const T> values, int dimensions, memory_space memory = memory_space::host);

/// `fits` samples of equal size, end to end: values[fits × n × dimensions].
template <class T>
point_batch<T> dense_points(std::span<const T> values, int dimensions, std::int64_t fits,
                            memory_space memory = memory_space::host);

/// Samples of any sizes, end to end: sample i is the rows [offsets[i], offsets[i + 1]). offsets: host memory, one more
/// than there are fits, starting at >= 0, never falling, ending at or before the number of rows.
template <class T>
point_batch<T> ragged_points(std::span<const T> values, int dimensions, std::span<const std::int64_t> offsets,
                             memory_space memory = memory_space::host);

/// How many components: exactly `fewest`, or the best number from `fewest` to `most`.
struct component_range {
  int fewest = 1, most = 0;                                         ///< most 0: as `fewest`
  component_range(int exactly) : fewest(exactly), most(exactly) {}  // NOLINT: {.components = 3}
  component_range(int from, int to) : fewest(from), most(to) {}
};

/// By what the number of components is chosen.
enum class information_criterion { bic, aic };

struct mixture_results;

/// How to fit mixtures. Every member has a default.
struct mixture_options {
  component_range components = 2;
  information_criterion select = information_criterion::bic;
  covariance_structure covariance = covariance_structure::full;
  mixture_start start = mixture_start::automatic;
  /// Independent starts of every fit; the one with the highest log-likelihood is kept. Not used with a given start.
  int restarts = 10;
  /// With mixture_start::given: start values, one mixture per fit or one for all fits. Components and order are its
  /// own.
  const mixture_results* start_values = nullptr;
  /// EM iterations after which a fit ends as max_iterations.
  int max_iterations = 1000;
  /// Stop when an iteration raises the mean log-likelihood by less than this; 0 runs exactly max_iterations, and the
  /// status is that.
  double tolerance = 1e-8;
  /// Added to the covariances' diagonals, in squared units of the data; of several attempts of a fit one that would
  /// have collapsed without it is then kept only where all the others would have too. Negative: nothing is added, and
  /// an attempt of which a component collapses is set aside. Only where all attempts of a number of components collapse
  /// do they climb again with 1e-6 of each coordinate's own variance added (of a constant one's, 1e-6 of the mean
  /// variance of the others; to spherical covariances, of the mean variance), ten times more, up to 1e-3, while they
  /// all collapse still. The status of such a fit is `regularized`.
  double regularization = -1;
  std::uint64_t seed = 0;
  /// Keep the log-likelihood of the start and after every iteration.
  bool trace = false;
  /// SQUAREM acceleration (Varadhan & Roland, Scandinavian Journal of Statistics 35 (2008) 335-353), monotone by
  /// falling back to EM: after every second iteration an extrapolation, kept where it is more likely, and then counted
  /// as an iteration. Each try costs a pass over the data, a failed one two.
  bool accelerate = false;
  /// A component that collapses is started anew at a random row, as wide as the data, in place of a status; at most
  /// 10 K times. Not with tied covariances.
  bool restart_collapsed = false;
  /// Stepwise EM (Cappé & Moulines, Journal of the Royal Statistical Society B 71 (2009) 593-613): rows per step; 0, or
  /// at least the fit's rows: off. An approximation: the result depends on the size of steps, the log-likelihood may
  /// fall, an iteration is a sweep over all rows, the trace holds sums over a sweep's steps (the last entry is exact),
  /// and neither accelerate nor restart_collapsed plays a part.
  std::int64_t minibatch_rows = 0;
  /// Called from the calling thread now and then: EM attempts done, attempts in all, and the last log-likelihood known.
  std::function<void(std::int64_t done, std::int64_t total, double log_likelihood)> progress = {};
};

/// Fitted mixtures, in host memory. Every fit has capacity for max_components components, of which it leaves NaN what
/// it does not need; mixtures that were made from a list of sizes have capacity for just their own (component_offsets).
/// Components are in ascending order of their means' first coordinate, except with a given start.
struct mixture_results {
  std::int64_t count = 0;
  int dimensions = 1;
  int max_components = 1;  ///< Kmax
  covariance_structure covariance = covariance_structure::full;
  std::string device;
  std::vector<std::int32_t> components;  ///< [count]: K of each fit
  /// [count + 1]: where each fit's components begin in weights, means and covariances; empty: Kmax places for each.
  std::vector<std::int64_t> component_offsets;
  std::vector<double> weights;             ///< [count × Kmax]
  std::vector<double> means;               ///< [count × Kmax × D]
  std::vector<double> covariances;         ///< [count × Kmax × D × D], whole matrices whatever the structure
  std::vector<double> regularization;      ///< [count × D], added to the covariances' diagonals; 0 where nothing was
  std::vector<std::uint8_t> constant;      ///< [count × D]: 1 where all rows have the same value in that coordinate
  std::vector<double> log_likelihood;      ///< [count], nats
  std::vector<std::int32_t> iterations;    ///< [count], of the attempt that was kept
  std::vector<fit_status> status;          ///< [count]
  std::vector<std::int64_t> observations;  ///< [count], rows used
  std::vector<std::int64_t> missing;       ///< [count], rows with a NaN
  std::vector<std::int64_t> left_out;      ///< [count], rows of weight 0; these three sum to the fit's rows
  std::vector<std::vector<double>> log_likelihood_trace;  ///< [count], or empty; entry t: after t iterations
  int fewest_components = 1;                              ///< of the range that was tried
  int tried = 0;                 ///< how many numbers of components were tried: fewest, fewest + 1, ...
  std::vector<double> criteria;  ///< [count × tried]: the criterion at each, as if alone; NaN where none can be kept
  /// [count × tried]: 1 where only what is added to the covariances keeps a component from collapsing.
  std::vector<std::uint8_t> criteria_regularized;

  /// Members that take the number of a fit or component throw error::kind::argument for one that there is not.
  std::int64_t first_component(std::int64_t fit) const {
    return component_offsets.empty() ? fit * max_components
                                     : component_offsets[checked_index("fits", fit, component_offsets.size())];
  }
  /// k: below the fit's own K, or, without component_offsets, below Kmax.
  double weight(std::int64_t fit, int k) const {
    return weights[checked_index("weights", first_component(fit) + k, weights.size())];
  }
  std::span<const double> mean(std::int64_t fit, int k) const { return part_of("means", means, fit, k, dimensions); }
  /// Row-major D × D.
  std::span<const double> covariance_of(std::int64_t fit, int k) const {
    return part_of("covariances", covariances, fit, k, std::int64_t{dimensions} * dimensions);
  }
  /// K − 1 weights, K·D means and the covariances' free elements.
  std::int64_t free_parameters(std::int64_t fit) const;
  /// AIC = 2p − 2 log-likelihood; BIC = p ln(observations) − 2 log-likelihood. Lower is better. Observations are rows,
  /// whatever their weights.
  double aic(std::int64_t fit) const;
  double bic(std::int64_t fit) const;

 private:
  std::span<const double> part_of(const char* array, const std::vector<double>& of, std::int64_t fit, int k,
                                  std::int64_t size) const {
    const std::size_t first = checked_index(array, (first_component(fit) + k) * size, of.size());
    checked_index(array, static_cast<std::int64_t>(first) + size - 1, of.size());
    return {of.data() + first, static_cast<std::size_t>(size)};
  }
};

/// Capacity for `count` mixtures of up to `max_components` components, all NaN and not_run: to fill in a start by hand.
mixture_results empty_mixtures(std::int64_t count, int max_components, int dimensions, covariance_structure structure);
/// The same with capacity for just components[i] components in mixture i, 1 or more.
mixture_results empty_mixtures(std::span<const std::int32_t> components, int dimensions,
                               covariance_structure structure);

/// Fits a Gaussian mixture to every sample. Throws `error` for a wrong call only; each fit has its status: `too_few`
/// with fewer rows of positive weight than components, or than two (not with fewer than free parameters: the components
/// of such a fit may collapse, and it be regularized), `constant_sample` where all rows are equal, `nonfinite`,
/// `collapsed_component`, else `converged`, `max_iterations` or `regularized`. Of several numbers of components, each
/// fitted as if it were alone, the one with the lowest criterion is taken; a regularized one before others that are not
/// only if it is the better with one covariance for all components, too: for where they lie, not for how narrow one
/// is. Float data: an attempt that collapses in float arithmetic
/// is run again in double, whose bits and memory (64 MiB of rows, or one fit's) are then its own.
mixture_results fit_mixture(const executor& where, const point_batch<double>& data,
                            const mixture_options& options = {});
mixture_results fit_mixture(const executor& where, const point_batch<float>& data, const mixture_options& options = {});

/// What mixtures say about points, in input order; host memory. Which of them are made is up to score_options.
struct mixture_scores {
  std::vector<double> log_density;  ///< [rows], nats; NaN for a missing row or a fit without usable parameters
  std::vector<double>
      responsibilities;              ///< [rows × Kmax], of the fit's components; NaN as above and beyond the fit's K
  std::vector<std::int32_t> labels;  ///< [rows]: the likeliest component, from 0; −1 as above
};
struct mixture_score_options {
  bool responsibilities = false, labels = false;
};

/// Scores every sample of `data` under its own fit of `mixtures`, or all under the one that there is.
mixture_scores score_mixture(const executor& where, const point_batch<double>& data, const mixture_results& mixtures,
                             const mixture_score_options& options = {});
mixture_scores score_mixture(const executor& where, const point_batch<float>& data, const mixture_results& mixtures,
                             const mixture_score_options& options = {});

/// `size` points from each mixture: [count × size × D], host memory; NaN where a fit has no usable parameters. Philox
/// words by seed and the fit's stream (its index, unless `streams` [count] says otherwise), as simulate().
std::vector<double> simulate_mixture(const executor& where, const mixture_results& mixtures, std::int64_t size,
                                     std::uint64_t seed = 0, std::span<const std::uint64_t> streams = {});

}  // namespace manyfit
