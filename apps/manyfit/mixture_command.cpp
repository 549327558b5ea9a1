// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <memory>

#include "commands.hpp"
#include "failures.hpp"
#include "input_options.hpp"
#include "manyfit/manyfit.hpp"
#include "mixture_arguments.hpp"
#include "mixture_models.hpp"
#include "options.hpp"
#include "plot.hpp"

namespace manyfit::app {

namespace {

/// K, or LO:HI.
component_range range_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto number = [](std::string_view part) {
    int value = 0;
    const auto [end, wrong] = std::from_chars(part.data(), part.data() + part.size(), value);
    return wrong == std::errc{} && end == part.data() + part.size() ? value : 0;
  };
  const std::string_view all = text;
  const int fewest = number(all.substr(0, colon)),
            most = colon == std::string::npos ? fewest : number(all.substr(colon + 1));
  if (fewest < 1 || most < fewest || most > max_components)
    throw usage_error(fmt::format("--components: '{}' given\na number from 1 to {} was expected, or a range as in 1:6",
                                  excerpt(text), max_components));
  return {fewest, most};
}

/// find_family says what families there are, and gaussian, which is none of them, is what most who err here mean.
void check_family(const std::string& family) {
  std::string small = family;
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
  if (small.starts_with("gau") || small == "gmm")
    throw usage_error(
        fmt::format("no family is called '{}'; did you mean 'gaussian'?\n"
                    "gaussian is multivariate; manyfit families lists the others",
                    excerpt(family)));
  find_family(family);
}

void check_options(mixture_arguments& arguments) {
  if (arguments.family != "gaussian") {
    check_family(arguments.family);
    const char* gaussian_only = !arguments.covariance.empty() ? "--covariance"
                                : arguments.regularize_given  ? "--regularize"
                                                              : nullptr;
    if (gaussian_only)
      throw usage_error(
          fmt::format("{} is for gaussian mixtures, which have covariances, and this is one of {}\n"
                      "leave it out",
                      gaussian_only, arguments.family));
  } else if (!arguments.fixed.empty()) {
    throw usage_error("--fix is for mixtures of other families than gaussian\nleave it out");
  }
  mixture_options& options = arguments.options;
  for (int i = 0; i < covariance_structure_count; ++i)
    if (arguments.covariance == name_of(static_cast<covariance_structure>(i)))
      options.covariance = static_cast<covariance_structure>(i);
  options.select = arguments.select == "aic" ? information_criterion::aic : information_criterion::bic;
  options.start = arguments.init == "random"     ? mixture_start::random
                  : arguments.init == "kmeans++" ? mixture_start::kmeans_plus_plus
                                                 : mixture_start::automatic;
  if (arguments.regularize_given) {
    if (!(arguments.regularize >= 0) || std::isinf(arguments.regularize))
      throw usage_error(fmt::format("--regularize: {} given; 0 or more expected", arguments.regularize));
    options.regularization = arguments.regularize;
  }
  if (arguments.start.empty() && arguments.components.empty())
    throw usage_error("how many components is not said\nadd --components K, or --components LO:HI for the best by BIC");
  if (!arguments.components.empty()) options.components = range_of(arguments.components);
  if (!arguments.start.empty() && !arguments.init.empty())
    throw usage_error("--start and --init cannot be given together\nleave one of them out");
  if (!arguments.column.empty() && !arguments.columns.empty())
    throw usage_error("--column and --columns cannot be given together\ngive the coordinates to --columns");
  if (!arguments.by.empty()) arguments.input.by = split_list(arguments.by, "--by");
  if (!arguments.columns.empty()) arguments.input.columns = split_list(arguments.columns, "--columns");
  if (!arguments.column.empty()) arguments.input.columns = {arguments.column};
  if (arguments.family != "gaussian" && arguments.input.columns.size() == 1)
    arguments.column = arguments.input.columns.front();
  if (!arguments.plot.empty()) check_plot(arguments.plot);
  if (!arguments.plot.empty() && arguments.family != "gaussian" && arguments.input.columns.size() > 1)
    throw usage_error(
        "--plot: there are no pictures of mixtures over several columns but gaussian ones\n"
        "leave it out, or fit one --column");
}

int run(mixture_arguments& arguments) {
  check_options(arguments);
  const output_format format = format_of(arguments.common);
  check_files({arguments.input.path, arguments.start}, arguments.common, arguments.plot);
  const executor where = executor_of(arguments.common);
  output to(arguments.common.out);
  const auto run = arguments.family == "gaussian" ? run_gaussian_mixture : run_family_mixture;
  return run(arguments, where, format, to);
}

}  // namespace

