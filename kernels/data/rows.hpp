// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The rows of one fit: where they lie, what they hold, and the one rule that says which of them count. A row is a value
// with a weight and, where a model asks for them, further columns: coordinates, a design row or an offset, a mark, the
// upper end of an interval.
#pragma once

#include <utility>

#include "kernels/data/frame.hpp"
#include "kernels/data/support.hpp"
#include "kernels/math/polynomial.hpp"
#include "kernels/views.hpp"

MF_NAMESPACE_BEGIN

/// One fit's raw rows: a slice of a batch.
template <class T, int Columns = 0>
struct sample {
  const T* values;   ///< [size]
  const T* weights;  ///< [size] or null
  std::int64_t size;
  const T* columns[Columns];  ///< each [size]
};
template <class T>
struct sample<T, 0> {
  const T* values;
  const T* weights;
  std::int64_t size;
};

/// A row as a model sees it: y is the value, or what the rule of rows makes of it. Without columns it is y itself.
template <class S, int Columns>
struct row_with_columns {
  S y;
  S column[Columns];
};
template <class S, int Columns>
struct row_type {
  using type = row_with_columns<S, Columns>;
};
template <class S>
struct row_type<S, 0> {
  using type = S;
};
template <class S, int Columns>
using row = typename row_type<S, Columns>::type;
template <class S>
MF_FN S value_in(const S& y) {
  return y;
}
template <class S, int Columns>
MF_FN S value_in(const row_with_columns<S, Columns>& r) {
  return r.y;
}

/// Where a fit's points lie among all values of a batch.
struct sample_place {
  std::int64_t begin, size;
};

template <class T>
MF_FN sample_place place_of(const batch_view<T>& batch, std::int64_t fit) {
  const std::int64_t begin = batch.offsets ? batch.offsets[fit] : fit * batch.size;
  return {begin, batch.offsets ? batch.offsets[fit + 1] - begin : batch.size};
}
template <class T>
MF_FN sample<T> sample_at(const batch_view<T>& batch, const sample_place& place) {
  return {batch.values + place.begin, batch.weights ? batch.weights + place.begin : nullptr, place.size};
}
template <class T>
MF_FN sample<T> sample_of(const batch_view<T>& batch, std::int64_t fit) {
  return sample_at(batch, place_of(batch, fit));
}

/// How a row counts.
enum class row_class { used, missing, left_out, nonfinite, outside };

/// The one rule. A row is missing when one of its numbers or its weight is NaN, left out when its weight is 0, whatever
/// else it holds, then nonfinite when a number that must be finite is not or the weight cannot be one, and outside when
/// the model has no density for it.
MF_FN row_class class_of(bool missing, bool weightless, bool finite, bool inside) {
  if (missing) return row_class::missing;
  if (weightless) return row_class::left_out;
  if (!finite) return row_class::nonfinite;
  return inside ? row_class::used : row_class::outside;
}
/// What a weight may be, for passes that need not tell why a row does not count.
template <class T>
MF_FN bool is_weight(T w) {
  return w >= 0 && is_finite(w);
}
template <class Support, class T>
MF_FN row_class classify(T x, T w) {
  return class_of(is_missing(x) || is_missing(w), w == 0, is_finite(x) && is_weight(w), Support::contains(x));
}

/// What a column holds.
enum class column_role {
  covariate,  ///< a coordinate, an element of a design row, an offset: finite
  mark,       ///< 0 or 1: how the value was seen
  upper       ///< the upper end of an interval that begins at the value: not below it, infinite when it is open
};
/// Whether c may stand in a column beside the value x: finite where it must be, and inside.
template <column_role Role, class S>
MF_FN auto is_finite_as(const S& c) {
  if constexpr (Role == column_role::upper)
    return c == c;
  else
    return is_finite(c);
}
template <column_role Role, class S>
MF_FN auto is_inside_as(const S& c, const S& x) {
  if constexpr (Role == column_role::mark)
    return c == S(0) || c == S(1);
  else if constexpr (Role == column_role::upper)
    return c >= x;
  else
    return c == c;
}

