// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Philox words on a CPU, from Random123. See stream.hpp for the contract.
#pragma once

#include <Random123/philox.h>

#include "kernels/random/stream.hpp"

MF_NAMESPACE_BEGIN

struct random123_words {
  static vec<uint32_t, 4> block(const vec<uint32_t, 4>& counter, const vec<uint32_t, 2>& key) {
    const auto words = r123::Philox4x32()({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
    return {{words[0], words[1], words[2], words[3]}};
  }
};

using philox_stream = random_stream<random123_words>;

MF_NAMESPACE_END
