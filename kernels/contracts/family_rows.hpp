// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// How a family reads a sample: which values it has a density for, its coordinate, and the frame that suits it. A family
// says by its parameters' `tracks` what becomes of them in a frame; a sample that needs none never meets one.
#pragma once

#include "kernels/contracts/family.hpp"

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

/// The rule by which a group reads rows for a family; see contracts/group.hpp.
template <class Family>
struct family_rows {
  using support = typename Family::support;
  static constexpr int columns = 0;
  static constexpr bool transforms = has_coordinate<Family>, moves = has_frame<Family>;
  template <class S>
  MF_FN static S coordinate(const S& x) {
    return coordinate_of<Family>(x);
  }
  template <class S>
  MF_FN static S coordinate(const S& x, const frame& in) {
    return coordinate_in<Family>(x, in);
  }
  template <class S>
  MF_FN static bool improve(const sample_summary& s, frame& in) {
    return improve_frame<Family, S>(s, in);
  }
};

MF_NAMESPACE_END
