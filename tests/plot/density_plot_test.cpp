// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "apps/plot/density_plot.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "manyfit/error.hpp"
#include "plot_support.hpp"

namespace manyfit::app {
namespace {

const std::vector<double> sample{0.3, 0.7, 1.1, 1.2, 1.9, 2.5, 3.1, 4.4, 0.9, 2.2};

panel exponential_panel(const std::string& title) {
  return {.title = title,
          .values = sample,
          .log_density =
              [](std::span<const double> x) {
                std::vector<double> result;
                for (const double value : x) result.push_back(value >= 0 ? -value : -INFINITY);
                return result;
              },
          .lines = {parameter_text("rate", 1.0, 0.31)}};
}

const std::string fit_stroke = "stroke:rgb(78%,31%,0%)";

TEST(density_plot, svg_is_well_formed_and_says_in_words_what_it_shows) {
  const picture file(".svg");
  plot_panels({exponential_panel("cell <1> & \"co\""), exponential_panel("cell 2")}, file.path(), {.title = "A & B"});
  const std::string svg = file.bytes();
  EXPECT_TRUE(well_formed(svg));
  EXPECT_NE(svg.find("<title>A &amp; B</title>"), std::string::npos);
  EXPECT_NE(svg.find("cell &lt;1&gt; &amp; \"co\"; rate 1.00 ± 0.31"), std::string::npos);
  // One curve per panel and one in the key.
  EXPECT_EQ(occurrences(svg, fit_stroke), 3);
}

TEST(density_plot, a_failed_fit_shows_its_status_and_no_curve) {
  const picture file(".svg");
  panel failed = exponential_panel("cell 1");
  failed.status = "constant_sample";
  plot_panels({failed}, file.path());
  const std::string svg = file.bytes();
  EXPECT_NE(svg.find("no fit: constant_sample"), std::string::npos);
  EXPECT_EQ(occurrences(svg, fit_stroke), 0);
  // The bars and their sample in the key.
  EXPECT_EQ(occurrences(svg, "fill:rgb(68%,82%,92%)"), 2);
}

TEST(density_plot, says_how_many_fits_are_not_shown) {
  const picture file(".svg");
  plot_panels(std::vector(20, exponential_panel("cell")), file.path(), {.total = 12345});
  EXPECT_NE(file.bytes().find("first 16 of 12,345 fits"), std::string::npos);
  EXPECT_EQ(occurrences(file.bytes(), fit_stroke), 17);
}

TEST(density_plot, png_decodes_to_the_size_asked_for_and_holds_curve_and_bars) {
  const picture file(".PNG");
  plot_panels({exponential_panel("cell")}, file.path(), {.panel_width = 300, .panel_height = 200, .scale = 1});
  cairo_surface_t* image = cairo_image_surface_create_from_png(file.path().c_str());
  ASSERT_EQ(cairo_surface_status(image), CAIRO_STATUS_SUCCESS);
  const int width = cairo_image_surface_get_width(image), height = cairo_image_surface_get_height(image);
  EXPECT_EQ(width, 300 + 2 * 14);
  EXPECT_TRUE(height > 200 && height < 300);
  int bars = 0, curve = 0;
  for (int y = 0; y < height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(cairo_image_surface_get_data(image) +
                                                             y * cairo_image_surface_get_stride(image));
    for (int x = 0; x < width; ++x) {
      const auto red = (row[x] >> 16) & 0xFF, green = (row[x] >> 8) & 0xFF, blue = row[x] & 0xFF;
      bars += red > 165 && red < 180 && blue > 225 && blue < 240;
      curve += red > 180 && green < 110 && blue < 60;
    }
  }
  cairo_surface_destroy(image);
  EXPECT_TRUE(bars > 1000);
  EXPECT_TRUE(curve > 150);
}

TEST(density_plot, discrete_fits_are_dots_on_bars) {
  const picture file(".svg");
  const std::vector<double> counts{0, 0, 1, 1, 1, 2, 3};
  panel poisson{.title = "calls", .values = counts, .discrete = true};
  poisson.log_density = [](std::span<const double> x) {
    std::vector<double> result;
    for (const double k : x) result.push_back(-1.0 - std::lgamma(k + 1));
    return result;
  };
  plot_panels({poisson}, file.path());
  // Four whole numbers and the key.
  EXPECT_EQ(occurrences(file.bytes(), "fill:rgb(78%,31%,0%)"), 5);
}

TEST(density_plot, samples_that_cannot_be_fitted_are_drawn_without_harm) {
  const picture file(".svg");
  const std::vector<double> wild{-1e300, 1e300, INFINITY, NAN, 5e-324}, one{3}, none;
  std::vector<panel> panels{exponential_panel("bytes \xff\xfe and \n lines"),
                            {.title = "one", .values = one},
                            {.title = "none", .values = none},
                            {.title = "wild", .values = wild}};
  panels[0].log_density = [](std::span<const double> x) { return std::vector<double>(x.size(), NAN); };
  panels[3].log_density = [](std::span<const double> x) { return std::vector<double>(x.size(), INFINITY); };
  panels[3].lines = {
      "a line that is much too long for the panel that it stands in, whatever the size of that panel is"};
  plot_panels(panels, file.path());
  EXPECT_TRUE(well_formed(file.bytes()));
  EXPECT_EQ(occurrences(file.bytes(), "nan"), 0);
}

TEST(density_plot, refuses_an_unknown_extension_by_name) {
  for (const std::string path : {"fit.jpg", "fit", "fit.svg.gz"}) {
    try {
      plot_panels({exponential_panel("cell")}, path);
      FAIL() << path << " was accepted";
    } catch (const error& e) {
      EXPECT_EQ(e.why(), error::kind::argument);
      EXPECT_NE(std::string(e.what()).find("must end in .svg or .png"), std::string::npos) << e.what();
    }
  }
}

TEST(density_plot, refuses_what_it_cannot_draw_or_write) {
  EXPECT_THROW(plot_panels({}, "fit.svg"), error);
  EXPECT_THROW(plot_panels({exponential_panel("cell")}, "/no such folder/fit.svg"), error);
  const picture file(".svg");
  panel mismatched = exponential_panel("cell");
  mismatched.weights = std::span(sample).first(3);
  EXPECT_THROW(plot_panels({mismatched}, file.path()), error);
}

TEST(parameter_text, rounds_to_the_second_digit_of_the_error) {
  EXPECT_EQ(parameter_text("shape", 2.10342, 0.0912), "shape 2.103 ± 0.091");
  EXPECT_EQ(parameter_text("mean", -1500.4, 31.0), "mean −1500 ± 31");
  EXPECT_EQ(parameter_text("rate", 0.25, std::nan("")), "rate 0.2500");
  EXPECT_EQ(parameter_text("rate", 1.234e9, 2e7), "rate 1.234e9 ± 2e7");
}

}  // namespace
}  // namespace manyfit::app
