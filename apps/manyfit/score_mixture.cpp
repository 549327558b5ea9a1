// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "score_mixture.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>

#include "apps/support/messages.hpp"
#include "failures.hpp"
#include "input/arrow_reader.hpp"
#include "manyfit/manyfit.hpp"
#include "mixture_models.hpp"
#include "output/numbers.hpp"
#include "output/text.hpp"
#include "point_file.hpp"

namespace manyfit::app {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

template <class T>
mixture_scores score_points(const executor& where, const point_set<T>& points, const mixture_results& mixtures,
                            const mixture_score_options& options) {
  return score_mixture(where, points.view(), mixtures, options);
}
template <class T>
mixture_scores score_points(const executor& where, const point_set<T>& points, const family_mixture_results& mixtures,
                            const mixture_score_options& options) {
  return score_mixture(where, ragged<T>(points.coordinates(), points.offsets), mixtures, options);
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
int dimensions_of(const family_mixture_results&) {
  return 1;
}

/// Rows as they were in the input: `each` numbers per row.
template <class Number>
void restore_order(std::vector<Number>& numbers, std::size_t each, const std::vector<std::int32_t>& row_sample,
                   const std::vector<std::int64_t>& offsets) {
  if (row_sample.empty() || numbers.empty()) return;
  std::vector<std::int64_t> next = offsets;
  std::vector<Number> ordered(numbers.size());
  for (std::size_t row = 0; row < row_sample.size(); ++row) {
    const auto place = static_cast<std::size_t>(next[static_cast<std::size_t>(row_sample[row])]++);
    for (std::size_t i = 0; i < each; ++i) ordered[row * each + i] = numbers[place * each + i];
  }
  numbers = std::move(ordered);
}

struct row_scores {
  mixture_scores scores;
  std::int64_t rows = 0, without_fit = 0, of_failed_fits = 0;
};

template <class T, class Mixtures>
row_scores score(const score_mixture_arguments& arguments, const model& document, const Mixtures& mixtures,
                 const executor& where) {
  point_request request = arguments.input;
  request.by = match_columns(arguments.by, document, arguments.model_path);
  request.keep_order = true;
  if (!arguments.columns.empty()) request.columns = split_list(arguments.columns, "--columns");
  if (!arguments.column.empty()) request.columns = {arguments.column};
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

/// The columns that are written: log_density, r0 ..., label; NaN where there is no such number.
struct score_columns {
  const mixture_scores& scores;
  std::size_t width;  ///< responsibilities per row, or 0
  bool label;
  std::string family;
  std::size_t count() const { return 1 + width + label; }
  std::string name(std::size_t column) const {
    return column == 0 ? "log_density" : column <= width ? fmt::format("r{}", column - 1) : "label";
  }
  double value(std::size_t row, std::size_t column) const {
    if (column == 0) return scores.log_density[row];
    if (column <= width) return scores.responsibilities[row * width + column - 1];
    return scores.labels[row] < 0 ? none : scores.labels[row];
  }
};

void write_scores(const score_columns& columns, std::size_t rows, const executor& where, const common_options& common,
                  output_format format, output& to) {
  std::string& text = to.text();
  switch (format) {
    case output_format::json:
      text += fmt::format(
          "{{\"manyfit\": \"{}\", \"command\": \"score\", \"family\": \"{}\", \"device\": \"{}\", "
          "\"precision\": \"{}\"",
          version(), columns.family, where.name(), common.precision);
      for (std::size_t i = 0; i < columns.count(); ++i) {
        text += fmt::format(",\n \"{}\": [", columns.name(i));
        for (std::size_t row = 0; row < rows; ++row) {
          if (row > 0) text += ", ";
          append_json_number(text, columns.value(row, i));
          to.flush_when_full();
        }
        text += ']';
      }
      text += "}\n";
      break;
    case output_format::npy: {
      write_npy_header({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns.count())}, false, to);
      std::vector<double> line(columns.count());
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < line.size(); ++i) line[i] = columns.value(row, i);
        write_npy_values(line, false, to);
      }
      break;
    }
    case output_format::parquet: {
      table data{.source = "scores", .rows = rows};
      for (std::size_t i = 0; i < columns.count(); ++i) {
        column& each = data.columns.emplace_back(column{.name = columns.name(i)});
        for (std::size_t row = 0; row < rows; ++row) each.numbers.push_back(columns.value(row, i));
      }
      write_parquet(data, to.file_to_write());
      break;
    }
    default:
      for (std::size_t i = 0; i < columns.count(); ++i) {
        if (i > 0) text += ',';
        text += columns.name(i);
      }
      text += '\n';
      for (std::size_t row = 0; row < rows; ++row) {
        if (columns.count() == 1) {
          append_lone_csv_number(text, columns.value(row, 0));
        } else {
          for (std::size_t i = 0; i < columns.count(); ++i) {
            if (i > 0) text += ',';
            append_csv_number(text, columns.value(row, i));
          }
        }
        text += '\n';
        to.flush_when_full();
      }
  }
  to.finish();
}

}  // namespace

namespace {

template <class Mixtures>
int score_and_write(const score_mixture_arguments& arguments, const model& document, const Mixtures& mixtures,
                    const executor& where, output_format format) {
  const common_options& common = arguments.common;
  output to(common.out);
  const row_scores result = common.single() ? score<float>(arguments, document, mixtures, where)
                                            : score<double>(arguments, document, mixtures, where);
  const std::size_t width = arguments.responsibilities ? static_cast<std::size_t>(mixtures.max_components) : 0;
  write_scores({result.scores, width, arguments.label, document.family}, static_cast<std::size_t>(result.rows), where,
               common, format, to);
  attempt([&] {
    if (result.without_fit > 0)
      warn(common, fmt::format("{} rows have a key without a fit in the model: their log_density is empty",
                               result.without_fit));
    if (result.of_failed_fits > 0)
      warn(common,
           fmt::format("{} rows belong to fits without parameters: their log_density is empty", result.of_failed_fits));
    if (!common.quiet)
      tell("manyfit: {} rows scored under {} mixtures on {}, {} precision\n", result.rows, document.family,
           where.name(), common.precision);
  });
  return result.without_fit + result.of_failed_fits > 0 && common.fail_on_any() ? exit_failed : exit_done;
}

}  // namespace

int score_mixture_model(const score_mixture_arguments& arguments, const model& document, const executor& where,
                        output_format format) {
  if (!arguments.column.empty() && !arguments.columns.empty())
    throw usage_error("--column and --columns cannot be given together\ngive the coordinates to --columns");
  if (document.family == "gaussian")
    return score_and_write(arguments, document, gaussian_mixtures(document, arguments.model_path), where, format);
  return score_and_write(arguments, document, family_mixtures(document, arguments.model_path), where, format);
}

}  // namespace manyfit::app
