// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Any bytes given as the model of `mixture --start` and `score` end as an error, or as mixtures that points can be
// scored under and EM can start from: with finite parameters where the status says so, and without a crash.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "manyfit/manyfit.hpp"
#include "mixture_models.hpp"

namespace {

using namespace manyfit;

constexpr std::int64_t rows = 12;
constexpr std::size_t most_fits = 8, most_components = 8, most_dimensions = 4;  // more would only take longer

/// Rows of no particular kind, the first row missing.
std::vector<double> some_values(int dimensions) {
  std::vector<double> values;
  for (int i = 0; i < rows * dimensions; ++i) values.push_back(i * 37 % 17 + 0.25 * (i % 3));
  values[0] = std::nan("");
  return values;
}

bool has_numbers(fit_status status) {
  return usable(status) || status == fit_status::max_iterations;
}

/// Scores are numbers, or NaN for a missing row or a mixture that cannot be used; responsibilities sum to one.
void check(const mixture_scores& scores, std::int64_t count, int most) {
  if (std::ssize(scores.log_density) != count * rows || std::ssize(scores.responsibilities) != count * rows * most)
    std::abort();
  for (std::size_t row = 0; row < scores.log_density.size(); ++row) {
    if (scores.labels[row] >= most) std::abort();
    if (scores.labels[row] < 0) continue;
    double sum = 0;
    for (int k = 0; k < most; ++k) {
      const double responsibility =
          scores.responsibilities[row * static_cast<std::size_t>(most) + static_cast<std::size_t>(k)];
      if (!std::isnan(responsibility)) sum += responsibility;
    }
    if (!(std::abs(sum - 1) <= 1e-6)) std::abort();
  }
}

template <class Results, class Batch, class Fit>
void start_and_score(const Results& start, const Batch& data, Fit fit) {
  const executor where = executor::cpu(1);
  check(score_mixture(where, data, start, {.responsibilities = true, .labels = true}), start.count,
        start.max_components);
  for (const fit_status status : start.status)
    if (!has_numbers(status)) return;  // the program refuses a start without parameters
  const Results results = fit(where, data);
  for (std::int64_t i = 0; i < results.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!has_numbers(results.status[at])) continue;
    if (!std::isfinite(results.log_likelihood[at])) std::abort();
    double sum = 0;
    for (int k = 0; k < results.components[at]; ++k) sum += results.weight(i, k);
    if (!(std::abs(sum - 1) <= 1e-9)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const app::model model = app::parse_model({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (model.fits.size() > most_fits) return 0;
    for (const auto& fit : model.fits)
      if (fit.components > most_components || fit.dimensions > most_dimensions) return 0;
    if (model.command == "mixture" && model.family != "gaussian") {
      const family_mixture_results start = app::family_mixtures(model, "fuzz");
      const std::vector<double> values = some_values(static_cast<int>(start.count));
      start_and_score(start, dense<double>(values, start.count), [&](const executor& where, const auto& batch) {
        family_mixture_options options;
        options.start = mixture_start::given;
        options.start_values = &start;
        options.max_iterations = 3;
        return fit_mixture(where, *start.parts.front().family, batch, options);
      });
    } else {
      const mixture_results start = app::gaussian_mixtures(model, "fuzz");
      const std::vector<double> values = some_values(static_cast<int>(start.count) * start.dimensions);
      const auto points = dense_points<double>(values, start.dimensions, start.count);
      start_and_score(start, points, [&](const executor& where, const auto& batch) {
        mixture_options options;
        options.start = mixture_start::given;
        options.start_values = &start;
        options.covariance = start.covariance;
        options.max_iterations = 3;
        return fit_mixture(where, batch, options);
      });
    }
  } catch (const app::input_error&) {
  } catch (const error&) {
  }
  return 0;
}
