// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/groups/location_search.hpp"
#include "kernels/groups/quantile.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Student's t distribution with location μ, scale σ and ν degrees of freedom,
/// f(x) = Γ((ν+1)/2) / (Γ(ν/2) √(νπ) σ) · (1 + z²/ν)^(−(ν+1)/2), z = (x − μ)/σ.
/// Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 28; estimation of all
/// three: Lange, Little & Taylor, JASA 84 (1989) 881–896. As ν → ∞ the normal; as ν and σ → 0 at an observation the
/// likelihood has no bound, and what is found is a local maximum away from there (Fernandez & Steel, Biometrika 86
/// (1999) 153–167).
struct student_t {
  static constexpr const char* name = "student_t";
  static constexpr parameter parameters[] = {
      {"df", constraint::positive, 4.0, "degrees of freedom"},
      {"location", constraint::real, 1.5, "location: the centre", tracking::location},
      {"scale", constraint::positive, 2.0, "scale", tracking::scale}};
  using support = supports::reals;
  template <class T>
  struct params {
    T df, location, scale;
  };

  static constexpr double longest_last_step = 1e-5;

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    return -0.5 * (p.df + 1.0) * log1p(square((x - p.location) / p.scale) / p.df);
  }
  /// By the difference of log Γ in one piece: the terms apart cancel at large df.
  template <class T>
  MF_FN static T log_constant(const params<T>& p) {
    return half_gamma_ratio(p.df) - 0.5 * (log(p.df) + constants::log_pi) - log(p.scale);
  }
  template <class T>
  MF_FN static T half_gamma_ratio(const T& df) {
    return log_gamma_ratio(T(0.5) * df, T(0.5));
  }
  template <class S, int P, int Order>
  MF_FN static jet<S, P, Order> half_gamma_ratio(const jet<S, P, Order>& df) {
    return log_gamma_ratio(S(0.5) * df, S(0.5));
  }

  /// Sums of u, z u, z² u, z² u², z u² and log1p(z²/ν), u = 1/(ν + z²). Where a group multiplies and 1 + z²/ν loses
  /// nothing that counts, ν being small, the logarithms are those of products.
  template <class Points>
  MF_FN_LARGE static vec<double, 6> sums_at(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const double df = p.df, location = p.location, by_scale = 1 / p.scale, by_df = 1 / df;
    if constexpr (shares_passes<Points>) {
      const double largest = maximum(s.maximum - location, location - s.minimum) * by_scale;
      if (df < 64 && 1 + square(largest) * by_df < largest_log_argument<S>)
        return points.template sum_with_logs<1>([=](const S& y) {
          const S z = (y - S(location)) * S(by_scale), zz = z * z, q = S(1) + zz * S(by_df);
          const S u = S(by_df) * inverse(q), a = z * u;
          return vec<S, 6>{u, a, zz * u, a * a, a * u, q};
        });
    }
    return points.sum([=](const S& y) {
      const S z = (y - S(location)) * S(by_scale), zz = z * z;
      const S u = S(1) / (S(df) + zz), a = z * u;
      return vec<S, 6>{u, a, zz * u, a * a, a * u, log1p(zz * S(by_df))};
    });
  }

  /// Mean log-likelihood and derivatives from those sums. One body for all that evaluate it: inlined into each, the
  /// code of one fit does not fit into a GPU's instruction caches.
  template <class Points>
  MF_FN_CALL static jet<double, 3> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    if (p.df > 1000) return objective_near_normal(points, s, p);
    const double df = p.df, by_scale = 1 / p.scale, by_df = 1 / df;
    const auto total = sums_at(points, s, p);
    const double w = s.weight, u = total[0] / w, a = total[1] / w, b = total[2] / w, aa = total[3] / w,
                 au = total[4] / w, l = total[5] / w;
    using constant = jet<double, 1>;
    const constant c = half_gamma_ratio(constant::variable(df, 0)) - 0.5 * log(constant::variable(df, 0));
    jet<double, 3> r;
    r.value = c.value - 0.5 * constants::log_pi - log(p.scale) - 0.5 * (df + 1) * l;
    r.gradient[0] = c.gradient[0] - 0.5 * l + 0.5 * (df + 1) * by_df * b;
    r.gradient[1] = (df + 1) * a * by_scale;
    r.gradient[2] = ((df + 1) * b - 1) * by_scale;
    r.hessian[packed(0, 0)] = c.hessian[0] + 0.5 * by_df * (b - by_df * b - (df + 1) * aa);
    r.hessian[packed(1, 0)] = (a - (df + 1) * au) * by_scale;
    r.hessian[packed(1, 1)] = (df + 1) * (2 * aa - u) * by_scale * by_scale;
    r.hessian[packed(2, 0)] = (b - (df + 1) * aa) * by_scale;
    r.hessian[packed(2, 1)] = -2 * df * (df + 1) * au * by_scale * by_scale;
    r.hessian[packed(2, 2)] = (1 - (df + 1) * (b + 2 * df * aa)) * by_scale * by_scale;
    return r;
  }

  /// The same at large df, where the sums above agree in their leading terms and what tells one df from another is of
  /// order 1/df⁴: through h = 1/df, in which log f = c(h) − log σ − ½ (1 + h) log(1 + h z²)/h is smooth and of order 1
  /// down to the normal at 0 (`points` by value: what a call that stays a call is given lies in memory, and the group
  /// should stay in registers). c(h) = −½ log 2π − h/4 + h³/24 − h⁵/20 + ... (DLMF 5.11.13).
  template <class Points>
  MF_FN_CALL static jet<double, 3> objective_near_normal(Points points, const sample_summary& s,
                                                         const params<double>& p) {
    using S = typename Points::scalar;
    const double h = 1 / p.df, hh = h * h, location = p.location, by_scale = 1 / p.scale;
    const auto total = points.sum([=](const S& y) {
      const S z = (y - S(location)) * S(by_scale), zz = z * z;
      const auto d = log1p_ratio_with_derivatives(zz, S(h));
      const S r = d.by_z, zr = z * r, zrr = zr * r, zzrr = z * zrr, excess = zz - S(1);
      return vec<S, 10>{d.value, d.by_k, d.by_k_twice, r, zr, zz * r, zrr, zzrr, zrr * excess, zzrr * excess};
    });
    vec<double, 10> mean;
    for (int i = 0; i < 10; ++i) mean[i] = total[i] / s.weight;
    const double by_h = -0.25 + hh * (0.125 - 0.25 * hh) - 0.5 * mean[0] - 0.5 * (1 + h) * mean[1];
    const double by_h_twice = h * (0.25 - hh) - mean[1] - 0.5 * (1 + h) * mean[2];
    jet<double, 3> r;
    r.value = -constants::half_log_two_pi + h * (-0.25 + hh / 24) - log(p.scale) - 0.5 * (1 + h) * mean[0];
    r.gradient[0] = -hh * by_h;
    r.gradient[1] = (1 + h) * mean[4] * by_scale;
    r.gradient[2] = ((1 + h) * mean[5] - 1) * by_scale;
    r.hessian[packed(0, 0)] = hh * (hh * by_h_twice + 2 * h * by_h);
    r.hessian[packed(1, 0)] = hh * mean[8] * by_scale;
    r.hessian[packed(1, 1)] = (1 + h) * (2 * h * mean[7] - mean[3]) * by_scale * by_scale;
    r.hessian[packed(2, 0)] = hh * mean[9] * by_scale;
    r.hessian[packed(2, 1)] = -2 * (1 + h) * mean[6] * by_scale * by_scale;
    r.hessian[packed(2, 2)] = (1 - (1 + h) * (mean[5] + 2 * mean[7])) * by_scale * by_scale;
    return r;
  }

  /// Median, interquartile range, and df from the fraction of points beyond three times half that range: 0.043 for the
  /// normal, 0.043 + 0.185/df to a tenth from there down to df = 1.
  template <class Points>
  MF_FN_CALL static start_point<3> start(const Points& points, const sample_summary& s, const fit_settings& settings) {
    using S = typename Points::scalar;
    const bool df_fixed = settings.fixed & 1u, location_fixed = settings.fixed & 2u, scale_fixed = settings.fixed & 4u;
    const auto quartiles = rough_quantiles(points, s, vec<double, 3>{0.25, 0.5, 0.75}, 0.02);
    const double median = quartiles[1], location = location_fixed ? settings.fixed_values[1] : median;
    double reach = 0.5 * quartiles[2] - 0.5 * quartiles[0];
    if (location_fixed) reach = maximum(reach, abs(median - location));
    if (!(reach > 0))  // half the points are equal
      reach = points.sum([=](const S& y) { return vec<S, 1>{abs(y - S(location))}; })[0] / s.weight;
    if (!(reach > 0) && !scale_fixed) return {{1, location, 0}, fit_status::unbounded_likelihood};
    const double beyond = points.sum([=](const S& y) {
      return vec<S, 1>{select(abs(y - S(location)) > S(3 * reach), S(1), S(0))};
    })[0] / s.weight;
    const double df = df_fixed ? settings.fixed_values[0] : 0.185 / minimum(0.4, maximum(0.0093, beyond - 0.043));
    if (scale_fixed) {
      const double fixed_value = settings.fixed_values[2];
      return {{df, location_fixed ? location : location_of_highest(points, s, df, fixed_value), fixed_value},
              fit_status::not_run,
              constants::nan,
              {},
              1};
    }
    // The upper quartile of t with df degrees of freedom, to one in a hundred from df = 1/2.
    const double upper_quartile = 0.6745 * (1 + (0.37 + 0.11 / df) / df);
    return {{df, location, reach / upper_quartile}, fit_status::not_run, constants::nan, {}, 1};
  }

  /// With df and scale fixed the likelihood of the location may have a maximum at every cluster of points.
  template <class Points>
  MF_FN_LARGE static double location_of_highest(const Points& points, const sample_summary& s, double df,
                                                double scale) {
    using S = typename Points::scalar;
    const double by_scale = 1 / scale, by_df = 1 / df;
    if (s.minimum == s.maximum) return s.minimum;
    return location_of_least(points, s, scale / 32,
                             [=](const S& distance) { return log1p(square(distance * S(by_scale)) * S(by_df)); });
  }

  /// Small samples have several maxima: after the first climb two more, from the shortest interval that holds half of
  /// the points (df = 1) and from the one that holds a quarter (df = 1/2). Of 200 random samples each of df from 1/2 to
  /// infinity that improved 8 % at 5 points, 1 % at 9 and none from 20 on. From df = 1 on, fixed, there is
  /// one maximum (Kent & Tyler, Annals of Statistics 19 (1991) 2102–2119).
  template <class Points>
  MF_FN_CALL static bool try_again(const Points& points, const sample_summary& s, const fit_settings& settings,
                                   fit_status found, int tried, vec<double, 3>& p) {
    const bool df_fixed = settings.fixed & 1u, location_fixed = settings.fixed & 2u, scale_fixed = settings.fixed & 4u;
    const int most = found == fit_status::converged ? 20 : 64;
    if (tried > 1 || s.observations > most || (df_fixed && (scale_fixed || settings.fixed_values[0] >= 1)))
      return false;
    p[0] = df_fixed ? settings.fixed_values[0] : tried == 0 ? 1.0 : 0.5;
    if (scale_fixed) {
      p[1] = location_fixed ? settings.fixed_values[1] : location_of_highest(points, s, p[0], settings.fixed_values[2]);
      return true;
    }
    constexpr int parts = 16;
    const int span = tried == 0 ? parts / 2 : parts / 4;
    double at[parts + 1] = {s.minimum};
    at[parts] = s.maximum;
    for (int k = 1; k < parts; ++k) at[k] = quantile(points, s, static_cast<double>(k) / parts, 0.01);
    int shortest = 0;
    for (int k = 0; k + span <= parts; ++k)
      if (at[k + span] - at[k] < at[shortest + span] - at[shortest]) shortest = k;
    const double length = at[shortest + span] - at[shortest];
    if (!(length > 0)) return false;
    p[1] = location_fixed ? settings.fixed_values[1] : at[shortest] + 0.5 * length;
    p[2] = (tried == 0 ? 0.5 : 1.0) * length;
    return true;
  }

  /// The normal limit, and whether the likelihood falls from there as df comes down from infinity.
  template <class Points>
  struct normal_limit {
    start_point<3> at_edge;
    bool is_maximum;
    bool df_free, scale_free;
    const Points* points;
    const sample_summary* summary;
  };
  /// The derivative of the mean log-likelihood in 1/df at the normal is mean(z⁴)/4 − mean(z²)/2 − 1/4.
  template <class Points>
  MF_FN_CALL static normal_limit<Points> limit(const Points& points, const sample_summary& s,
                                               const fit_settings& settings) {
    using S = typename Points::scalar;
    const double location = settings.fixed & 2u ? settings.fixed_values[1] : s.mean;
    const double largest = maximum(s.maximum - location, location - s.minimum),
                 by_largest = largest > 0 ? 1 / largest : 0;
    const auto total = points.sum([=](const S& y) {  // relative to the largest deviation: nothing overflows
      const S d = (y - S(location)) * S(by_largest), dd = d * d;
      return vec<S, 3>{d, dd, dd * dd};
    });
    const double shift = settings.fixed & 2u ? 0.0 : total[0] / s.weight;
    const double mean_square = total[1] / s.weight - shift * shift;
    const double scale = settings.fixed & 4u ? settings.fixed_values[2] : largest * sqrt(mean_square);
    const double unit = largest / scale, z2 = mean_square * unit * unit, z4 = total[2] / s.weight * square(unit * unit);
    normal_limit<Points> result;
    result.at_edge = {{constants::infinity, location + shift * largest, scale},
                      fit_status::boundary,
                      -constants::half_log_two_pi - log(scale) - 0.5 * z2};
    result.is_maximum = z4 / 4 - z2 / 2 - 0.25 <= 0;
    result.df_free = !(settings.fixed & 1u);
    result.scale_free = !(settings.fixed & 4u);
    result.points = &points;
    result.summary = &s;
    return result;
  }
  /// Where the path leads to the normal, and where it leads into tied points.
  template <class Points>
  MF_FN_LARGE static fit_status verdict(const params<double>& p, double mean_log_likelihood,
                                        normal_limit<Points>& limit) {
    if (limit.df_free && p.df > (limit.is_maximum ? 100 : 1e6) &&
        (limit.at_edge.mean_log_likelihood >= mean_log_likelihood || p.df > 1e10))
      return fit_status::boundary;
    if (!limit.scale_free || !may_be_singular(*limit.summary, p.scale)) return fit_status::not_run;
    double location = p.location, value = 0;
    const double log_constant = half_gamma_ratio(p.df) - 0.5 * (log(p.df) + constants::log_pi);
    const fit_status status = singular_at(*limit.points, *limit.summary, p.df, p.scale, log_constant, location, value);
    if (status != fit_status::boundary) return status;
    if (limit.df_free) return fit_status::unbounded_likelihood;  // a smaller df has no bound
    limit.at_edge = {{p.df, location, 0}, status, value};
    return status;
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    const double z = draw_normal(random);
    return p.location + p.scale * z / sqrt(draw_chi_squared(random, p.df) / p.df);
  }
};

MF_NAMESPACE_END
