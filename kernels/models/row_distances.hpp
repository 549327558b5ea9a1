// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How far rows lie apart, as seeds of a start are chosen by it: of values their difference; of rows of several columns
// the root of the mean square of their differences in the columns that both have, each in units of its column's
// standard deviation.
#pragma once

#include <cmath>

#include "kernels/models/mixture_sample.hpp"

MF_NAMESPACE_BEGIN

class row_distances {
 public:
  explicit row_distances(const mixture_sample& sample) : sample_(sample) {}

  /// Of every row from row `seed`, into out [observations]. Rows without a column in common are √2 apart, as two rows
  /// are on average.
  void from(std::size_t seed, double* out) const {
    const std::size_t n = sample_.size();
    if (sample_.columns.empty()) {
      const double x = sample_.x[seed];
      for (std::size_t i = 0; i < n; ++i) out[i] = std::abs(sample_.x[i] - x);
      return;
    }
    std::vector<double> common(n, 0.0);
    std::fill_n(out, n, 0.0);
    for (const sample_column& column : sample_.columns) {
      if (column.x.empty() || is_missing(column.x[seed])) continue;
      const double unit = column.variance > 0 ? 1 / column.variance : 0;
      for (std::size_t i = 0; i < n; ++i) {
        const double d = column.x[i] - column.x[seed];
        out[i] += d == d ? d * d * unit : 0;
        common[i] += d == d;
      }
    }
    if (!sample_.codes.empty()) add_coded(seed, out, common.data());
    for (std::size_t i = 0; i < n; ++i) out[i] = std::sqrt(common[i] > 0 ? out[i] / common[i] : 2);
  }

 private:
  void add_coded(std::size_t seed, double* out, double* common) const {
    struct part {
      double sum = 0, common = 0;
    };
    const coded_columns& codes = sample_.codes;
    std::vector<part> table(codes.patterns());
    const code_rows one = codes.rows(seed, 1);
    for (const coded_columns::column& column : codes.columns()) {
      std::size_t own, value;
      if (!column.tells(one.bytes[column.group], own)) continue;
      const double* const values = codes.values().data() + column.first_value;
      const double variance = sample_.columns[column.number].variance, unit = variance > 0 ? 1 / variance : 0;
      for (std::size_t c = 0; c < codes.patterns_of(column.group); ++c) {
        if (!column.tells(c, value)) continue;
        part& to = table[codes.first_pattern(column.group) + c];
        to.sum += (values[value] - values[own]) * (values[value] - values[own]) * unit;
        to.common += 1;
      }
    }
    const code_rows all = codes.rows(0, sample_.size());
    for (std::int64_t i = 0; i < all.rows; ++i) {
      part sum;
      for (int g = 0; g < all.groups; ++g) {
        const part& each = table[static_cast<std::size_t>(all.pattern(i, g))];
        sum.sum += each.sum;
        sum.common += each.common;
      }
      out[i] += sum.sum;
      common[i] += sum.common;
    }
  }

  const mixture_sample& sample_;
};

MF_NAMESPACE_END
