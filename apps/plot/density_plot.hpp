// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The picture of a fit: a histogram with the fitted density over it, or bars with the fitted probabilities; one panel
// per fit, in a grid. plot_panels() writes a whole file, draw_panel() one panel onto a canvas that holds other things
// too.
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "apps/plot/canvas.hpp"

namespace manyfit::app {

/// One fit to show. A view: the caller keeps values and weights alive.
struct panel {
  std::string title;                     ///< the fit's key, e.g. "cell 12"; may be empty in a picture of one fit
  std::span<const double> values = {};   ///< the sample; NaN is left out
  std::span<const double> weights = {};  ///< empty, or one per value
  /// Natural logarithm of the fitted density (discrete: probability) at every x; −inf and NaN are drawn as nothing.
  /// Empty when there is no fit to show.
  std::function<std::vector<double>(std::span<const double> x)> log_density = {};
  /// Weighted components of the density, drawn thinly beneath it in the colours of mixture_plot.hpp; continuous only.
  std::vector<std::function<std::vector<double>(std::span<const double> x)>> parts = {};
  double widest_bar = std::numeric_limits<double>::infinity();  ///< of the histogram, in units of the values
  bool discrete = false;                ///< values are whole numbers, shown as bars of probability
  std::vector<std::string> lines = {};  ///< short text beneath the title, e.g. "shape 2.10 ± 0.09"
  std::string status = {};              ///< why there is no fit, e.g. "too_few"; drawn in place of the curve
};

struct plot_style {
  std::string title = {};    ///< over all panels, e.g. "gamma fits of rain.csv"
  std::string x_label = {};  ///< what the values are, e.g. the column's name
  std::int64_t total = 0;    ///< fits in all, when the caller passes only the first few; 0: as many as given
  int most_panels = 16;      ///< further ones are left out, and a note says so
  double panel_width = 0;    ///< points; 0: chosen by the number of panels
  double panel_height = 0;
  double scale = 2;  ///< pixels per point of a PNG
};

/// "shape 2.10 ± 0.09": a parameter with its standard error to two digits; without one (NaN) four significant digits.
std::string parameter_text(const std::string& name, double value, double std_error);

/// Draws one panel inside `area`: title, text, axes, bars, curve. `lines_for` rows are kept free for the text, so that
/// panels of a grid align; 0: as many as this panel needs.
void draw_panel(canvas& sheet, const panel& what, const rectangle& area, int lines_for = 0);

/// Writes the panels to `path` (.svg or .png by its extension). Throws manyfit::error (argument) for another extension,
/// no panels, weights that do not match values, or a file that cannot be written.
void plot_panels(const std::vector<panel>& panels, const std::string& path, const plot_style& style = {});

}  // namespace manyfit::app
