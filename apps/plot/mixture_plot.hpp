// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Pictures of Gaussian mixtures in two and more dimensions: points in the colours of their likeliest components, with
// the ellipses that hold half and 95 % of each component. (One dimension: density_plot.hpp.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/plot/canvas.hpp"

namespace manyfit::app {

/// The colour of component k, in every picture of a mixture; seven in turn.
colour component_colour(int k);

/// One mixture to show, with some of the points that it was fitted to.
struct mixture_picture {
  std::string title;                      ///< the fit's key; may be empty
  int dimensions = 2;                     ///< D
  std::vector<double> points = {};        ///< [n × D], finite
  std::vector<std::int32_t> labels = {};  ///< [n], or empty: without a fit
  std::vector<double> weights = {};       ///< [K]
  std::vector<double> means = {};         ///< [K × D]
  std::vector<double> covariances = {};   ///< [K × D × D]
  std::string line = {};                  ///< beneath the title
  std::string status = {};                ///< why there is no fit
};

struct mixture_plot_style {
  std::string title = {};
  std::vector<std::string> names = {};  ///< [D]
  std::string note = {};                ///< at the foot, e.g. how many points are shown
  double scale = 2;                     ///< pixels per point of a PNG
};

/// Writes mixtures of two dimensions side by side. Throws manyfit::error (argument) when the file cannot be written.
void plot_ellipses(const std::vector<mixture_picture>& mixtures, const std::string& path,
                   const mixture_plot_style& style);

/// Writes one mixture of more dimensions: a panel for every pair of the first `shown` coordinates, and for each of them
/// its histogram with the density.
void plot_pairs(const mixture_picture& mixture, int shown, const std::string& path, const mixture_plot_style& style);

}  // namespace manyfit::app
