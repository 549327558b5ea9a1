// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Sums over columns of few values for K components at once, the inner loops of mixtures of products
// (product_passes.hpp). Neighbouring columns form a group, whose values in a row are one pattern, a byte
// (models/coded_columns.hpp). For 0 and 1 a pattern is of four columns: to add a number for each pattern takes a
// quarter of the additions, and no product, of what a matrix product of the rows takes. Components lie along the
// vectors. A few groups are gone through for all rows at a time, so that their part of the table stays in L1.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/math/pack.hpp"
#include "kernels/models/coded_columns.hpp"

MF_NAMESPACE_BEGIN

/// f(Packs as a type, first component, first group, end of groups) for all components and groups, at most four packs
/// and what stays in L1 at a time.
template <class F>
void each_part_of_table(const code_rows& codes, int width, F f) {
  constexpr int most_packs = 4, bytes_in_l1 = 24 << 10;
  const int packs = width / pack::lanes, micro_tiles = (packs + most_packs - 1) / most_packs;
  for (int micro_tile = 0, k = 0; micro_tile < micro_tiles; ++micro_tile) {
    const int own = (packs - k / pack::lanes + micro_tiles - micro_tile - 1) / (micro_tiles - micro_tile);
    const int patterns = bytes_in_l1 / (own * pack::lanes * static_cast<int>(sizeof(double)));
    for (int begin = 0, end; begin < codes.groups; begin = end) {
      end = begin + 1;
      while (end < codes.groups && codes.first_pattern[end + 1] - codes.first_pattern[begin] <= patterns) ++end;
      switch (own) {
        case 1:
          f(std::integral_constant<int, 1>(), k, begin, end);
          break;
        case 2:
          f(std::integral_constant<int, 2>(), k, begin, end);
          break;
        case 3:
          f(std::integral_constant<int, 3>(), k, begin, end);
          break;
        default:
          f(std::integral_constant<int, 4>(), k, begin, end);
      }
    }
    k += own * pack::lanes;
  }
}

/// to[i × width + k] += Σ_g table[pattern(i, g) × width + k]. width: a multiple of 8. Two rows at once: every addition
/// waits for the one before.
inline void add_patterns(const code_rows& codes, const double* table, int width, double* to) {
  each_part_of_table(codes, width, [&](auto count, int k, int begin, int end) {
    constexpr int packs = decltype(count)::value;
    const auto add = [&](auto at_once, std::int64_t i) {
      constexpr int rows = decltype(at_once)::value;
      pack sum[rows][packs];
      for (int r = 0; r < rows; ++r)
        for (int j = 0; j < packs; ++j) sum[r][j] = pack::load(to + (i + r) * width + k + j * pack::lanes);
      for (int g = begin; g < end; ++g)
        for (int r = 0; r < rows; ++r) {
          const double* const from = table + codes.pattern(i + r, g) * width + k;
          for (int j = 0; j < packs; ++j) sum[r][j] += pack::load(from + j * pack::lanes);
        }
      for (int r = 0; r < rows; ++r)
        for (int j = 0; j < packs; ++j) sum[r][j].store(to + (i + r) * width + k + j * pack::lanes);
    };
    std::int64_t i = 0;
    for (; i + 2 <= codes.rows; i += 2) add(std::integral_constant<int, 2>(), i);
    if (i < codes.rows) add(std::integral_constant<int, 1>(), i);
  });
}

/// Rows whose responsibilities are added up together.
inline constexpr int most_rows = 1024;

/// A responsibility of this much of its row's largest adds nothing to a sum that a double could show: with many columns
/// most components have so little of most rows.
inline constexpr double responsibility_that_shows = 1e-43;

/// table[pattern(i, g) × width + k] += responsibilities[i × width + k] for every row and group, but for the
/// responsibilities of neighbouring components that do not show. Of most_rows rows at most.
inline void add_responsibilities_of_tile(const code_rows& codes, const double* responsibilities, int width,
                                         double* table) {
  double least[most_rows];
  std::int32_t near[most_rows];  // rows of which the components that are gone through have a responsibility that shows
  int count = 0;
  for (std::int64_t i = 0; i < codes.rows; ++i) {
    pack most = pack::load(responsibilities + i * width);
    for (int k = pack::lanes; k < width; k += pack::lanes)
      most = maximum(most, pack::load(responsibilities + i * width + k));
    double lane[pack::lanes];
    most.store(lane);
    least[i] = responsibility_that_shows * *std::max_element(lane, lane + pack::lanes);
  }
  each_part_of_table(codes, width, [&](auto packs_at_once, int k, int begin, int end) {
    constexpr int packs = decltype(packs_at_once)::value;
    if (begin == 0) {
      count = 0;
      for (std::int64_t i = 0; i < codes.rows; ++i) {
        pack most = pack::load(responsibilities + i * width + k);
        for (int j = 1; j < packs; ++j)
          most = maximum(most, pack::load(responsibilities + i * width + k + j * pack::lanes));
        near[count] = static_cast<std::int32_t>(i);
        count += any(most > pack(least[i]));
      }
    }
    for (int at = 0; at < count; ++at) {
      const std::int64_t i = near[at];
      pack own[packs];
      for (int j = 0; j < packs; ++j) own[j] = pack::load(responsibilities + i * width + k + j * pack::lanes);
      for (int g = begin; g < end; ++g) {
        double* const sum = table + codes.pattern(i, g) * width + k;
        for (int j = 0; j < packs; ++j) (pack::load(sum + j * pack::lanes) + own[j]).store(sum + j * pack::lanes);
      }
    }
  });
}
inline void add_responsibilities(const code_rows& codes, const double* responsibilities, int width, double* table) {
  for (std::int64_t first = 0; first < codes.rows; first += most_rows)
    add_responsibilities_of_tile(
        {codes.bytes + first * codes.groups, std::min<std::int64_t>(most_rows, codes.rows - first), codes.groups,
         codes.first_pattern},
        responsibilities + first * width, width, table);
}

MF_NAMESPACE_END
