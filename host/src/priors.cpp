// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "priors.hpp"

#include <algorithm>
#include <cmath>

#include "cpu_dispatch.hpp"

namespace manyfit {

namespace {

[[noreturn]] void throw_argument(const std::string& message) {
  throw error(error::kind::argument, message);
}

std::string names_of(const family_info& family) {
  std::string names;
  for (int i = 0; i < family.parameter_count; ++i) names += std::string(i ? ", " : "") + family.parameters[i].name;
  return names;
}

void check_distribution(const std::string& what, const family_info& distribution, const prior_distribution& given) {
  if (distribution.discrete)
    throw_argument(what + ": " + distribution.name + " is discrete; a continuous family expected");
  if (static_cast<int>(given.parameters.size()) != distribution.parameter_count)
    throw_argument(what + ": " + distribution.name + " has " + std::to_string(distribution.parameter_count) +
                   (distribution.parameter_count == 1 ? " parameter (" : " parameters (") + names_of(distribution) +
                   "); " + std::to_string(given.parameters.size()) + " given");
  for (int i = 0; i < distribution.parameter_count; ++i) {
    const double value = given.parameters[static_cast<std::size_t>(i)];
    const constraint kind = distribution.parameters[i].kind;
    if (!(std::isfinite(value) && (kind == constraint::real || value > 0)))
      throw_argument(what + ": " + distribution.name + "'s " + distribution.parameters[i].name + " is " +
                     std::to_string(value) + "; expected " + describe(kind));
  }
}

/// Whether some of the parameter's range has a density.
bool meets_range(const parameter_prior& prior, constraint kind) {
  if (kind == constraint::real) return true;
  return prior.highest > 0 && (kind == constraint::positive || prior.lowest < 1);
}

}  // namespace

std::vector<parameter_prior> priors_from(const family_info& family, const fit_options& options) {
  std::vector<parameter_prior> priors;
  for (const auto& [name, given] : options.priors) {
    const int p = find_parameter(family, name);
    const std::string what = "prior of " + std::string(family.name) + "'s " + name;
    if (options.fixed.contains(name))
      throw_argument(what + ": " + name + " is fixed; give a prior or a value, not both");
    if (family.parameters[p].kind == constraint::count)
      throw_argument(what + ": " + name + " is no parameter that is estimated; it must be fixed");
    const family_info& distribution = find_family(given.family);
    check_distribution(what, distribution, given);
    const parameter_prior prior = make_prior(p, distribution, given.parameters);
    if (!(prior.lowest <= prior.highest))
      throw_argument(what + ": " + distribution.name + " has no density anywhere at these parameters");
    if (!meets_range(prior, family.parameters[p].kind))
      throw_argument(what + ": " + distribution.name + " lies between " + std::to_string(prior.lowest) + " and " +
                     std::to_string(prior.highest) + ", and " + name + " is " + describe(family.parameters[p].kind));
    priors.push_back(prior);
  }
  std::sort(priors.begin(), priors.end(), [](const auto& a, const auto& b) { return a.parameter < b.parameter; });
  return priors;
}

}  // namespace manyfit
