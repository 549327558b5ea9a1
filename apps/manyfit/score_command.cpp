// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "apps/support/messages.hpp"
#include "commands.hpp"
#include "failures.hpp"
#include "input/arrow_reader.hpp"
#include "input/model_json.hpp"
#include "input_options.hpp"
#include "manyfit/manyfit.hpp"
#include "mixture_models.hpp"
#include "options.hpp"
#include "output/numbers.hpp"
#include "output/text.hpp"
#include "samples.hpp"
#include "score_mixture.hpp"

namespace manyfit::app {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

struct score_arguments {
  common_options common;
  sample_request input;
  std::string model_path, by, columns;
  bool responsibilities = false, label = false;
};

/// A model's family, and per fit its key and parameters.
struct fitted_family {
  const family_info* family;
  model document;
};

fitted_family family_of(const score_arguments& arguments, model&& document) {
  const std::string& path = arguments.model_path;
  fitted_family result{nullptr, std::move(document)};
  if (arguments.responsibilities || arguments.label || !arguments.columns.empty())
    throw usage_error(fmt::format("{} needs a mixture, and {} is a model of one family: {}\nleave it out{}",
                                  arguments.label              ? "--label"
                                  : arguments.responsibilities ? "--responsibilities"
                                                               : "--columns",
                                  excerpt(path, 300), result.document.family,
                                  arguments.columns.empty() ? "" : ", or name one --column"));
  for (const family_info* each : all_families())
    if (result.document.family == each->name) result.family = each;
  if (!result.family)
    throw input_error(
        fmt::format("{}: the family is '{}', which this manyfit does not know\n"
                    "manyfit families lists what it knows",
                    excerpt(path, 300), excerpt(result.document.family)));
  return result;
}

/// Parameter p of fit i at [p * fits + i]; NaN where the document has null.
std::vector<double> parameters_in(const fitted_family& from, const std::string& path) {
  const std::size_t fits = from.document.fits.size(), count = static_cast<std::size_t>(from.family->parameter_count);
  std::vector<double> values(count * fits, none);
  for (std::size_t i = 0; i < fits; ++i)
    for (std::size_t p = 0; p < count; ++p) {
      const char* name = from.family->parameters[p].name;
      const named_numbers& given = from.document.fits[i].parameters;
      const auto found = std::find_if(given.begin(), given.end(), [&](const auto& each) { return each.first == name; });
      if (found == given.end())
        throw input_error(fmt::format("{}: fits[{}].parameters has no '{}'\nevery parameter of {} was expected",
                                      excerpt(path, 300), i, name, from.family->name));
      values[p * fits + i] = found->second;
    }
  return values;
}

/// One set of parameters for all values: cut into pieces, so that every core has work.
template <class T>
std::vector<double> score_with_one(const executor& where, const family_info& family, const std::vector<T>& values,
                                   const std::vector<double>& parameters) {
  constexpr std::int64_t piece = 1 << 16;
  const auto size = static_cast<std::int64_t>(values.size());
  std::vector<std::int64_t> offsets;
  for (std::int64_t at = 0; at < size; at += piece) offsets.push_back(at);
  offsets.push_back(size);
  return log_density(where, family, ragged<T>(values, offsets), {parameters.data(), 0, 1});
}

struct scores {
  std::vector<double> log_density;  ///< in input order
  std::int64_t rows_without_fit = 0, rows_of_failed_fits = 0;
};

template <class T>
scores score(const score_arguments& arguments, const fitted_family& from, const executor& where) {
  const model& document = from.document;
  const family_info& family = *from.family;
  const std::string path = excerpt(arguments.model_path, 300);
  const std::vector<double> parameters = parameters_in(from, arguments.model_path);
  sample_request request = arguments.input;
  request.by = match_columns(arguments.by, document, arguments.model_path);
  request.keep_order = true;
  const std::size_t fits = document.fits.size(), count = static_cast<std::size_t>(family.parameter_count);
  const sample_set<T> samples = read_samples<T>(request, arguments.common, where.threads());
  if (samples.values.empty()) warn(arguments.common, fmt::format("{} has no observations", samples.source));

  scores result;
  std::vector<double> of_sample;  // [count × samples]
  if (request.by.empty() && fits == 1) {
    if (samples.shape.size() == 2 && samples.shape[1] > 1)
      throw input_error(
          fmt::format("{}: each row has {} coordinates, and {} has one\n"
                      "an array of one column was expected, or a model with a fit for each row",
                      samples.source, samples.shape[1], family.name));
    result.log_density = score_with_one(where, family, samples.values, parameters);
    if (std::any_of(parameters.begin(), parameters.end(), [](double each) { return std::isnan(each); }))
      result.rows_of_failed_fits = static_cast<std::int64_t>(samples.values.size());
    return result;
  }
  if (request.by.empty()) {
    if (samples.shape.size() != 2 || samples.shape[0] != fits)
      throw input_error(
          fmt::format("{}: {} has {} fits without keys\na .npy array of {} rows was expected, one for each fit",
                      samples.source, path, fits, fits));
    of_sample = parameters;
  } else {
    const std::vector<std::int64_t> fit_of = fits_of_samples(document, samples.keys, arguments.model_path);
    of_sample.assign(count * fit_of.size(), none);
    for (std::size_t sample = 0; sample < fit_of.size(); ++sample) {
      const std::int64_t rows = samples.offsets[sample + 1] - samples.offsets[sample];
      if (fit_of[sample] < 0) result.rows_without_fit += rows;
      for (std::size_t p = 0; p < count && fit_of[sample] >= 0; ++p)
        of_sample[p * fit_of.size() + sample] = parameters[p * fits + static_cast<std::size_t>(fit_of[sample])];
    }
  }
  const std::size_t sample_count = static_cast<std::size_t>(samples.count());
  for (std::size_t sample = 0; sample < sample_count; ++sample) {
    bool failed = false;
    for (std::size_t p = 0; p < count; ++p) failed = failed || std::isnan(of_sample[p * sample_count + sample]);
    if (failed) result.rows_of_failed_fits += samples.offsets[sample + 1] - samples.offsets[sample];
  }
  result.rows_of_failed_fits -= result.rows_without_fit;

  const parameters_view view{of_sample.data(), 1, static_cast<std::int64_t>(sample_count)};
  result.log_density = log_density(where, family, ragged<T>(samples.values, samples.offsets), view);
  if (samples.row_sample.empty()) return result;
  std::vector<std::int64_t> next = samples.offsets;
  std::vector<double> in_input_order(result.log_density.size());
  for (std::size_t row = 0; row < in_input_order.size(); ++row) {
    std::int64_t& place = next[static_cast<std::size_t>(samples.row_sample[row])];
    in_input_order[row] = result.log_density[static_cast<std::size_t>(place++)];
  }
  result.log_density = std::move(in_input_order);
  return result;
}

void write_scores(const std::vector<double>& values, const family_info& family, const executor& where,
                  const common_options& common, output_format format, output& to) {
  std::string& text = to.text();
  switch (format) {
    case output_format::json: {
      text += fmt::format(
          "{{\"manyfit\": \"{}\", \"command\": \"score\", \"family\": \"{}\", \"device\": \"{}\", "
          "\"precision\": \"{}\",\n \"log_density\": [",
          version(), family.name, where.name(), common.precision);
      const char* between = "";
      for (const double value : values) {
        text += between;
        append_json_number(text, value);
        between = ", ";
        to.flush_when_full();
      }
      text += "]}\n";
      break;
    }
    case output_format::npy:
      write_npy_header({static_cast<std::int64_t>(values.size())}, false, to);
      write_npy_values(values, false, to);
      break;
    case output_format::parquet: {
      table data{.source = "scores", .rows = values.size()};
      data.columns.push_back({.name = "log_density", .numbers = values});
      write_parquet(data, to.file_to_write());
      break;
    }
    default:
      text += "log_density\n";
      for (const double value : values) {
        append_lone_csv_number(text, value);
        text += '\n';
        to.flush_when_full();
      }
  }
  to.finish();
}

int run(const score_arguments& arguments) {
  const common_options& common = arguments.common;
  const output_format format = format_of(common, true);
  check_files({arguments.model_path, arguments.input.path}, common);
  const executor where = executor_of(common);
  if (arguments.model_path == "-" && arguments.input.path == "-")
    throw usage_error("MODEL.json and INPUT cannot both be stdin\ngive one of them as a file");
  model document = read_model(arguments.model_path);
  if (document.command == "mixture")
    return score_mixture_model({common,
                                {.path = arguments.input.path, .format = arguments.input.format},
                                arguments.input.column,
                                arguments.columns,
                                arguments.by,
                                arguments.model_path,
                                arguments.responsibilities,
                                arguments.label},
                               document, where, format);
  const fitted_family from = family_of(arguments, std::move(document));
  output to(common.out);
  const scores result = common.single() ? score<float>(arguments, from, where) : score<double>(arguments, from, where);
  write_scores(result.log_density, *from.family, where, common, format, to);
  attempt([&] {
    if (result.rows_without_fit > 0)
      warn(common, fmt::format("{} rows have a key without a fit in the model: their log_density is empty",
                               result.rows_without_fit));
    if (result.rows_of_failed_fits > 0)
      warn(common, fmt::format("{} rows belong to fits without parameters: their log_density is empty",
                               result.rows_of_failed_fits));
    if (!common.quiet)
      tell("manyfit: {} values scored under {} on {}, {} precision\n", result.log_density.size(), from.family->name,
           where.name(), common.precision);
  });
  const bool failed = result.rows_without_fit + result.rows_of_failed_fits > 0;
  return failed && common.fail_on_any() ? exit_failed : exit_done;
}

}  // namespace

command score_command() {
  const auto arguments = std::make_shared<score_arguments>();
  std::vector<option> options{
      {"MODEL.json", &arguments->model_path, "Output of manyfit fit or mixture --format json; - is stdin"},
      {"INPUT", &arguments->input.path, "CSV, TSV, Parquet, Feather, .npy or .npz file; - is stdin"},
      {.name = "--column",
       .to = &arguments->input.column,
       .help = "The values (default: the only number column not named otherwise)",
       .value = "NAME",
       .is_column_name = true},
      {"--by", &arguments->by, "Match each row to its fit by these columns (default: those of the model)", "a,b"},
      {"--columns", &arguments->columns, "Coordinates; of a mixture only", "a,b"},
      {"--responsibilities", &arguments->responsibilities, "Share of each component; of a mixture only"},
      {"--label", &arguments->label, "The likeliest component; of a mixture only"},
  };
  append(options, input_options(arguments->input.format));
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
