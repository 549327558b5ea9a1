// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The one place where pictures of fits are made.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "results/fit_result.hpp"
#include "samples.hpp"

namespace manyfit::app {

struct panel;  // apps/plot/density_plot.hpp

/// Throws usage_error when a picture of that name cannot be made; called before any work.
void check_plot(const std::string& path);

/// A picture's title: the name of the input, a path without its folders, and what was fitted to it.
std::string plot_title(const std::string& source, const std::string& fitted);

/// A fit's key, or the row of an array that it is of; empty where there is but one fit.
std::string panel_title(const std::vector<key_column>& keys, std::int64_t fit, std::int64_t count);

/// Runs what writes a picture; a file that cannot be written is an input_error.
void as_input_error(const std::function<void()>& write);

/// A log-density at any points.
using density = std::function<std::vector<double>(std::span<const double>)>;

/// Samples, of which a picture has the first in a panel each.
template <class T>
struct plotted_samples {
  std::string title, x_label;
  const std::vector<key_column>& keys;
  std::span<const T> values, weights;  ///< weights: [values], or empty
  const std::vector<std::int64_t>& offsets;
};

/// Writes a histogram of each sample; `add` puts to a panel what was fitted to that sample. Throws input_error.
template <class T>
void write_panels(const std::string& path, const plotted_samples<T>& samples,
                  const std::function<void(std::int64_t fit, panel&)>& add);

/// Histograms of the samples with the fitted densities.
template <class T>
void write_plot(const std::string& path, const fit_report& report, const sample_set<T>& samples);

}  // namespace manyfit::app
