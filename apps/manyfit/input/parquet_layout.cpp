// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#ifdef MF_WITH_ARROW

#include "input/parquet_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "input/arrow_pool.hpp"
#include "input/input_error.hpp"

namespace manyfit::app {

bool has_dictionary_throughout(const parquet::FileMetaData& metadata, int leaf) {
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto chunk = metadata.RowGroup(group)->ColumnChunk(leaf);
    if (!chunk->has_dictionary_page()) return false;
    for (const parquet::PageEncodingStats& each : chunk->encoding_stats()) {
      const bool data =
          each.page_type == parquet::PageType::DATA_PAGE || each.page_type == parquet::PageType::DATA_PAGE_V2;
      if (data && each.encoding != parquet::Encoding::PLAIN_DICTIONARY &&
          each.encoding != parquet::Encoding::RLE_DICTIONARY)
        return false;
    }
  }
  return true;
}

void throw_wrong_count(const std::string& source) {
  throw input_error(fmt::format("{}: holds other rows than it says\na sound Parquet file was expected", source));
}

std::vector<std::int64_t> rows_of_groups(const parquet::FileMetaData& metadata, const std::vector<int>& leaves,
                                         int first, int groups, std::int64_t file_bytes, const std::string& source) {
  const std::int64_t most = plausible_pool::most_for(static_cast<std::size_t>(file_bytes)) / std::int64_t{8};
  std::vector<std::int64_t> begin{0};
  for (int group = first; group < first + groups; ++group) {
    const auto of_group = metadata.RowGroup(group);
    const std::int64_t rows = of_group->num_rows();
    const auto differs = [&](int leaf) { return of_group->ColumnChunk(leaf)->num_values() != rows; };
    if (std::any_of(leaves.begin(), leaves.end(), differs)) throw_wrong_count(source);
    if (rows < 0 || rows > most - begin.back()) throw_wrong_count(source);
    begin.push_back(begin.back() + rows);
  }
  if (groups == metadata.num_row_groups() && begin.back() != metadata.num_rows()) throw_wrong_count(source);
  return begin;
}

}  // namespace manyfit::app

#endif
