// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The contract of a group (kernels/contracts/group.hpp), for every group and several rules of rows: which rows count,
// and that each of them is summed once. Numbers are small integers, so that sums are exact in any order.
#include <cmath>
#include <limits>
#include <memory>

#include "kernels/contracts/family_rows.hpp"
#include "kernels/families/normal.hpp"
#include "kernels/families/poisson.hpp"
#include "kernels/families/weibull.hpp"
#include "on_groups.hpp"

namespace manyfit {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

/// Rows of integers; every so often one that must not count, by its value, its weight or a column.
template <class T, int Columns>
struct rows_of_integers {
  std::vector<T> values, weights, columns[Columns + 1];

  rows_of_integers(int size, bool weighted, bool poisoned) {
    const double bad[] = {nan, inf, -inf, -7, 0.5};
    for (int i = 0; i < size; ++i) {
      values.push_back(static_cast<T>(1 + i * 7 % 101));
      if (poisoned && i % 5 == 3) values.back() = static_cast<T>(bad[i / 5 % 5]);
      if (weighted) weights.push_back(static_cast<T>(i % 4));
      if (weighted && poisoned && i % 13 == 8)
        weights.back() = static_cast<T>(i % 2 == 0 ? nan : i % 3 == 0 ? inf : -1);
      for (int c = 0; c < Columns; ++c) {
        columns[c].push_back(static_cast<T>(c == 1 ? i % 2 : c == 2 ? 200 : i % 17));
        if (poisoned && i % 19 == 4 + c) columns[c].back() = static_cast<T>(bad[i / 19 % 5]);
      }
    }
  }
  sample<T, Columns> view() const {
    sample<T, Columns> s;
    s.values = values.data();
    s.weights = weights.empty() ? nullptr : weights.data();
    s.size = static_cast<std::int64_t>(values.size());
    if constexpr (Columns > 0)
      for (int c = 0; c < Columns; ++c) s.columns[c] = columns[c].data();
    return s;
  }
};

/// A feature, a mark and an upper end.
using rows_with_columns = plain_rows<column_role::covariate, column_role::mark, column_role::upper>;

/// What a plain loop makes of the rows, by a rule of its own. Sums: w, w y, w y², and per column w c and w c y.
template <class Rows, class T>
struct expected {
  std::int64_t used = 0, missing = 0, left_out = 0, nonfinite = 0, outside = 0;
  double least = inf;
  std::vector<double> sums = std::vector<double>(3 + 2 * Rows::columns);

