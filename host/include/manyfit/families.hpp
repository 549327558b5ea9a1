// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels/families/all.hpp"
#include "kernels/registry.hpp"

namespace manyfit {

/// All registered families, in the order in which they are listed.
std::vector<const family_info*> all_families();

/// The family of that name; throws error::kind::argument with the nearest names when there is none.
const family_info& find_family(std::string_view name);

/// Whether a type is one of the registered families.
template <class Family>
inline constexpr bool is_registered = false;
#define MF_FAMILY(family) \
  template <>             \
  inline constexpr bool is_registered<families::family> = true;
#include "kernels/families/families.def"
#undef MF_FAMILY

/// Index of a parameter of that name; throws error::kind::argument that lists the family's parameters.
int find_parameter(const family_info& family, std::string_view name);

}  // namespace manyfit
