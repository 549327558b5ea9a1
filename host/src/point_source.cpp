// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/point_source.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

namespace manyfit {

namespace {

/// A source for the kernels, which know no exceptions: after one all rows are missing, so that EM ends soon, and the
/// exception is thrown again where the caller can see it.
template <class T>
class guarded_source {
 public:
  explicit guarded_source(const point_source<T>& source) : source_(source) {
    if (source.rows() < 0)
      throw error(error::kind::argument,
                  "point source: " + std::to_string(source.rows()) + " rows given; 0 or more expected");
    if (source.dimensions() < 1 || source.dimensions() > max_dimensions)
      throw error(error::kind::argument, "point source: " + std::to_string(source.dimensions()) +
                                             " dimensions given; 1 to " + std::to_string(max_dimensions) + " expected");
    reader_ = {this, &read, source.weighted()};
  }

  point_batch<T> batch() const {
    point_batch<T> result;
    result.view.size = result.row_count = source_.rows();
    result.view.count = 1;
    result.view.dimensions = source_.dimensions();
    result.view.reader = &reader_;
    return result;
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  static void read(const void* self, std::int64_t first, std::int64_t count, T* values, T* weights) {
    const auto& guard = *static_cast<const guarded_source*>(self);
    if (!guard.failed_.load(std::memory_order_relaxed)) {
      try {
        return guard.source_.read(first, count, values, weights);
      } catch (...) {
        const std::lock_guard lock(guard.mutex_);
        if (!guard.failure_) guard.failure_ = std::current_exception();
        guard.failed_.store(true, std::memory_order_relaxed);
      }
    }
    std::fill_n(values, count * guard.source_.dimensions(), std::numeric_limits<T>::quiet_NaN());
    if (weights) std::fill_n(weights, count, T(0));
  }

  const point_source<T>& source_;
  points_reader<T> reader_;
  mutable std::mutex mutex_;
  mutable std::exception_ptr failure_;
  mutable std::atomic<bool> failed_{false};
};

template <class T>
mixture_results fit_source(const executor& where, const point_source<T>& data, const mixture_options& options) {
  if (where.is_cuda()) throw error(error::kind::device, "a point source cannot be fitted on CUDA; use executor::cpu()");
  const guarded_source<T> guard(data);
  mixture_results results = fit_mixture(where, guard.batch(), options);
  guard.rethrow();
  return results;
}

template <class T>
void score_source(const executor& where, const point_source<T>& data, const mixture_results& mixture,
                  const score_receiver& receive, const mixture_score_options& options) {
  const guarded_source<T> checked(data);
  if (mixture.count != 1)
    throw error(error::kind::argument,
                "score_mixture: " + std::to_string(mixture.count) + " mixtures for a point source; one expected");
  const std::int64_t rows = data.rows(), D = data.dimensions();
  constexpr std::int64_t numbers_at_once = std::int64_t{1} << 22;
  const std::int64_t at_once = std::max<std::int64_t>(256, numbers_at_once / (D + mixture.max_components + 2));
  std::vector<T> values, weights;
  for (std::int64_t first = 0; first < rows; first += at_once) {
    const std::int64_t count = std::min(at_once, rows - first);
    values.resize(static_cast<std::size_t>(count * D));
    weights.resize(data.weighted() ? static_cast<std::size_t>(count) : 0);
    data.read(first, count, values.data(), data.weighted() ? weights.data() : nullptr);
    receive(first, score_mixture(where, points<T>(values, static_cast<int>(D)), mixture, options));
  }
}

}  // namespace

mixture_results fit_mixture(const executor& where, const point_source<double>& data, const mixture_options& options) {
  return fit_source(where, data, options);
}
mixture_results fit_mixture(const executor& where, const point_source<float>& data, const mixture_options& options) {
  return fit_source(where, data, options);
}

void score_mixture(const executor& where, const point_source<double>& data, const mixture_results& mixture,
                   const score_receiver& receive, const mixture_score_options& options) {
  score_source(where, data, mixture, receive, options);
}
void score_mixture(const executor& where, const point_source<float>& data, const mixture_results& mixture,
                   const score_receiver& receive, const mixture_score_options& options) {
  score_source(where, data, mixture, receive, options);
}

}  // namespace manyfit
