// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What the host asks of CUDA. Compiled in with a CUDA toolkit (cuda_backend.cpp); without one, cuda_missing.cpp
// answers.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "kernels/algorithms/em.hpp"
#include "kernels/algorithms/posterior_climb.hpp"
#include "kernels/models/mixture_of.hpp"
#include "kernels/registry.hpp"
#include "manyfit/batch.hpp"
#include "manyfit/executor.hpp"
#include "manyfit/mixture.hpp"

namespace manyfit::cuda {

using progress_function = std::function<void(std::int64_t done, std::int64_t total)>;

/// How many CUDA devices there are; 0 without a driver or in a build without CUDA.
int device_count();

/// Every CUDA device there is, usable or not; empty without a driver or in a build without CUDA.
std::vector<device_info> devices();

/// Why device number `device` cannot be used; empty when it can. Asking makes a context on it, once.
std::string why_unusable(int device);

/// The family's operations for data of type T; throws where there are none.
template <class T>
const operations<on_cuda, T>& table_of(const family_info& family);

/// Fits `data` (host or device memory) into `results` (host memory), streamed in chunks where it does not fit.
template <class T>
void fit(const executor& where, const family_info& family, const batch<T>& data, const fit_settings& settings,
         const fit_results_view& results, const progress_function& progress);

/// The same for posteriors: a fit by maximum likelihood with `start`, from which climbs go on, all of a chunk in step.
/// A pass over a chunk evaluates the likelihoods of all that have not ended.
template <class T>
void fit_posterior(const executor& where, const family_info& family, const batch<T>& data, const fit_settings& start,
                   const posterior_problem& problem, const fit_results_view& results,
                   const progress_function& progress);

/// An operation that gives a number per value or per sample; out: host memory, `launch` is given the device's.
template <class T>
using numbers_launch =
    std::function<int(const batch_view<T>&, const parameters_view&, const number_view&, const launch_plan&, void*)>;
template <class T>
void numbers(const executor& where, const family_info& family, const batch<T>& data, const parameters_view& parameters,
             bool per_value, double* out, const numbers_launch<T>& launch);

/// Draws into out [count × size], host memory.
void simulate(const executor& where, const family_info& family, const parameters_view& parameters, std::int64_t count,
              std::int64_t size, std::uint64_t seed, const std::uint64_t* streams, double* out);

/// Runs EM for every task (host memory; their fits ascending) on points in host or device memory; `completed` and
/// `latest` as on the CPU.
template <class T>
void run_mixtures(const executor& where, const point_batch<T>& data, const mixture_settings& settings,
                  mixture_task* tasks, std::int64_t count, std::atomic<std::int64_t>* completed,
                  std::atomic<double>* latest);

/// Takes attempts at mixtures of these components to their ends, all in step.
void run_family_mixtures(const executor& where, std::span<const mixture_part> parts, int parameter_stride,
                         std::span<mixture_attempt> attempts, std::span<em_climb> climbs, bool spread,
                         const em_settings& settings);
/// Values, or rows of several columns, of attempts at mixtures of so many components that the device may hold at once.
std::int64_t family_mixture_values(const executor& where, std::size_t components, std::size_t columns);

/// A batch's memory on the host; view() says what `data`'s view says.
template <class T>
struct host_batch {
  std::vector<T> values, weights;
  std::vector<std::int64_t> offsets;
  batch_view<T> view(const batch_view<T>& data) const {
    return {values.data(), data.weights ? weights.data() : nullptr, data.offsets ? offsets.data() : nullptr, data.size,
            data.count};
  }
};
template <class T>
struct host_points {
  std::vector<T> values, weights;
  points_view<T> view(points_view<T> data) const {
    data.values = values.data();
    data.weights = data.weights ? weights.data() : nullptr;
    return data;
  }
};
/// A copy of what is in device memory. The offsets of points are in host memory.
template <class T>
host_batch<T> copy_of(const executor& where, const batch<T>& data);
template <class T>
host_points<T> copy_of(const executor& where, const point_batch<T>& data);

/// `count` numbers from device memory.
void copy_to_host(const executor& where, const float* from, std::int64_t count, float* to);

/// Scores of every row, into host memory; see mixture_scores. `parameters(fit)`: host memory.
template <class T>
void score_mixtures(const executor& where, const point_batch<T>& data, const mixture_results& mixtures,
                    mixture_scores& scores);

}  // namespace manyfit::cuda
