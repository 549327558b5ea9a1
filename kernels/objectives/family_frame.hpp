// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A family's parameters in the frame of a sample, and out of it; contracts/family_rows.hpp says which frame that is.
#pragma once

#include "kernels/contracts/family_rows.hpp"

MF_NAMESPACE_BEGIN

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
