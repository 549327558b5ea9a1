// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/fashion_mnist/report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "apps/plot/ticks.hpp"

namespace manyfit::app {

std::string in_millions(double number) {
  return number < 1e5 ? grouped(std::llround(number))
                      : fmt::format("{:.{}f} million", number / 1e6, number < 1e7 ? 2 : 0);
}

std::string speed_table(const timed_fit& ink, const timed_fit& intensity) {
  std::string text = fmt::format("  {:<32}{:<11}{:>7}{:>13}{:>10}{:>13}{:>16}\n", "one sample per class and pixel",
                                 "family", "fits", "values", "time", "fits/s", "values/s");
  const auto line = [&](const char* what, const timed_fit& timed) {
    text += fmt::format("  {:<32}{:<11}{:>7}{:>13}{:>8.3f} s{:>13}{:>16}\n", what, timed.results.family->name,
                        grouped(timed.results.count), grouped(timed.values), timed.seconds,
                        grouped(std::llround(static_cast<double>(timed.results.count) / timed.seconds)),
                        in_millions(static_cast<double>(timed.values) / timed.seconds));
  };
  line("is the pixel inked?", ink);
  line("how dark is an inked pixel?", intensity);
  return text;
}

std::string status_table(const fit_results& ink, const fit_results& intensity) {
  std::string text =
      fmt::format("  {:<24}{:>10}{:>10}\n", "fits that ended as", ink.family->name, intensity.family->name);
  for (int i = 0; i < fit_status_count; ++i) {
    const auto status = static_cast<fit_status>(i);
    const std::int64_t of_ink = ink.count_of(status), of_intensity = intensity.count_of(status);
    if (of_ink + of_intensity == 0) continue;
    text += fmt::format("  {:<24}{:>10}{:>10}   {}\n", to_string(status), grouped(of_ink), grouped(of_intensity),
                        status == fit_status::boundary ? "usable: all values alike, the probability is 0 or 1"
                        : usable(status)               ? "usable"
                                                       : "no density: the uniform one stands in");
  }
  return text;
}

std::string candidate_table(const std::vector<candidate>& candidates, const std::string& chosen) {
  std::string text = fmt::format("  {:<14}{:>26}{:>12}\n", "family", "log-density of an image", "accuracy");
  for (const candidate& each : candidates)
    text += fmt::format("  {:<14}{:>26.2f}{:>10.2f} %{}\n", each.family, each.log_density, 100 * each.accuracy,
                        each.family == chosen ? "   chosen" : "");
  return text;
}

std::string confusion_table(const evaluation& result) {
  std::string text = fmt::format("  {:<10}", "true class");
  constexpr std::array<const char*, class_count> short_names = {"T-shirt", "Trouser", "Pullov.", "Dress", "Coat",
                                                                "Sandal",  "Shirt",   "Sneaker", "Bag",   "Boot"};
  for (const char* name : short_names) text += fmt::format("{:>8}", name);
  text += "    found\n";
  for (int truth = 0; truth < class_count; ++truth) {
    text += fmt::format("  {:<10}", class_names[truth]);
    int total = 0;
    for (int found = 0; found < class_count; ++found) {
      const int n = result.confusion[truth][found];
      total += n;
      text += n == 0 ? fmt::format("{:>8}", "·") : fmt::format("{:>8}", n);
    }
    text += fmt::format("{:>7.1f} %\n", total == 0 ? 0.0 : 100.0 * result.confusion[truth][truth] / total);
  }
  return text;
}

}  // namespace manyfit::app
