// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Coded columns by themselves: what is coded, what a pattern tells, and sums over patterns against plain loops.
#include "cpu_dispatch.hpp"
#include "kernels/models/row_distances.hpp"
#include "product_tests.hpp"

namespace manyfit::tests {
namespace {

/// Rows whose columns have 1, 2, 3, 17, 255 and 256 values, of the second to fourth some missing.
std::vector<double> rows_of_values(std::size_t n) {
  std::vector<double> rows;
  for (std::size_t i = 0; i < n; ++i)
    for (const std::size_t values : {1u, 2u, 3u, 17u, 255u, 256u})
      rows.push_back(values > 1 && values < 20 && i % 5 == 0 ? nan : -2.5 * static_cast<double>(i * 7 % values));
  return rows;
}

mixture_sample sample_of_values(const std::vector<double>& rows, std::size_t fewest) {
  return read_mixture_sample<double>(rows_of(rows, 6).view, 0, fewest);
}

TEST(coded_columns, of_few_values_tell_every_cell) {
  const std::vector<double> rows = rows_of_values(1300);
  const mixture_sample sample = sample_of_values(rows, 1);
  const coded_columns& codes = sample.codes;
  ASSERT_EQ(codes.columns().size(), 5u);  // 256 values are too many
  EXPECT_EQ(codes.values().size(), 1u + 2 + 3 + 17 + 255);
  EXPECT_EQ(codes.groups(), 3u);  // the first three say one of 1 × 3 × 4 things together
  const code_rows all = codes.rows(0, 1300);
  for (std::size_t i = 0; i < 1300; ++i)
    for (const coded_columns::column& column : codes.columns()) {
      const double x = rows[i * 6 + column.number];
      std::size_t value;
      ASSERT_EQ(column.tells(all.bytes[i * codes.groups() + column.group], value), !std::isnan(x));
      if (!std::isnan(x)) {
        ASSERT_EQ(codes.values()[column.first_value + value], x);
      }
    }
  EXPECT_EQ(sample_of_values(rows, 3).codes.columns().size(), 3u);
  EXPECT_TRUE(sample_of_values(rows, 0).codes.empty());
}

TEST(coded_columns, sums_over_patterns_are_those_of_plain_loops) {
  const std::size_t n = 1101;
  const std::vector<double> rows = rows_of_values(n);
  const mixture_sample sample = sample_of_values(rows, 1);
  const code_rows codes = sample.codes.rows(0, n);
  for (const int width : {8, 16, 24, 40, 72, 104}) {
    const auto W = static_cast<std::size_t>(width);
    std::vector<double> table(sample.codes.patterns() * W), to(n * W, 0.5), responsibilities(n * W),
        sums(table.size(), 0.25);
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = std::sin(static_cast<double>(i));
    for (std::size_t i = 0; i < responsibilities.size(); ++i)
      responsibilities[i] = i / W % 3    ? 1.5 + std::cos(static_cast<double>(i))
                            : i % W == 3 ? 1.0
                                         : 1e-60;  // some do not show
    std::vector<double> wanted = to, wanted_sums = sums;
    for (std::size_t i = 0; i < n; ++i)
      for (int g = 0; g < codes.groups; ++g)
        for (std::size_t k = 0; k < W; ++k) {
          const std::size_t at = static_cast<std::size_t>(codes.pattern(static_cast<std::int64_t>(i), g)) * W + k;
          wanted[i * W + k] += table[at];
          wanted_sums[at] += responsibilities[i * W + k];
        }
    cpu_mixture_functions().add_patterns(codes, table.data(), width, to.data());
    cpu_mixture_functions().add_responsibilities(codes, responsibilities.data(), width, sums.data());
    EXPECT_EQ(to, wanted) << width;
    EXPECT_EQ(sums, wanted_sums) << width;
  }
}

TEST(coded_columns, rows_lie_as_far_apart_whether_columns_are_coded_or_not) {
  const std::vector<double> rows = rows_of_values(300);
  const mixture_sample coded = sample_of_values(rows, 1), plain = sample_of_values(rows, 0);
  std::vector<double> a(300), b(300);
  for (const std::size_t seed : {0u, 1u, 5u, 299u}) {
    row_distances(coded).from(seed, a.data());
    row_distances(plain).from(seed, b.data());
    for (std::size_t i = 0; i < 300; ++i) ASSERT_TRUE(std::abs(a[i] - b[i]) <= 1e-12 * (1 + b[i])) << i;
    EXPECT_EQ(a[seed], 0);
  }
}

}  // namespace
}  // namespace manyfit::tests
