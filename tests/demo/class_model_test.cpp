// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/fashion_mnist/class_model.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "apps/fashion_mnist/evaluation.hpp"
#include "apps/fashion_mnist/picture.hpp"

namespace manyfit::app {
namespace {

/// Four images of 1 × 3 pixels of each class: pixel 0 is never inked, pixel 1 always equally, pixel 2 differently.
labelled_images small_images() {
  labelled_images data{0, 1, 3, {}, {}};
  for (int i = 0; i < 4; ++i)
    for (int c = 0; c < class_count; ++c) {
      data.labels.push_back(static_cast<std::uint8_t>(c));
      for (const int v : {0, 200, i == 3 ? 0 : 20 * c + 10 * (i + 1)})
        data.pixels.push_back(static_cast<std::uint8_t>(v));
      ++data.count;
    }
  return data;
}

TEST(class_model, sorts_pixels_into_one_sample_per_class_and_pixel) {
  const pixel_samples samples = gather_samples(small_images(), 1, 4);
  EXPECT_EQ(samples.count(), 30);
  EXPECT_EQ(samples.ink.size(), 90u);
  for (int c = 0; c < class_count; ++c) {
    const std::int64_t fit = 3 * c;
    EXPECT_EQ(samples.offsets[fit + 1] - samples.offsets[fit], 0);
    EXPECT_EQ(samples.offsets[fit + 2] - samples.offsets[fit + 1], 3);
    ASSERT_EQ(samples.offsets[fit + 3] - samples.offsets[fit + 2], 2);
    EXPECT_EQ(samples.intensity[samples.offsets[fit + 2]], intensity_of(20 * c + 20));
    EXPECT_EQ(samples.intensity[samples.offsets[fit + 2] + 1], intensity_of(20 * c + 30));
    EXPECT_EQ(samples.ink[(fit + 2) * 3 + 1], 1);
    EXPECT_EQ(samples.ink[(fit + 2) * 3 + 2], 0);
  }
  EXPECT_THROW(gather_samples(small_images(), 0, 5), data_error);
}

TEST(class_model, smooths_ink_by_laplace_and_stands_in_for_missing_densities) {
  const executor cpu = executor::cpu();
  const pixel_samples samples = gather_samples(small_images(), 0, 4);
  const auto ink = fit<bernoulli>(cpu, samples.ink_batch());
  const auto intensity = fit<beta>(cpu, samples.intensity_batch());
  EXPECT_EQ(ink.count_of(fit_status::boundary), 20);
  EXPECT_EQ(intensity.count_of(fit_status::too_few), 10);
  EXPECT_EQ(intensity.count_of(fit_status::constant_sample), 10);
  EXPECT_EQ(intensity.count_of(fit_status::converged), 10);

  const score_table of_ink = ink_scores(ink);
  const auto density = intensity_log_density(cpu, intensity);
  const score_table both = intensity_scores(of_ink, intensity, density);
  EXPECT_TRUE(std::abs(std::exp(of_ink.at(0, 17, 3)) - 1.0 / 6) <= 1e-12);  // 0 of 4 inked
  EXPECT_TRUE(std::abs(std::exp(of_ink.at(1, 0, 3)) - 1.0 / 6) <= 1e-12);   // 4 of 4
  EXPECT_TRUE(std::abs(std::exp(of_ink.at(2, 17, 3)) - 4.0 / 6) <= 1e-12);  // 3 of 4
  EXPECT_EQ(both.at(0, 17, 3), of_ink.at(0, 17, 3));
  EXPECT_EQ(both.at(1, 17, 3), of_ink.at(1, 17, 3));
  const double f = std::exp(density[(3 * 3 + 2) * 255 + 69]);
  EXPECT_TRUE(std::abs(std::exp(both.at(2, 70, 3) - of_ink.at(2, 70, 3)) - (3 * f + 1) / 4) <= 1e-12);
}

TEST(class_model, knows_its_own_images_and_draws_their_mean) {
  const executor cpu = executor::cpu();
  const labelled_images data = small_images();
  const pixel_samples samples = gather_samples(data, 0, 4);
  const auto ink = fit<bernoulli>(cpu, samples.ink_batch());
  const auto intensity = fit<beta>(cpu, samples.intensity_batch());
  const score_table both = intensity_scores(ink_scores(ink), intensity, intensity_log_density(cpu, intensity));
  const evaluation result = evaluate(both, data);
  EXPECT_EQ(result.images, 40);
  // Of four images the blank third pixel tells nothing; the middle one of the others is its class's own.
  EXPECT_TRUE(result.correct >= 20);
  EXPECT_TRUE(std::isfinite(result.log_density));
  EXPECT_EQ(evaluate(both, data, 3).images, 10);
  const fitted_images images = images_of(both);
  ASSERT_EQ(images.mean.size(), 30u);
  for (int c = 1; c < class_count; ++c) EXPECT_TRUE(images.mean[3 * c + 2] > images.mean[3 * c - 1]);
  for (const double spread : images.spread) EXPECT_TRUE(spread > 0 && spread < 0.5);
  labelled_images other = data;
  other.columns = 2;
  EXPECT_THROW(evaluate(both, other), data_error);
}

}  // namespace
}  // namespace manyfit::app
