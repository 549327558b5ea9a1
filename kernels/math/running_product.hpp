// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A sum of logarithms as the logarithm of a product whose exponent is carried apart, so that it neither overflows nor
// needs more than one logarithm at the end. Each product rounds by 2⁻⁵³, which is what a logarithm of its own and its
// addition to a sum would have cost; the exponents add exactly.
#pragma once

#include "kernels/math/pack.hpp"

MF_NAMESPACE_BEGIN

class running_product {
 public:
  /// factor: every lane in [1e-290, 1e290].
  MF_FN void multiply(const pack& factor) {
    namespace hn = hwy::HWY_NAMESPACE;
    const auto bits = hn::BitCast(bits_tag{}, (mantissa_ * factor).v);
    biased_exponents_ = hn::Add(biased_exponents_, hn::ShiftRight<52>(bits));
    const auto fraction = hn::And(bits, hn::Set(bits_tag{}, 0x000fffffffffffff));
    mantissa_ = hn::BitCast(pack::tag{}, hn::Or(fraction, hn::Set(bits_tag{}, 0x3ff0000000000000)));
    ++multiplied_;
  }
  /// The logarithm of the product over all factors and lanes.
  MF_FN double logarithm() const {
    std::uint64_t lane[pack::lanes];
    hwy::HWY_NAMESPACE::StoreU(biased_exponents_, bits_tag{}, lane);
    std::int64_t exponent = -1023 * multiplied_ * pack::lanes;
    for (int i = 0; i < pack::lanes; ++i) exponent += static_cast<std::int64_t>(lane[i]);
    return static_cast<double>(exponent) * constants::log_2 + sum_of_lanes(log(mantissa_));
  }

 private:
  using bits_tag = hwy::HWY_NAMESPACE::ScalableTag<std::uint64_t>;
  pack mantissa_{1.0};
  hwy::HWY_NAMESPACE::Vec<bits_tag> biased_exponents_ = hwy::HWY_NAMESPACE::Zero(bits_tag{});
  std::int64_t multiplied_ = 0;
};

MF_NAMESPACE_END
