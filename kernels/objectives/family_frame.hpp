// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// A family's parameters in the frame of a sample, and out of it; contracts/family_rows.hpp says which frame that is.
#pragma once

#include "kernels/contracts/family_rows.hpp"

MF_NAMESPACE_BEGIN

/// A parameter in the frame, from what it is for the data as they are. `logs`: coordinates are logarithms.
MF_FN double into_frame(tracking kind, bool logs, double p, const frame& f) {
  switch (kind) {
    case tracking::location:
      return p / f.unit - f.pivot;
    case tracking::scale:
      return logs && f.pivot != 0 ? exp(f.stretch * log1p((p - f.unit) / f.unit)) : p / f.unit;
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
/// A parameter of the data as they are, from what it is in the frame: of doubles or jets.
template <class T>
MF_FN T out_of_frame(tracking kind, bool logs, const T& p, const frame& f) {
  switch (kind) {
    case tracking::location:
      return (p + f.pivot) * f.unit;
    case tracking::scale:
      if (!logs || f.pivot == 0) return p * f.unit;
      return f.unit + f.unit * expm1(log(p) / f.stretch);
    case tracking::rate:
      return p / f.unit;
    case tracking::log_scale:
      return p / f.stretch + log(f.unit);
    case tracking::log_width:
      return p / f.stretch;
    case tracking::power:
      return p * f.stretch;
    default:
      return p;
  }
}
/// With its standard error.
struct estimate {
  double value, std_error;
};
MF_FN estimate out_of_frame(tracking kind, bool logs, const estimate& p, const frame& f) {
  const double value = out_of_frame(kind, logs, p.value, f);
  switch (kind) {
    case tracking::location:
      return {value, p.std_error * f.unit};
    case tracking::scale:
      if (!logs || f.pivot == 0) return {value, p.std_error * f.unit};
      return {value, p.std_error / p.value / f.stretch * value};
    case tracking::rate:
      return {value, p.std_error / f.unit};
    case tracking::log_scale:
    case tracking::log_width:
      return {value, p.std_error / f.stretch};
    case tracking::power:
      return {value, p.std_error * f.stretch};
    default:
      return p;
  }
}
template <class Family>
MF_FN_LARGE double into_frame(int i, double p, const frame& f) {
  return into_frame(tracking_of<Family>(i), has_log_coordinate<Family>, p, f);
}
template <class Family>
MF_FN_LARGE estimate out_of_frame(int i, const estimate& p, const frame& f) {
  return out_of_frame(tracking_of<Family>(i), has_log_coordinate<Family>, p, f);
}
/// What a log-density in the frame lacks, on average, of one of the data as they are: the logarithm of dy/dx.
template <class Family>
MF_FN_LARGE double log_density_out_of_frame(const sample_summary& s) {
  const frame& f = s.in;
  return (f.stretch == 1 ? 0.0 : log(f.stretch) + s.mean * (1 - 1 / f.stretch)) - log(f.unit);
}

/// What is told of a sample to whoever climbs from outside.
template <class Family>
MF_FN_LARGE loaded_sample loaded_of(const sample_summary& s) {
  return {s.weight,  s.mean,     s.minimum,    s.maximum,
          s.in.unit, s.in.pivot, s.in.stretch, log_density_out_of_frame<Family>(s)};
}

template <class Family>
MF_FN fit_settings into_frame(const fit_settings& settings, const frame& f) {
  fit_settings inside = settings;
  for (int i = 0; i < parameter_count<Family>; ++i)
    if ((settings.fixed >> i) & 1u) inside.fixed_values[i] = into_frame<Family>(i, settings.fixed_values[i], f);
  return inside;
}

MF_NAMESPACE_END
