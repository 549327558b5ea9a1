// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Key columns are read in parts (chunks of a text, row groups of a Parquet file), each with its own texts, and joined
// at the end.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "host/src/key_hash.hpp"
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

/// Makes a part of its cells. Keeps a table of keys that came lately, each of which has one place in it: what comes too
/// seldom to be still there is told apart by join_keys() alone, and nobody can make up keys that cost more.
class key_collector {
 public:
  void reserve(std::size_t rows);
  /// A cell whose data() is null is missing. The text must live as long as the part, or until own_texts().
  void add(std::string_view cell) {
    waiting_.push_back(cell);
    if (waiting_.size() == most_waiting) take_waiting();
  }
  key_part finish();

 private:
  static constexpr std::size_t most_waiting = 1024;  // a loop over hashes costs half of a hash now and then
  static constexpr int place_bits = 13;
  struct recent_key {
    std::uint64_t hash = 0;
    std::uint32_t length = 0;  ///< its low bits
    std::int32_t code = -1;
  };
  void take_waiting();

  std::vector<std::string_view> waiting_;
  std::vector<recent_key> recent_;
  key_part part_;
};

/// The parts as one column, its dictionary in order of first appearance. Each part's memory is given back once it is
/// used. Negative zeros (-0, -0.00) are the same key as the zero without the sign.
column join_keys(std::vector<key_part>& parts, unsigned threads);

}  // namespace manyfit::app
