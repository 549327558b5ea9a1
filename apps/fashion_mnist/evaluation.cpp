// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/fashion_mnist/evaluation.hpp"

#include <algorithm>

#include "kernels/cpu/parallel.hpp"

namespace manyfit::app {

evaluation evaluate(const score_table& table, const labelled_images& data, int first) {
  if (data.pixel_count() != table.pixels)
    throw data_error("images of " + std::to_string(data.pixel_count()) + " pixels given to fits of " +
                     std::to_string(table.pixels));
  std::array<int, class_count> seen{};
  std::vector<int> chosen;
  for (int i = 0; i < data.count; ++i)
    if (seen[data.labels[i]]++ >= first) chosen.push_back(i);

  const int count = static_cast<int>(chosen.size());
  std::vector<int> found(chosen.size());
  std::vector<double> own(chosen.size());
  parallel_for(executor::cpu().threads(), count, 64, [&](std::int64_t i) {
    const std::uint8_t* image = data.image(chosen[i]);
    std::array<double, class_count> sum{};
    for (int pixel = 0; pixel < table.pixels; ++pixel) {
      const double* scores =
          &table.scores[(static_cast<std::size_t>(pixel) * value_count + image[pixel]) * class_count];
      for (int c = 0; c < class_count; ++c) sum[c] += scores[c];
    }
    found[i] = static_cast<int>(std::max_element(sum.begin(), sum.end()) - sum.begin());
    own[i] = sum[data.labels[chosen[i]]];
  });

  evaluation result;
  result.images = count;
  for (int i = 0; i < count; ++i) {
    const int truth = data.labels[chosen[i]];
    ++result.confusion[truth][found[i]];
    result.correct += truth == found[i];
    result.log_density += own[i] / count;
  }
  return result;
}

std::vector<candidate> compare_families(const executor& where, const labelled_images& training,
                                        const std::vector<std::string>& families) {
  const int fitted = images_of_rarest_class(training) * 5 / 6;
  const pixel_samples samples = gather_samples(training, 0, fitted);
  const score_table ink = ink_scores(fit<bernoulli>(where, samples.ink_batch(), {.std_errors = false}));
  std::vector<candidate> candidates;
  for (const std::string& name : families) {
    const auto fits = fit(where, find_family(name), samples.intensity_batch(), {.std_errors = false});
    const auto result = evaluate(intensity_scores(ink, fits, intensity_log_density(where, fits)), training, fitted);
    candidates.push_back({name, result.log_density, result.accuracy()});
  }
  return candidates;
}

}  // namespace manyfit::app
