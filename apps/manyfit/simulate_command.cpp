// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "commands.hpp"
#include "constraints.hpp"
#include "failures.hpp"
#include "input/arrow_reader.hpp"
#include "manyfit/manyfit.hpp"
#include "options.hpp"
#include "output/numbers.hpp"
#include "output/text.hpp"
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

/// Writes draws as they come, a block of fits at a time.
class draw_writer {
 public:
  draw_writer(const simulate_arguments& arguments, const family_info& family, const executor& where,
              output_format format, output& to)
      : arguments_(arguments), format_(format), to_(to) {
    const common_options& common = arguments.common;
    std::string& text = to.text();
    if (format == output_format::json)
      text += fmt::format(
          "{{\"manyfit\": \"{}\", \"command\": \"simulate\", \"family\": \"{}\", \"device\": \"{}\", "
          "\"precision\": \"{}\",\n \"values\": [",
          version(), family.name, where.name(), common.precision);
    else if (format == output_format::npy)
      write_npy_header(several() ? std::vector{arguments.fits, arguments.size} : std::vector{arguments.size},
                       common.single(), to);
    else if (format != output_format::parquet)
      text += several() ? "fit,value\n" : "value\n";
  }

  /// Draws of one fit, in order; fits are numbered from 0 here and from 1 in the output.
  void add(std::int64_t fit, std::span<const double> values) {
    const bool single = arguments_.common.single();
    std::string& text = to_.text();
    if (format_ == output_format::npy) return write_npy_values(values, single, to_);
    if (format_ == output_format::parquet) {
      if (several()) fit_column_.insert(fit_column_.end(), values.size(), static_cast<double>(fit + 1));
      for (const double value : values) value_column_.push_back(single ? static_cast<float>(value) : value);
      return;
    }
    const bool json = format_ == output_format::json;
    if (json && several()) text += fit == 0 ? "[" : ",\n  [";
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (json && i > 0) text += ", ";
      if (!json && several()) {
        append_number(text, fit + 1);
        text += ',';
      }
      json && !std::isfinite(values[i]) ? (void)text.append("null") : append_at_precision(text, values[i], single);
      if (!json) text += '\n';
      to_.flush_when_full();
    }
    if (json && several()) text += ']';
  }

  void finish() {
    if (format_ == output_format::json) to_.text() += "]}\n";
    if (format_ == output_format::parquet) {
      table data{.source = "draws", .rows = value_column_.size()};
      if (several()) data.columns.push_back({.name = "fit", .numbers = std::move(fit_column_)});
      data.columns.push_back({.name = "value", .numbers = std::move(value_column_)});
      write_parquet(data, to_.file_to_write());
    }
    to_.finish();
  }

 private:
  bool several() const { return arguments_.fits > 1; }

  const simulate_arguments& arguments_;
  output_format format_;
  output& to_;
  std::vector<double> fit_column_, value_column_;  // Parquet is written whole
};

int run(const simulate_arguments& arguments) {
  const common_options& common = arguments.common;
  const family_info& family = find_family(arguments.family);
  const std::vector<double> parameters = parameters_of(family, arguments.parameters);
  const output_format format = format_of(common, true);
  const executor where = executor_of(common);
  output to(common.out);
  draw_writer writer(arguments, family, where, format, to);

  // A block of fits at a time: memory is bounded, and the stream of a fit is its number whatever the block.
  constexpr std::int64_t block_values = 1 << 22;
  const std::int64_t block = std::clamp<std::int64_t>(block_values / arguments.size, 1, arguments.fits);
  progress_bar bar("drawing", "fits", common.quiet);
  for (std::int64_t first = 0; first < arguments.fits; first += block) {
    const std::int64_t count = std::min(block, arguments.fits - first);
    simulate_options options{.seed = common.seed};
    for (std::int64_t fit = first; fit < first + count; ++fit)
      options.streams.push_back(static_cast<std::uint64_t>(fit));
    const std::vector<double> draws =
        simulate(where, family, {parameters.data(), 0, 1}, count, arguments.size, options);
    const std::span<const double> all(draws);
    const auto size = static_cast<std::size_t>(arguments.size);
    for (std::int64_t i = 0; i < count; ++i)
      writer.add(first + i, all.subspan(static_cast<std::size_t>(i) * size, size));
    bar.update(static_cast<std::uint64_t>(first + count), static_cast<std::uint64_t>(arguments.fits));
  }
  bar.clear();
  writer.finish();
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
