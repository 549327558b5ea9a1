// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Key columns are read in parts (pieces of a text, row groups of a Parquet file), each with its own texts, and joined
// at the end.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "input/table.hpp"

namespace manyfit::app {

/// One part of a key column.
struct key_part {
  std::vector<std::int32_t> codes = {};      ///< [rows]; index into `texts`, -1 where missing
  std::vector<std::string_view> texts = {};  ///< in order of first appearance; one may come again
  std::shared_ptr<const void> owned = {};    ///< what `texts` point into, where nothing else keeps it alive

  /// Copies the texts, so that what they pointed into may go.
  void own_texts();
};

/// A part from its cells; one whose data() is null is missing.
key_part make_key_part(std::span<const std::string_view> cells);

/// The parts as one column, its dictionary in order of first appearance. Each part's memory is given back once it is
/// used. Negative zeros (-0, -0.00) are the same key as the zero without the sign.
column join_keys(std::vector<key_part>& parts, unsigned threads);

}  // namespace manyfit::app
