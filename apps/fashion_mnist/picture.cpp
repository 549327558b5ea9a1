// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/fashion_mnist/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "apps/plot/density_plot.hpp"
#include "apps/plot/picture_file.hpp"
#include "apps/plot/ticks.hpp"

namespace manyfit::app {

namespace {

constexpr int side = 28;    // pixels of an image
constexpr double cell = 3;  // points per pixel, so that a PNG has a whole number of its pixels for each
constexpr double tile = side * cell;
constexpr double gap = 8, margin = 18, labels = 96;
constexpr double panel_width = 240, panel_height = 172;
constexpr double sheet_width = 2 * margin + labels + class_count * tile + (class_count - 1) * gap;
constexpr double tiles_top = 92, panels_top = tiles_top + 3 * (tile + gap) + 30;
constexpr double sheet_height = panels_top + 2 * panel_height + 16 + margin;

/// Pixels whose fits tell a story, by eye: what one class has and another has not, and shapes far from a bell.
struct marked_pixel {
  int of_class, row, column;
  const char* place;
};
constexpr std::array<marked_pixel, 8> marked = {{{0, 14, 14, "chest"},
                                                 {1, 22, 14, "between the legs"},
                                                 {2, 18, 4, "sleeve"},
                                                 {3, 14, 14, "waist"},
                                                 {5, 16, 14, "open side"},
                                                 {7, 17, 8, "toe"},
                                                 {8, 4, 14, "handle"},
                                                 {9, 10, 18, "shaft"}}};

using gradient = std::array<colour, 5>;
// Sequential schemes "Blues" and "Oranges" of ColorBrewer (Brewer 2003): light to dark, so they survive grey print.
constexpr gradient blues = {
    {{1, 1, 1}, {0.776, 0.859, 0.937}, {0.420, 0.682, 0.839}, {0.129, 0.443, 0.710}, {0.031, 0.188, 0.420}}};
constexpr gradient oranges = {
    {{1, 1, 1}, {0.992, 0.816, 0.635}, {0.992, 0.553, 0.235}, {0.851, 0.282, 0.004}, {0.498, 0.153, 0.016}}};

colour shade(const gradient& scheme, double value) {
  const double place = std::clamp(value, 0.0, 1.0) * (scheme.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(place), scheme.size() - 2);
  const double t = place - static_cast<double>(i);
  const auto mix = [&](double a, double b) { return a + t * (b - a); };
  return {mix(scheme[i].red, scheme[i + 1].red), mix(scheme[i].green, scheme[i + 1].green),
          mix(scheme[i].blue, scheme[i + 1].blue)};
}

/// A raster of width × height values as one embedded image, every value a square of `cell` points.
void draw_raster(canvas& sheet, double x, double y, int width, int height, const gradient& scheme,
                 const std::function<double(int row, int column)>& value) {
  constexpr int repeat = 6;  // viewers smooth what they enlarge; squares drawn large stay sharp
  cairo_surface_t* image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * repeat, height * repeat);
  cairo_surface_flush(image);
  unsigned char* data = cairo_image_surface_get_data(image);
  const int stride = cairo_image_surface_get_stride(image);
  for (int row = 0; row < height * repeat; ++row) {
    auto* line = reinterpret_cast<std::uint32_t*>(data + row * stride);
    for (int column = 0; column < width * repeat; ++column) {
      const colour c = shade(scheme, value(row / repeat, column / repeat));
      const auto byte = [](double part) { return static_cast<std::uint32_t>(std::lround(255 * part)); };
      line[column] = (byte(c.red) << 16) | (byte(c.green) << 8) | byte(c.blue);
    }
  }
  cairo_surface_mark_dirty(image);
  cairo_t* cairo = sheet.cairo();
  cairo_save(cairo);
  cairo_translate(cairo, x, y);
  cairo_scale(cairo, cell / repeat, cell / repeat);
  cairo_set_source_surface(cairo, image, 0, 0);
  cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
  cairo_paint(cairo);
  cairo_restore(cairo);
  cairo_surface_destroy(image);
}

void outline(canvas& sheet, const rectangle& area, const colour& with, double thickness) {
  cairo_set_source_rgb(sheet.cairo(), with.red, with.green, with.blue);
  cairo_set_line_width(sheet.cairo(), thickness);
  cairo_rectangle(sheet.cairo(), area.x, area.y, area.width, area.height);
  cairo_stroke(sheet.cairo());
}

double tile_x(int of_class) {
  return margin + labels + of_class * (tile + gap);
}
double tile_y(int row) {
  return tiles_top + row * (tile + gap);
}
std::string mark_of(std::size_t i) {
  return std::string(1, static_cast<char>('a' + i));
}

/// The label of a row of images, with a scale of its colours.
void draw_row_label(canvas& sheet, int row, const std::vector<std::string>& lines, const gradient* scheme,
                    const std::string& most) {
  double y = tile_y(row) + 20;
  sheet.text(margin, y, lines[0], {10.5, palette::ink, align::left, true});
  for (std::size_t i = 1; i < lines.size(); ++i) sheet.text(margin, y += 12.5, lines[i], {8.5, palette::quiet});
  if (!scheme) return;
  constexpr int steps = 18;
  draw_raster(sheet, margin, y + 8, steps, 2, *scheme, [](int, int column) { return column / (steps - 1.0); });
  outline(sheet, {margin, y + 8, steps * cell, 2 * cell}, palette::frame, 0.4);
  sheet.text(margin, y + 24, "0", {8, palette::quiet});
  sheet.text(margin + steps * cell, y + 24, most, {8, palette::quiet, align::right});
}

void draw_images(canvas& sheet, const picture_content& content) {
  const fitted_images fitted = images_of(*content.table);
  draw_row_label(sheet, 0, {"an image", "one of " + grouped(content.samples->images_per_class)}, nullptr, "");
  draw_row_label(sheet, 1, {"fitted mean", "P(ink) × mean", "of the density"}, &blues, "1");
  draw_row_label(sheet, 2, {"fitted spread", "standard deviation"}, &oranges, "0.5");
  for (int c = 0; c < class_count; ++c) {
    const auto& images = *content.training;
    const auto first = std::find(images.labels.begin(), images.labels.end(), c) - images.labels.begin();
    const std::uint8_t* image = images.image(static_cast<int>(first));
    const auto at = [&](const std::vector<double>& values, double most) {
      return [&values, most, c](int row, int column) { return values[(c * side + row) * side + column] / most; };
    };
    const double x = tile_x(c);
    sheet.text(x + tile / 2, tiles_top - 7, class_names[c], {10.5, palette::ink, align::centre, true});
    draw_raster(sheet, x, tile_y(0), side, side, blues,
                [&](int row, int column) { return image[row * side + column] / 255.0; });
    draw_raster(sheet, x, tile_y(1), side, side, blues, at(fitted.mean, 1));
    draw_raster(sheet, x, tile_y(2), side, side, oranges, at(fitted.spread, 0.5));
    for (int row = 0; row < 3; ++row) outline(sheet, {x, tile_y(row), tile, tile}, palette::grid, 0.6);
  }
  for (std::size_t i = 0; i < marked.size(); ++i) {
    const double x = tile_x(marked[i].of_class) + marked[i].column * cell, y = tile_y(1) + marked[i].row * cell;
    outline(sheet, {x - 1, y - 1, cell + 2, cell + 2}, palette::paper, 2.6);
    outline(sheet, {x - 1, y - 1, cell + 2, cell + 2}, palette::fit, 1.3);
    const double beside = x + cell + 3;
    sheet.fill({beside, y - 4.5, 9, 11.5}, {1, 1, 1, 0.85});
    sheet.text(beside + 4.5, y + 4.5, mark_of(i), {9.5, palette::fit, align::centre, true});
  }
}

panel panel_for(const picture_content& content, std::size_t i, std::vector<double>& values) {
  const std::int64_t fit = std::int64_t{marked[i].of_class} * side * side + marked[i].row * side + marked[i].column;
  const fit_results& intensity = *content.intensity;
  const auto& samples = *content.samples;
  values.assign(samples.intensity.begin() + samples.offsets[fit], samples.intensity.begin() + samples.offsets[fit + 1]);
  panel result;
  result.title = fmt::format("{}  {}, {}", mark_of(i), class_names[marked[i].of_class], marked[i].place);
  result.values = values;
  result.lines = {fmt::format("row {}, column {}   P(ink) {:.3f}", marked[i].row, marked[i].column,
                              content.ink->parameter("prob", fit))};
  if (!usable(intensity.status[fit])) {
    result.status = to_string(intensity.status[fit]);
    return result;
  }
  std::vector<double> parameters;
  std::string shown;
  for (int p = 0; p < intensity.parameter_count(); ++p) {
    parameters.push_back(intensity.parameter(p, fit));
    shown += (p > 0 ? "   " : "") +
             parameter_text(intensity.family->parameters[p].name, parameters.back(), intensity.std_error(p, fit));
  }
  result.lines.push_back(shown);
  result.log_density = [where = *content.where, family = intensity.family, parameters](std::span<const double> x) {
    return log_density(where, *family, dense<double>(x, 1), {parameters.data(), 0, 1});
  };
  return result;
}

}  // namespace

