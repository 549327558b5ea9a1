// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

// The one place where a picture of mixtures is made.
#pragma once

#include <string>

#include "output/mixture_report.hpp"
#include "point_samples.hpp"

namespace manyfit::app {

/// D = 1: histograms with density and components; D = 2: points with ellipses; else pairs of coordinates. Throws
/// input_error.
template <class T>
void write_mixture_plot(const std::string& path, const mixture_report& report, const point_set<T>& points);

}  // namespace manyfit::app
