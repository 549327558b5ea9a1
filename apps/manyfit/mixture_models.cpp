// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "mixture_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "failures.hpp"
#include "manyfit/manyfit.hpp"
#include "options.hpp"

namespace manyfit::app {

const char* name_of(covariance_structure structure) {
  static constexpr const char* names[covariance_structure_count] = {"full", "diagonal", "tied", "spherical"};
  return names[static_cast<int>(structure)];
}

namespace {

/// The parts of a key as one text that no other key has.
std::string joined(const std::vector<std::string_view>& parts) {
  std::string text;
  for (const std::string_view part : parts) text += fmt::format("{}:{}", part.size(), part);
  return text;
}

/// The names of the columns that make the model's keys; empty when it has none.
std::vector<std::string> key_names(const model& document) {
  std::vector<std::string> names;
  for (const auto& [name, text] : document.fits.front().key) names.push_back(name);
  return names;
}

/// The numbers, `each` of a component, of `count` components.
void copy_components(const std::vector<double>& source, std::int64_t from, std::vector<double>& target, std::int64_t to,
                     std::int64_t count, std::int64_t each) {
  std::copy_n(source.begin() + from * each, count * each, target.begin() + to * each);
}

/// The numbers of components at these places; 1 where the place is -1.
std::vector<std::int32_t> sizes_at(const std::vector<std::int32_t>& all, const std::vector<std::int64_t>& places) {
  std::vector<std::int32_t> sizes;
  for (const std::int64_t place : places) sizes.push_back(place < 0 ? 1 : all[static_cast<std::size_t>(place)]);
  return sizes;
}

}  // namespace

const family_info& known_family(const model& document, const std::string& path) {
  for (const family_info* each : all_families())
    if (document.family == each->name) return *each;
  throw input_error(
      fmt::format("{}: the family is '{}', which this manyfit does not know\n"
                  "manyfit families lists what it knows",
                  excerpt(path, 300), excerpt(document.family)));
}

/// --by, which the model must have been fitted with; without it what the model was fitted with.
std::vector<std::string> match_columns(const std::string& by, const model& document, const std::string& path) {
  const std::vector<std::string> names = key_names(document);
  if (by.empty()) return names;
  const std::vector<std::string> given = split_list(by, "--by");
  if (std::is_permutation(given.begin(), given.end(), names.begin(), names.end())) return given;
  throw usage_error(fmt::format("--by: {} given, and the fits of {} {}\n{}", by, excerpt(path, 300),
                                names.empty() ? "have no keys" : "are by " + list_names(names),
                                names.empty() ? "leave --by out" : "give those columns to --by"));
}

/// Which fit of the model each sample belongs to; -1 for a key without a fit.
std::vector<std::int64_t> fits_of_samples(const model& document, const std::vector<key_column>& keys,
                                          const std::string& path) {
  std::vector<std::string> texts;  // of the fits, then of the samples
  std::vector<std::string_view> parts;
  for (std::size_t i = 0; i < document.fits.size(); ++i) {
    parts.clear();
    for (const key_column& key : keys)
      for (const auto& [name, text] : document.fits[i].key)
        if (name == key.name) parts.push_back(text);
    if (parts.size() != keys.size() || document.fits[i].key.size() != keys.size())
      throw input_error(
          fmt::format("{}: the key of fits[{}] is not by the same columns as that of fits[0]\n"
                      "a document printed by manyfit fit was expected",
                      excerpt(path, 300), i));
    texts.push_back(joined(parts));
  }
  for (std::size_t sample = 0; sample < keys.front().texts.size(); ++sample) {
    parts.clear();
    for (const key_column& key : keys) parts.push_back(key.texts[sample]);
    texts.push_back(joined(parts));
  }
  const row_groups groups = group_by(std::vector<std::string_view>(texts.begin(), texts.end()));
  const auto group_of = [&](std::size_t i) { return static_cast<std::size_t>(groups.group_of_row[i]); };
  std::vector<std::int64_t> fit_of_group(groups.first_row.size(), -1);
  for (std::size_t i = 0; i < document.fits.size(); ++i) {
    std::int64_t& fit = fit_of_group[group_of(i)];
    if (fit >= 0)
      throw input_error(
          fmt::format("{}: fits[{}] has the same key as a fit before it\n"
                      "one fit for each key was expected",
                      excerpt(path, 300), i));
    fit = static_cast<std::int64_t>(i);
  }
  std::vector<std::int64_t> result;
  for (std::size_t i = document.fits.size(); i < texts.size(); ++i) result.push_back(fit_of_group[group_of(i)]);
  return result;
}

mixture_results gaussian_mixtures(const model& document, const std::string& path) {
  const std::string name = excerpt(path, 300);
  if (document.command != "mixture" || document.family != "gaussian")
    throw input_error(fmt::format("{}: a {} of {}\na gaussian mixture printed by manyfit mixture was expected", name,
                                  document.command, excerpt(document.family)));
  std::size_t most = 1, D = 0;
  std::vector<std::int32_t> sizes;
  for (const model_fit& fit : document.fits) {
    const std::size_t own = fit.weights.empty() ? 1 : fit.components;  // memory only for those that have parameters
    most = std::max(most, own);
    sizes.push_back(static_cast<std::int32_t>(std::min<std::size_t>(own, std::numeric_limits<std::int32_t>::max())));
    D = std::max(D, fit.dimensions);
  }
  if (D == 0) throw input_error(fmt::format("{}: no fit has parameters\nat least one mixture was expected", name));
  if (D > static_cast<std::size_t>(max_dimensions) || most > static_cast<std::size_t>(max_components))
    throw input_error(fmt::format("{}: {} components of {} coordinates\nat most {} of {} were expected", name, most, D,
                                  max_components, max_dimensions));
  covariance_structure structure = covariance_structure::full;
  for (int i = 0; i < covariance_structure_count; ++i)
    if (document.covariance == name_of(static_cast<covariance_structure>(i)))
      structure = static_cast<covariance_structure>(i);
  mixture_results r = empty_mixtures(sizes, static_cast<int>(D), structure);
  for (std::size_t i = 0; i < document.fits.size(); ++i) {
    const model_fit& fit = document.fits[i];
    if (fit.weights.empty()) continue;
    const std::int64_t first = r.first_component(static_cast<std::int64_t>(i)), d = r.dimensions;
    std::copy(fit.weights.begin(), fit.weights.end(), r.weights.begin() + first);
    std::copy(fit.means.begin(), fit.means.end(), r.means.begin() + first * d);
    std::copy(fit.covariances.begin(), fit.covariances.end(), r.covariances.begin() + first * d * d);
    r.status[i] = fit_status::converged;
  }
  return r;
}

std::vector<std::string> product_columns(const model& document) {
  for (const model_fit& fit : document.fits)
    if (!fit.columns.empty()) return fit.columns;
  return {};
}

family_mixture_results with_columns(family_mixture_results all, const std::vector<std::string>& from,
                                    const std::vector<std::string>& to) {
  const std::vector<double> given = all.parameters;
  const auto D = static_cast<std::size_t>(all.columns), P = static_cast<std::size_t>(all.parameter_stride);
  for (std::size_t d = 0; d < D; ++d) {
    const auto at = static_cast<std::size_t>(std::find(from.begin(), from.end(), to[d]) - from.begin());
    for (std::size_t first = 0; first < given.size(); first += D * P)
      std::copy_n(given.begin() + static_cast<std::ptrdiff_t>(first + at * P), P,
                  all.parameters.begin() + static_cast<std::ptrdiff_t>(first + d * P));
  }
  return all;
}

family_mixture_results family_mixtures(const model& document, const std::string& path) {
  const std::string name = excerpt(path, 300);
  const family_info* const family = &known_family(document, path);
  std::size_t most = 1;
  std::vector<std::int32_t> sizes;
  for (const model_fit& fit : document.fits) {
    const std::size_t own = fit.weights.empty() ? 1 : fit.components;  // memory only for those that have parameters
    most = std::max(most, own);
    sizes.push_back(static_cast<std::int32_t>(std::min<std::size_t>(own, std::numeric_limits<std::int32_t>::max())));
  }
  if (most > static_cast<std::size_t>(max_components))
    throw input_error(fmt::format("{}: {} components\nat most {} were expected", name, most, max_components));
  const std::vector<std::string> columns = product_columns(document);
  const std::size_t D = std::max<std::size_t>(columns.size(), 1);
  if (D > static_cast<std::size_t>(max_dimensions))
    throw input_error(fmt::format("{}: {} columns\nat most {} were expected", name, D, max_dimensions));
  family_mixture_results r = empty_family_mixtures(sizes, {{family}}, static_cast<int>(D));
  const auto P = static_cast<std::size_t>(r.parameter_stride);
  for (std::size_t i = 0; i < document.fits.size(); ++i) {
    const model_fit& fit = document.fits[i];
    if (fit.weights.empty()) continue;
    const auto first = static_cast<std::size_t>(r.first_component(static_cast<std::int64_t>(i)));
    std::copy(fit.weights.begin(), fit.weights.end(), r.weights.begin() + static_cast<std::ptrdiff_t>(first));
    if (fit.columns != columns)
      throw input_error(fmt::format("{}: fits[{}] is over other columns than the first\nproducts over {} were expected",
                                    name, i, columns.empty() ? "one column" : list_names(columns)));
    for (std::size_t j = 0; j < fit.components * D; ++j)
      for (int p = 0; p < family->parameter_count; ++p) {
        const named_numbers& given = fit.component_parameters[j];
        const char* wanted = family->parameters[p].name;
        const auto found =
            std::find_if(given.begin(), given.end(), [&](const auto& each) { return each.first == wanted; });
        if (found == given.end())
          throw input_error(fmt::format("{}: fits[{}].parameters[{}]{} has no '{}'\nevery parameter of {} was expected",
                                        name, i, j / D, columns.empty() ? "" : "." + excerpt(columns[j % D]), wanted,
                                        family->name));
        r.parameters[(first * D + j) * P + static_cast<std::size_t>(p)] = found->second;
      }
    r.status[i] = fit_status::converged;
  }
  return r;
}

mixture_results mixtures_at(const mixture_results& all, const std::vector<std::int64_t>& places) {
  const std::int64_t D = all.dimensions;
  mixture_results r = empty_mixtures(sizes_at(all.components, places), all.dimensions, all.covariance);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0) continue;
    const std::int64_t from = all.first_component(places[i]), to = r.first_component(static_cast<std::int64_t>(i)),
                       K = r.components[i];
    copy_components(all.weights, from, r.weights, to, K, 1);
    copy_components(all.means, from, r.means, to, K, D);
    copy_components(all.covariances, from, r.covariances, to, K, D * D);
  }
  return r;
}

family_mixture_results mixtures_at(const family_mixture_results& all, const std::vector<std::int64_t>& places) {
  family_mixture_results r = empty_family_mixtures(sizes_at(all.components, places), all.parts, all.columns);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0) continue;
    const std::int64_t from = all.first_component(places[i]), to = r.first_component(static_cast<std::int64_t>(i)),
                       K = r.components[i];
    copy_components(all.weights, from, r.weights, to, K, 1);
    copy_components(all.parameters, from, r.parameters, to, K, all.columns * all.parameter_stride);
  }
  return r;
}

}  // namespace manyfit::app
