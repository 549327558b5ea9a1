// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace manyfit::app {

namespace {

constexpr std::size_t most_picked = 262144;
constexpr std::size_t most_grid_points = 2048;
constexpr double fence = 5;
constexpr double most_cut = 0.03;
constexpr double largest = 1e300;  // beyond it, differences of values may overflow

/// One value that counts, with its weight; the loop over the sample stands here alone.
template <class Use>
void for_each_used(std::span<const double> values, std::span<const double> weights, std::size_t stride, Use&& use) {
  for (std::size_t i = 0; i < values.size(); i += stride) {
    const double weight = weights.empty() ? 1 : weights[i];
    if (std::abs(values[i]) <= largest && weight > 0 && std::isfinite(weight)) use(values[i], weight);
  }
}

double quantile(const std::vector<double>& sorted, double level) {
  const double place = level * static_cast<double>(sorted.size() - 1);
  const auto left = static_cast<std::size_t>(place);
  const auto right = std::min(left + 1, sorted.size() - 1);
  return sorted[left] + (place - static_cast<double>(left)) * (sorted[right] - sorted[left]);
}

/// The step of the grid that all of `sorted` lies on, or 0 when there is none worth minding.
double grid_step(const std::vector<double>& sorted, double low, double high) {
  double step = std::numeric_limits<double>::infinity();
  std::size_t distinct = 1;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const double gap = sorted[i] - sorted[i - 1];
    if (gap <= 0) continue;
    step = std::min(step, gap);
    ++distinct;
  }
  // Data that are not rounded have hardly any ties.
  if (distinct < 2 || distinct > sorted.size() / 2 || (high - low) / step > most_grid_points) return 0;
  step = (sorted.back() - sorted.front()) / std::round((sorted.back() - sorted.front()) / step);
  for (const double x : sorted) {
    const double steps = (x - sorted.front()) / step;
    if (std::abs(steps - std::round(steps)) > 1e-3) return 0;
  }
  return step;
}

/// How many of `total` grid steps make a bar: near `wanted`, and such that the last bar is as full as can be.
double steps_per_bar(double total, double wanted) {
  double best = 1, best_empty = 2;
  for (double steps = std::max(1.0, std::ceil(0.75 * wanted)); steps <= std::max(1.0, 1.4 * wanted); ++steps) {
    const double empty = std::ceil(total / steps) - total / steps;
    if (empty < best_empty - 1e-9) {
      best = steps;
      best_empty = empty;
    }
  }
  return best;
}

void choose_continuous_bars(histogram& h, const std::vector<double>& sorted, double iqr, int most_bars, double widest) {
  const double range = h.high - h.low;
  double width = 2 * iqr / std::cbrt(static_cast<double>(h.count));
  if (!(width > 0)) width = range / 10;
  width = std::clamp(std::min(width, widest), range / most_bars, range / 5);
  const double step = grid_step(sorted, h.low, h.high);
  if (step > 0) {
    h.low -= step / 2;
    width = step * steps_per_bar(std::round(range / step) + 1, width / step);
  }
  const double whole = step > 0 ? range + step : range;
  const auto bars = static_cast<std::size_t>(std::max(1.0, std::ceil(whole / width - 1e-9)));
  h.width = step > 0 ? width : range / static_cast<double>(bars);
  h.heights.assign(bars, 0);
  h.high = h.low + h.width * static_cast<double>(bars);
}

void choose_discrete_bars(histogram& h, int most_bars) {
  const double first = std::floor(h.low), last = std::ceil(h.high);
  h.width = std::max(1.0, std::ceil((last - first + 1) / most_bars));
  const auto bars = static_cast<std::size_t>(std::ceil((last - first + 1) / h.width));
  h.low = first - 0.5;
  h.high = h.low + h.width * static_cast<double>(bars);
  h.heights.assign(bars, 0);
}

}  // namespace

double histogram::tallest() const {
  return heights.empty() ? 0 : *std::max_element(heights.begin(), heights.end());
}

histogram count_values(std::span<const double> values, std::span<const double> weights, bool discrete, int most_bars,
                       double widest) {
  histogram h;
  h.minimum = std::numeric_limits<double>::infinity();
  h.maximum = -h.minimum;
  double total = 0;
  for_each_used(values, weights, 1, [&](double x, double weight) {
    ++h.count;
    total += weight;
    h.minimum = std::min(h.minimum, x);
    h.maximum = std::max(h.maximum, x);
  });
  if (h.count == 0) return h;

  std::vector<double> picked;
  picked.reserve(std::min(values.size(), most_picked + 1));
  const std::size_t stride = values.size() / most_picked + 1;
  for_each_used(values, weights, stride, [&](double x, double) { picked.push_back(x); });
  if (picked.empty()) picked = {h.minimum, h.maximum};
  std::sort(picked.begin(), picked.end());
  const double lower = quantile(picked, 0.25), upper = quantile(picked, 0.75);
  double iqr = upper - lower;
  const double spread = discrete ? std::max(iqr, 1.0) : iqr;
  h.low = h.minimum;
  h.high = h.maximum;
  if (spread > 0) {
    // The axis ends at the last value inside the fence, not at the fence.
    const double floor_at = std::min(lower - fence * spread, quantile(picked, most_cut));
    const double ceiling_at = std::max(upper + fence * spread, quantile(picked, 1 - most_cut));
    if (h.minimum < floor_at) h.low = *std::lower_bound(picked.begin(), picked.end(), floor_at);
    if (h.maximum > ceiling_at) h.high = *std::prev(std::upper_bound(picked.begin(), picked.end(), ceiling_at));
  }
  if (!discrete && !(h.high > h.low)) {
    const double half = std::max(0.5 * std::abs(h.low), 0.5);
    h.low -= half;
    h.high += half;
    h.width = (h.high - h.low) / 11;
    h.heights.assign(11, 0);
  } else if (discrete) {
    choose_discrete_bars(h, most_bars);
  } else {
    choose_continuous_bars(h, picked, iqr, most_bars, widest);
  }

  const auto bars = static_cast<double>(h.heights.size());
  for_each_used(values, weights, 1, [&](double x, double weight) {
    if (x < h.low) {
      ++h.below;
    } else if (x > h.high) {
      ++h.above;
    } else {
      const double place = std::floor((x - h.low) / h.width);
      h.heights[static_cast<std::size_t>(std::clamp(place, 0.0, bars - 1))] += weight;
    }
  });
  for (double& height : h.heights) height /= total * h.width;
  return h;
}

}  // namespace manyfit::app
