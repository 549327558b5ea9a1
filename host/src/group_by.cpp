// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/group_by.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <string>

#include "kernels/cpu/parallel.hpp"
#include "key_hash.hpp"
#include "large_array.hpp"
#include "manyfit/error.hpp"
#include "manyfit/executor.hpp"

namespace manyfit {

namespace {

std::uint64_t process_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }();
  return seed;
}

constexpr std::int32_t same_as_before = -2;  // in group_of_row, until groups have their numbers

/// Rows of a tile: its entries fit into a core's own cache while they are sorted by partition.
constexpr std::size_t tile_rows = 32768;
/// Rows of a partition, about: its table and its distinct keys fit there too.
constexpr std::size_t partition_rows = 16384;

/// A row's key as the tables see it.
struct entry {
  std::uint64_t hash;
  std::uint64_t rest;  ///< of a fingerprint; of a text too long for one to tell it, the address of its view
  std::uint32_t row, length;

  bool same_key(const entry& other) const {
    if (hash != other.hash || length != other.length) return false;
    if (length <= key_hash::exact_length) return rest == other.rest;
    return *reinterpret_cast<const std::string_view*>(rest) == *reinterpret_cast<const std::string_view*>(other.rest);
  }
};

struct text_tile {
  std::span<const std::string_view> keys;

  std::size_t size() const { return keys.size(); }
  bool has_key(std::size_t i) const { return keys[i].data() != nullptr; }
  entry at(std::size_t i, const key_hash& hash) const {
    const key_fingerprint print = hash(keys[i]);
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(keys[i].size(), 0xFFFFFFFFu));
    const bool exact = length <= key_hash::exact_length;
    return {print.hash, exact ? print.rest : reinterpret_cast<std::uintptr_t>(&keys[i]), 0, length};
  }
};

struct word_tile {
  std::span<const std::uint64_t> keys;

  std::size_t size() const { return keys.size(); }
  bool has_key(std::size_t) const { return true; }
  entry at(std::size_t i, const key_hash& hash) const { return {hash(keys[i]).hash, 0, 0, 8}; }
};

/// Pairs of groups; no_group in one of them is no key.
struct pair_tile {
  std::span<const std::int32_t> first, second;

  std::size_t size() const { return first.size(); }
  bool has_key(std::size_t i) const { return first[i] != no_group && second[i] != no_group; }
  entry at(std::size_t i, const key_hash& hash) const {
    const auto word = std::uint64_t{static_cast<std::uint32_t>(first[i])} << 32 | static_cast<std::uint32_t>(second[i]);
    return {hash(word).hash, 0, 0, 8};
  }
};

/// The distinct keys of one partition. Open addressing; bits of the hash that tell neither partition nor slot spare
/// most comparisons.
class key_table {
 public:
  void clear() {
    slots_.assign(1024, {});
    distinct_.clear();
  }
  /// The row in which the key came first.
  std::uint32_t first_row_of(const entry& key) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = key.hash & mask;
    const std::uint32_t tag = tag_of(key.hash);
    for (; slots_[at].number >= 0; at = (at + 1) & mask) {
      if (slots_[at].tag != tag) continue;
      const entry& known = distinct_[static_cast<std::size_t>(slots_[at].number)];
      if (key.same_key(known)) return known.row;
    }
    slots_[at] = {tag, static_cast<std::int32_t>(distinct_.size())};
    distinct_.push_back(key);
    if (2 * distinct_.size() > slots_.size()) grow();
    return key.row;
  }

 private:
  struct slot {
    std::uint32_t tag = 0;
    std::int32_t number = -1;
  };
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 20); }
  void grow() {
    slots_.assign(4 * slots_.size(), {});
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = 0; i < distinct_.size(); ++i) {
      std::size_t at = distinct_[i].hash & mask;
      while (slots_[at].number >= 0) at = (at + 1) & mask;
      slots_[at] = {tag_of(distinct_[i].hash), static_cast<std::int32_t>(i)};
    }
  }

  std::vector<slot> slots_;  // a power of two, at most half full
  std::vector<entry> distinct_;
};

