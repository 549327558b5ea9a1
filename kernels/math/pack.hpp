// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// One SIMD vector of doubles behind ordinary operators, so that a formula written for a scalar runs on all lanes.
// The width is that of the instruction set this translation unit is compiled for. Elementary functions are Highway's:
// exp ≤ 1.1 ulp, expm1 ≤ 4, log ≤ 1, log1p ≤ 2.5, atan ≤ 2, sin and cos ≤ 3 ulp for |x| ≤ 39000, which
// tests/math/pack_test.cpp enforces. log needs a positive, finite argument: at 0, below, at infinity and at NaN Highway
// gives finite garbage, and so does log1p at the same values of 1 + x. Guards for support belong to the families.
#pragma once

#define HWY_COMPILE_ONLY_STATIC
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/math/scalar.hpp"

MF_NAMESPACE_BEGIN

struct pack {
  using tag = hwy::HWY_NAMESPACE::ScalableTag<double>;
  using vector = hwy::HWY_NAMESPACE::Vec<tag>;
  static constexpr int lanes = static_cast<int>(hwy::HWY_NAMESPACE::MaxLanes(tag{}));

  struct mask {
    hwy::HWY_NAMESPACE::Mask<tag> m;
    MF_FN friend mask operator&&(const mask& a, const mask& b) { return {hwy::HWY_NAMESPACE::And(a.m, b.m)}; }
    MF_FN friend mask operator||(const mask& a, const mask& b) { return {hwy::HWY_NAMESPACE::Or(a.m, b.m)}; }
    MF_FN friend mask operator!(const mask& a) { return {hwy::HWY_NAMESPACE::Not(a.m)}; }
  };

  vector v;

  pack() = default;
  MF_FN pack(vector lanes_) : v(lanes_) {}                            // NOLINT: implicit on purpose
  MF_FN pack(double all) : v(hwy::HWY_NAMESPACE::Set(tag{}, all)) {}  // NOLINT: constants mix into formulas
  MF_FN pack(int all) : pack(static_cast<double>(all)) {}             // NOLINT

  MF_FN static pack load(const double* from) { return hwy::HWY_NAMESPACE::LoadU(tag{}, from); }
  MF_FN static pack load(const float* from) {
    const hwy::HWY_NAMESPACE::Rebind<float, tag> narrow;
    return hwy::HWY_NAMESPACE::PromoteTo(tag{}, hwy::HWY_NAMESPACE::LoadU(narrow, from));
  }
  MF_FN void store(double* to) const { hwy::HWY_NAMESPACE::StoreU(v, tag{}, to); }

#define MF_BINARY(op, name)                                     \
  MF_FN friend pack operator op(const pack& a, const pack& b) { \
    return hwy::HWY_NAMESPACE::name(a.v, b.v);                  \
  }
  MF_BINARY(+, Add)
  MF_BINARY(-, Sub)
  MF_BINARY(*, Mul)
  MF_BINARY(/, Div)
#undef MF_BINARY
  MF_FN friend pack operator-(const pack& a) {
    return hwy::HWY_NAMESPACE::Neg(a.v);
  }
  MF_FN pack& operator+=(const pack& b) {
    return *this = *this + b;
  }
  MF_FN pack& operator*=(const pack& b) {
    return *this = *this * b;
  }

#define MF_COMPARE(op, name)                                    \
  MF_FN friend mask operator op(const pack& a, const pack& b) { \
    return {hwy::HWY_NAMESPACE::name(a.v, b.v)};                \
  }
  MF_COMPARE(<, Lt)
  MF_COMPARE(<=, Le)
  MF_COMPARE(>, Gt)
  MF_COMPARE(>=, Ge)
  MF_COMPARE(==, Eq)
#undef MF_COMPARE
  // Not Highway's Ne, which is an ordered comparison on AVX: NaN != NaN would be false there and true on SSE2.
  MF_FN friend mask operator!=(const pack& a, const pack& b) {
    return !(a == b);
  }
};

MF_FN pack select(const pack::mask& condition, const pack& a, const pack& b) {
  return hwy::HWY_NAMESPACE::IfThenElse(condition.m, a.v, b.v);
}

#define MF_UNARY(name, highway)                           \
  MF_FN pack name(const pack& x) {                        \
    return hwy::HWY_NAMESPACE::highway(pack::tag{}, x.v); \
  }
