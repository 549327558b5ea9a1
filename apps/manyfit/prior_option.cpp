// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "prior_option.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "failures.hpp"
#include "input/input_error.hpp"

namespace manyfit::app {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

[[noreturn]] void throw_wrong_prior(std::string_view text) {
  throw usage_error(
      fmt::format("--prior: '{}' given; a parameter and a distribution with its parameters expected, as in\n"
                  "--prior 'rate=gamma(2,0.5)'; manyfit families lists both",
                  excerpt(text, 80)));
}

}  // namespace

std::map<std::string, prior_distribution> parse_priors(const std::vector<std::string>& texts) {
  std::map<std::string, prior_distribution> result;
  for (const std::string& whole : texts) {
    std::string_view text = trimmed(whole);
    const auto equals = text.find('='), open = text.find('(');
    if (equals == text.npos || open == text.npos || open < equals || text.back() != ')') throw_wrong_prior(whole);
    const std::string name(trimmed(text.substr(0, equals)));
    prior_distribution prior{std::string(trimmed(text.substr(equals + 1, open - equals - 1))), {}};
    if (name.empty() || prior.family.empty()) throw_wrong_prior(whole);
    text = text.substr(open + 1, text.size() - open - 2);
    for (bool more = !trimmed(text).empty(); more;) {
      const auto comma = text.find(',');
      std::string_view number = trimmed(text.substr(0, comma));
      if (number.starts_with('+')) number.remove_prefix(1);
      double value = 0;
      const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
      if (failure != std::errc{} || end != number.data() + number.size()) throw_wrong_prior(whole);
      prior.parameters.push_back(value);
      more = comma != text.npos;
      if (more) text.remove_prefix(comma + 1);
    }
    if (!result.try_emplace(name, std::move(prior)).second)
      throw usage_error(fmt::format("--prior: '{}' is given twice\ngive each parameter one prior", excerpt(name)));
  }
  return result;
}

}  // namespace manyfit::app
