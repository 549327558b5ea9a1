// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Sizes in points that a panel and the grid of panels agree on.
#pragma once

#include <string>
#include <vector>

#include "apps/plot/density_plot.hpp"

namespace manyfit::app::layout {

inline constexpr double inset = 36;  ///< left of the plot, for the labels of the vertical axis; text starts there too
inline constexpr double title_height = 15, row_height = 12, axis_height = 17;
inline constexpr text_style title_text{10.5, palette::ink, align::left, true};
inline constexpr text_style row_text{9, palette::quiet, align::left, false};
inline constexpr text_style tick_text{8, palette::quiet, align::left, false};
inline constexpr text_style note_text{7.5, palette::quiet, align::left, false};

/// The panel's lines, several to a row where they fit `width`.
std::vector<std::string> text_rows(canvas& sheet, const panel& what, double width);

}  // namespace manyfit::app::layout
