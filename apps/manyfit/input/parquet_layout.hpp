// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// What a Parquet file says of itself that the reader goes by. Included only where MF_WITH_ARROW is defined.

#pragma once

#include <parquet/metadata.h>

#include <cstdint>
#include <string>
#include <vector>

namespace manyfit::app {

/// Whether every page of a text column has codes into a dictionary. Where a writer gave that up for lack of space, our
/// own grouping is faster than Arrow's.
bool has_dictionary_throughout(const parquet::FileMetaData& metadata, int leaf);

/// Where the rows of `groups` row groups from `first` on begin, and where the last ones end: [groups + 1]. Throws
/// input_error where the file's counts of them differ, or are of more than a file of so many bytes can hold.
std::vector<std::int64_t> rows_of_groups(const parquet::FileMetaData& metadata, const std::vector<int>& leaves,
                                         int first, int groups, std::int64_t file_bytes, const std::string& source);

/// For a row group that holds fewer rows than that, or more.
[[noreturn]] void throw_wrong_count(const std::string& source);

}  // namespace manyfit::app
