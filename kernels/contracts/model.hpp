// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What one row is worth. A model M gives
//   M::dimension                 how many parameters it has
//   M::constraint_of(i)          the range of parameter i
//   M::rows                      the rule by which a group reads its rows; see contracts/group.hpp
//   M::log_density(p, row)       templated on the scalar T of p, a vec<T, dimension>, and of the row; branch-free
//                                in the row: T is a jet where derivatives are wanted
// It knows neither where the rows are nor who asks. A family is a model, and more: contracts/family.hpp.
#pragma once

#include "kernels/contracts/family_rows.hpp"
#include "kernels/contracts/group.hpp"

MF_NAMESPACE_BEGIN

template <class M>
concept model = requires(vec<double, M::dimension> p, row<double, M::rows::columns> r) {
  requires row_rule<typename M::rows>;
  { M::constraint_of(0) } -> std::same_as<constraint>;
  { M::log_density(p, r) } -> std::convertible_to<double>;
};

/// A family as a model.
template <family Family>
struct family_model {
  static constexpr int dimension = parameter_count<Family>;
  using rows = family_rows<Family>;
  MF_FN static constexpr constraint constraint_of(int i) { return manyfit::constraint_of<Family>(i); }
  template <class T, class S>
  MF_FN static T log_density(const vec<T, dimension>& p, const S& y) {
    const auto named = params_from<Family>(p);
    return log_kernel_of<Family>(named, y) + log_constant_of<Family, T>(named);
  }
};

MF_NAMESPACE_END
