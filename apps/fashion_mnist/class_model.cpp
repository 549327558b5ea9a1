// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/fashion_mnist/class_model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "kernels/cpu/parallel.hpp"

namespace manyfit::app {

namespace {

using images_by_class = std::array<std::vector<const std::uint8_t*>, class_count>;

/// body(i) for every i in [0, count), on every core.
template <class Body>
void for_each_of(std::int64_t count, Body body) {
  const int threads = executor::cpu().threads();
  parallel_for(threads, count, fits_at_a_time(count, threads), body);
}

/// Bytes [classes × pixels × images] from images [pixels] each. Cut into blocks of pixels, so that what is written
/// stays in cache while the images pass by.
std::vector<std::uint8_t> transposed(const images_by_class& images, int first, int last, int pixels) {
  constexpr int block = 32;
  const std::int64_t each = last - first;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(class_count * pixels * each));
  const int blocks = (pixels + block - 1) / block;
  for_each_of(std::int64_t{class_count} * blocks, [&](std::int64_t at) {
    const int c = static_cast<int>(at / blocks), from = static_cast<int>(at % blocks) * block;
    for (std::int64_t i = 0; i < each; ++i) {
      const std::uint8_t* image = images[c][first + i];
      for (int pixel = from; pixel < std::min(from + block, pixels); ++pixel)
        bytes[(std::int64_t{c} * pixels + pixel) * each + i] = image[pixel];
    }
  });
  return bytes;
}

}  // namespace

int images_of_rarest_class(const labelled_images& data) {
  std::array<int, class_count> of_class{};
  for (const std::uint8_t label : data.labels) ++of_class[label];
  return *std::min_element(of_class.begin(), of_class.end());
}

pixel_samples gather_samples(const labelled_images& data, int first, int last) {
  const int fewest = images_of_rarest_class(data);
  if (first < 0 || first >= last || last > fewest)
    throw data_error("images " + std::to_string(first) + " to " + std::to_string(last) +
                     " of each class were asked for; the rarest class has " + std::to_string(fewest));
  images_by_class images;
  for (int i = 0; i < data.count; ++i) images[data.labels[i]].push_back(data.image(i));

  pixel_samples samples;
  samples.pixels = data.pixel_count();
  samples.images_per_class = last - first;
  const std::int64_t count = std::int64_t{class_count} * samples.pixels, each = samples.images_per_class;
  const std::vector<std::uint8_t> bytes = transposed(images, first, last, samples.pixels);
  samples.ink.resize(bytes.size());
  samples.offsets.resize(static_cast<std::size_t>(count) + 1);
  for_each_of(count, [&](std::int64_t s) {
    std::int64_t inked = 0;
    for (std::int64_t i = s * each; i < (s + 1) * each; ++i) {
      samples.ink[i] = bytes[i] > 0 ? 1.0f : 0.0f;
      inked += bytes[i] > 0;
    }
    samples.offsets[s + 1] = inked;
  });
  for (std::int64_t s = 0; s < count; ++s) samples.offsets[s + 1] += samples.offsets[s];
  samples.intensity.resize(static_cast<std::size_t>(samples.offsets.back()));
  for_each_of(count, [&](std::int64_t s) {
    float* to = samples.intensity.data() + samples.offsets[s];
    for (std::int64_t i = s * each; i < (s + 1) * each; ++i)
      if (bytes[i] > 0) *to++ = intensity_of(bytes[i]);
  });
  return samples;
}

timed_fit fit_timed(const executor& where, const family_info& family, const batch<float>& data) {
  const auto start = std::chrono::steady_clock::now();
  timed_fit timed{fit(where, family, data), 0, data.value_count};
  timed.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return timed;
}

score_table ink_scores(const fit_results& ink) {
  score_table table{static_cast<int>(ink.count / class_count), {}};
  table.scores.resize(static_cast<std::size_t>(table.pixels) * value_count * class_count);
  for (int pixel = 0; pixel < table.pixels; ++pixel)
    for (int c = 0; c < class_count; ++c) {
      const std::int64_t fit = std::int64_t{c} * table.pixels + pixel;
      const double n = static_cast<double>(ink.observations[fit]);
      const double prob = (n * ink.parameter("prob", fit) + 1) / (n + 2);
      double* scores = &table.scores[static_cast<std::size_t>(pixel) * value_count * class_count + c];
      scores[0] = std::log1p(-prob);
      for (int v = 1; v < value_count; ++v) scores[v * class_count] = std::log(prob);
    }
  return table;
}

std::vector<double> intensity_log_density(const executor& where, const fit_results& intensity) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(intensity.count) * (value_count - 1));
  for (std::int64_t fit = 0; fit < intensity.count; ++fit)
    for (int v = 1; v < value_count; ++v) values.push_back(intensity_of(v));
  return log_density(where, *intensity.family, dense<float>(values, intensity.count), parameters_of(intensity));
}

score_table intensity_scores(const score_table& ink, const fit_results& intensity,
                             const std::vector<double>& log_density) {
  score_table table = ink;
  for_each_of(table.pixels, [&](std::int64_t pixel) {
    for (int c = 0; c < class_count; ++c) {
      const std::int64_t fit = std::int64_t{c} * table.pixels + pixel;
      if (!usable(intensity.status[fit])) continue;
      const double n = static_cast<double>(intensity.observations[fit]);
      const double* f = &log_density[static_cast<std::size_t>(fit) * (value_count - 1)];
      double* scores = &table.scores[static_cast<std::size_t>(pixel) * value_count * class_count + c];
      for (int v = 1; v < value_count; ++v) scores[v * class_count] += std::log((n * std::exp(f[v - 1]) + 1) / (n + 1));
    }
  });
  return table;
}

}  // namespace manyfit::app
