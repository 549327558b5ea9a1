// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A frame: the origin and the unit in which a sample is read where its own would cost digits. Data far from 0 for their
// spread are read about a pivot, data whose squares or sums would leave the doubles' range in a power of two. Neither
// rounds: x − pivot is exact where all x lie within a factor 2 of the pivot (Sterbenz, Floating-Point Computation
// (1974), theorem 4.3.1). A family says by its parameters' `tracks` what becomes of them; a sample that needs no frame
// never meets one.
#pragma once

#include <bit>

#include "kernels/families/family.hpp"
#include "kernels/math/polynomial.hpp"

MF_NAMESPACE_BEGIN

template <class Family, int... I>
MF_FN constexpr tracking tracking_of(int i, std::integer_sequence<int, I...>) {
  tracking kind = tracking::nothing;
  ((kind = i == I ? std::integral_constant<tracking, Family::parameters[I].tracks>::value : kind), ...);
  return kind;
}
/// What parameter i follows, usable in device code.
template <class Family>
MF_FN constexpr tracking tracking_of(int i) {
  return tracking_of<Family>(i, std::make_integer_sequence<int, parameter_count<Family>>());
}
template <class Family>
MF_FN constexpr bool tracks_any(tracking kind) {
  for (int i = 0; i < parameter_count<Family>; ++i)
    if (tracking_of<Family>(i) == kind) return true;
  return false;
}

/// Families whose coordinate is log x.
template <class Family>
concept has_log_coordinate = requires {
  Family::coordinate_is_log;
};
/// Families that a shift of the data leaves what they are.
template <class Family>
inline constexpr bool can_shift = tracks_any<Family>(tracking::location);
/// Families that a change of unit leaves what they are.
template <class Family>
inline constexpr bool has_frame = can_shift<Family> || tracks_any<Family>(tracking::scale) ||
                                  tracks_any<Family>(tracking::rate) || tracks_any<Family>(tracking::log_scale);

/// The coordinate of x in a frame.
template <class Family, class S>
MF_FN S coordinate_in(const S& x, const frame& f) {
  if constexpr (has_log_coordinate<Family>)
    return f.pivot == 0 ? log(x * S(1 / f.unit)) : log1p((x - S(f.unit)) * S(1 / f.unit)) * S(f.stretch);
  else if constexpr (has_frame<Family>)
    return x * S(1 / f.unit) - S(f.pivot);
  else
    return coordinate_of<Family>(x);
}

/// The power of two at or below |x|, for finite x other than 0; within 2^±1022, so that its inverse is a double too.
MF_FN_LARGE double power_of_two_below(double x) {
  const std::int64_t exponent = std::bit_cast<std::int64_t>(x) >> 52 & 0x7ff;
  const std::int64_t held = exponent < 1 ? 1 : exponent > 2045 ? 2045 : exponent;
  return std::bit_cast<double>(held << 52);
}

