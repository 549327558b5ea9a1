// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Numbers distinct texts in order of first appearance. Reading keys is one look-up per row, so this is the loop that
// decides how fast a large grouped file is read: open addressing, hashes kept beside the codes, texts not copied.

#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace manyfit::app {

class text_dictionary {
 public:
  text_dictionary() : slots_(64) {}

  /// The code of `text`. A new text is kept as a view: what it points into must outlive the dictionary.
  std::int32_t code_of(std::string_view text) {
    if (last_ >= 0 && texts_[static_cast<std::size_t>(last_)] == text) return last_;  // sorted files repeat a key
    return last_ = look_up(text, [](std::string_view same) { return same; });
  }

  /// The same for a text that lives only during the call: a new one is copied.
  std::int32_t code_of_copy(std::string_view text) {
    return last_ =
               look_up(text, [this](std::string_view same) -> std::string_view { return copies_.emplace_back(same); });
  }

  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  struct slot {
    std::uint32_t hash = 0;
    std::int32_t code = -1;
  };

  static std::uint32_t hash_of(std::string_view text) {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio
    std::uint64_t hash = text.size() * odd;
    const char* p = text.data();
    std::size_t left = text.size();
    for (; left >= 8; p += 8, left -= 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      hash = (hash ^ word) * odd;
      hash ^= hash >> 32;
    }
    if (left > 0) {
      std::uint64_t word = 0;
      std::memcpy(&word, p, left);
      hash = (hash ^ word) * odd;
      hash ^= hash >> 32;
    }
    hash *= odd;
    return static_cast<std::uint32_t>(hash >> 32);
  }

  template <class Keep>
  std::int32_t look_up(std::string_view text, Keep keep) {
    const std::uint32_t hash = hash_of(text);
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    for (; slots_[at].code >= 0; at = (at + 1) & mask) {
      if (slots_[at].hash == hash && texts_[static_cast<std::size_t>(slots_[at].code)] == text) return slots_[at].code;
    }
    const auto code = static_cast<std::int32_t>(texts_.size());
    texts_.push_back(keep(text));
    slots_[at] = {hash, code};
    if (2 * texts_.size() > slots_.size()) grow();
    return code;
  }

  void grow() {
    std::vector<slot> old(2 * slots_.size());
    std::swap(old, slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const slot& each : old) {
      if (each.code < 0) continue;
      std::size_t at = each.hash & mask;
      while (slots_[at].code >= 0) at = (at + 1) & mask;
      slots_[at] = each;
    }
  }

  std::vector<slot> slots_;  // a power of two, at most half full
  std::vector<std::string_view> texts_;
  std::deque<std::string> copies_;  // a deque, since growing must not move what the views point to
  std::int32_t last_ = -1;
};

}  // namespace manyfit::app
