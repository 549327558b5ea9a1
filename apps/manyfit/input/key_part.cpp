// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0

#include "input/key_part.hpp"

#include <algorithm>
#include <utility>

#include "host/src/key_hash.hpp"
#include "host/src/large_array.hpp"
#include "kernels/cpu/parallel.hpp"
#include "manyfit/group_by.hpp"

namespace manyfit::app {

namespace {

/// 0, -0, 0.0, -0.00: zero as numbers are printed, without an exponent.
bool is_zero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!text.starts_with('0')) return false;
  text.remove_prefix(1);
  if (text.empty()) return true;
  const char sign = text.front();
  return (sign == '.' || sign == ',') && text.size() > 1 &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c == '0'; });
}

/// Numbers that were rounded to zero from below are the same key as those from above.
void unite_zeros(column& key) {
  std::vector<std::int32_t> zeros, negative;
  for (std::size_t code = 0; code < key.dictionary.size(); ++code) {
    const std::string& text = key.dictionary[code];
    if (text.empty() || (text[0] != '0' && text[0] != '-') || !is_zero(text)) continue;
    (text[0] == '-' ? negative : zeros).push_back(static_cast<std::int32_t>(code));
  }
  if (negative.empty()) return;
  std::vector<std::int32_t> same(key.dictionary.size());
  for (std::size_t code = 0; code < same.size(); ++code) same[code] = static_cast<std::int32_t>(code);
  for (const std::int32_t code : negative) {
    // The zero in the same writing, else any; where there is none this one stands for it.
    std::string& text = key.dictionary[static_cast<std::size_t>(code)];
    text.erase(0, 1);
    const auto alike = std::find_if(zeros.begin(), zeros.end(), [&](std::int32_t each) {
      return key.dictionary[static_cast<std::size_t>(each)] == text;
    });
    if (zeros.empty())
      zeros.push_back(code);
    else
      same[static_cast<std::size_t>(code)] = alike == zeros.end() ? zeros.front() : *alike;
  }
  for (std::int32_t& code : key.codes)
    if (code >= 0) code = same[static_cast<std::size_t>(code)];
}

}  // namespace

void key_part::own_texts() {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size();
  const auto copy = std::make_shared_for_overwrite<char[]>(bytes);
  char* at = copy.get();
  for (std::string_view& text : texts) {
    char* const end = std::copy(text.begin(), text.end(), at);
    text = std::string_view(at, text.size());
    at = end;
  }
  owned = copy;
}

void key_collector::reserve(std::size_t rows) {
  part_.codes.reserve(rows);
  part_.texts.reserve(rows);
}

void key_collector::take_waiting() {
  const key_hash hash(0);
  recent_.resize(std::size_t{1} << place_bits);
  for (const std::string_view cell : waiting_) {
    if (cell.data() == nullptr) {
      part_.codes.push_back(-1);
      continue;
    }
    const std::uint64_t hash_of_cell = hash(cell).hash;
    const auto length = static_cast<std::uint32_t>(cell.size());
    recent_key& known = recent_[hash_of_cell >> (64 - place_bits)];
    const bool same =
        known.code >= 0 && known.hash == hash_of_cell && known.length == length &&
        (cell.size() <= key_hash::hash_length || part_.texts[static_cast<std::size_t>(known.code)] == cell);
    if (!same) {
      known = {hash_of_cell, length, static_cast<std::int32_t>(part_.texts.size())};
      part_.texts.push_back(cell);
    }
    part_.codes.push_back(known.code);
  }
  waiting_.clear();
}

key_part key_collector::finish() {
  take_waiting();
  waiting_ = {};
  recent_ = {};
  if (2 * part_.texts.size() < part_.texts.capacity()) part_.texts.shrink_to_fit();
  return std::move(part_);
}

column join_keys(std::vector<key_part>& parts, unsigned threads) {
  column joined{.kind = column_kind::text};
  // Each part knows its place among the rows and among the texts, so that parts can be done side by side.
  std::vector<std::pair<std::size_t, std::size_t>> begin;
  std::vector<std::span<const std::string_view>> texts;
  std::size_t row = 0, text = 0;
  for (const key_part& part : parts) {
    begin.emplace_back(row, text);
    texts.emplace_back(part.texts);
    row += part.codes.size();
    text += part.texts.size();
  }
  const row_groups groups = group_by(texts, {.threads = static_cast<int>(threads)});
  reserve_large(joined.dictionary, groups.first_row.size());
  std::size_t part = 0;
  for (const std::int64_t first_row : groups.first_row) {
    const auto first = static_cast<std::size_t>(first_row);
    while (first >= begin[part].second + texts[part].size()) ++part;
    joined.dictionary.emplace_back(texts[part][first - begin[part].second]);
  }
  reserve_large(joined.codes, row);
  joined.codes.resize(row);
  parallel_for(static_cast<int>(threads), std::ssize(parts), 1, [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    const std::int32_t* const code_of = groups.group_of_row.data() + begin[i].second;
    std::transform(parts[i].codes.begin(), parts[i].codes.end(),
                   joined.codes.begin() + static_cast<std::ptrdiff_t>(begin[i].first),
                   [code_of](std::int32_t code) { return code < 0 ? -1 : code_of[code]; });
    parts[i].codes = {};
  });
  parts.clear();
  unite_zeros(joined);
  return joined;
}

}  // namespace manyfit::app
