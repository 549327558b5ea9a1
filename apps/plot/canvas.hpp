// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A sheet to draw on that becomes an SVG or a PNG file, and the few marks the pictures are made of. Lengths are in
// points (1/72 inch) from the top left corner; a PNG has `scale` pixels per point.
#pragma once

#include <cairo.h>

#include <memory>
#include <string>
#include <string_view>

namespace manyfit::app {

struct colour {
  double red, green, blue, alpha = 1;
};

/// Colours of Okabe & Ito (2008), which colour-blind readers can tell apart; data light and fit dark, so that they also
/// differ in grey print.
namespace palette {
inline constexpr colour ink{0.13, 0.13, 0.15};
inline constexpr colour quiet{0.40, 0.41, 0.44};
inline constexpr colour frame{0.62, 0.63, 0.66};
inline constexpr colour grid{0.90, 0.91, 0.92};
inline constexpr colour paper{1, 1, 1};
inline constexpr colour data{0.68, 0.82, 0.92};
inline constexpr colour data_edge{0.34, 0.60, 0.79};
inline constexpr colour fit{0.78, 0.31, 0.0};
inline constexpr colour second{0.0, 0.36, 0.60};
}  // namespace palette

struct rectangle {
  double x, y, width, height;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

/// Which file a path asks for.
enum class picture_format { svg, png };

/// By the extension, .svg or .png in any case. Throws manyfit::error (argument) for another: call it before long work.
picture_format picture_format_of(const std::string& path);

enum class align { left, centre, right };

struct text_style {
  double size = 10;
  colour ink = palette::ink;
  align where = align::left;
  bool bold = false;
};

class canvas {
 public:
  /// Sizes in points; `scale`: pixels per point of a PNG.
  canvas(picture_format format, double width, double height, double scale = 2);

  double width() const { return width_; }
  double height() const { return height_; }
  cairo_t* cairo() const { return cairo_.get(); }

  void fill(const rectangle& area, const colour& with);
  void line(double x0, double y0, double x1, double y1, const colour& with, double thickness);
  /// UTF-8 text on the baseline y; x is its left end, centre or right end.
  void text(double x, double y, std::string_view content, const text_style& style);
  double text_width(std::string_view content, const text_style& style);
  /// The text, its end replaced by an ellipsis when it is wider than `width`.
  std::string fitted(std::string_view content, double width, const text_style& style);

  /// What the picture shows, in words: an SVG carries them for search and for readers who do not see it.
  void describe(std::string title, std::string description);

  /// The picture as the bytes of its file; nothing can be drawn after. Throws manyfit::error (memory) when it could not
  /// be drawn.
  std::string finish();

 private:
  void choose_font(const text_style& style);
  double width_, height_;
  picture_format format_;
  std::string bytes_, title_, description_;
  std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)> surface_;
  std::unique_ptr<cairo_t, void (*)(cairo_t*)> cairo_;
};

}  // namespace manyfit::app
