// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What an algorithm sees of one fit's rows. A group G gives
//   G::scalar           what a formula is evaluated on: pack, double or float
//   g.load(sample)      one pass: drops missing values, counts, checks support, keeps y = coordinate(x); one or two
//   more
//                       where the sample needs a frame
//   g.sum(f)            Σ w f(y) over the rows used, f: scalar → vec<scalar, K>; gives vec<double, K>
//   g.minimum_of(f)     min f(y), f: scalar → scalar; gives double
// Every lane of a group gets the same result, bit for bit, and the order of summation depends on the fit's own size
// only. A row that is not used is kept as a second copy of a used one with weight 0: sums and minima then need no mask.
// f must be finite on used rows, or the sum is not finite either.
//
// A group is told how to read rows by a rule R, and knows nothing else of what is fitted:
//   R::support                       which values count as inside
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
  { R::transforms } -> std::convertible_to<bool>;
  { R::moves } -> std::convertible_to<bool>;
};

/// What a group is asked for, in its simplest form: for the concept below.
template <class S>
struct value_of_row {
  MF_FN vec<S, 1> operator()(const S& y) const { return {y}; }
};
template <class S>
struct row_itself {
  MF_FN S operator()(const S& y) const { return y; }
};

template <class G>
concept point_group = requires(G g, const G& loaded, sample<double> rows) {
  typename G::scalar;
  { loaded.sum(value_of_row<typename G::scalar>()) } -> std::same_as<vec<double, 1>>;
  { loaded.minimum_of(row_itself<typename G::scalar>()) } -> std::same_as<double>;
};

MF_NAMESPACE_END
