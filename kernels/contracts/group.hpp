// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What an algorithm sees of one fit's rows. A group G gives
//   G::scalar           what a formula is evaluated on: pack, double or float
//   g.load(sample)      one pass: drops missing values, counts, checks support, keeps y = coordinate(x); one or
//                       two more where the sample needs a frame
//   g.sum(f)            Σ w f(row) over the rows used, f: row → vec<scalar, K>; gives vec<double, K>
//   g.minimum_of(f)     min f(row), f: row → scalar; gives double
// where a row is y alone, a scalar, or with columns a row_with_columns (data/rows.hpp).
// Every lane of a group gets the same result, bit for bit, and the order of summation depends on the fit's own size
// only. A row that is not used is kept as a second copy of a used one with weight 0: sums and minima then need no mask.
// f must be finite on used rows, or the sum is not finite either.
//
// A group is told how to read rows by a rule R, and knows nothing else of what is fitted:
//   R::support                       which values count as inside
//   R::columns                       how many columns there are beside the value; where there are any,
//   R::columns_are_finite(column), R::columns_are_inside(column, x)    what they may hold
//   R::coordinate(x)                 what is made of a value, once; R::transforms: it is not the value itself
//   R::coordinate(x, frame)          the same in a frame; R::moves: there is any but the plain one
//   R::improve<S>(summary, frame)    chooses a better frame for a sample that was read as the summary says, for
//                                    arithmetic in S; false when none is needed
#pragma once

#include <concepts>

#include "kernels/data/rows.hpp"

MF_NAMESPACE_BEGIN

template <class R>
concept row_rule = requires(double x, const sample_summary s, frame f) {
  { R::support::contains(x) } -> std::same_as<bool>;
  { R::coordinate(x) } -> std::same_as<double>;
  { R::coordinate(x, f) } -> std::same_as<double>;
  { R::template improve<double>(s, f) } -> std::same_as<bool>;
  { R::columns } -> std::convertible_to<int>;
  { R::transforms } -> std::convertible_to<bool>;
  { R::moves } -> std::convertible_to<bool>;
};

/// What a group is asked for, in its simplest form: for the concept below.
struct probe_row {
  template <class Row>
  MF_FN auto operator()(const Row& r) const {
    return vec<decltype(value_in(r)), 1>{value_in(r)};
  }
};
struct probe_value {
  template <class Row>
  MF_FN auto operator()(const Row& r) const {
    return value_in(r);
  }
};

template <class G>
concept point_group = requires(const G& g) {
  typename G::scalar;
  { g.sum(probe_row()) } -> std::same_as<vec<double, 1>>;
  { g.minimum_of(probe_value()) } -> std::same_as<double>;
};

MF_NAMESPACE_END
