// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "apps/plot/density_plot.hpp"
#include "apps/plot/histogram.hpp"
#include "apps/plot/mixture_plot.hpp"
#include "apps/plot/panel_layout.hpp"
#include "apps/plot/ticks.hpp"
#include "manyfit/error.hpp"

namespace manyfit::app {

namespace {

constexpr double curve_step = 0.5;      // points along x between two evaluations of the density
constexpr double narrowest_single = 5;  // points per whole number; below it, gaps between bars and dots are only noise
constexpr double tallest_curve = 1.4;   // of the tallest bar: a density that runs to infinity must not flatten the bars

/// The shown part of the plane and where it lies on the sheet.
struct axes {
  rectangle plot;
  double low, high, top;
  double x(double value) const { return plot.x + (value - low) / (high - low) * plot.width; }
  double y(double height) const { return plot.bottom() - height / top * plot.height; }
};

/// A fitted curve: x in data units and the density (probability) there.
struct fitted_curve {
  std::vector<double> x, height;
  double highest() const {
    double most = 0;
    for (const double h : height)
      if (std::isfinite(h)) most = std::max(most, h);
    return most;
  }
};

std::vector<double> densities(const panel& what, std::span<const double> x,
                              const std::function<std::vector<double>(std::span<const double>)>& log_density) {
  std::vector<double> result = log_density(x);
  if (result.size() != x.size())
    throw error(error::kind::argument, "panel '" + what.title + "': log_density returned " +
                                           std::to_string(result.size()) + " values for " + std::to_string(x.size()));
  for (double& value : result) value = std::isnan(value) ? 0 : std::exp(value);
  return result;
}

std::vector<double> densities(const panel& what, std::span<const double> x) {
  return densities(what, x, what.log_density);
}

fitted_curve continuous_curve(const panel& what, double low, double high, double length) {
  fitted_curve curve;
  const auto count = static_cast<std::size_t>(std::max(2.0, std::ceil(length / curve_step)));
  // Midpoints: the ends may be the edge of the support, where a density is 0 or infinite.
  for (std::size_t i = 0; i < count; ++i)
    curve.x.push_back(low + (high - low) * (static_cast<double>(i) + 0.5) / static_cast<double>(count));
  curve.height = densities(what, curve.x);
  return curve;
}

/// The mean probability of each bar's whole numbers (of 64 of them where a bar has more).
fitted_curve discrete_curve(const panel& what, const histogram& bars) {
  fitted_curve curve;
  const double inside = std::min(bars.width, 64.0);
  std::vector<double> numbers;
  for (std::size_t i = 0; i < bars.heights.size(); ++i) {
    const double first = bars.low + 0.5 + bars.width * static_cast<double>(i);
    curve.x.push_back(first + (bars.width - 1) / 2);
    for (double j = 0; j < inside; ++j) numbers.push_back(first + std::floor(j * bars.width / inside));
  }
  const auto all = densities(what, numbers);
  const auto each = static_cast<std::size_t>(inside);
  for (std::size_t i = 0; i < bars.heights.size(); ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < each; ++j) sum += all[i * each + j];
    curve.height.push_back(sum / inside);
  }
  return curve;
}

/// Bars with gaps stand for single numbers; without gaps, bars join into one outline like a skyline, since rules
/// between neighbours would say nothing.
void draw_bars(canvas& sheet, const axes& on, const histogram& bars, bool gaps, const colour& inside,
               const colour& edge) {
  cairo_t* cairo = sheet.cairo();
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_MITER);
  const double gap = gaps ? 0.1 * bars.width : 0, floor = on.plot.bottom();
  double previous = 0;
  for (std::size_t i = 0; i < bars.heights.size(); ++i) {
    const double left = bars.low + bars.width * static_cast<double>(i), height = bars.heights[i];
    if (height > 0) {
      if (previous == 0) cairo_move_to(cairo, on.x(left + gap), floor);
      cairo_line_to(cairo, on.x(left + gap), on.y(height));
      cairo_line_to(cairo, on.x(left + bars.width - gap), on.y(height));
    }
    const bool ends = gaps || i + 1 == bars.heights.size() || bars.heights[i + 1] == 0;
    if (height > 0 && ends) cairo_line_to(cairo, on.x(left + bars.width - gap), floor);
    previous = ends ? 0 : height;
  }
  cairo_set_source_rgb(cairo, inside.red, inside.green, inside.blue);
  cairo_fill_preserve(cairo);
  cairo_set_source_rgb(cairo, edge.red, edge.green, edge.blue);
  cairo_set_line_width(cairo, 0.7);
  cairo_stroke(cairo);
}