  explicit expected(const rows_of_integers<T, Rows::columns>& rows) {
    for (std::size_t i = 0; i < rows.values.size(); ++i) {
      const double x = rows.values[i], w = rows.weights.empty() ? 1 : rows.weights[i];
      double column[Rows::columns + 1] = {};
      bool is_missing = std::isnan(x) || std::isnan(w), finite = std::isfinite(x) && std::isfinite(w) && w >= 0;
      bool inside = Rows::support::contains(x);
      for (int c = 0; c < Rows::columns; ++c) {
        column[c] = rows.columns[c][i];
        is_missing = is_missing || std::isnan(column[c]);
        if (c != 2) finite = finite && std::isfinite(column[c]);
        if (c == 1) inside = inside && (column[c] == 0 || column[c] == 1);
        if (c == 2) inside = inside && column[c] >= x;
      }
      if (is_missing)
        ++missing;
      else if (w == 0)
        ++left_out;
      else if (!finite)
        ++nonfinite;
      else if (!inside)
        ++outside;
      else {
        ++used;
        const double y = Rows::coordinate(x);
        least = std::min(least, y);
        sums[0] += w;
        sums[1] += w * y;
        sums[2] += w * y * y;
        for (int c = 0; c < Rows::columns; ++c) {
          const double finite_column = std::isinf(column[c]) ? 1000 : column[c];
          sums[3 + 2 * c] += w * finite_column;
          sums[4 + 2 * c] += w * finite_column * y;
        }
      }
    }
  }
};

template <class Rows, class Group>
std::vector<double> sums_over(const Group& points, const sample_summary& s) {
  using S = typename Group::scalar;
  constexpr int K = 3 + 2 * Rows::columns;
  std::vector<double> out{static_cast<double>(s.observations), static_cast<double>(s.missing),
                          static_cast<double>(s.left_out), static_cast<double>(s.nonfinite),
                          static_cast<double>(s.outside)};
  if (s.observations == 0) return out;
  for (int pass = 0; pass < 2; ++pass) {
    const auto total = points.sum([](const auto& row) {
      const S y = value_in(row);
      vec<S, K> term;
      term[0] = S(1);
      term[1] = y;
      term[2] = y * y;
      if constexpr (Rows::columns > 0)
        for (int c = 0; c < Rows::columns; ++c) {
          const S column = minimum(row.column[c], S(1000.0));
          term[3 + 2 * c] = column;
          term[4 + 2 * c] = column * y;
        }
      return term;
    });
    for (int k = 0; k < K; ++k) out.push_back(total[k]);
    out.push_back(points.minimum_of([](const auto& row) { return value_in(row); }));
  }
  out.push_back(s.weight);
  out.push_back(s.minimum);
  return out;
}

template <class Where, class Rows, class T>
void expect_every_row_once(bool exact) {
  const bool serial = std::is_same_v<Where, on_serial_group>;
  for (const int size : {0, 1, 3, 9, 33, 200, 9000})
    for (const bool weighted : {false, true})
      for (const bool poisoned : {false, true}) {
        if (!serial && (size == 3 || size > 1000)) continue;  // threads take their time
        const rows_of_integers<T, Rows::columns> rows(size, weighted, poisoned);
        const expected<Rows, T> e(rows);
        const auto got = Where::template run<Rows, T>(
            rows.view(), [](const auto& points, const sample_summary& s) { return sums_over<Rows>(points, s); });
        const double counts[] = {static_cast<double>(e.used), static_cast<double>(e.missing),
                                 static_cast<double>(e.left_out), static_cast<double>(e.nonfinite),
                                 static_cast<double>(e.outside)};
        for (std::size_t i = 0; i < 5; ++i) ASSERT_EQ(got[i], counts[i]) << "count " << i << " of " << size;
        if (e.used == 0) continue;
        std::vector<double> sums = e.sums;
        sums.push_back(e.least);
        ASSERT_EQ(got.size(), 5 + 2 * sums.size() + 2);
        for (std::size_t i = 0; i < 2 * sums.size(); ++i) {
          const double found = got[5 + i], right = sums[i % sums.size()];
          ASSERT_TRUE(exact ? found == right : std::abs(found - right) <= 1e-5 * (1 + std::abs(right)))
              << "sum " << i << " of " << size << ": " << found << " and not " << right;
        }
        ASSERT_EQ(got[got.size() - 2], e.sums[0]);
        ASSERT_TRUE(std::abs(got[got.size() - 1] - e.least) <= 1e-6 * (1 + std::abs(e.least)));
      }
}

template <class Where>
struct group : testing::Test {};
TYPED_TEST_SUITE(group, all_groups);

TYPED_TEST(group, sums_every_row_that_counts_once) {
  expect_every_row_once<TypeParam, family_rows<normal>, double>(true);
  expect_every_row_once<TypeParam, family_rows<poisson>, float>(true);
}
TYPED_TEST(group, sums_coordinates_of_the_rows) {
  expect_every_row_once<TypeParam, family_rows<weibull>, double>(false);
}
TYPED_TEST(group, reads_columns_beside_the_value) {
  expect_every_row_once<TypeParam, rows_with_columns, double>(true);
  expect_every_row_once<TypeParam, rows_with_columns, float>(true);
}

TYPED_TEST(group, asks_nothing_of_a_row_that_does_not_count) {
  // Unused rows of every kind, in which the logarithm would be NaN or infinite.
  const std::vector<double> values{3, nan, 5, -1, 2, 0, 4, 8, inf, 6, -inf, 7};
  const std::vector<double> weights{1, 1, 1, 1, 0, 1, nan, 2, 1, -1, 0, 1};
  const std::vector<double> feature{2, 1, 0, 4, 5, 0, 1, 3, 1, 2, inf, nan};
  sample<double, 1> rows;
  rows.values = values.data();
  rows.weights = weights.data();
  rows.size = 12;
  rows.columns[0] = feature.data();
  using rule = plain_rows<column_role::covariate>;
  const auto got = TypeParam::template run<rule, double>(rows, [](const auto& points, const sample_summary&) {
    using S = typename std::decay_t<decltype(points)>::scalar;
    const auto total = points.sum([](const auto& row) { return vec<S, 2>{row.y * row.y, row.column[0]}; });
    const double least = points.minimum_of([](const auto& row) { return row.column[0] - row.y; });
    return std::vector<double>{total[0], total[1], least};
  });
  EXPECT_EQ(got[0], 9 + 25 + 1 + 0 + 2 * 64);
  EXPECT_EQ(got[1], 2 + 0 + 4 + 0 + 2 * 3);
  EXPECT_EQ(got[2], -5);
}

static_assert(point_group<serial_group<family_rows<normal>>>);
static_assert(point_group<serial_group<rows_with_columns>>);
static_assert(point_group<lanes_group<family_rows<weibull>, float, lane_context<true>>>);
static_assert(point_group<lanes_group<rows_with_columns, double, lane_context<false>>>);

}  // namespace
}  // namespace manyfit
