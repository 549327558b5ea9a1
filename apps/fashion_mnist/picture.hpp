// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "apps/fashion_mnist/class_model.hpp"

namespace manyfit::app {

/// Mean and standard deviation of a pixel's darkness (0 no ink, 1 full) under the fitted distributions.
struct fitted_images {
  std::vector<double> mean, spread;  ///< [classes × pixels]
};

fitted_images images_of(const score_table& table);

/// What the picture shows. A view: the caller keeps everything alive.
struct picture_content {
  const labelled_images* training;
  const pixel_samples* samples;
  const score_table* table;
  const fit_results* ink;
  const fit_results* intensity;
  const executor* where;
  std::string subtitle;  ///< one line: what came out
};

/// Above, for each class an image of the training set, the fitted mean and the fitted spread; below, the fitted density
/// over the histogram for pixels marked in the images. Writes .svg or .png; throws manyfit::error (argument) as
/// plot_panels() does, and data_error for images that are not 28 × 28.
void draw_picture(const picture_content& content, const std::string& path);

}  // namespace manyfit::app
