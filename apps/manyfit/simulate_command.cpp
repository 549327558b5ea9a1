// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "commands.hpp"
#include "constraints.hpp"
#include "failures.hpp"
#include "manyfit/manyfit.hpp"
#include "options.hpp"
#include "output/result_writer.hpp"
#include "progress_bar.hpp"

namespace manyfit::app {

namespace {

struct simulate_arguments {
  common_options common;
  std::string family;
  std::vector<std::string> parameters;
  std::int64_t size = 0, fits = 1;
};

/// The parameters in the family's order. Throws usage_error that lists them unless each is given, once, and allowed.
std::vector<double> parameters_of(const family_info& family, const std::vector<std::string>& texts) {
  const auto given = parse_assignments(texts, "--parameters");
  const std::string takes = fmt::format("\n{} takes {}", family.name, list_parameters(family));
  std::vector<double> values;
  for (int p = 0; p < family.parameter_count; ++p) {
    const auto found = given.find(family.parameters[p].name);
    if (found == given.end())
      throw usage_error(fmt::format("--parameters: {} is missing{}", family.parameters[p].name, takes));
    values.push_back(found->second);
  }
  for (const auto& [name, value] : given)
    if (std::none_of(family.parameters, family.parameters + family.parameter_count,
                     [&](const parameter& each) { return name == each.name; }))
      throw usage_error(fmt::format("--parameters: {} has no parameter '{}'{}", family.name, excerpt(name), takes));
  // The family itself knows what it can draw from: a draw from anything else is NaN.
  if (std::isnan(simulate(executor::cpu(1), family, {values.data(), 0, 1}, 1, 1).front()))
    throw usage_error(fmt::format("--parameters: {} cannot be drawn from at {}{}", family.name,
                                  fmt::format("{}", texts.front()), takes));
  return values;
}

/// A row for each fit, with its draws: CSV has a line for each, and names the fit where there are several.
/// `draws_from`: those of fit `first` and later ones, when rows are written.
schema describe(const simulate_arguments& arguments, const family_info& family, const executor& where,
                const std::vector<double>& draws_from, const std::int64_t& first) {
  const common_options& common = arguments.common;
  const bool several = arguments.fits > 1;
  const auto draws = make_axis({.size = arguments.size});
  schema result{.command = "simulate",
                .about = {{"family", family.name}, {"device", where.name()}, {"precision", common.precision}},
                .name = "values",
                .rows = arguments.fits,
                .layout = json_layout::values,
                .column_lines = {draws},
                .for_programs = true,
                .array_shape = several ? std::vector{arguments.fits, arguments.size} : std::vector{arguments.size},
                .array_single = common.single()};
  if (several)
    result.fields.push_back({.column = "fit", .value = integer([](const position& at) { return at.row + 1; })});
  result.fields.push_back(
      {.json = "values",
       .column = "value",
       .value = number([&draws_from, &first, size = arguments.size](const position& at) {
         return draws_from[static_cast<std::size_t>((at.row - first) * size + at.at[0])];
       }),
       .along = {draws},
       .piece =
           [&draws_from, &first, size = static_cast<std::size_t>(arguments.size)](std::int64_t row) {
             return std::span(draws_from).subspan(static_cast<std::size_t>(row - first) * size, size);
           },
       .single = common.single()});
  return result;
}

int run(const simulate_arguments& arguments) {
  const common_options& common = arguments.common;
  const family_info& family = find_family(arguments.family);
  const std::vector<double> parameters = parameters_of(family, arguments.parameters);
  const output_format format = format_of(common, true);
  const executor where = executor_of(common);
  output to(common.out);

  // A block of fits at a time: memory is bounded, and the stream of a fit is its number whatever the block.
  constexpr std::int64_t block_values = 1 << 22;
  const std::int64_t block = std::clamp<std::int64_t>(block_values / arguments.size, 1, arguments.fits);
  std::vector<double> draws;
  std::int64_t first = 0;
  const schema what = describe(arguments, family, where, draws, first);
  const std::unique_ptr<result_writer> writer = writer_of(what, format, to);
  progress_bar bar("drawing", "fits", common.quiet);
  for (; first < arguments.fits; first += block) {
    const std::int64_t count = std::min(block, arguments.fits - first);
    simulate_options options{.seed = common.seed};
    for (std::int64_t fit = first; fit < first + count; ++fit)
      options.streams.push_back(static_cast<std::uint64_t>(fit));
    draws = simulate(where, family, {parameters.data(), 0, 1}, count, arguments.size, options);
    writer->write(first, first + count);
    bar.update(static_cast<std::uint64_t>(first + count), static_cast<std::uint64_t>(arguments.fits));
  }
  bar.clear();
  writer->finish();
  to.finish();
  return exit_done;
}

}  // namespace

command simulate_command() {
  const auto arguments = std::make_shared<simulate_arguments>();
  std::vector<option> options{
      {"FAMILY", &arguments->family, "What to draw from; manyfit families lists them"},
      {.name = "--parameters",
       .to = &arguments->parameters,
       .help = "Every parameter of the family",
       .value = "NAME=VALUE,...",
       .required = true},
      {.name = "--size",
       .to = &arguments->size,
       .help = "Draws in each fit",
       .value = "N",
       .most = std::int64_t{1} << 40,
       .required = true},
      {.name = "--fits",
       .to = &arguments->fits,
       .help = "Samples of that size (default 1); more than one have a column fit, from 1",
       .value = "B",
       .most = std::int64_t{1} << 40},
  };
  append(options, shared_options(arguments->common));
  return {
      .name = "simulate",
      .help = "Draw from a family with given parameters",
      .options = std::move(options),
      .footer =
          "The same seed gives the same draws on every device. --out FILE.npy writes an array.\n\n"
          "Example:\n"
          "  manyfit simulate gamma --parameters shape=2,rate=0.5 --size 1000 --fits 50 --seed 1 --format csv --out "
          "draws.csv",
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace manyfit::app