command mixture_command() {
  const auto arguments = std::make_shared<mixture_arguments>();
  std::vector<option> options{
      {"FAMILY", &arguments->family, "What the components are: gaussian, or any family of manyfit families"},
      {"INPUT", &arguments->input.path, "CSV, TSV, Parquet, Feather, .npy or .npz file; - is stdin"},
      {"--columns", &arguments->columns,
       "The coordinates (gaussian: by default all number columns not named otherwise); of another family a component "
       "is the product of a distribution for each",
       "a,b"},
      column_option("--column", arguments->column, "The only coordinate; of another family the values"),
      {"--by", &arguments->by, "One mixture per distinct key in these columns; an empty or NA cell is the key \"\"",
       "a,b"},
      column_option("--weights", arguments->input.weights,
                    "A weight per row, 0 or more: the exponent of its density (0: left out)"),
      {"--components", &arguments->components, "How many components, or the best of a range", "K|LO:HI"},
      {"--select", &arguments->select, "Criterion for the number of components (default bic)", "", {"bic", "aic"}},
      {"--covariance",
       &arguments->covariance,
       "Structure of the covariances (default full)",
       "",
       {"full", "diagonal", "tied", "spherical"}},
      {.name = "--restarts",
       .to = &arguments->options.restarts,
       .help = "Starts, of which the best is kept (default 10)",
       .value = "R",
       .least = 1},
      {"--init",
       &arguments->init,
       "How to start (default auto: kmeans++ and random by turns)",
       "",
       {"auto", "kmeans++", "random"}},
      {"--start", &arguments->start, "Start from these mixtures, whose order is kept", "MODEL.json"},
      {.name = "--regularize",
       .to = &arguments->regularize,
       .help = "Added to the covariances' diagonals (default: nothing, unless every start collapses)",
       .value = "X",
       .given = &arguments->regularize_given},
      {"--fix", &arguments->fixed, "Hold a parameter at a value; not of gaussian", "NAME=VALUE"},
      {.name = "--max-iterations",
       .to = &arguments->options.max_iterations,
       .help = "EM iterations at most (default 1000)",
       .value = "N",
       .least = 0},
      {.name = "--tolerance",
       .to = &arguments->options.tolerance,
       .help = "Gain of the mean log-likelihood at which to stop (default 1e-8); 0: exactly N iterations, as "
               "max_iterations",
       .value = "X",
       .least = 0},
      {"--trace", &arguments->options.trace, "The log-likelihood of the start and after every iteration"},
      {"--plot", &arguments->plot, "Data and fitted components as a picture", "FILE.svg|.png"},
  };
  append(options, reading_options(arguments->input.format));
  append(options, shared_options(arguments->common));
  return {
      .name = "mixture",
      .help = "Fit a mixture to one sample, or to every group of rows",
      .options = std::move(options),
      .footer =
          "A .npy array of two dimensions has a point per row. Rows with a missing coordinate are missing, rows of "
          "weight "
          "0\n"
          "left out; both are counted. BIC counts the other rows, whatever their weights.\n" +
          std::string(input_help) +
          "\nOf another family with several --columns a missing cell adds nothing to its row, which is missing where "
          "all "
          "are.\n"
          "Where a component of a gaussian mixture collapses from every start, 1e-6 to 1e-3 of each coordinate's "
          "variance\n"
          "is added to the covariances: the status is then regularized.\n"
          "Components are numbered from 0, in order of their first mean coordinate. Larger than memory "
          "may be\n"
          "a .npy file of the precision asked for, and on a CPU a Parquet file, without --by and --plot.\n\n"
          "Examples:\n"
          "  manyfit mixture gaussian faithful.csv --components 1:6 --plot faithful.svg\n"
          "  manyfit mixture gaussian cells.parquet --by plate --columns area,intensity --components 2 --format json "
          "--out "
          "m.json\n"
          "  manyfit mixture gamma rain.csv --column millimetres --components 1:3\n"
          "  manyfit mixture bernoulli answers.csv --columns q1,q2,q3,q4 --components 1:5",
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace manyfit::app