/// The rows in which a group appears first, and how many of them come before each row.
class first_rows {
 public:
  /// `first_of_row` [rows]: the row in which the row's group came first.
  first_rows(std::span<const std::int32_t> first_of_row, int threads) : words_(first_of_row.size() / 64 + 1) {
    parallel_for(threads, std::ssize(words_), 1024, [&](std::int64_t index) {
      const std::size_t begin = static_cast<std::size_t>(index) * 64;
      const std::size_t rows = std::min<std::size_t>(first_of_row.size() - begin, 64);
      std::uint64_t bits = 0;
      for (std::size_t i = 0; i < rows; ++i)
        bits |= std::uint64_t{first_of_row[begin + i] == static_cast<std::int32_t>(begin + i)} << i;
      words_[static_cast<std::size_t>(index)].bits = bits;
    });
    for (word& each : words_) {
      each.before = count_;
      count_ += ones_in(each.bits);
    }
  }
  std::int32_t before(std::uint32_t row) const {
    const word& at = words_[row / 64];
    return at.before + ones_in(at.bits & ((std::uint64_t{1} << row % 64) - 1));
  }
  std::vector<std::int64_t> rows() const {
    std::vector<std::int64_t> all;
    all.reserve(static_cast<std::size_t>(count_));
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (std::uint64_t left = words_[i].bits; left != 0; left &= left - 1)
        all.push_back(static_cast<std::int64_t>(i) * 64 + std::countr_zero(left));
    return all;
  }

 private:
  struct word {
    std::uint64_t bits = 0;
    std::int32_t before = 0;
  };
  /// std::popcount is a call that looks up bytes where the program is to run on any x86-64.
  static std::int32_t ones_in(std::uint64_t bits) {
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return static_cast<std::int32_t>(bits * 0x0101010101010101u >> 56);
  }

  std::vector<word> words_;
  std::int32_t count_ = 0;
};

/// Cuts spans of one size into tiles.
template <class Tile, class... Keys>
void add_tiles(std::vector<Tile>& tiles, const std::span<Keys>&... keys) {
  const std::size_t rows = std::min({keys.size()...});
  for (std::size_t first = 0; first < rows; first += tile_rows)
    tiles.push_back({keys.subspan(first, std::min(tile_rows, rows - first))...});
}

