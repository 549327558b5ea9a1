// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What is fitted: one distribution per class and pixel. A pixel of an image of class c is inked with probability
// P(ink), and an inked one's intensity x in (0, 1) has a density f. That makes 10 classes × 784 pixels = 7,840 samples
// for each of two families, from empty ones (a corner that no shoe reaches) to ones with thousands of values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/fashion_mnist/idx_reader.hpp"
#include "manyfit/manyfit.hpp"

namespace manyfit::app {

inline constexpr int class_count = 10;
inline constexpr std::array<const char*, class_count> class_names = {
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
inline constexpr int value_count = 256;  ///< a pixel is a byte; 0 is no ink

/// The intensity in (0, 1) of an inked pixel of byte value v in 1..255. 255 lies inside, as densities on (0, 1) need
/// it.
inline float intensity_of(int v) {
  return (static_cast<float>(v) - 0.5f) / 255.0f;
}

/// Images of every class, their pixels rearranged into samples: sample class · pixels + pixel.
struct pixel_samples {
  int pixels = 0;  ///< per image
  int images_per_class = 0;
  std::vector<float> ink;             ///< [classes × pixels × images_per_class], 1 inked, 0 not: a dense batch
  std::vector<float> intensity;       ///< intensities of inked pixels, end to end: a ragged batch
  std::vector<std::int64_t> offsets;  ///< [classes × pixels + 1]
  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  batch<float> ink_batch() const { return dense<float>(ink, count()); }
  batch<float> intensity_batch() const { return ragged<float>(intensity, offsets); }
};

/// Images number first..last−1 of each class in order of appearance. Throws data_error when a class has fewer.
pixel_samples gather_samples(const labelled_images& data, int first, int last);

/// Images of the rarest class: what gather_samples can take of each.
int images_of_rarest_class(const labelled_images& data);

struct timed_fit {
  fit_results results;
  double seconds = 0;
  std::int64_t values = 0;
};

/// Fits one family to a batch of all classes' pixels and takes the time of the call.
timed_fit fit_timed(const executor& where, const family_info& family, const batch<float>& data);

/// log-probability of each byte value at each pixel under each class: all that classification needs, since a pixel
/// takes only 256 values. Entry [(pixel · 256 + v) · classes + class].
struct score_table {
  int pixels = 0;
  std::vector<double> scores;
  double at(int pixel, int value, int of_class) const {
    return scores[(static_cast<std::size_t>(pixel) * value_count + value) * class_count + of_class];
  }
};

/// Of the ink alone: log P(ink) for v > 0, log(1 − P(ink)) for 0. Smoothed by Laplace's rule, (k + 1) / (n + 2), where
/// k of n images are inked: a pixel that was never inked is not thereby impossible.
score_table ink_scores(const fit_results& ink);

/// log f of each intensity v = 1..255 under each fit: [fits × 255].
std::vector<double> intensity_log_density(const executor& where, const fit_results& intensity);

/// Of ink and intensity: adds log((n f(x) + 1) / (n + 1)) where v > 0; n inked values were seen, and one more is
/// thought of that could be anywhere in (0, 1). So few values, alike by chance, cannot rule out all others, and a fit
/// without a usable density (status) says nothing: n = 0, the uniform density.
score_table intensity_scores(const score_table& ink, const fit_results& intensity,
                             const std::vector<double>& log_density);

}  // namespace manyfit::app
