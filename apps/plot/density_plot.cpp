// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/density_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "apps/plot/panel_layout.hpp"
#include "apps/plot/picture_file.hpp"
#include "apps/plot/ticks.hpp"
#include "manyfit/error.hpp"

namespace manyfit::app {

namespace {

constexpr double margin = 14;
constexpr double gap = 16;

struct grid_shape {
  int columns;
  double panel_width, panel_height;
};

grid_shape shape_for(std::size_t panels) {
  if (panels == 1) return {1, 560, 340};
  if (panels == 2 || panels == 4) return {2, 380, 250};
  if (panels <= 9) return {3, 290, 205};
  return {4, 245, 185};
}

/// What the marks are, at the right end of the header.
void draw_key(canvas& sheet, double right, double baseline, bool discrete, bool any_fit, bool mixed) {
  const text_style style{9, palette::quiet};
  const std::string fit = discrete ? "fitted probability" : "fitted density";
  double x = right;
  if (any_fit) {
    x -= sheet.text_width(fit, style);
    sheet.text(x, baseline, fit, style);
    x -= 22;
    if (discrete) {
      cairo_set_source_rgb(sheet.cairo(), palette::fit.red, palette::fit.green, palette::fit.blue);
      cairo_arc(sheet.cairo(), x + 11, baseline - 3, 3.2, 0, 2 * M_PI);
      cairo_fill(sheet.cairo());
    } else {
      sheet.line(x, baseline - 3, x + 17, baseline - 3, mixed ? palette::ink : palette::fit, 1.7);
    }
    x -= 12;
  }
  x -= sheet.text_width("data", style);
  sheet.text(x, baseline, "data", style);
  sheet.fill({x - 17, baseline - 7.5, 12, 8.5}, mixed ? palette::frame : palette::data_edge);
  sheet.fill({x - 16.3, baseline - 6.8, 10.6, 7.1}, mixed ? palette::grid : palette::data);
}

std::string in_words(const std::vector<panel>& panels, const std::string& note) {
  std::string text;
  for (const panel& each : panels) {
    text += each.title.empty() ? "Fit" : each.title;
    for (const std::string& line : each.lines) text += "; " + line;
    if (!each.status.empty()) text += "; no fit: " + each.status;
    text += "\n";
  }
  return text + note;
}

}  // namespace

std::string parameter_text(const std::string& name, double value, double std_error) {
  if (!(std_error > 0) || !std::isfinite(std_error) || !std::isfinite(value)) return name + " " + readable(value, 4);
  // The error's second significant digit is the last decimal of both.
  const int decimals = 1 - static_cast<int>(std::floor(std::log10(std_error)));
  if (decimals > 6 || std::abs(value) >= 1e9) return name + " " + readable(value, 4) + " ± " + readable(std_error, 2);
  char text[64];
  std::snprintf(text, sizeof text, "%.*f ± %.*f", std::max(0, decimals), std::abs(value), std::max(0, decimals),
                std_error);
  return name + (value < 0 ? " −" : " ") + text;
}

std::vector<std::string> layout::text_rows(canvas& sheet, const panel& what, double width) {
  std::vector<std::string> rows;
  for (const std::string& line : what.lines) {
    const std::string joined = rows.empty() ? line : rows.back() + "   " + line;
    if (!rows.empty() && sheet.text_width(joined, row_text) <= width)
      rows.back() = joined;
    else
      rows.push_back(line);
  }
  for (std::string& row : rows) row = sheet.fitted(row, width, row_text);
  return rows;
}

void plot_panels(const std::vector<panel>& given, const std::string& path, const plot_style& wanted) {
  picture_format_of(path);  // before any work
  if (given.empty()) throw error(error::kind::argument, "plot file '" + path + "': no fits to draw; give at least one");
  const auto count = std::min(given.size(), static_cast<std::size_t>(std::max(1, wanted.most_panels)));
  std::vector<panel> panels(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(count));
  plot_style style = wanted;
  if (count == 1 && style.title.empty()) std::swap(style.title, panels[0].title);
  const auto total = std::max<std::int64_t>(style.total, static_cast<std::int64_t>(given.size()));
  const std::string note = total > static_cast<std::int64_t>(count)
                               ? "first " + std::to_string(count) + " of " + grouped(total) + " fits"
                               : "";

  grid_shape shape = shape_for(count);
  if (style.panel_width > 0) shape.panel_width = style.panel_width;
  if (style.panel_height > 0) shape.panel_height = style.panel_height;
  const int rows = (static_cast<int>(count) + shape.columns - 1) / shape.columns;
  const double header = style.title.empty() ? 20 : 26, footer = style.x_label.empty() && note.empty() ? 0 : 18;
  const double width = 2 * margin + shape.columns * shape.panel_width + (shape.columns - 1) * gap;
  const double height = 2 * margin + header + rows * shape.panel_height + (rows - 1) * gap + footer;
  write_picture(path, [&](picture_format format) {
    canvas sheet(format, width, height, style.scale);

    int lines_for = 0;
    bool any_fit = false, mixed = false;
    for (const panel& each : panels) {
      lines_for = std::max(lines_for,
                           static_cast<int>(layout::text_rows(sheet, each, shape.panel_width - layout::inset).size()));
      any_fit = any_fit || (each.log_density && each.status.empty());
      mixed = mixed || !each.parts.empty();
    }
    const double left = margin + layout::inset;
    sheet.text(left, margin + 12, sheet.fitted(style.title, width - left - 200, {14, palette::ink, align::left, true}),
               {14, palette::ink, align::left, true});
    draw_key(sheet, width - margin - 6, margin + 11, panels.front().discrete, any_fit, mixed);
    for (std::size_t i = 0; i < count; ++i) {
      const int row = static_cast<int>(i) / shape.columns, column = static_cast<int>(i) % shape.columns;
      draw_panel(sheet, panels[i],
                 {margin + column * (shape.panel_width + gap), margin + header + row * (shape.panel_height + gap),
                  shape.panel_width, shape.panel_height},
                 lines_for);
    }
    const double baseline = height - margin + 1;
    sheet.text(left + (width - left - margin) / 2, baseline, style.x_label, {10, palette::ink, align::centre});
    sheet.text(width - margin - 6, baseline, note, {9, palette::quiet, align::right});
    sheet.describe(style.title.empty() ? "Fitted densities" : style.title, in_words(panels, note));
    return sheet.finish();
  });
}

}  // namespace manyfit::app