void draw_dots(canvas& sheet, const axes& on, const fitted_curve& curve) {
  cairo_t* cairo = sheet.cairo();
  const double spacing = curve.x.size() > 1 ? on.x(curve.x[1]) - on.x(curve.x[0]) : 10;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    if (!(curve.height[i] <= on.top)) continue;
    cairo_arc(cairo, on.x(curve.x[i]), on.y(curve.height[i]), std::clamp(0.3 * spacing, 1.4, 3.6), 0, 2 * M_PI);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_set_line_width(cairo, 1.6);
    cairo_stroke_preserve(cairo);
    cairo_set_source_rgb(cairo, palette::fit.red, palette::fit.green, palette::fit.blue);
    cairo_fill(cairo);
  }
}

/// One component of a mixture: a thin line with a faint filling.
void draw_part(canvas& sheet, const axes& on, const fitted_curve& curve, const colour& ink) {
  cairo_t* cairo = sheet.cairo();
  cairo_save(cairo);
  cairo_rectangle(cairo, on.plot.x, on.plot.y, on.plot.width, on.plot.height + 1);
  cairo_clip(cairo);
  cairo_move_to(cairo, on.x(curve.x.front()), on.plot.bottom());
  for (std::size_t i = 0; i < curve.x.size(); ++i)
    cairo_line_to(cairo, on.x(curve.x[i]), on.y(std::min(curve.height[i], 3 * on.top)));
  cairo_line_to(cairo, on.x(curve.x.back()), on.plot.bottom());
  cairo_set_source_rgba(cairo, ink.red, ink.green, ink.blue, 0.22);
  cairo_fill_preserve(cairo);
  cairo_set_source_rgb(cairo, ink.red, ink.green, ink.blue);
  cairo_set_line_width(cairo, 1.1);
  cairo_stroke(cairo);
  cairo_restore(cairo);
}

void draw_curve(canvas& sheet, const axes& on, const fitted_curve& curve, const colour& ink) {
  cairo_t* cairo = sheet.cairo();
  cairo_save(cairo);
  cairo_rectangle(cairo, on.plot.x, on.plot.y, on.plot.width, on.plot.height + 3);
  cairo_clip(cairo);
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  for (std::size_t i = 0; i < curve.x.size();
       ++i)  // far above the top is as good as infinite, and keeps coordinates small
    cairo_line_to(cairo, on.x(curve.x[i]), on.y(std::min(curve.height[i], 3 * on.top)));
  cairo_set_source_rgba(cairo, 1, 1, 1, 0.85);
  cairo_set_line_width(cairo, 3.4);
  cairo_stroke_preserve(cairo);
  cairo_set_source_rgb(cairo, ink.red, ink.green, ink.blue);
  cairo_set_line_width(cairo, 1.7);
  cairo_stroke(cairo);
  cairo_restore(cairo);
}

/// The ticks that fit without touching, as many as possible.
std::vector<tick> ticks_that_fit(canvas& sheet, const axes& on, bool integers) {
  for (int most = static_cast<int>(on.plot.width / 32); most >= 1; --most) {
    auto ticks = nice_ticks(on.low, on.high, most, integers);
    bool touching = false;
    double end = -1e9;
    for (const tick& t : ticks) {
      const double half = sheet.text_width(t.label, layout::tick_text) / 2, x = on.x(t.value);
      touching = touching || x - half < end + 7;
      end = x + half;
    }
    if (!touching) return ticks;
  }
  return {};
}

void draw_x_axis(canvas& sheet, const axes& on, bool discrete) {
  auto style = layout::tick_text;
  style.where = align::centre;
  for (const tick& t : ticks_that_fit(sheet, on, discrete)) {
    sheet.line(on.x(t.value), on.plot.bottom(), on.x(t.value), on.plot.bottom() + 3, palette::frame, 0.8);
    sheet.text(on.x(t.value), on.plot.bottom() + 12, t.label, style);
  }
  sheet.line(on.plot.x, on.plot.bottom(), on.plot.right(), on.plot.bottom(), palette::frame, 0.8);
}

void draw_cut_notes(canvas& sheet, const axes& on, const histogram& bars) {
  auto style = layout::note_text;
  const double y = on.plot.y + 8;
  if (bars.below > 0)
    sheet.text(on.plot.x + 2, y, "← " + std::to_string(bars.below) + " more, to " + readable(bars.minimum), style);
  style.where = align::right;
  if (bars.above > 0)
    sheet.text(on.plot.right(), y, std::to_string(bars.above) + " more, to " + readable(bars.maximum) + " →", style);
}

}  // namespace