MF_UNARY(log1p, Log1p)
MF_UNARY(sin, Sin)
MF_UNARY(cos, Cos)
MF_UNARY(atan, Atan)
#if HWY_TARGET != HWY_AVX3
MF_UNARY(log, Log)
#endif
#undef MF_UNARY
// Highway builds 2^q from integers and gives garbage once q leaves the exponent's range: hold the argument where the
// result has already become infinity. Its Exp turns NaN into 0, which would hide a missing value: put it back.
MF_FN pack hold_below_overflow(const pack& x) {
  return select(x > pack(1000.0), pack(1000.0), x);
}
#if HWY_TARGET == HWY_AVX3
// Highway's polynomials about AVX-512's own instructions for exponents, which Highway 1.0.3 leaves unused: exp without
// integer arithmetic (half the instructions), log without it and without a division (a fifth fewer).
MF_FN pack exp(const pack& x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const pack::tag d;
  const auto t = hn::Max(hn::Set(d, -1100.0), hn::Min(hn::Set(d, 1100.0), x.v));  // keeps NaN: the second operand
  const hn::Vec<pack::tag> q{_mm512_roundscale_pd(hn::Mul(t, hn::Set(d, 1.442695040888963407)).raw, 8)};
  // log 2 in two parts, the first short enough for exact products (fdlibm's).
  const auto r = hn::NegMulAdd(q, hn::Set(d, 1.90821492927058770002e-10),
                               hn::NegMulAdd(q, hn::Set(d, 0.693147180369123816490), t));
  const auto mantissa = hn::Add(hn::impl::ExpImpl<double>().ExpPoly(d, r), hn::Set(d, 1.0));
  return hn::Vec<pack::tag>{_mm512_scalef_pd(mantissa.raw, q.raw)};
}
MF_FN pack log(const pack& x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const pack::tag d;
  const auto one = hn::Set(d, 1.0);
  const __m512d in_one_two = _mm512_getmant_pd(x.v.raw, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
  const __mmask8 upper = _mm512_cmp_pd_mask(in_one_two, _mm512_set1_pd(1.4142135623730951), _CMP_GT_OQ);
  const hn::Vec<pack::tag> m{_mm512_mask_mul_pd(in_one_two, upper, in_one_two, _mm512_set1_pd(0.5))};
  const __m512d exponent = _mm512_getexp_pd(x.v.raw);
  const hn::Vec<pack::tag> e{_mm512_mask_add_pd(exponent, upper, exponent, one.raw)};
  // z = (m − 1) / (m + 1): a reciprocal of 14 bits, one Newton step to 28, and the quotient's own to 56.
  const auto above = hn::Sub(m, one), below = hn::Add(m, one);
  const hn::Vec<pack::tag> rough{_mm512_rcp14_pd(below.raw)};
  const auto inverse = hn::MulAdd(rough, hn::NegMulAdd(rough, below, one), rough);
  const auto quotient = hn::Mul(above, inverse);
  const auto z = hn::MulAdd(hn::NegMulAdd(quotient, below, above), inverse, quotient);
  const auto low = hn::MulSub(z, hn::Sub(above, hn::impl::LogImpl<double>().LogPoly(d, z)),
                              hn::Mul(e, hn::Set(d, 1.90821492927058770002e-10)));
  return hn::MulSub(e, hn::Set(d, 0.693147180369123816490), hn::Sub(low, above));
}
#else
MF_FN pack exp(const pack& x) {
  return select(x == x, hwy::HWY_NAMESPACE::Exp(pack::tag{}, hold_below_overflow(x).v), x);
}
#endif
MF_FN pack expm1(const pack& x) {
  return hwy::HWY_NAMESPACE::Expm1(pack::tag{}, hold_below_overflow(x).v);
}
MF_FN pack sqrt(const pack& x) {
  return hwy::HWY_NAMESPACE::Sqrt(x.v);
}
MF_FN pack abs(const pack& x) {
  return hwy::HWY_NAMESPACE::Abs(x.v);
}
MF_FN pack floor(const pack& x) {
  return hwy::HWY_NAMESPACE::Floor(x.v);
}

#if HWY_TARGET <= HWY_AVX2
MF_FN pack multiply_subtract(const pack& a, const pack& b, const pack& c) {
  return hwy::HWY_NAMESPACE::MulSub(a.v, b.v, c.v);
}
#else  // no instruction for it: the C library's, lane by lane
MF_FN pack multiply_subtract(const pack& a, const pack& b, const pack& c) {
  double x[pack::lanes], y[pack::lanes], z[pack::lanes];
  a.store(x);
  b.store(y);
  c.store(z);
  for (int lane = 0; lane < pack::lanes; ++lane) x[lane] = multiply_subtract(x[lane], y[lane], z[lane]);
  return pack::load(x);
}
#endif

MF_FN pack::mask is_finite(const pack& x) {
  return abs(x) <= pack(std::numeric_limits<double>::max());
}
MF_FN pack::mask is_missing(const pack& x) {
  return x != x;
}
MF_FN pack minimum(const pack& a, const pack& b) {
  return hwy::HWY_NAMESPACE::Min(a.v, b.v);
}
MF_FN pack maximum(const pack& a, const pack& b) {
  return hwy::HWY_NAMESPACE::Max(a.v, b.v);
}
MF_FN pack value_of(const pack& x) {
  return x;
}
MF_FN bool all(const pack::mask& m) {
  return hwy::HWY_NAMESPACE::AllTrue(pack::tag{}, m.m);
}
MF_FN bool any(const pack::mask& m) {
  return !hwy::HWY_NAMESPACE::AllFalse(pack::tag{}, m.m);
}

/// Sum over lanes in a fixed order: pairs, then pairs of pairs, whatever the width.
MF_FN double sum_of_lanes(const pack& x) {
  double lane[pack::lanes];
  x.store(lane);
  for (int width = pack::lanes / 2; width >= 1; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}

MF_NAMESPACE_END
