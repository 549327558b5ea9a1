// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// What `manyfit score` was asked for, and the scores of rows under the models that there are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "input/model_json.hpp"
#include "manyfit/family_mixture.hpp"
#include "options.hpp"
#include "samples.hpp"

namespace manyfit::app {

struct score_arguments {
  common_options common;
  sample_request input;
  std::string model_path, by, columns;
  bool responsibilities = false, label = false;
};

/// Scores in the order of the input.
struct row_scores {
  mixture_scores scores = {};
  std::int64_t rows = 0, without_fit = 0, of_failed_fits = 0;
};

/// Results of samples end to end, `each` numbers per row, as the rows were in the input.
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

/// Scores under the fits of a document, or its mixtures. Throw input_error and usage_error.
row_scores score_fits(const score_arguments& arguments, const model& document, const family_info& family,
                      const executor& where);
row_scores score_mixtures(const score_arguments& arguments, const model& document, const mixture_results& mixtures,
                          const executor& where);
row_scores score_mixtures(const score_arguments& arguments, const model& document,
                          const family_mixture_results& mixtures, const executor& where);

}  // namespace manyfit::app
