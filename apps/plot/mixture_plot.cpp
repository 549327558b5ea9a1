// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/mixture_plot.hpp"

#include <algorithm>
#include <cmath>

#include "apps/plot/density_plot.hpp"
#include "apps/plot/panel_layout.hpp"
#include "apps/plot/picture_file.hpp"
#include "apps/plot/ticks.hpp"

namespace manyfit::app {

namespace {

constexpr double margin = 14, gap = 18;
/// Radii of the ellipses of a normal in two dimensions that hold half and 95 % of it: sqrt(−2 ln(1 − p)).
constexpr double half_radius = 1.1774100225154747, most_radius = 2.447746830680816;

/// The shown part of the plane and where it lies on the sheet.
struct plane {
  rectangle area;
  double left, right, low, high;
  double x(double value) const { return area.x + (value - left) / (right - left) * area.width; }
  double y(double value) const { return area.bottom() - (value - low) / (high - low) * area.height; }
};

struct range {
  double low = 0, high = 1;
};

/// What a coordinate's axis spans: the points, and the components' larger ellipses as long as they do not dwarf them.
range range_of(const mixture_picture& m, int d) {
  const int D = m.dimensions;
  double low = INFINITY, high = -INFINITY;
  for (std::size_t i = static_cast<std::size_t>(d); i < m.points.size(); i += static_cast<std::size_t>(D)) {
    low = std::min(low, m.points[i]);
    high = std::max(high, m.points[i]);
  }
  const double margin = m.points.empty() ? INFINITY : 0.25 * (high - low), lowest = low - margin,
               highest = high + margin;
  for (std::size_t k = 0; k < m.weights.size(); ++k) {
    const std::size_t at = k * static_cast<std::size_t>(D) + static_cast<std::size_t>(d);
    const double reach =
        most_radius * std::sqrt(m.covariances[at * static_cast<std::size_t>(D) + static_cast<std::size_t>(d)]);
    low = std::min(low, std::max(m.means[at] - reach, lowest));
    high = std::max(high, std::min(m.means[at] + reach, highest));
  }
  if (!(low <= high)) return {};
  const double pad = high > low ? 0.03 * (high - low) : std::max(0.5, std::abs(low) * 0.05);
  return {low - pad, high + pad};
}

void set_colour(cairo_t* cairo, const colour& c, double alpha) {
  cairo_set_source_rgba(cairo, c.red, c.green, c.blue, alpha);
}

void draw_points(canvas& sheet, const plane& on, const mixture_picture& m, int i, int j, double size) {
  cairo_t* cairo = sheet.cairo();
  const auto D = static_cast<std::size_t>(m.dimensions);
  const std::size_t n = m.points.size() / D;
  const int colours = m.labels.empty() ? 1 : static_cast<int>(m.weights.size());
  cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_width(cairo, size);
  for (int k = 0; k < colours; ++k) {
    for (std::size_t p = 0; p < n; ++p) {
      if (!m.labels.empty() && m.labels[p] != k) continue;
      const double x = on.x(m.points[p * D + static_cast<std::size_t>(i)]);
      const double y = on.y(m.points[p * D + static_cast<std::size_t>(j)]);
      cairo_move_to(cairo, x, y);  // a line of no length with round ends is a dot, in few bytes
      cairo_line_to(cairo, x, y);
    }
    set_colour(cairo, m.labels.empty() ? palette::data_edge : component_colour(k), 0.55);
    cairo_stroke(cairo);
  }
}

/// The ellipse of component k in coordinates i and j at a radius in standard deviations.
void trace_ellipse(cairo_t* cairo, const plane& on, const mixture_picture& m, std::size_t k, int i, int j,
                   double radius) {
  const auto D = static_cast<std::size_t>(m.dimensions), a = static_cast<std::size_t>(i),
             b = static_cast<std::size_t>(j);
  const double* S = m.covariances.data() + k * D * D;
  // Cholesky factor of the 2 × 2 block; a rounding below zero is none, and a flat component is a line.
  const double l11 = std::sqrt(S[a * D + a]), l21 = l11 > 0 ? S[b * D + a] / l11 : 0;
  const double l22 = std::sqrt(std::max(0.0, S[b * D + b] - l21 * l21));
  constexpr int steps = 72;
  for (int s = 0; s < steps; ++s) {
    const double angle = 2 * M_PI * s / steps, u = radius * std::cos(angle), v = radius * std::sin(angle);
    cairo_line_to(cairo, on.x(m.means[k * D + a] + l11 * u), on.y(m.means[k * D + b] + l21 * u + l22 * v));
  }
  cairo_close_path(cairo);
}

void draw_components(canvas& sheet, const plane& on, const mixture_picture& m, int i, int j, double thickness) {
  cairo_t* cairo = sheet.cairo();
  const auto D = static_cast<std::size_t>(m.dimensions);
  cairo_save(cairo);
  cairo_rectangle(cairo, on.area.x, on.area.y, on.area.width, on.area.height);
  cairo_clip(cairo);
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  for (std::size_t k = 0; k < m.weights.size(); ++k) {
    const colour ink = component_colour(static_cast<int>(k));
    for (const double radius : {most_radius, half_radius}) {
      trace_ellipse(cairo, on, m, k, i, j, radius);
      set_colour(cairo, ink, 0.10);
      cairo_fill_preserve(cairo);
      set_colour(cairo, ink, 1);
      cairo_set_line_width(cairo, thickness);
      cairo_stroke(cairo);
    }
  }
  for (std::size_t k = 0; k < m.weights.size(); ++k) {
    const double x = on.x(m.means[k * D + static_cast<std::size_t>(i)]);
    const double y = on.y(m.means[k * D + static_cast<std::size_t>(j)]);
    cairo_arc(cairo, x, y, 2.6 * thickness, 0, 2 * M_PI);
    set_colour(cairo, palette::paper, 1);
    cairo_fill_preserve(cairo);
    set_colour(cairo, component_colour(static_cast<int>(k)), 1);
    cairo_set_line_width(cairo, 1.2 * thickness);
    cairo_stroke(cairo);
  }
  cairo_restore(cairo);
}

void draw_frame(canvas& sheet, const plane& on, bool labels_below, bool labels_left) {
  text_style style = layout::tick_text;
  style.where = align::centre;
  for (const tick& t : nice_ticks(on.left, on.right, std::max(2, static_cast<int>(on.area.width / 55)))) {
    sheet.line(on.x(t.value), on.area.y, on.x(t.value), on.area.bottom(), palette::grid, 0.7);
    if (labels_below) sheet.text(on.x(t.value), on.area.bottom() + 12, t.label, style);
  }
  style.where = align::right;
  for (const tick& t : nice_ticks(on.low, on.high, std::max(2, static_cast<int>(on.area.height / 32)))) {
    sheet.line(on.area.x, on.y(t.value), on.area.right(), on.y(t.value), palette::grid, 0.7);
    if (labels_left) sheet.text(on.area.x - 4, on.y(t.value) + 3, t.label, style);
  }
  sheet.line(on.area.x, on.area.bottom(), on.area.right(), on.area.bottom(), palette::frame, 0.8);
  sheet.line(on.area.x, on.area.y, on.area.x, on.area.bottom(), palette::frame, 0.8);
}

void draw_upright(canvas& sheet, double x, double y, const std::string& text, const text_style& style) {
  cairo_t* cairo = sheet.cairo();
  cairo_save(cairo);
  cairo_translate(cairo, x, y);
  cairo_rotate(cairo, -M_PI / 2);
  sheet.text(0, 0, text, style);
  cairo_restore(cairo);
}

/// A dot and a weight for each component, as many as fit.
void draw_key(canvas& sheet, const mixture_picture& m, double x, double y, double right) {
  const text_style style{9, palette::quiet};
  for (std::size_t k = 0; k < m.weights.size(); ++k) {
    const std::string text = readable(100 * m.weights[k], 3) + " %";
    const double width = 12 + sheet.text_width(text, style) + 10;
    if (x + width > right) {
      sheet.text(x, y, "…", style);
      return;
    }
    const colour ink = component_colour(static_cast<int>(k));
    cairo_arc(sheet.cairo(), x + 4, y - 3, 3.2, 0, 2 * M_PI);
    set_colour(sheet.cairo(), ink, 1);
    cairo_fill(sheet.cairo());
    sheet.text(x + 11, y, text, style);
    x += width;
  }
}

void draw_one(canvas& sheet, const mixture_picture& m, const rectangle& area, const mixture_plot_style& style) {
  double y = area.y;
  const double left = area.x + 48;
  if (!m.title.empty()) {
    y += layout::title_height;
    sheet.text(left, y - 3.5, sheet.fitted(m.title, area.right() - left, layout::title_text), layout::title_text);
  }
  y += layout::row_height;
  sheet.text(left, y - 3, sheet.fitted(m.line, area.right() - left, layout::row_text), layout::row_text);
  y += layout::row_height;
  draw_key(sheet, m, left, y - 3, area.right());
  y += 4;
  const range across = range_of(m, 0), up = range_of(m, 1);
  const plane on{{left, y, area.right() - left - 4, area.bottom() - y - 32}, across.low, across.high, up.low, up.high};
  draw_frame(sheet, on, true, true);
  const std::size_t n = m.points.size() / 2;
  draw_points(sheet, on, m, 0, 1, n > 1000 ? 1.6 : n > 300 ? 2.4 : 3.4);
  draw_components(sheet, on, m, 0, 1, 1.3);
  sheet.text(left + on.area.width / 2, on.area.bottom() + 26, style.names[0], {10, palette::ink, align::centre});
  draw_upright(sheet, area.x + 11, on.area.y + on.area.height / 2, style.names[1], {10, palette::ink, align::centre});
  if (!m.status.empty())
    sheet.text(left + on.area.width / 2, on.area.y + on.area.height / 2, "no fit: " + m.status,
               {10, palette::fit, align::centre, true});
}

void draw_title(canvas& sheet, const mixture_plot_style& style) {
  const text_style bold{14, palette::ink, align::left, true};
  sheet.text(margin + 6, margin + 12, sheet.fitted(style.title, sheet.width() - 2 * margin - 6, bold), bold);
  sheet.text(sheet.width() - margin, sheet.height() - margin + 3, style.note, {9, palette::quiet, align::right});
}

std::string in_words(const mixture_picture& m, const std::vector<std::string>& names) {
  std::string text = m.title.empty() ? m.line : m.title + "; " + m.line;
  const auto D = static_cast<std::size_t>(m.dimensions);
  for (std::size_t k = 0; k < m.weights.size(); ++k) {
    text += "; component " + std::to_string(k) + ": weight " + readable(m.weights[k], 4) + ", mean";
    for (std::size_t d = 0; d < D && d < names.size(); ++d)
      text += " " + names[d] + " " + readable(m.means[k * D + d], 4);
  }
  if (!m.status.empty()) text += "; no fit: " + m.status;
  return text;
}

/// The marginal of a coordinate: its histogram and density, through the panel of one dimension.
panel marginal_of(const mixture_picture& m, int d, const std::vector<double>& values, const std::string& name) {
  panel result{.title = name, .values = values};
  const auto D = static_cast<std::size_t>(m.dimensions), at = static_cast<std::size_t>(d);
  if (m.weights.empty()) return result;
  std::vector<double> mean, sd;
  for (std::size_t k = 0; k < m.weights.size(); ++k) {
    mean.push_back(m.means[k * D + at]);
    sd.push_back(std::sqrt(m.covariances[(k * D + at) * D + at]));
  }
  const auto density = [mean, sd, weights = m.weights](std::span<const double> x, std::size_t from, std::size_t to) {
    std::vector<double> result(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      double sum = 0;
      for (std::size_t k = from; k < to; ++k) {
        const double z = (x[i] - mean[k]) / sd[k];
        sum += weights[k] * std::exp(-0.5 * z * z) / (sd[k] * std::sqrt(2 * M_PI));
      }
      result[i] = std::log(sum);
    }
    return result;
  };
  result.widest_bar = 0.75 * *std::min_element(sd.begin(), sd.end());
  result.log_density = [density, K = m.weights.size()](std::span<const double> x) { return density(x, 0, K); };
  for (std::size_t k = 0; k < m.weights.size() && m.weights.size() > 1; ++k)
    result.parts.push_back([density, k](std::span<const double> x) { return density(x, k, k + 1); });
  return result;
}

}  // namespace

colour component_colour(int k) {
  static constexpr colour colours[] = {{0.00, 0.45, 0.70}, {0.84, 0.37, 0.00}, {0.00, 0.62, 0.45}, {0.80, 0.47, 0.65},
                                       {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.35, 0.35, 0.38}};
  return colours[k % 7];
}

void plot_ellipses(const std::vector<mixture_picture>& mixtures, const std::string& path,
                   const mixture_plot_style& style) {
  const int count = static_cast<int>(mixtures.size()), columns = count == 1 ? 1 : count <= 4 ? 2 : count <= 9 ? 3 : 4;
  const double width = count == 1 ? 560 : count <= 4 ? 380 : 280, height = count == 1 ? 440 : count <= 4 ? 310 : 250;
  const int rows = (count + columns - 1) / columns;
  write_picture(path, [&](picture_format format) {
    canvas sheet(format, 2 * margin + columns * width + (columns - 1) * gap,
                 2 * margin + 24 + rows * height + (rows - 1) * gap + 8, style.scale);
    draw_title(sheet, style);
    std::string words;
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      draw_one(sheet, mixtures[at],
               {margin + i % columns * (width + gap), margin + 24 + i / columns * (height + gap), width, height},
               style);
      words += in_words(mixtures[at], style.names) + "\n";
    }
    sheet.describe(style.title, words + style.note);
    return sheet.finish();
  });
}

