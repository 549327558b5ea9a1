// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// Vector arithmetic for log-sum-exp, on doubles and floats: exponentials of what is not positive, reciprocals and
// logarithms of what lies between 1 and a few thousand, and sums over lanes of many vectors at once.
#pragma once

#include <bit>

#include "kernels/math/pack.hpp"

MF_NAMESPACE_BEGIN

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using mixture_tag = hn::ScalableTag<T>;
template <class T>
using mixture_vector = hn::Vec<mixture_tag<T>>;
template <class T>
inline constexpr int mixture_vector_lanes = static_cast<int>(hn::MaxLanes(mixture_tag<T>{}));

/// Arguments of exp below which a responsibility is 0: far below the rounding of a sum of responsibilities, and far
/// enough above the subnormal numbers that products of responsibilities and features are normal: arithmetic on
/// subnormal numbers is a hundred times slower.
template <class T>
inline constexpr T least_exponent = sizeof(T) == 8 ? T(-600) : T(-60);

#if HWY_TARGET == HWY_AVX3
/// 2^(j/16), less j/16 in units of the exponent, so that an exponent in sixteenths can be added to the bits.
struct exponent_tables {
  alignas(64) std::uint64_t in_double[16];
  alignas(64) std::uint32_t in_float[16];
  constexpr exponent_tables() : in_double(), in_float() {
    constexpr double powers[16] = {1.0,
                                   1.0442737824274138403,
                                   1.0905077326652576592,
                                   1.1387886347566916537,
                                   1.1892071150027210667,
                                   1.2418578120734840486,
                                   1.2968395546510096659,
                                   1.3542555469368927283,
                                   1.4142135623730950488,
                                   1.4768261459394993114,
                                   1.5422108254079408236,
                                   1.6104903319492543082,
                                   1.6817928305074290861,
                                   1.7562521603732994831,
                                   1.8340080864093424635,
                                   1.9152065613971472939};
    for (unsigned j = 0; j < 16; ++j) {
      in_double[j] = std::bit_cast<std::uint64_t>(powers[j]) - (std::uint64_t{j} << 48);
      in_float[j] = std::bit_cast<std::uint32_t>(static_cast<float>(powers[j])) - (j << 19);
    }
  }
};
inline constexpr exponent_tables exponent_table{};

