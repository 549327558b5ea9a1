// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/mixture_plot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "manyfit/error.hpp"
#include "plot_support.hpp"

namespace manyfit::app {
namespace {

const std::string first_stroke = "stroke:rgb(0%,45%,70%)", second_stroke = "stroke:rgb(84%,37%,0%)";

/// Two components in D coordinates, at 0 and at 10, with a correlation of one half between neighbours.
mixture_picture two_components(int D) {
  mixture_picture m{.title = "cell <1>", .dimensions = D, .weights = {0.25, 0.75}, .line = "2 components"};
  for (int p = 0; p < 40; ++p) {
    m.labels.push_back(p % 4 ? 1 : 0);
    for (int d = 0; d < D; ++d) m.points.push_back((p % 4 ? 10 : 0) + std::sin(1.7 * p * (d + 1)));
  }
  for (const double at : {0.0, 10.0}) {
    m.means.insert(m.means.end(), static_cast<std::size_t>(D), at);
    for (int i = 0; i < D; ++i)
      for (int j = 0; j < D; ++j) m.covariances.push_back(i == j ? 1.0 : std::abs(i - j) == 1 ? 0.5 : 0.0);
  }
  return m;
}

mixture_plot_style style_of(int D) {
  mixture_plot_style style{.title = "A & B", .note = "40 points"};
  for (int d = 0; d < D; ++d) style.names.push_back("x" + std::to_string(d));
  return style;
}

struct outline {
  double left = INFINITY, right = -INFINITY, low = INFINITY, high = -INFINITY;
};

/// The extents of the closed outlines in a colour, in drawing order; points are no outlines.
std::vector<outline> outlines(const std::string& svg, const std::string& stroke) {
  std::vector<outline> found;
  for (std::size_t at = svg.find("<path"); at != std::string::npos; at = svg.find("<path", at + 1)) {
    const std::string element = svg.substr(at, svg.find('>', at) - at);
    const std::size_t path = element.find(" d=\"");
    if (element.find(stroke) == std::string::npos || path == std::string::npos) continue;
    const std::string d = element.substr(path + 4, element.find('"', path + 4) - path - 4);
    if (d.find('Z') == std::string::npos || d.find('L') == std::string::npos) continue;
    outline& each = found.emplace_back();
    std::istringstream words(d);
    for (std::string word; words >> word;) {
      double x, y;
      if ((word != "M" && word != "L") || !(words >> x >> y)) continue;
      each.left = std::min(each.left, x);
      each.right = std::max(each.right, x);
      each.low = std::min(each.low, y);
      each.high = std::max(each.high, y);
    }
  }
  return found;
}

TEST(mixture_plot, ellipses_hold_half_and_95_percent_of_each_component) {
  const picture file(".svg");
  plot_ellipses({two_components(2)}, file.path(), style_of(2));
  const std::string svg = file.bytes();
  EXPECT_TRUE(well_formed(svg));
  for (const std::string& stroke : {first_stroke, second_stroke}) {
    const std::vector<outline> found = outlines(svg, stroke);
    ASSERT_GE(found.size(), 2u);
    // The content within r standard deviations of a normal in the plane is 1 - exp(-r²/2).
    const double wanted = std::sqrt(std::log(0.05) / std::log(0.5));
    EXPECT_TRUE(std::abs((found[0].right - found[0].left) / (found[1].right - found[1].left) - wanted) <= 0.01);
    EXPECT_TRUE(std::abs((found[0].high - found[0].low) / (found[1].high - found[1].low) - wanted) <= 0.01);
  }
  // Means are 10 apart, which is 10 / (2 × 2.4477) widths of the larger ellipse, on either axis.
  const outline a = outlines(svg, first_stroke)[0], b = outlines(svg, second_stroke)[0];
  const double apart = 10 / (2 * std::sqrt(-2 * std::log(0.05)));
  EXPECT_TRUE(std::abs((b.left - a.left) / (a.right - a.left) - apart) <= 0.01);
  EXPECT_TRUE(std::abs((a.low - b.low) / (a.high - a.low) - apart) <= 0.01);
}

TEST(mixture_plot, says_in_words_what_it_shows) {
  const picture file(".svg");
  plot_ellipses({two_components(2)}, file.path(), style_of(2));
  const std::string svg = file.bytes();
  EXPECT_NE(svg.find("<title>A &amp; B</title>"), std::string::npos);
  EXPECT_NE(svg.find("cell &lt;1&gt;; 2 components; component 0: weight 0.2500, mean x0 0"), std::string::npos);
  EXPECT_NE(svg.find("component 1: weight 0.7500"), std::string::npos);
  EXPECT_NE(svg.find("40 points"), std::string::npos);
}

TEST(mixture_plot, a_failed_fit_shows_its_status_and_its_points_without_ellipses) {
  const picture file(".svg");
  mixture_picture failed = two_components(2);
  failed.weights.clear(), failed.means.clear(), failed.covariances.clear(), failed.labels.clear();
  failed.status = "too_few";
  plot_ellipses({failed}, file.path(), style_of(2));
  const std::string svg = file.bytes();
  EXPECT_NE(svg.find("no fit: too_few"), std::string::npos);
  EXPECT_EQ(occurrences(svg, first_stroke), 0);
  EXPECT_EQ(occurrences(svg, second_stroke), 0);
}

TEST(mixture_plot, small_multiples_have_the_ellipses_of_every_fit) {
  const picture file(".svg");
  plot_ellipses(std::vector(5, two_components(2)), file.path(), style_of(2));
  EXPECT_TRUE(well_formed(file.bytes()));
  EXPECT_EQ(outlines(file.bytes(), first_stroke).size() % 5, 0u);
  EXPECT_GE(outlines(file.bytes(), first_stroke).size(), 10u);
}

TEST(mixture_plot, pairs_have_a_panel_for_every_two_coordinates_shown) {
  const picture file(".svg");
  plot_pairs(two_components(5), 4, file.path(), style_of(5));
  const std::string svg = file.bytes();
  EXPECT_TRUE(well_formed(svg));
  EXPECT_EQ(occurrences(svg, "nan"), 0);
  const std::size_t each = 6;  // pairs of four coordinates
  EXPECT_EQ(outlines(svg, first_stroke).size() % each, 0u);
  EXPECT_GE(outlines(svg, first_stroke).size(), 2 * each);
}

TEST(mixture_plot, wild_mixtures_are_drawn_without_harm) {
  const picture file(".svg");
  mixture_picture flat = two_components(2), far = two_components(2), none = two_components(2);
  std::fill(flat.covariances.begin(), flat.covariances.end(), 0.0);
  far.points[0] = 1e300;
  none.points.clear(), none.labels.clear();
  none.title = "bytes \xff\xfe and \n lines";
  plot_ellipses({flat, far, none}, file.path(), style_of(2));
  EXPECT_TRUE(well_formed(file.bytes()));
  EXPECT_EQ(occurrences(file.bytes(), "nan"), 0);
}

TEST(mixture_plot, png_decodes_and_holds_the_components_colours) {
  const picture file(".png");
  mixture_plot_style style = style_of(3);
  style.scale = 1;
  plot_pairs(two_components(3), 3, file.path(), style);
  cairo_surface_t* image = cairo_image_surface_create_from_png(file.path().c_str());
  ASSERT_EQ(cairo_surface_status(image), CAIRO_STATUS_SUCCESS);
  int blue = 0, orange = 0;
  for (int y = 0; y < cairo_image_surface_get_height(image); ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(cairo_image_surface_get_data(image) +
                                                             y * cairo_image_surface_get_stride(image));
    for (int x = 0; x < cairo_image_surface_get_width(image); ++x) {
      const auto red = (row[x] >> 16) & 0xFF, blueness = row[x] & 0xFF;
      blue += red < 60 && blueness > 160;
      orange += red > 200 && blueness < 60;
    }
  }
  cairo_surface_destroy(image);
  EXPECT_TRUE(blue > 100);
  EXPECT_TRUE(orange > 100);
}

TEST(mixture_plot, refuses_what_it_cannot_write) {
  EXPECT_THROW(plot_ellipses({two_components(2)}, "mixture.jpg", style_of(2)), error);
  EXPECT_THROW(plot_ellipses({two_components(2)}, "/no such folder/mixture.svg", style_of(2)), error);
}

}  // namespace
}  // namespace manyfit::app
