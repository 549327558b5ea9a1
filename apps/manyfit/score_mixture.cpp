// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <type_traits>

#include "manyfit/manyfit.hpp"
#include "mixture_models.hpp"
#include "point_file.hpp"
#include "point_samples.hpp"
#include "scores.hpp"

namespace manyfit::app {

namespace {

template <class T>
mixture_scores score_points(const executor& where, const point_set<T>& points, const mixture_results& mixtures,
                            const mixture_score_options& options) {
  return score_mixture(where, points.view(), mixtures, options);
}
template <class T>
mixture_scores score_points(const executor& where, const point_set<T>& points, const family_mixture_results& mixtures,
                            const mixture_score_options& options) {
  return score_mixture(where, ragged_points<T>(points.coordinates(), points.dimensions(), points.offsets), mixtures,
                       options);
}

/// A Parquet file too large for memory, scored as it is read; what is held are the scores.
template <class T>
mixture_scores score_points(const executor& where, const parquet_points<T>& points, const mixture_results& mixture,
                            const mixture_score_options& options) {
  mixture_scores all;
  const auto append = [](auto& to, const auto& part) { to.insert(to.end(), part.begin(), part.end()); };
  const auto receive = [&](std::int64_t, const mixture_scores& part) {
    append(all.log_density, part.log_density);
    append(all.responsibilities, part.responsibilities);
    append(all.labels, part.labels);
  };
  const auto rows = static_cast<std::size_t>(points.rows());
  all.log_density.reserve(rows);
  if (options.responsibilities) all.responsibilities.reserve(rows * static_cast<std::size_t>(mixture.max_components));
  if (options.labels) all.labels.reserve(rows);
  score_mixture(where, points, mixture, receive, options);
  return all;
}

int dimensions_of(const mixture_results& mixtures) {
  return mixtures.dimensions;
}
int dimensions_of(const family_mixture_results& mixtures) {
  return mixtures.columns;
}

/// The columns of a document's products, unless an array's, whose columns have no names, or others are asked for.
std::vector<std::string> named_columns(const model& document, const std::vector<std::string>& asked) {
  const std::vector<std::string> columns = product_columns(document);
  if (std::is_permutation(asked.begin(), asked.end(), columns.begin(), columns.end())) return columns;
  if (!asked.empty()) return asked;
  for (std::size_t d = 0; d < columns.size(); ++d)
    if (columns[d] != fmt::format("x{}", d)) return columns;
  return {};
}

template <class T, class Mixtures>
row_scores score(const score_arguments& arguments, const model& document, const Mixtures& mixtures,
                 const executor& where) {
  point_request request{.path = arguments.input.path,
                        .by = match_columns(arguments.by, document, arguments.model_path),
                        .format = arguments.input.format,
                        .keep_order = true};
  if (!arguments.columns.empty()) request.columns = split_list(arguments.columns, "--columns");
  if (!arguments.input.column.empty()) request.columns = {arguments.input.column};
  request.columns = named_columns(document, request.columns);
  std::shared_ptr<const parquet_points<T>> streamed;
  if constexpr (std::is_same_v<Mixtures, mixture_results>)
    streamed = stream_points<T>(request, where.threads(), half_of_memory());
  const point_set<T> points = streamed ? point_set<T>{.source = excerpt(request.path, 300),
                                                      .names = streamed->names(),
                                                      .offsets = {0, streamed->rows()}}
                                       : read_points<T>(request, arguments.common, where.threads());
  const std::string path = excerpt(arguments.model_path, 300);
  if (points.dimensions() != dimensions_of(mixtures))
    throw input_error(fmt::format("{}: {} coordinate{} ({}), and {} has {}\nname the coordinates with --columns",
                                  points.source, points.dimensions(), points.dimensions() == 1 ? "" : "s",
                                  list_names(points.names), path, dimensions_of(mixtures)));
  if (points.rows() == 0) warn(arguments.common, fmt::format("{} has no observations", points.source));
  if (request.by.empty() && mixtures.count > 1)
    throw input_error(fmt::format("{}: {} fits without keys\na model of one fit was expected, or one with keys", path,
                                  mixtures.count));
  row_scores result;
  result.rows = points.rows();
  Mixtures of_sample;
  if (!request.by.empty()) {
    const std::vector<std::int64_t> fit_of = fits_of_samples(document, points.keys, arguments.model_path);
    for (std::size_t i = 0; i < fit_of.size(); ++i)
      if (fit_of[i] < 0) result.without_fit += points.offsets[i + 1] - points.offsets[i];
    of_sample = mixtures_at(mixtures, fit_of);
  }
  const Mixtures& used = request.by.empty() ? mixtures : of_sample;
  for (std::int64_t i = 0; i < points.count(); ++i)
    if (!(used.weight(used.count == 1 ? 0 : i, 0) >= 0))
      result.of_failed_fits +=
          points.offsets[static_cast<std::size_t>(i) + 1] - points.offsets[static_cast<std::size_t>(i)];
  result.of_failed_fits -= result.without_fit;
  const mixture_score_options options{.responsibilities = arguments.responsibilities, .labels = arguments.label};
  if constexpr (std::is_same_v<Mixtures, mixture_results>)
    if (streamed) {
      result.scores = score_points(where, *streamed, used, options);
      return result;
    }
  result.scores = score_points(where, points, used, options);
  restore_order(result.scores.log_density, 1, points.row_sample, points.offsets);
  restore_order(result.scores.responsibilities, static_cast<std::size_t>(mixtures.max_components), points.row_sample,
                points.offsets);
  restore_order(result.scores.labels, 1, points.row_sample, points.offsets);
  return result;
}

template <class Mixtures>
row_scores score_in_precision(const score_arguments& arguments, const model& document, const Mixtures& mixtures,
                              const executor& where) {
  return in_precision(arguments.common,
                      [&](auto zero) { return score<decltype(zero)>(arguments, document, mixtures, where); });
}

}  // namespace

row_scores score_mixtures(const score_arguments& arguments, const model& document, const mixture_results& mixtures,
                          const executor& where) {
  return score_in_precision(arguments, document, mixtures, where);
}

row_scores score_mixtures(const score_arguments& arguments, const model& document,
                          const family_mixture_results& mixtures, const executor& where) {
  return score_in_precision(arguments, document, mixtures, where);
}

}  // namespace manyfit::app
