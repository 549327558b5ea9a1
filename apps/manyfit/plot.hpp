// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The one place where a picture of fits is made.
#pragma once

#include <string>

#include "output/fit_report.hpp"
#include "samples.hpp"

namespace manyfit::app {

/// Throws usage_error when a picture of that name cannot be made; called before any work.
void check_plot(const std::string& path);

/// A picture's title: the name of the input, a path without its folders, and what was fitted to it.
std::string plot_title(const std::string& source, const std::string& fitted);

/// Histograms of the samples with the fitted densities.
template <class T>
void write_plot(const std::string& path, const fit_report& report, const sample_set<T>& samples);

}  // namespace manyfit::app
