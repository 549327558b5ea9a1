// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/canvas.hpp"

#include <cairo-svg.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <new>
#include <utility>

#include "manyfit/error.hpp"

namespace manyfit::app {

namespace {

cairo_status_t append(void* bytes, const unsigned char* data, unsigned int length) {
  try {  // nothing may be thrown through cairo
    static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
  } catch (const std::bad_alloc&) {
    return CAIRO_STATUS_NO_MEMORY;
  }
  return CAIRO_STATUS_SUCCESS;
}

cairo_surface_t* new_surface(picture_format format, std::string& bytes, double width, double height, double scale) {
  if (format == picture_format::svg) return cairo_svg_surface_create_for_stream(append, &bytes, width, height);
  cairo_surface_t* image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * scale)),
                                                      static_cast<int>(std::ceil(height * scale)));
  cairo_surface_set_device_scale(image, scale, scale);
  return image;
}

std::string xml(std::string_view content) {
  std::string safe;
  for (const char c : content) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else
      safe += c;
  }
  return safe;
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// The length of the valid UTF-8 character at the front, or 0.
std::size_t character_length(std::string_view s) {
  const auto lead = static_cast<unsigned char>(s[0]);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!continues_character(s[i])) return 0;
  const auto second = length > 1 ? static_cast<unsigned char>(s[1]) : 0x80;
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0, beyond = lead == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

/// Text as it may be shown: titles come from data, and cairo stops for good at a byte that is not UTF-8.
std::string shown(std::string_view content, bool with_line_ends = false) {
  std::string clean;
  while (!content.empty()) {
    const std::size_t length = character_length(content);
    const bool control = length == 1 && (static_cast<unsigned char>(content[0]) < 0x20 || content[0] == 0x7f) &&
                         !(with_line_ends && content[0] == '\n');
    if (length == 0 || control)
      clean.push_back('?');
    else
      clean.append(content.substr(0, length));
    content.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

}  // namespace

picture_format picture_format_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (extension == ".svg") return picture_format::svg;
  if (extension == ".png") return picture_format::png;
  throw error(error::kind::argument,
              "plot file '" + path + "': " + (extension.empty() ? "no extension" : "extension '" + extension + "'") +
                  " given; the name must end in .svg or .png");
}

canvas::canvas(picture_format format, double width, double height, double scale)
    : width_(width),
      height_(height),
      format_(format),
      surface_(new_surface(format_, bytes_, width, height, scale), cairo_surface_destroy),
      cairo_(cairo_create(surface_.get()), cairo_destroy) {
  fill({0, 0, width, height}, palette::paper);
}

void canvas::fill(const rectangle& area, const colour& with) {
  cairo_set_source_rgba(cairo(), with.red, with.green, with.blue, with.alpha);
  cairo_rectangle(cairo(), area.x, area.y, area.width, area.height);
  cairo_fill(cairo());
}

void canvas::line(double x0, double y0, double x1, double y1, const colour& with, double thickness) {
  cairo_set_source_rgba(cairo(), with.red, with.green, with.blue, with.alpha);
  cairo_set_line_width(cairo(), thickness);
  cairo_move_to(cairo(), x0, y0);
  cairo_line_to(cairo(), x1, y1);
  cairo_stroke(cairo());
}

void canvas::choose_font(const text_style& style) {
  cairo_select_font_face(cairo(), "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo(), style.size);
}

double canvas::text_width(std::string_view content, const text_style& style) {
  choose_font(style);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo(), shown(content).c_str(), &extents);
  return extents.x_advance;
}

std::string canvas::fitted(std::string_view content, double width, const text_style& style) {
  std::string text(content);
  if (text_width(text, style) <= width) return text;
  while (!text.empty()) {
    while (continues_character(text.back()) && text.size() > 1) text.pop_back();
    text.pop_back();
    if (text_width(text + "…", style) <= width) break;
  }
  return text + "…";
}

void canvas::text(double x, double y, std::string_view content, const text_style& style) {
  const double width = style.where == align::left ? 0 : text_width(content, style);
  choose_font(style);
  cairo_set_source_rgba(cairo(), style.ink.red, style.ink.green, style.ink.blue, style.ink.alpha);
  cairo_move_to(cairo(), x - (style.where == align::right ? width : style.where == align::centre ? width / 2 : 0), y);
  cairo_show_text(cairo(), shown(content).c_str());
}

void canvas::describe(std::string title, std::string description) {
  title_ = std::move(title);
  description_ = std::move(description);
}

std::string canvas::finish() {
  cairo_status_t status = cairo_status(cairo());
  if (status == CAIRO_STATUS_SUCCESS && format_ == picture_format::png)
    status = cairo_surface_write_to_png_stream(surface_.get(), append, &bytes_);
  cairo_surface_finish(surface_.get());
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface_.get());
  if (status != CAIRO_STATUS_SUCCESS) throw error(error::kind::memory, cairo_status_to_string(status));
  if (format_ == picture_format::svg && !(title_.empty() && description_.empty())) {
    const auto root = bytes_.find('>', bytes_.find("<svg"));
    bytes_.insert(root + 1,
                  "\n<title>" + xml(shown(title_)) + "</title>\n<desc>" + xml(shown(description_, true)) + "</desc>");
  }
  return std::move(bytes_);
}

}  // namespace manyfit::app
