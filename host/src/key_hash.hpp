// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The hash of group_by(): multiply and fold 128 bits, as in wyhash (https://github.com/wangyi-fudan/wyhash, public
// domain), with secrets in place of its constants. Texts of at most 16 bytes and whole numbers are mixed by a bijection
// of their two words: for those, equal fingerprints and lengths are equal keys.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace manyfit {

/// What a table compares first.
struct key_fingerprint {
  std::uint64_t hash;
  std::uint64_t rest = 0;  ///< with the hash and the length it tells a short text
  bool operator==(const key_fingerprint&) const = default;
};

class key_hash {
 public:
  static constexpr std::size_t hash_length = 8;    ///< up to here the hash and the length alone tell it
  static constexpr std::size_t exact_length = 16;  ///< up to here a fingerprint and a length tell the key

  explicit key_hash(std::uint64_t seed) {
    for (std::uint64_t& each : secret_) {  // splitmix64
      std::uint64_t z = seed += 0x9E3779B97F4A7C15u;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      each = z ^ (z >> 31);
    }
    secret_[2] |= 1;  // the multipliers of a bijection are odd
    secret_[3] |= 1;
  }

  key_fingerprint operator()(std::uint64_t word) const { return {mixed(word)}; }

  key_fingerprint operator()(std::string_view text) const {
    const char* at = text.data();
    const std::size_t size = text.size();
    if (size <= 8) return {mixed(short_word(at, size) + size * secret_[1])};
    const char* const last = text.data() + size;
    if (size <= exact_length) {
      const std::uint64_t rest = load8(last - 8);  // overlaps the first 8
      return {mixed(load8(at) + folded(rest ^ secret_[1], secret_[2] ^ size)), rest};
    }
    std::uint64_t hash = secret_[0] ^ size;
    for (std::size_t left = size; left > 16; left -= 16, at += 16)
      hash = folded(load8(at) ^ secret_[1], load8(at + 8) ^ hash);
    hash = folded(load8(last - 16) ^ secret_[1], load8(last - 8) ^ hash);  // overlaps those before
    return {folded(hash ^ secret_[2], size ^ secret_[3])};
  }

 private:
  std::uint64_t mixed(std::uint64_t word) const {
    word = (word ^ secret_[0]) * secret_[2];
    word = (word ^ (word >> 32)) * secret_[3];
    return word ^ (word >> 32);
  }
  static std::uint64_t load8(const char* at) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    return word;
  }
  static std::uint64_t load4(const char* at) {
    std::uint32_t word;
    std::memcpy(&word, at, 4);
    return word;
  }
  /// Differs between any two texts of the same size.
  static std::uint64_t short_word(const char* at, std::size_t size) {
    if (size >= 4) return load4(at) | load4(at + size - 4) << 32;
    if (size == 0) return 0;
    const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(at[i])}; };
    return byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
  }
  static std::uint64_t folded(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t secret_[4];
};

}  // namespace manyfit