void plot_pairs(const mixture_picture& m, int shown, const std::string& path, const mixture_plot_style& style) {
  const double cell = shown <= 3 ? 220 : shown == 4 ? 180 : 150, left = margin + 52, top = margin + 46;
  write_picture(path, [&](picture_format format) {
    canvas sheet(format, left + shown * cell + (shown - 1) * gap + margin,
                 top + shown * cell + (shown - 1) * gap + 34 + margin, style.scale);
    draw_title(sheet, style);
    sheet.text(margin + 6, margin + 28, sheet.fitted(m.line, sheet.width() / 2, layout::row_text), layout::row_text);
    draw_key(sheet, m, left + cell + gap, margin + 28 + layout::row_height, sheet.width() - margin);
    const auto D = static_cast<std::size_t>(m.dimensions);
    std::vector<range> ranges;
    for (int d = 0; d < shown; ++d) ranges.push_back(range_of(m, d));
    const std::size_t n = m.points.size() / D;
    for (int row = 0; row < shown; ++row)
      for (int column = 0; column <= row; ++column) {
        const rectangle area{left + column * (cell + gap), top + row * (cell + gap), cell, cell};
        const range &across = ranges[static_cast<std::size_t>(column)], &up = ranges[static_cast<std::size_t>(row)];
        if (row == column) {
          std::vector<double> values(n);
          for (std::size_t p = 0; p < n; ++p) values[p] = m.points[p * D + static_cast<std::size_t>(row)];
          draw_panel(sheet, marginal_of(m, row, values, style.names[static_cast<std::size_t>(row)]),
                     {area.x - layout::inset, area.y - 8, area.width + layout::inset + 6,
                      area.height + layout::axis_height + 8});
          continue;
        }
        const plane on{area, across.low, across.high, up.low, up.high};
        draw_frame(sheet, on, row + 1 == shown, column == 0);
        draw_points(sheet, on, m, column, row, n > 500 ? 1.4 : 2.2);
        draw_components(sheet, on, m, column, row, 1.0);
        if (column == 0)
          draw_upright(sheet, margin + 8, area.y + cell / 2, style.names[static_cast<std::size_t>(row)],
                       {10, palette::ink, align::centre});
        if (row + 1 == shown)
          sheet.text(area.x + cell / 2, area.bottom() + 28, style.names[static_cast<std::size_t>(column)],
                     {10, palette::ink, align::centre});
      }
    sheet.describe(style.title, in_words(m, style.names) + "\n" + style.note);
    return sheet.finish();
  });
}

}  // namespace manyfit::app
