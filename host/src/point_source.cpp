// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/point_source.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "checks.hpp"

namespace manyfit {

namespace {

/// A source as the kernels read it. What it throws comes out of their loops.
template <class T>
class source_reader {
 public:
  explicit source_reader(const point_source<T>& source) : source_(source) {
    if (source.rows() < 0)
      throw error(error::kind::argument,
                  "point source: " + std::to_string(source.rows()) + " rows given; 0 or more expected");
    if (source.dimensions() < 1 || source.dimensions() > max_dimensions)
      throw error(error::kind::argument, "point source: " + std::to_string(source.dimensions()) +
                                             " dimensions given; 1 to " + std::to_string(max_dimensions) + " expected");
    product_of("point source: coordinates", {source.rows(), source.dimensions()});
    reader_ = {&source, &read, source.weighted()};
  }

  point_batch<T> batch() const {
    point_batch<T> result;
    result.view.size = result.row_count = source_.rows();
    result.view.count = 1;
    result.view.dimensions = source_.dimensions();
    result.view.reader = &reader_;
    return result;
  }

 private:
  static void read(const void* source, std::int64_t first, std::int64_t count, T* values, T* weights) {
    static_cast<const point_source<T>*>(source)->read(first, count, values, weights);
  }

  const point_source<T>& source_;
  points_reader<T> reader_;
};

template <class T>
mixture_results fit_source(const executor& where, const point_source<T>& data, const mixture_options& options) {
  if (where.is_cuda()) throw error(error::kind::device, "a point source cannot be fitted on CUDA; use executor::cpu()");
  const source_reader<T> reader(data);
  return fit_mixture(where, reader.batch(), options);
}

template <class T>
void score_source(const executor& where, const point_source<T>& data, const mixture_results& mixture,
                  const score_receiver& receive, const mixture_score_options& options) {
  const source_reader<T> reader(data);  // for its checks
  check(mixture, "score_mixture");
  if (!receive) throw error(error::kind::argument, "score_mixture: no receiver given");
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
  return guarded([&] { return fit_source(where, data, options); });
}
mixture_results fit_mixture(const executor& where, const point_source<float>& data, const mixture_options& options) {
  return guarded([&] { return fit_source(where, data, options); });
}

void score_mixture(const executor& where, const point_source<double>& data, const mixture_results& mixture,
                   const score_receiver& receive, const mixture_score_options& options) {
  guarded([&] { score_source(where, data, mixture, receive, options); });
}
void score_mixture(const executor& where, const point_source<float>& data, const mixture_results& mixture,
                   const score_receiver& receive, const mixture_score_options& options) {
  guarded([&] { score_source(where, data, mixture, receive, options); });
}

}  // namespace manyfit