template <class Tile>
row_groups group_tiles(const std::vector<Tile>& tiles, const group_by_options& options) {
  const key_hash hash(options.seed.value_or(process_seed()));
  const int threads = options.threads > 0 ? options.threads : executor::cpu().threads();
  std::vector<std::size_t> first_row{0};  // of each tile
  for (const Tile& tile : tiles) first_row.push_back(first_row.back() + tile.size());
  const std::size_t rows = first_row.back();
  if (rows > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw error(error::kind::argument, "group_by: " + std::to_string(rows) +
                                           " rows given; at most 2147483647 were expected, so group them in parts");
  row_groups result;
  if (rows == 0) return result;
  reserve_large(result.group_of_row, rows);
  result.group_of_row.resize(rows);
  std::int32_t* const group_of_row = result.group_of_row.data();

  const int partition_bits = std::min(static_cast<int>(std::bit_width(rows / partition_rows)), 12);
  const std::size_t partitions = std::size_t{1} << partition_bits;
  const auto partition_of = [partition_bits](std::uint64_t hash_of_key) -> std::size_t {
    return partition_bits == 0 ? 0 : hash_of_key >> (64 - partition_bits);
  };
  // Each tile's entries by partition, in the order of rows; where the tile's begin, and where after that each
  // partition's end.
  const large_array<entry> entries = make_large_array<entry>(rows);
  std::atomic<std::size_t> used = 0;
  std::vector<std::size_t> begin(tiles.size());
  std::vector<std::uint16_t> ends(tiles.size() * partitions);
  static_assert(tile_rows <= std::numeric_limits<std::uint16_t>::max());
  parallel_for(
      threads, std::ssize(tiles), 1, [](int) { return std::make_unique_for_overwrite<entry[]>(tile_rows); },
      [&](const std::unique_ptr<entry[]>& in_order, std::int64_t index) {
        const auto b = static_cast<std::size_t>(index);
        const Tile& tile = tiles[b];
        std::uint16_t* const end = ends.data() + b * partitions;
        std::size_t count = 0;
        bool after_key = false;
        for (std::size_t i = 0; i < tile.size(); ++i) {
          const std::size_t row = first_row[b] + i;
          if (!tile.has_key(i)) {
            group_of_row[row] = no_group;
            after_key = false;
            continue;
          }
          entry& each = in_order[count] = tile.at(i, hash);
          if (after_key && each.same_key(in_order[count - 1])) {
            group_of_row[row] = same_as_before;  // sorted tables repeat a key
            continue;
          }
          each.row = static_cast<std::uint32_t>(row);
          ++end[partition_of(each.hash)];
          ++count;
          after_key = true;
        }
        std::exclusive_scan(end, end + partitions, end, std::uint16_t{0});
        begin[b] = used.fetch_add(count, std::memory_order_relaxed);
        for (std::size_t i = 0; i < count; ++i) entries[begin[b] + end[partition_of(in_order[i].hash)]++] = in_order[i];
      });

  // One table for each partition. A row learns in which row its key came first.
  parallel_for(
      threads, static_cast<std::int64_t>(partitions), 1, [](int) { return key_table(); },
      [&](key_table& table, std::int64_t partition) {
        table.clear();
        for (std::size_t b = 0; b < tiles.size(); ++b) {
          const std::uint16_t* const end = ends.data() + b * partitions + partition;
          const entry* const of_tile = entries.get() + begin[b];
          for (std::size_t i = partition == 0 ? 0 : end[-1]; i < *end; ++i)
            group_of_row[of_tile[i].row] = static_cast<std::int32_t>(table.first_row_of(of_tile[i]));
        }
      });

  // Groups in order of first appearance: a group's number is how many first rows come before its own.
  const first_rows firsts(result.group_of_row, threads);
  result.first_row = firsts.rows();
  parallel_for(threads, std::ssize(tiles), 1, [&](std::int64_t tile) {
    const auto b = static_cast<std::size_t>(tile);
    for (std::size_t row = first_row[b]; row < first_row[b + 1]; ++row) {
      std::int32_t& group = group_of_row[row];
      if (group == same_as_before)
        group = group_of_row[row - 1];
      else if (group != no_group)
        group = firsts.before(static_cast<std::uint32_t>(group));
    }
  });
  return result;
}

}  // namespace

row_groups group_by(std::span<const std::string_view> keys, const group_by_options& options) {
  std::vector<text_tile> tiles;
  add_tiles(tiles, keys);
  return group_tiles(tiles, options);
}

row_groups group_by(std::span<const std::span<const std::string_view>> parts, const group_by_options& options) {
  std::vector<text_tile> tiles;
  for (const std::span<const std::string_view>& keys : parts) add_tiles(tiles, keys);
  return group_tiles(tiles, options);
}

row_groups group_by(std::span<const std::uint64_t> keys, const group_by_options& options) {
  std::vector<word_tile> tiles;
  add_tiles(tiles, keys);
  return group_tiles(tiles, options);
}

row_groups group_by(std::span<const std::int32_t> first, std::span<const std::int32_t> second,
                    const group_by_options& options) {
  if (first.size() != second.size())
    throw error(error::kind::argument, "group_by: " + std::to_string(first.size()) + " and " +
                                           std::to_string(second.size()) +
                                           " rows given; as many of both were expected");
  std::vector<pair_tile> tiles;
  add_tiles(tiles, first, second);
  return group_tiles(tiles, options);
}

std::vector<std::int64_t> group_offsets(const row_groups& groups) {
  std::vector<std::int64_t> offsets(groups.first_row.size() + 1);
  for (const std::int32_t group : groups.group_of_row)
    if (group != no_group) ++offsets[static_cast<std::size_t>(group) + 1];
  for (std::size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
  return offsets;
}

}  // namespace manyfit
