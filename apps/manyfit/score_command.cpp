// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "apps/support/messages.hpp"
#include "commands.hpp"
#include "failures.hpp"
#include "input_options.hpp"
#include "manyfit/manyfit.hpp"
#include "mixture_models.hpp"
#include "output/result_writer.hpp"
#include "scores.hpp"

namespace manyfit::app {

namespace {

const family_info& family_of(const score_arguments& arguments, const model& document) {
  const std::string& path = arguments.model_path;
  if (arguments.responsibilities || arguments.label || !arguments.columns.empty())
    throw usage_error(fmt::format("{} needs a mixture, and {} is a model of one family: {}\nleave it out{}",
                                  arguments.label              ? "--label"
                                  : arguments.responsibilities ? "--responsibilities"
                                                               : "--columns",
                                  excerpt(path, 300), document.family,
                                  arguments.columns.empty() ? "" : ", or name one --column"));
  return known_family(document, path);
}

/// log_density, r0 ..., label of every row. `width`: responsibilities of each row.
schema describe(const row_scores& rows, std::int64_t width, const score_arguments& arguments, const model& document,
                const executor& where) {
  const mixture_scores& scores = rows.scores;
  schema result{
      .command = "score",
      .about = {{"family", document.family}, {"device", where.name()}, {"precision", arguments.common.precision}},
      .rows = rows.rows,
      .layout = json_layout::columns,
      .for_programs = true,
      .array_shape = {rows.rows}};
  result.fields.push_back({.column = "log_density", .value = each_of(scores.log_density)});
  if (arguments.responsibilities)
    result.fields.push_back({.column = "r{0}",
                             .value = number([&scores, width](const position& at) {
                               return scores.responsibilities[static_cast<std::size_t>(at.row * width + at.at[0])];
                             }),
                             .along = {make_axis({.size = width})}});
  if (arguments.label)
    result.fields.push_back({.column = "label", .value = number([&scores](const position& at) {
                                                  const std::int32_t label =
                                                      scores.labels[static_cast<std::size_t>(at.row)];
                                                  return label < 0 ? std::nan("") : label;
                                                })});
  if (document.command == "mixture")
    result.array_shape.push_back(1 + (arguments.responsibilities ? width : 0) + arguments.label);
  return result;
}

/// Scores rows, writes them and says what they are; the exit code.
template <class Score>
int score_and_write(const score_arguments& arguments, const model& document, std::int64_t width, const char* scored,
                    const executor& where, output_format format, Score score) {
  const common_options& common = arguments.common;
  output to(common.out);
  const row_scores result = score();
  write_result(describe(result, width, arguments, document, where), format, to);
  to.finish();
  attempt([&] {
    if (result.without_fit > 0)
      warn(common, fmt::format("{} rows have a key without a fit in the model: their log_density is empty",
                               result.without_fit));
    if (result.of_failed_fits > 0)
      warn(common,
           fmt::format("{} rows belong to fits without parameters: their log_density is empty", result.of_failed_fits));
    if (!common.quiet)
      tell("manyfit: {} {} on {}, {} precision\n", result.rows, fmt::format(fmt::runtime(scored), document.family),
           where.name(), common.precision);
  });
  return result.without_fit + result.of_failed_fits > 0 && common.fail_on_any() ? exit_failed : exit_done;
}

int run(const score_arguments& arguments) {
  const common_options& common = arguments.common;
  const output_format format = format_of(common, true);
  check_files({arguments.model_path, arguments.input.path}, common);
  const executor where = executor_of(common);
  if (arguments.model_path == "-" && arguments.input.path == "-")
    throw usage_error("MODEL.json and INPUT cannot both be stdin\ngive one of them as a file");
  const model document = read_model(arguments.model_path);
  if (document.command != "mixture") {
    const family_info& family = family_of(arguments, document);
    return score_and_write(arguments, document, 0, "values scored under {}", where, format,
                           [&] { return score_fits(arguments, document, family, where); });
  }
  if (!arguments.input.column.empty() && !arguments.columns.empty())
    throw usage_error("--column and --columns cannot be given together\ngive the coordinates to --columns");
  const auto under = [&](const auto& mixtures) {
    return score_and_write(arguments, document, mixtures.max_components, "rows scored under {} mixtures", where, format,
                           [&] { return score_mixtures(arguments, document, mixtures, where); });
  };
  if (document.family == "gaussian") return under(gaussian_mixtures(document, arguments.model_path));
  return under(family_mixtures(document, arguments.model_path));
}

}  // namespace

command score_command() {
  const auto arguments = std::make_shared<score_arguments>();
  std::vector<option> options{
      {"MODEL.json", &arguments->model_path, "Output of manyfit fit or mixture --format json; - is stdin"},
      {"INPUT", &arguments->input.path, "CSV, TSV, Parquet, Feather, .npy or .npz file; - is stdin"},
      column_option("--column", arguments->input.column,
                    "The values (default: the only number column not named otherwise)"),
      {"--by", &arguments->by, "Match each row to its fit by these columns (default: those of the model)", "a,b"},
      {"--columns", &arguments->columns, "Coordinates; of a mixture only", "a,b"},
      {"--responsibilities", &arguments->responsibilities, "Responsibility of each component; of a mixture only"},
      {"--label", &arguments->label, "The likeliest component; of a mixture only"},
  };
  append(options, reading_options(arguments->input.format));
  append(options, shared_options(arguments->common));
  return {
      .name = "score",
      .help = "Log-density of every value under a fitted model",
      .options = std::move(options),
      .footer =
          "Rows come out in the order of the input. A missing value has an empty log_density (null in JSON); a value "
          "outside\n"
          "the support has -inf (null in JSON). --out FILE.npy writes an array. Responsibilities are r0, r1, ..., and "
          "labels\n"
          "count components from 0, in the order of the model.\n" +
          std::string(input_help) +
          "\n\n"
          "Examples:\n"
          "  manyfit fit gamma rain.csv --column millimetres --by station --format json --out model.json\n"
          "  manyfit score model.json rain.csv --column millimetres --by station --format csv --out scores.csv\n"
          "  manyfit score mixture.json faithful.csv --responsibilities --label --format csv",
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace manyfit::app
