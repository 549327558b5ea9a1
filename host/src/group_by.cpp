// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "manyfit/group_by.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "kernels/cpu/parallel.hpp"
#include "key_hash.hpp"
#include "manyfit/error.hpp"
#include "manyfit/executor.hpp"

namespace manyfit {

namespace {

constexpr std::int32_t same_as_before = -2;  // in group_of_row, until groups have their numbers

/// A row's key as the tables see it.
struct entry {
  key_fingerprint print;
  std::uint32_t row, length;
};

struct text_keys {
  std::span<const std::string_view> keys;
  const key_hash& hash;

  std::int64_t rows() const { return std::ssize(keys); }
  bool has_key(std::size_t row) const { return keys[row].data() != nullptr; }
  bool repeats(std::size_t row) const { return keys[row] == keys[row - 1] && has_key(row - 1); }
  key_fingerprint print_of(std::size_t row) const { return hash(keys[row]); }
  std::uint32_t length_of(std::size_t row) const {
    return static_cast<std::uint32_t>(std::min<std::size_t>(keys[row].size(), 0xFFFFFFFFu));
  }
  bool same(const entry& a, const entry& b) const {
    return a.print == b.print && a.length == b.length &&
           (a.length <= key_hash::exact_length || keys[a.row] == keys[b.row]);
  }
};

struct word_keys {
  std::span<const std::uint64_t> keys;
  const key_hash& hash;

  std::int64_t rows() const { return std::ssize(keys); }
  bool has_key(std::size_t) const { return true; }
  bool repeats(std::size_t row) const { return keys[row] == keys[row - 1]; }
  key_fingerprint print_of(std::size_t row) const { return hash(keys[row]); }
  std::uint32_t length_of(std::size_t) const { return 8; }
  bool same(const entry& a, const entry& b) const { return a.print == b.print; }
};

/// Pairs of groups; no_group in one of them is no key.
struct pair_keys {
  std::span<const std::int32_t> first, second;
  const key_hash& hash;

  std::int64_t rows() const { return std::ssize(first); }
  bool has_key(std::size_t row) const { return first[row] != no_group && second[row] != no_group; }
  bool repeats(std::size_t row) const { return first[row] == first[row - 1] && second[row] == second[row - 1]; }
  key_fingerprint print_of(std::size_t row) const {
    return hash(std::uint64_t{static_cast<std::uint32_t>(first[row])} << 32 | static_cast<std::uint32_t>(second[row]));
  }
  std::uint32_t length_of(std::size_t) const { return 8; }
  bool same(const entry& a, const entry& b) const { return a.print == b.print; }
};

/// The distinct keys of one piece, numbered as they come. Open addressing; 16 bits of the hash spare most comparisons.
class key_table {
 public:
  key_table() : slots_(1024) {}

  template <class Keys>
  std::int32_t number_of(const entry& key, const Keys& keys) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = key.print.hash & mask;
    const std::uint32_t tag = tag_of(key.print.hash);
    for (; slots_[at].number >= 0; at = (at + 1) & mask)
      if (slots_[at].tag == tag && keys.same(key, distinct_[static_cast<std::size_t>(slots_[at].number)]))
        return slots_[at].number;
    const auto number = static_cast<std::int32_t>(distinct_.size());
    distinct_.push_back(key);
    slots_[at] = {tag, number};
    if (2 * distinct_.size() > slots_.size()) grow();
    return number;
  }
  const std::vector<entry>& distinct() const { return distinct_; }

 private:
  struct slot {
    std::uint32_t tag = 0;
    std::int32_t number = -1;
  };
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 24); }
  void grow() {
    slots_.assign(4 * slots_.size(), {});
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = 0; i < distinct_.size(); ++i) {
      std::size_t at = distinct_[i].print.hash & mask;
      while (slots_[at].number >= 0) at = (at + 1) & mask;
      slots_[at] = {tag_of(distinct_[i].print.hash), static_cast<std::int32_t>(i)};
    }
  }

  std::vector<slot> slots_;  // a power of two, at most half full
  std::vector<entry> distinct_;
};

/// Bits of rows, and how many are set before each.
class row_marks {
 public:
  explicit row_marks(std::int64_t rows)
      : words_(static_cast<std::size_t>(rows + 63) / 64), before_(words_.size() + 1) {}