/// The rule by which rows of plain numbers are read, a column for each role; see contracts/group.hpp.
template <column_role... Roles>
struct plain_rows {
  using support = supports::reals;
  static constexpr int columns = sizeof...(Roles);
  static constexpr bool transforms = false, moves = false;
  template <class S>
  MF_FN static S coordinate(const S& x) {
    return x;
  }
  template <class S>
  MF_FN static S coordinate(const S& x, const frame&) {
    return x;
  }
  template <class S, class Summary>
  MF_FN static bool improve(const Summary&, frame&) {
    return false;
  }
  template <class S>
  MF_FN static auto columns_are_finite(const S* column) {
    return finite(column, std::make_integer_sequence<int, columns>());
  }
  template <class S>
  MF_FN static auto columns_are_inside(const S* column, const S& x) {
    return inside(column, x, std::make_integer_sequence<int, columns>());
  }

 private:
  template <class S, int... C>
  MF_FN static auto finite(const S* column, std::integer_sequence<int, C...>) {
    return (is_finite_as<Roles>(column[C]) && ...);
  }
  template <class S, int... C>
  MF_FN static auto inside(const S* column, const S& x, std::integer_sequence<int, C...>) {
    return (is_inside_as<Roles>(column[C], x) && ...);
  }
};

/// The class of row i of a sample.
template <class Rows, class T, class Index>
MF_FN row_class classify(const sample<T, Rows::columns>& rows, Index i) {
  const T x = rows.values[i], w = rows.weights ? rows.weights[i] : T(1);
  if constexpr (Rows::columns == 0) {
    return classify<typename Rows::support>(x, w);
  } else {
    T column[Rows::columns];
    bool missing = is_missing(x) || is_missing(w);
    for (int c = 0; c < Rows::columns; ++c) {
      column[c] = rows.columns[c][i];
      missing = missing || is_missing(column[c]);
    }
    return class_of(missing, w == 0, is_finite(x) && is_weight(w) && Rows::columns_are_finite(column),
                    Rows::support::contains(x) && Rows::columns_are_inside(column, x));
  }
}

/// What one pass over a sample tells, in coordinates y (the values themselves where a family has no coordinate).
struct sample_summary {
  std::int64_t observations = 0;  ///< values used: present, with a weight > 0
  std::int64_t missing = 0;       ///< a NaN in the row
  std::int64_t outside = 0;       ///< finite values outside the support
  std::int64_t nonfinite = 0;     ///< infinite values, infinite or negative weights
  std::int64_t left_out = 0;      ///< values of weight 0
  double weight = 0;              ///< Σw; the number of observations when there are no weights
  double mean = 0;                ///< Σwy / Σw
  double minimum = 0, maximum = 0;
  frame in;  ///< what the coordinates are relative to
};

/// Adds one row to the counts of a summary.
MF_FN void count(sample_summary& s, row_class row) {
  s.observations += row == row_class::used;
  s.missing += row == row_class::missing;
  s.left_out += row == row_class::left_out;
  s.nonfinite += row == row_class::nonfinite;
  s.outside += row == row_class::outside;
}
/// Rows that are there, with a weight other than 0: what a fit reports as its number of observations.
MF_FN std::int64_t present(const sample_summary& s) {
  return s.observations + s.outside + s.nonfinite;
}

/// Reads a sample in the frame that suits it: `read(frame)` gives its summary there, and is asked again while a better
/// frame is found. Σ w y may leave the doubles' range where no value does and no frame can help: its mean is then
/// formed in a smaller unit. Rows: the rule of the group, see contracts/group.hpp.
template <class Rows, class Read, class Group>
MF_FN_LARGE sample_summary read_in_frame(Read read, const Group& points) {
  using S = typename Group::scalar;
  frame f;
  sample_summary s;
  do s = read(f);
  while (Rows::template improve<S>(s, f));
  if constexpr (!is_single<S>) {  // groups add floats in double
    constexpr double small = 0x1p-100;
    if (s.observations > 0 && !is_finite(s.mean) && is_finite(s.weight))
      s.mean = points.sum([=](const auto& row) { return vec<S, 1>{value_in(row) * S(small)}; })[0] / s.weight / small;
  }
  return s;
}

MF_NAMESPACE_END