/// Chooses a better frame for a sample that was read as `s` says, for arithmetic in S; false when none is needed.
/// Called after every reading: a change of unit may come before one of origin.
template <class Family, class S>
MF_FN_LARGE bool improve_frame(const sample_summary& s, frame& f) {
  if (!has_frame<Family> || s.observations == 0) return false;
  constexpr bool single = is_single<S>;
  const auto representable = [](double x) { return single ? static_cast<double>(static_cast<float>(x)) : x; };
  // A spread this small beside the values: sums and squares about 0 keep half of their digits.
  constexpr double narrow = single ? 1e-3 : 1e-6;
  const double largest = maximum(abs(s.minimum), abs(s.maximum)), range = s.maximum - s.minimum;
  if constexpr (has_log_coordinate<Family>) {
    if (f.active()) {  // a width of about 1: a scale parameter near the unit has no digits for a small one
      if (f.pivot == 0 || f.stretch != 1 || range == 0) return false;
      f.stretch = 1 / power_of_two_below(range);
      return true;
    }
    const auto middle = [&] { return exp(0.5 * s.minimum + 0.5 * s.maximum); };
    if (range <= narrow * largest && largest > 0) {
      f.unit = representable(middle());
      f.pivot = 1;
      return f.unit > (single ? 1e-30 : 1e-300) && f.unit < (single ? 1e38 : constants::infinity);
    }
    if (single || !(largest > 200)) return false;
    const double at = middle();
    if (!(at > 0)) return false;
    f.unit = power_of_two_below(at);
    return f.unit != 1;
  } else {
    // Inside these limits squares and their products stay in the scalar's range.
    constexpr double limit = single ? 0x1p40 : 0x1p300;
    if (f.unit == 1 && largest > 0 && !(largest < limit && largest > 1 / limit)) {
      f.unit = power_of_two_below(largest);
      // A positive value must not become 0: it has a logarithm.
      if (!can_shift<Family> && s.minimum > 0)
        f.unit = minimum(f.unit, power_of_two_below(s.minimum) * (single ? 0x1p120 : 0x1p1000));
      if (single) f.unit = minimum(maximum(f.unit, 0x1p-120), 0x1p120);
      return f.unit != 1;
    }
    if (!can_shift<Family> || f.pivot != 0 || range == 0 || !(range <= narrow * largest)) return false;
    f.pivot = representable(minimum(maximum(s.mean, s.minimum), s.maximum));
    return true;
  }
}

/// A parameter in the frame, from what it is for the data as they are.
template <class Family>
MF_FN_LARGE double into_frame(int i, double p, const frame& f) {
  switch (tracking_of<Family>(i)) {
    case tracking::location:
      return p / f.unit - f.pivot;
    case tracking::scale:
      return has_log_coordinate<Family> && f.pivot != 0 ? exp(f.stretch * log1p((p - f.unit) / f.unit)) : p / f.unit;
    case tracking::rate:
      return p * f.unit;
    case tracking::log_scale:
      return (p - log(f.unit)) * f.stretch;
    case tracking::log_width:
      return p * f.stretch;
    case tracking::power:
      return p / f.stretch;
    default:
      return p;
  }
}
/// A parameter of the data as they are and its standard error, from those in the frame.
struct estimate {
  double value, std_error;
};
template <class Family>
MF_FN_LARGE estimate out_of_frame(int i, const estimate& p, const frame& f) {
  switch (tracking_of<Family>(i)) {
    case tracking::location:
      return {(p.value + f.pivot) * f.unit, p.std_error * f.unit};
    case tracking::scale: {
      if (!has_log_coordinate<Family> || f.pivot == 0) return {p.value * f.unit, p.std_error * f.unit};
      const double value = f.unit + f.unit * expm1(log(p.value) / f.stretch);
      return {value, p.std_error / p.value / f.stretch * value};
    }
    case tracking::rate:
      return {p.value / f.unit, p.std_error / f.unit};
    case tracking::log_scale:
      return {p.value / f.stretch + log(f.unit), p.std_error / f.stretch};
    case tracking::log_width:
      return {p.value / f.stretch, p.std_error / f.stretch};
    case tracking::power:
      return {p.value * f.stretch, p.std_error * f.stretch};
    default:
      return p;
  }
}
/// What a log-density in the frame lacks, on average, of one of the data as they are: the logarithm of dy/dx.
template <class Family>
MF_FN_LARGE double log_density_out_of_frame(const sample_summary& s) {
  const frame& f = s.in;
  return (f.stretch == 1 ? 0.0 : log(f.stretch) + s.mean * (1 - 1 / f.stretch)) - log(f.unit);
}

template <class Family>
MF_FN fit_settings into_frame(const fit_settings& settings, const frame& f) {
  fit_settings inside = settings;
  for (int i = 0; i < parameter_count<Family>; ++i)
    if ((settings.fixed >> i) & 1u) inside.fixed_values[i] = into_frame<Family>(i, settings.fixed_values[i], f);
  return inside;
}

MF_NAMESPACE_END