  /// May be called from several threads.
  void set(std::uint32_t row) {
    std::atomic_ref(words_[row / 64]).fetch_or(std::uint64_t{1} << row % 64, std::memory_order_relaxed);
  }
  void count() {
    for (std::size_t i = 0; i < words_.size(); ++i) before_[i + 1] = before_[i] + std::popcount(words_[i]);
  }
  std::int32_t rank(std::uint32_t row) const {
    return before_[row / 64] + std::popcount(words_[row / 64] & ((std::uint64_t{1} << row % 64) - 1));
  }
  std::vector<std::int64_t> rows() const {
    std::vector<std::int64_t> all;
    all.reserve(static_cast<std::size_t>(before_.back()));
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (std::uint64_t left = words_[i]; left != 0; left &= left - 1)
        all.push_back(static_cast<std::int64_t>(i) * 64 + std::countr_zero(left));
    return all;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::int32_t> before_;
};

/// Pieces of about this many rows: entries, table and distinct keys then stay in a core's own cache.
constexpr std::int64_t piece_rows = 8192;

template <class Keys>
row_groups group_rows_of(const Keys& keys, int threads) {
  const std::int64_t rows = keys.rows();
  if (rows > std::numeric_limits<std::int32_t>::max())
    throw error(error::kind::argument, "group_by: " + std::to_string(rows) +
                                           " rows given; at most 2147483647 were expected, so group them in parts");
  row_groups result{.group_of_row = std::vector<std::int32_t>(static_cast<std::size_t>(rows))};
  if (rows == 0) return result;
  std::int32_t* const group_of_row = result.group_of_row.data();

  const auto piece_bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(rows / piece_rows)));
  const std::size_t pieces = std::size_t{1} << std::min(piece_bits, 12);
  const auto piece_of = [shift = 64 - std::min(piece_bits, 12)](std::uint64_t hash) -> std::size_t {
    return shift == 64 ? 0 : hash >> shift;
  };
  // Blocks of rows: each counts, then each knows where in every piece its rows begin, in the order of rows.
  const std::int64_t blocks = std::min<std::int64_t>(std::max<std::int64_t>(rows / piece_rows, 1), threads);
  const auto first_of = [&](std::int64_t block) { return static_cast<std::size_t>(rows * block / blocks); };
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(rows));
  std::vector<std::int64_t> begin(static_cast<std::size_t>(blocks) * pieces);
  parallel_for(threads, blocks, 1, [&](std::int64_t block) {
    std::int64_t* const counts = begin.data() + static_cast<std::size_t>(block) * pieces;
    for (std::size_t row = first_of(block); row < first_of(block + 1); ++row) {
      if (!keys.has_key(row)) {
        group_of_row[row] = no_group;
      } else if (row != first_of(block) && keys.repeats(row)) {
        group_of_row[row] = same_as_before;  // sorted tables repeat a key
      } else {
        hashes[row] = keys.print_of(row).hash;
        ++counts[piece_of(hashes[row])];
      }
    }
  });
  std::vector<std::int64_t> piece_begin(pieces + 1);
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    std::int64_t at = piece_begin[piece];
    for (std::int64_t block = 0; block < blocks; ++block)
      at += std::exchange(begin[static_cast<std::size_t>(block) * pieces + piece], at);
    piece_begin[piece + 1] = at;
  }
  std::vector<entry> entries(static_cast<std::size_t>(piece_begin.back()));
  parallel_for(threads, blocks, 1, [&](std::int64_t block) {
    std::int64_t* const next = begin.data() + static_cast<std::size_t>(block) * pieces;
    for (std::size_t row = first_of(block); row < first_of(block + 1); ++row)
      if (group_of_row[row] >= 0)
        entries[static_cast<std::size_t>(next[piece_of(hashes[row])]++)] = {
            keys.print_of(row), static_cast<std::uint32_t>(row), keys.length_of(row)};
  });

  // One table for each piece; a row's number is that of its key in its piece.
  row_marks firsts(rows);
  std::vector<std::vector<std::int32_t>> group_of_number(pieces);
  parallel_for(threads, static_cast<std::int64_t>(pieces), 1, [&](std::int64_t index) {
    const auto piece = static_cast<std::size_t>(index);
    key_table table;
    for (std::int64_t i = piece_begin[piece]; i < piece_begin[piece + 1]; ++i) {
      const entry& each = entries[static_cast<std::size_t>(i)];
      group_of_row[each.row] = table.number_of(each, keys);
    }
    group_of_number[piece].reserve(table.distinct().size());
    for (const entry& each : table.distinct()) {
      firsts.set(each.row);
      group_of_number[piece].push_back(static_cast<std::int32_t>(each.row));
    }
  });

  // Groups in order of first appearance: a group's number is how many first rows come before its own.
  firsts.count();
  result.first_row = firsts.rows();
  parallel_for(threads, static_cast<std::int64_t>(pieces), 1, [&](std::int64_t piece) {
    for (std::int32_t& each : group_of_number[static_cast<std::size_t>(piece)])
      each = firsts.rank(static_cast<std::uint32_t>(each));
  });
  parallel_for(threads, blocks, 1, [&](std::int64_t block) {
    for (std::size_t row = first_of(block); row < first_of(block + 1); ++row) {
      std::int32_t& group = group_of_row[row];
      if (group == same_as_before)
        group = group_of_row[row - 1];
      else if (group != no_group)
        group = group_of_number[piece_of(hashes[row])][static_cast<std::size_t>(group)];
    }
  });
  return result;
}

std::uint64_t process_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }();
  return seed;
}

template <class Keys>
row_groups grouped(const group_by_options& options, auto... spans) {
  const key_hash hash(options.seed.value_or(process_seed()));
  return group_rows_of(Keys{spans..., hash}, options.threads > 0 ? options.threads : executor::cpu().threads());
}

}  // namespace

row_groups group_by(std::span<const std::string_view> keys, const group_by_options& options) {
  return grouped<text_keys>(options, keys);
}

row_groups group_by(std::span<const std::uint64_t> keys, const group_by_options& options) {
  return grouped<word_keys>(options, keys);
}

row_groups group_by(std::span<const std::int32_t> first, std::span<const std::int32_t> second,
                    const group_by_options& options) {
  if (first.size() != second.size())
    throw error(error::kind::argument, "group_by: " + std::to_string(first.size()) + " and " +
                                           std::to_string(second.size()) +
                                           " rows given; as many of both were expected");
  return grouped<pair_keys>(options, first, second);
}

std::vector<std::int64_t> group_offsets(const row_groups& groups) {
  std::vector<std::int64_t> offsets(groups.first_row.size() + 1);
  for (const std::int32_t group : groups.group_of_row)
    if (group != no_group) ++offsets[static_cast<std::size_t>(group) + 1];
  for (std::size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
  return offsets;
}

}  // namespace manyfit