void draw_panel(canvas& sheet, const panel& what, const rectangle& area, int lines_for) {
  if (!what.weights.empty() && what.weights.size() != what.values.size())
    throw error(error::kind::argument, "panel '" + what.title + "': " + std::to_string(what.weights.size()) +
                                           " weights given for " + std::to_string(what.values.size()) + " values");
  double y = area.y;
  if (!what.title.empty()) {
    y += layout::title_height;
    sheet.text(area.x + layout::inset, y - 3.5,
               sheet.fitted(what.title, area.width - layout::inset, layout::title_text), layout::title_text);
  }
  const auto rows = layout::text_rows(sheet, what, area.width - layout::inset);
  for (std::size_t i = 0; i < rows.size(); ++i)
    sheet.text(area.x + layout::inset, y + layout::row_height * (static_cast<double>(i) + 1) - 3, rows[i],
               layout::row_text);
  y += layout::row_height * std::max<double>(lines_for, static_cast<double>(rows.size())) + 4;

  axes on{
      {area.x + layout::inset, y, area.width - layout::inset - 6, area.bottom() - y - layout::axis_height}, 0, 1, 1};
  const histogram bars = count_values(what.values, what.weights, what.discrete,
                                      std::max(5, static_cast<int>(on.plot.width / 4)), what.widest_bar);
  const bool has_fit = what.status.empty() && what.log_density && !bars.empty();
  fitted_curve curve;
  if (!bars.empty()) {
    const double pad = what.discrete ? 0.1 : 0.03 * (bars.high - bars.low);
    const bool from_zero = !what.discrete && bars.minimum >= 0 && bars.low < 0.15 * bars.high;
    on.low = from_zero ? std::min(0.0, bars.low) : bars.low - pad;
    on.high = bars.high + (bars.above > 0 ? 0 : pad);
    if (has_fit && !what.discrete) {
      // No margin beyond the edge of the support, where there is nothing to see.
      const auto ends = densities(what, std::vector{on.low, on.high});
      if (ends[0] == 0 && !from_zero) on.low = bars.low;
      if (ends[1] == 0) on.high = bars.high;
    }
    if (has_fit)
      curve = what.discrete ? discrete_curve(what, bars) : continuous_curve(what, on.low, on.high, on.plot.width);
    on.top = 1.08 * std::max(bars.tallest(), std::min(curve.highest(), tallest_curve * bars.tallest()));
  }
  if (!bars.empty()) {
    auto style = layout::tick_text;
    style.where = align::right;
    for (const tick& t : nice_ticks(0, on.top, std::clamp(static_cast<int>(on.plot.height / 24), 3, 7))) {
      sheet.line(on.plot.x, on.y(t.value), on.plot.right(), on.y(t.value), palette::grid, 0.7);
      sheet.text(on.plot.x - 4, on.y(t.value) + 3, t.label, style);
    }
    const bool single = what.discrete && bars.width == 1 &&
                        on.plot.width >= narrowest_single * static_cast<double>(bars.heights.size());
    // Grey beneath the colours of components.
    const bool mixed = !what.parts.empty();
    draw_bars(sheet, on, bars, single, mixed ? palette::grid : palette::data,
              mixed ? palette::frame : palette::data_edge);
    for (std::size_t k = 0; has_fit && !what.discrete && k < what.parts.size(); ++k) {
      fitted_curve part{curve.x, densities(what, curve.x, what.parts[k])};
      draw_part(sheet, on, part, component_colour(static_cast<int>(k)));
    }
    if (has_fit && single) draw_dots(sheet, on, curve);
    if (has_fit && !single) draw_curve(sheet, on, curve, mixed ? palette::ink : palette::fit);
    draw_x_axis(sheet, on, what.discrete);
    draw_cut_notes(sheet, on, bars);
  } else {
    sheet.line(on.plot.x, on.plot.bottom(), on.plot.right(), on.plot.bottom(), palette::frame, 0.8);
    auto style = layout::row_text;
    style.where = align::centre;
    sheet.text(on.plot.x + on.plot.width / 2, on.plot.y + on.plot.height / 2 + 14, "no values", style);
  }
  if (!has_fit && !what.status.empty()) {
    const std::string message = "no fit: " + what.status;
    const text_style style{10, palette::fit, align::centre, true};
    const double half = sheet.text_width(message, style) / 2 + 5, centre = on.plot.x + on.plot.width / 2;
    const double baseline = on.plot.y + on.plot.height / 2;
    sheet.fill({centre - half, baseline - 11.5, 2 * half, 16}, {1, 1, 1, 0.88});
    sheet.text(centre, baseline, message, style);
  }
}

}  // namespace manyfit::app
