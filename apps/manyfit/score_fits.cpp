// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "manyfit/manyfit.hpp"
#include "mixture_models.hpp"
#include "scores.hpp"

namespace manyfit::app {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// Parameter p of fit i at [p * fits + i]; NaN where the document has null.
std::vector<double> parameters_in(const model& document, const family_info& family, const std::string& path) {
  const std::size_t fits = document.fits.size(), count = static_cast<std::size_t>(family.parameter_count);
  std::vector<double> values(count * fits, none);
  for (std::size_t i = 0; i < fits; ++i)
    for (std::size_t p = 0; p < count; ++p) {
      const char* name = family.parameters[p].name;
      const named_numbers& given = document.fits[i].parameters;
      const auto found = std::find_if(given.begin(), given.end(), [&](const auto& each) { return each.first == name; });
      if (found == given.end())
        throw input_error(fmt::format("{}: fits[{}].parameters has no '{}'\nevery parameter of {} was expected",
                                      excerpt(path, 300), i, name, family.name));
      values[p * fits + i] = found->second;
    }
  return values;
}

/// One set of parameters for all values: cut into partitions, so that every core has work.
template <class T>
std::vector<double> score_with_one(const executor& where, const family_info& family, const std::vector<T>& values,
                                   const std::vector<double>& parameters) {
  constexpr std::int64_t partition = 1 << 16;
  const auto size = static_cast<std::int64_t>(values.size());
  std::vector<std::int64_t> offsets;
  for (std::int64_t at = 0; at < size; at += partition) offsets.push_back(at);
  offsets.push_back(size);
  return log_density(where, family, ragged<T>(values, offsets), {parameters.data(), 0, 1});
}

template <class T>
row_scores score(const score_arguments& arguments, const model& document, const family_info& family,
                 const executor& where) {
  const std::string path = excerpt(arguments.model_path, 300);
  const std::vector<double> parameters = parameters_in(document, family, arguments.model_path);
  sample_request request = arguments.input;
  request.by = match_columns(arguments.by, document, arguments.model_path);
  request.keep_order = true;
  const std::size_t fits = document.fits.size(), count = static_cast<std::size_t>(family.parameter_count);
  const sample_set<T> samples = read_samples<T>(request, arguments.common, where.threads());
  if (samples.values.empty()) warn(arguments.common, fmt::format("{} has no observations", samples.source));

  row_scores result{.rows = std::ssize(samples.values)};
  std::vector<double> of_sample;  // [count × samples]
  if (request.by.empty() && fits == 1) {
    if (samples.shape.size() == 2 && samples.shape[1] > 1)
      throw input_error(
          fmt::format("{}: each row has {} coordinates, and {} has one\n"
                      "an array of one column was expected, or a model with a fit for each row",
                      samples.source, samples.shape[1], family.name));
    result.scores.log_density = score_with_one(where, family, samples.values, parameters);
    if (std::any_of(parameters.begin(), parameters.end(), [](double each) { return std::isnan(each); }))
      result.of_failed_fits = result.rows;
    return result;
  }
  if (request.by.empty()) {
    if (samples.shape.size() != 2 || samples.shape[0] != fits)
      throw input_error(
          fmt::format("{}: {} has {} fits without keys\na .npy array of {} rows was expected, one for each fit",
                      samples.source, path, fits, fits));
    of_sample = parameters;
  } else {
    const std::vector<std::int64_t> fit_of = fits_of_samples(document, samples.keys, arguments.model_path);
    of_sample.assign(count * fit_of.size(), none);
    for (std::size_t sample = 0; sample < fit_of.size(); ++sample) {
      const std::int64_t rows = samples.offsets[sample + 1] - samples.offsets[sample];
      if (fit_of[sample] < 0) result.without_fit += rows;
      for (std::size_t p = 0; p < count && fit_of[sample] >= 0; ++p)
        of_sample[p * fit_of.size() + sample] = parameters[p * fits + static_cast<std::size_t>(fit_of[sample])];
    }
  }
  const std::size_t sample_count = static_cast<std::size_t>(samples.count());
  for (std::size_t sample = 0; sample < sample_count; ++sample) {
    bool failed = false;
    for (std::size_t p = 0; p < count; ++p) failed = failed || std::isnan(of_sample[p * sample_count + sample]);
    if (failed) result.of_failed_fits += samples.offsets[sample + 1] - samples.offsets[sample];
  }
  result.of_failed_fits -= result.without_fit;

  const parameters_view view{of_sample.data(), 1, static_cast<std::int64_t>(sample_count)};
  result.scores.log_density = log_density(where, family, ragged<T>(samples.values, samples.offsets), view);
  restore_order(result.scores.log_density, 1, samples.row_sample, samples.offsets);
  return result;
}

}  // namespace

row_scores score_fits(const score_arguments& arguments, const model& document, const family_info& family,
                      const executor& where) {
  return in_precision(arguments.common,
                      [&](auto zero) { return score<decltype(zero)>(arguments, document, family, where); });
}

}  // namespace manyfit::app
