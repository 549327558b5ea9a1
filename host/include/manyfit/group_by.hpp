// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// From a table's rows to the samples of a batch: rows with equal keys are one group.
//   const auto groups = manyfit::group_by(keys);
//   const auto offsets = manyfit::group_offsets(groups);
//   const auto values = manyfit::in_group_order<double>(column, groups, offsets);
//   const auto results = manyfit::fit<manyfit::weibull>(where, manyfit::ragged<double>(values, offsets));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace manyfit {

/// The group of a row that has no key.
inline constexpr std::int32_t no_group = -1;

/// Which group each row is in. Groups are numbered from 0 in order of first appearance.
struct row_groups {
  std::vector<std::int32_t> group_of_row = {};  ///< [rows]; no_group where the row has no key
  std::vector<std::int64_t> first_row = {};     ///< [groups], rising: the row in which each first appears

  std::int64_t count() const { return static_cast<std::int64_t>(first_row.size()); }
};

struct group_by_options {
  int threads = 0;  ///< 0: as many as this process may use
  /// Of the hash. Without one it is drawn once per process, so that nobody can make up keys that collide.
  std::optional<std::uint64_t> seed = {};
};

/// Groups rows by a text each. A text whose data() is null is no key; an empty text is one. The result is the same for
/// any number of threads and any seed. Takes about 24 bytes a row beside the result. Method: a seeded 64-bit hash, a
/// radix partition by its upper bits into partitions whose tables fit into a core's cache, then one table for each
/// partition. Throws error::kind::argument for more than 2^31 - 1 rows, and std::bad_alloc.
row_groups group_by(std::span<const std::string_view> keys, const group_by_options& options = {});

/// The same by texts that lie in several parts: the rows of the first part, then those of the second, and so on.
row_groups group_by(std::span<const std::span<const std::string_view>> parts, const group_by_options& options = {});

/// The same by a whole number each; no number stands for "no key".
row_groups group_by(std::span<const std::uint64_t> keys, const group_by_options& options = {});

/// Groups rows by a pair of groups, as for a key of several columns. A row that has no group in one of them has none
/// here. Throws error::kind::argument for spans of different sizes.
row_groups group_by(std::span<const std::int32_t> first, std::span<const std::int32_t> second,
                    const group_by_options& options = {});

/// Where each group's rows begin once rows stand group by group, as ragged() wants it: [groups + 1], from 0. Rows
/// without a group count nowhere.
std::vector<std::int64_t> group_offsets(const row_groups& groups);

/// A column's values group by group, each group's in the order of its rows: [offsets.back()]. Rows without a group are
/// left out. `offsets` as group_offsets() gives it; `values` [rows].
template <class To, class From>
std::vector<To> in_group_order(std::span<const From> values, const row_groups& groups,
                               std::span<const std::int64_t> offsets) {
  std::vector<std::int64_t> next(offsets.begin(), offsets.end());
  std::vector<To> ordered(static_cast<std::size_t>(offsets.back()));
  for (std::size_t row = 0; row < values.size(); ++row) {
    const std::int32_t group = groups.group_of_row[row];
    if (group == no_group) continue;
    ordered[static_cast<std::size_t>(next[static_cast<std::size_t>(group)]++)] = static_cast<To>(values[row]);
  }
  return ordered;
}

}  // namespace manyfit
