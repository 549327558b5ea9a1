// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/contracts/family.hpp"
#include "kernels/math/special.hpp"

MF_NAMESPACE_BEGIN

/// Binomial distribution of the successes in N trials, P(x) = C(N, x) p^x (1−p)^(N−x), x = 0, ..., N. The caller fixes
/// N; the estimate of p is mean / N. Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), ch. 3;
/// probabilities in the saddle-point form of Loader, Fast and accurate computation of binomial probabilities (2000),
/// which does not cancel at large N.
struct binomial {
  static constexpr const char* name = "binomial";
  static constexpr parameter parameters[] = {{"trials", constraint::count, 12, "number of trials, fixed"},
                                             {"prob", constraint::probability, 0.35, "probability of success"}};
  struct support : supports::nonnegative_integers {
    static constexpr const char* text = "x = 0, 1, ..., trials";
  };
  template <class T>
  struct params {
    T trials, prob;
  };

  template <class T, class S>
  MF_FN static T log_kernel(const params<T>& p, const S& x) {
    const S trials = value_of(p.trials);
    const S successes = minimum(x, trials), failures = trials - successes;
    const T value =
        minus_half_deviance(successes, trials * p.prob) + minus_half_deviance(failures, trials * (1.0 - p.prob)) +
        (log_factorial_remainder(trials) - log_factorial_remainder(successes) - log_factorial_remainder(failures));
    return select(x <= trials, value, T(S(-constants::infinity)));
  }
  template <class T>
  MF_FN static T log_constant(const params<T>&) {
    return T(0.0);
  }

  /// The log-probabilities summed as they are (C(N, x) needs N, so it is no statistic of x alone); derivatives from the
  /// mean.
  template <class Points>
  MF_FN_LARGE static jet<double, 2> objective(const Points& points, const sample_summary& s, const params<double>& p) {
    using S = typename Points::scalar;
    const params<S> at{S(p.trials), S(p.prob)};
    const auto total = points.sum([&](const S& x) { return vec<S, 1>{log_kernel(at, x)}; });
    const double successes = s.mean / p.prob, failures = (p.trials - s.mean) / (1 - p.prob);
    jet<double, 2> r(total[0] / s.weight);
    r.gradient[1] = successes - failures;
    r.hessian[packed(1, 1)] = -successes / p.prob - failures / (1 - p.prob);
    return r;
  }
  /// The estimate itself; boundary where every trial had the same outcome, whose probability is then 1, or so nearly
  /// all that the mean does not tell.
  template <class Points>
  MF_FN static start_point<2> start(const Points&, const sample_summary& s, const fit_settings& settings) {
    const double trials = settings.fixed_values[0];
    const bool prob_fixed = settings.fixed & 2u;
    if (s.maximum > trials) return {{trials, constants::nan}, fit_status::out_of_support};
    if (!prob_fixed && s.maximum == 0) return {{trials, 0.0}, fit_status::boundary, 0.0};
    if (!prob_fixed && !(s.mean < trials)) return {{trials, 1.0}, fit_status::boundary, 0.0};
    return {{trials, s.mean / trials}};
  }

  template <class Random>
  MF_FN_LARGE static double sample(const params<double>& p, Random& random) {
    return draw_binomial(random, p.trials, p.prob);
  }
};

MF_NAMESPACE_END
