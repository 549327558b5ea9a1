// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/families.hpp"

#include <algorithm>

#include "checks.hpp"

namespace manyfit {

std::vector<const family_info*> all_families() {
  int count = 0;
  const family_info* table = registered_families(count);
  return guarded([&] {
    std::vector<const family_info*> result;
    for (int i = 0; i < count; ++i) result.push_back(table + i);
    return result;
  });
}

namespace {
/// Levenshtein's distance: how many letters to change, add or leave out.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

[[noreturn]] void throw_unknown_family(std::string_view name, const std::vector<const family_info*>& families) {
  const auto nearest = std::min_element(families.begin(), families.end(), [&](const auto* a, const auto* b) {
    return edit_distance(name, a->name) < edit_distance(name, b->name);
  });
  std::string message = "no family is called '" + std::string(name) + "'";
  if (edit_distance(name, (*nearest)->name) <= 3) message += "; did you mean '" + std::string((*nearest)->name) + "'?";
  message += "\nregistered are:";
  for (const family_info* family : families) message += std::string(" ") + family->name;
  throw error(error::kind::argument, message);
}
}  // namespace

const family_info& find_family(std::string_view name) {
  const auto families = all_families();
  for (const family_info* family : families)
    if (name == family->name) return *family;
  throw_unknown_family(name, families);
}

int find_parameter(const family_info& family, std::string_view name) {
  std::string names;
  for (int i = 0; i < family.parameter_count; ++i) {
    if (name == family.parameters[i].name) return i;
    names += std::string(i ? ", " : "") + family.parameters[i].name;
  }
  throw error(error::kind::argument,
              std::string(family.name) + " has no parameter '" + std::string(name) + "'; its parameters are " + names);
}

}  // namespace manyfit
