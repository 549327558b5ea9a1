// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The one place where a picture of mixtures is made.
#pragma once

#include <string>

#include "plot.hpp"
#include "point_samples.hpp"
#include "results/mixture_result.hpp"

namespace manyfit::app {

/// D = 1: histograms with density and components; D = 2: points with ellipses; else pairs of coordinates. Throws
/// input_error.
template <class T>
void write_mixture_plot(const std::string& path, const mixture_report& report, const point_set<T>& points);

/// Histograms with density and components, of components of another family. Throws input_error.
template <class T>
void write_mixture_plot(const std::string& path, const family_mixture_report& report,
                        const plotted_samples<T>& samples);

}  // namespace manyfit::app
