// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A stream of Philox4x32-10 words for one draw. The words come from Random123 on a CPU (philox_cpu.hpp) and from cuRAND
// on a GPU (philox_cuda.cuh), whose headers cannot meet in one translation unit; what is done with them is here, once.
//
// Contract: key = {seed lo, seed hi}, counter = {block lo, block hi, subsequence lo, subsequence hi}, four words to a
// block, the order of curand_init(seed, subsequence, 4 * block). Draw number d owns the blocks from d * 2^32 on, so
// that a rejection sampler may use as many words as it likes and no draw depends on those before it. Source: Salmon,
// Moraes, Dror & Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
#pragma once

#include <cstdint>

#include "kernels/core.hpp"

MF_NAMESPACE_BEGIN

/// Words::block(counter, key) gives the four words of one block. The position is the whole state: copies are
/// independent.
template <class Words>
class random_stream {
 public:
  MF_FN random_stream(uint64_t seed, uint64_t subsequence, uint32_t draw)
      : key_{{low(seed), high(seed)}}, counter_{{0, draw, low(subsequence), high(subsequence)}}, words_{}, left_(0) {}

  /// 32 random bits; the same on every machine.
  MF_FN uint32_t next() {
    if (left_ == 0) {
      words_ = Words::block(counter_, key_);
      ++counter_[0];
      left_ = 4;
    }
    const uint32_t word = words_[0];
    // Shifted rather than indexed: a dynamic index would put the words into local memory on a GPU.
    words_ = {{words_[1], words_[2], words_[3], 0}};
    --left_;
    return word;
  }

  /// Uniform in the open interval (0, 1): the odd multiples of 2^-53, from two words; the same on every machine. With
  /// all 53 bits random the largest would round to 1, or the smallest be 0.
  MF_FN double uniform() {
    const uint64_t upper = next() >> 6;
    const uint64_t lower = next() >> 6;
    return static_cast<double>(2 * (upper << 26 | lower) + 1) * 0x1p-53;
  }

 private:
  static MF_FN constexpr uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
  static MF_FN constexpr uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

  vec<uint32_t, 2> key_;
  vec<uint32_t, 4> counter_;
  vec<uint32_t, 4> words_;
  int left_;
};

MF_NAMESPACE_END
