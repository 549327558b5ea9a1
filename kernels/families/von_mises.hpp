// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Von Mises distribution of an angle x in radians, with mean direction μ in (−π, π] and concentration κ,
/// f(x) = exp(κ cos(x − μ)) / (2π I₀(κ)). Angles that differ by a whole turn are the same.
/// Source: Mardia & Jupp, Directional Statistics (2000), sections 3.5 and 5.3: μ is the direction of the mean resultant
/// vector, and I₁(κ)/I₀(κ) = R, its length.
struct von_mises {
  static constexpr const char* name = "von_mises";
  static constexpr parameter parameters[] = {{"mean", constraint::real, 0.7, "mean direction, radians"},
                                             {"concentration", constraint::positive, 1.5, "0 is uniform"}};
  struct support : supports::reals {
    static constexpr const char* text = "any real x, radians";
  };
  template <class T>
  struct params {
    T mean, concentration;
  };

  /// The angle in [−π, π]: x itself there, and within 1e-18 |x| elsewhere, 2π being taken off in two parts.
  template <class S>
  MF_FN static S coordinate(const S& x) {
    const S turns = floor(x * S(0.15915494309189533577) + S(0.5));
    return (x - turns * S(6.28125)) - turns * S(0.00193530717958647692529);
  }
  /// A mean may be given many turns away, where a vector's sine has no digits: whole turns are taken off the
  /// difference.
  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& y) {
    const T angle = y - p.mean;
    const S turns = floor(value_of(angle) * S(0.15915494309189533577) + S(0.5));
    const T reduced = (angle - turns * S(6.28125)) - turns * S(0.00193530717958647692529);
    return -2.0 * p.concentration * square(sin(0.5 * reduced));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return -constants::log_2 - constants::log_pi - log_bessel_i0_scaled(p.concentration);
  }

  /// Sine, and 1 − cosine as 2 sin² of the half, of the angle from one of the observations, so that narrow samples do
  /// not cancel wherever on the circle they lie.
  template <class S>
  MF_FN static vec<S, 2> statistics(const S& y, const sample_summary& s) {
    const S half = 0.5 * (y - S(s.minimum));
    const S sine = sin(half);
    return {S(2) * sine * cos(half), S(2) * square(sine)};
  }
  struct resultant {
    double direction, length, one_minus_length;
  };
  MF_FN_LARGE static resultant mean_resultant(const vec<double, 2>& means, const sample_summary& s) {
    const double sine = means[0], cosine = 1 - means[1];
    const double length = sqrt(square(sine) + square(cosine));
    double direction = s.minimum + ::atan2(sine, cosine);
    if (direction > constants::pi) direction -= 2 * constants::pi;
    if (direction <= -constants::pi) direction = minimum(direction + 2 * constants::pi, constants::pi);
    return {direction, length, maximum(2 * means[1] - square(means[1]) - square(sine), 0.0) / (1 + length)};
  }
  /// Mean of 1 − cos(x − μ), as (1 − R) + R (1 − cos(direction − μ)).
  template <class T>
  MF_FN static T mean_one_minus_cosine(const T& mean, const resultant& r) {
    return r.one_minus_length + 2.0 * r.length * square(sin(0.5 * (r.direction - mean)));
  }
  template <class T>
  MF_FN static T mean_log_likelihood(const params<T>& p, const vec<double, 2>& means, const sample_summary& s) {
    return log_constant(p) - p.concentration * mean_one_minus_cosine(p.mean, mean_resultant(means, s));
  }

  /// κ with 1 − I₁(κ)/I₀(κ) = `target`, 0 < target < 1. Start: Best & Fisher, Communications in Statistics B 10 (1981)
  /// 493–502; then Newton.
  MF_FN_LARGE static double concentration_of(double target, int most, int& iterations) {
    if (target < 1e-17) return 0.5 / target;  // 1 − I₁/I₀ = 1/(2κ) (1 + 1/(4κ) + ...); derivatives may underflow
    const double r = 1 - target;
    double k = r < 0.53   ? 2 * r + r * r * r + 5.0 / 6 * square(square(r)) * r
               : r < 0.85 ? -0.4 + 1.39 * r + 0.43 / target
                          : 1 / (r * target * (3 - r));
    for (double change = 1; change > 1e-12 && iterations < most; ++iterations) {
      const auto ratio = bessel_ratio_with_derivative(k);
      const double excess = r < 0.5 ? ratio.ratio - r : target - ratio.one_minus_ratio;
      const double next = maximum(k - excess / ratio.derivative, 0.1 * k);
      change = abs(next - k) / k;
      k = next;
    }
    return k;
  }
  /// Boundary, at concentration 0, where the resultant vanishes (or points away from a fixed mean).
  MF_FN_LARGE static start_point<2> start(const vec<double, 2>& means, const sample_summary& s,
                                          const fit_settings& settings) {
    const resultant r = mean_resultant(means, s);
    const bool mean_fixed = settings.fixed & 1u;
    const double mean = mean_fixed ? settings.fixed_values[0] : r.direction;
    if (settings.fixed & 2u) return {{mean, settings.fixed_values[1]}};
    const double spread = mean_one_minus_cosine(mean, r);
    if (!(spread < 1 - 0x1p-50)) {
      const double limit = mean_fixed ? mean : constants::nan;
      return {{limit, 0.0}, fit_status::boundary, -constants::log_2 - constants::log_pi};
    }
    // Equal angles, up to the rounding of whole turns.
    const double rounding = 0x1p-48 * maximum(abs(s.minimum), abs(s.maximum));
    if (!(spread > 0.5 * square(rounding))) return {{mean, constants::infinity}, fit_status::constant_sample};
    int iterations = 0;
    const double concentration =
        concentration_of(spread, settings.max_iterations < 20 ? settings.max_iterations : 20, iterations);
    return {{mean, concentration}, fit_status::not_run, constants::nan, {}, iterations};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_von_mises(random, p.mean, p.concentration);
  }
};

MF_NAMESPACE_END
