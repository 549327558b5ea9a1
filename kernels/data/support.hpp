// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Which values a distribution may take: contains(x) for a scalar or a pack, for finite x and for NaN, which is in none.
#pragma once

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

namespace supports {
struct reals {
  static constexpr const char* text = "any real x";
  static constexpr bool discrete = false;
  template <class S>
  MF_FN static auto contains(const S& x) {
    return x == x;
  }
};
struct positive_reals {
  static constexpr const char* text = "x > 0";
  static constexpr bool discrete = false;
  template <class S>
  MF_FN static auto contains(const S& x) {
    return x > S(0);
  }
};
struct nonnegative_reals {
  static constexpr const char* text = "x >= 0";
  static constexpr bool discrete = false;
  template <class S>
  MF_FN static auto contains(const S& x) {
    return x >= S(0);
  }
};
struct unit_interval {
  static constexpr const char* text = "0 < x < 1";
  static constexpr bool discrete = false;
  template <class S>
  MF_FN static auto contains(const S& x) {
    return (x > S(0)) && (x < S(1));
  }
};
struct nonnegative_integers {
  static constexpr const char* text = "x = 0, 1, 2, ...";
  static constexpr bool discrete = true;
  template <class S>
  MF_FN static auto contains(const S& x) {
    return (x >= S(0)) && (x == floor(x));
  }
};
struct zero_or_one {
  static constexpr const char* text = "x = 0 or 1";
  static constexpr bool discrete = true;
  template <class S>
  MF_FN static auto contains(const S& x) {
    return (x == S(0)) || (x == S(1));
  }
};
}  // namespace supports

MF_NAMESPACE_END