/// exp for arguments <= 0; 0 below least_exponent. x = q ln 2 / 16 + r, 2^(q/16) by a table in registers and an
/// addition to the exponent, exp(r) by a polynomial of degree 6, relative error 3e-17. The reduction is one FMA, whose
/// rounding leaves a relative error of 1e-16 |x|: next to the largest term, which is 1, always below half an ulp.
MF_FN mixture_vector<double> exp_negative(mixture_tag<double> d, mixture_vector<double> x) {
  const auto least = hn::Set(d, least_exponent<double>), magic = hn::Set(d, 0x1.8p52);
  const __mmask8 seen = _mm512_cmp_pd_mask(x.raw, least.raw, _CMP_GT_OQ);
  x = hn::Max(x, least);
  const auto shifted = hn::MulAdd(x, hn::Set(d, 23.083120654223414518), magic);  // q in the lowest bits
  const auto r = hn::NegMulAdd(hn::Sub(shifted, magic), hn::Set(d, 0.043321698784996581839), x);
  const __m512i q = _mm512_castpd_si512(shifted.raw);
  const __m512i fraction = _mm512_permutex2var_epi64(_mm512_load_si512(exponent_table.in_double), q,
                                                     _mm512_load_si512(exponent_table.in_double + 8));
  const mixture_vector<double> power{_mm512_castsi512_pd(_mm512_add_epi64(fraction, _mm512_slli_epi64(q, 48)))};
  auto p = hn::MulAdd(r, hn::Set(d, 0.00138890343776930119), hn::Set(d, 0.00833344972452835616));
  p = hn::MulAdd(r, p, hn::Set(d, 0.0416666666649597671));
  p = hn::MulAdd(r, p, hn::Set(d, 0.166666666653011448));
  p = hn::MulAdd(r, p, hn::Set(d, 0.5));
  p = hn::MulAdd(hn::Mul(r, r), p, r);
  return mixture_vector<double>{_mm512_maskz_fmadd_pd(seen, p.raw, power.raw, power.raw)};
}
/// The same in float, with a polynomial of degree 3, relative error 5e-9.
MF_FN mixture_vector<float> exp_negative(mixture_tag<float> d, mixture_vector<float> x) {
  const auto least = hn::Set(d, least_exponent<float>), magic = hn::Set(d, 0x1.8p23F);
  const __mmask16 seen = _mm512_cmp_ps_mask(x.raw, least.raw, _CMP_GT_OQ);
  x = hn::Max(x, least);
  const auto shifted = hn::MulAdd(x, hn::Set(d, 23.083120654223414518F), magic);
  const auto r = hn::NegMulAdd(hn::Sub(shifted, magic), hn::Set(d, 0.043321698784996581839F), x);
  const __m512i q = _mm512_castps_si512(shifted.raw);
  const __m512i fraction = _mm512_permutexvar_epi32(q, _mm512_load_si512(exponent_table.in_float));
  const mixture_vector<float> power{_mm512_castsi512_ps(_mm512_add_epi32(fraction, _mm512_slli_epi32(q, 19)))};
  auto p = hn::MulAdd(r, hn::Set(d, 0.16666862555784012F), hn::Set(d, 0.50000979447779434F));
  p = hn::MulAdd(hn::Mul(r, r), p, r);
  return mixture_vector<float>{_mm512_maskz_fmadd_ps(seen, p.raw, power.raw, power.raw)};
}
/// 1/x for x between 0.5 and 1e30: an estimate of 14 bits and Newton's steps, in a third of a division's time.
MF_FN mixture_vector<double> reciprocal(mixture_tag<double> d, mixture_vector<double> x) {
  mixture_vector<double> r{_mm512_rcp14_pd(x.raw)};
  for (int step = 0; step < 2; ++step) r = hn::MulAdd(r, hn::NegMulAdd(x, r, hn::Set(d, 1.0)), r);
  return r;
}
MF_FN mixture_vector<float> reciprocal(mixture_tag<float> d, mixture_vector<float> x) {
  const mixture_vector<float> r{_mm512_rcp14_ps(x.raw)};
  return hn::MulAdd(r, hn::NegMulAdd(x, r, hn::Set(d, 1.0F)), r);
}
#else
/// exp for arguments <= 0, to 2 ulp; 0 below least_exponent.
MF_FN mixture_vector<double> exp_negative(mixture_tag<double> d, mixture_vector<double> x) {
  const auto least = hn::Set(d, least_exponent<double>);
  return hn::IfThenElseZero(hn::Gt(x, least), hn::Exp(d, hn::Max(x, least)));
}
MF_FN mixture_vector<float> exp_negative(mixture_tag<float> d, mixture_vector<float> x) {
  const auto least = hn::Set(d, least_exponent<float>);
  return hn::IfThenElseZero(hn::Gt(x, least), hn::Exp(d, hn::Max(x, least)));
}
MF_FN mixture_vector<double> reciprocal(mixture_tag<double> d, mixture_vector<double> x) {
  return hn::Div(hn::Set(d, 1.0), x);
}
MF_FN mixture_vector<float> reciprocal(mixture_tag<float> d, mixture_vector<float> x) {
  return hn::Div(hn::Set(d, 1.0F), x);
}
#endif

MF_FN mixture_vector<double> log_above_one(mixture_tag<double>, mixture_vector<double> x) {
  return log(pack(x)).v;
}
MF_FN mixture_vector<float> log_above_one(mixture_tag<float> d, mixture_vector<float> x) {
  return hn::Log(d, x);
}

/// to[i] = the sum over lanes of v[i], for Count vectors, by pairwise addition of neighbours across all vectors at once
/// (a transposing reduction): each addition removes a vector, where a reduction of every vector alone takes log₂ lanes
/// additions for each.
template <int Count, class T>
MF_FN void lane_sums(const mixture_vector<T> (&v)[Count], T* to) {
  const mixture_tag<T> d;
  constexpr int lanes = mixture_vector_lanes<T>;
  alignas(64) T last[lanes];
  for (int begin = 0; begin < Count; begin += lanes) {
    mixture_vector<T> level[lanes];
    for (int i = 0; i < lanes; ++i) level[i] = begin + i < Count ? v[begin + i] : hn::Zero(d);
#if HWY_TARGET != HWY_SCALAR  // which has one lane, and no such operations
    for (int width = lanes; width > 1; width /= 2)
      for (int i = 0; i < width / 2; ++i)
        level[i] = hn::Add(hn::ConcatEven(d, level[2 * i + 1], level[2 * i]),
                           hn::ConcatOdd(d, level[2 * i + 1], level[2 * i]));
#endif
    if (begin + lanes <= Count) {
      hn::StoreU(level[0], d, to + begin);
      continue;
    }
    hn::Store(level[0], d, last);
    for (int i = 0; begin + i < Count; ++i) to[begin + i] = last[i];
  }
}

MF_NAMESPACE_END