fitted_images images_of(const score_table& table) {
  fitted_images images;
  for (int c = 0; c < class_count; ++c)
    for (int pixel = 0; pixel < table.pixels; ++pixel) {
      const double ink = -std::expm1(table.at(pixel, 0, c));
      double total = 0, first = 0, second = 0;  // of the density over the 255 intensities
      for (int v = 1; v < value_count; ++v) {
        const double f = std::exp(table.at(pixel, v, c)), x = intensity_of(v);
        total += f;
        first += f * x;
        second += f * x * x;
      }
      const double mean = ink * first / total;
      images.mean.push_back(mean);
      images.spread.push_back(std::sqrt(std::max(0.0, ink * second / total - mean * mean)));
    }
  return images;
}

void draw_picture(const picture_content& content, const std::string& path) {
  if (content.training->rows != side || content.training->columns != side)
    throw data_error(fmt::format("the picture is of 28 × 28 pixels; images of {} × {} given", content.training->rows,
                                 content.training->columns));
  write_picture(path, [&](picture_format format) {
    canvas sheet(format, sheet_width, sheet_height);
    const std::string family = content.intensity->family->name;
    const std::string title = "Fashion-MNIST: 10 classes × 784 pixels, a distribution fitted to each";
    sheet.text(margin, margin + 16, title, {19, palette::ink, align::left, true});
    sheet.text(margin, margin + 36, content.subtitle, {10.5, palette::quiet});
    draw_images(sheet, content);

    sheet.text(margin, panels_top - 12, fmt::format("Intensity of inked pixels and the fitted {} densities", family),
               {10.5, palette::ink, align::left, true});
    const double step = (sheet_width - 2 * margin - panel_width) / 3;
    std::string description = content.subtitle;
    for (std::size_t i = 0; i < marked.size(); ++i) {
      std::vector<double> values;
      const panel each = panel_for(content, i, values);
      draw_panel(sheet, each,
                 {margin + static_cast<double>(i % 4) * step,
                  panels_top + static_cast<double>(i / 4) * (panel_height + 16), panel_width, panel_height},
                 2);
      description += "\n" + each.title;
      for (const std::string& line : each.lines) description += "; " + line;
    }
    sheet.describe(title, description);
    return sheet.finish();
  });
}

}  // namespace manyfit::app
