// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Naive Bayes: an image belongs to the class under which the sum of its pixels' scores is largest.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "apps/fashion_mnist/class_model.hpp"

namespace manyfit::app {

struct evaluation {
  std::array<std::array<int, class_count>, class_count> confusion{};  ///< [true class][class found]
  int images = 0;
  int correct = 0;
  double log_density = 0;  ///< mean of an image under its own class, nats: of ink pattern and intensities
  double accuracy() const { return static_cast<double>(correct) / images; }
};

/// Classifies every image from number `first[label]` of its class on; each class counts as equally likely beforehand.
/// Throws data_error when the images have another number of pixels than the table.
evaluation evaluate(const score_table& table, const labelled_images& data, int first = 0);

/// How a family of intensities does on images that it was not fitted to.
struct candidate {
  std::string family;
  double log_density = 0;  ///< see evaluation
  double accuracy = 0;
};

/// The families tried for the intensities: all fits on the first five sixths of each class, scores on the last sixth.
/// The test images take no part. In the order given.
std::vector<candidate> compare_families(const executor& where, const labelled_images& training,
                                        const std::vector<std::string>& families);

}  // namespace manyfit::app
