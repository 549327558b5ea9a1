#!/usr/bin/env python3
# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Special functions at the ends of the ranges that kernels/math states, and over all that lies between: what families can
ask for when a caller fixes a parameter at 1e-300 or 1e300. Writes special_functions_ends.json; needs mpmath."""
import json
import pathlib

from mpmath import besseli, exp, isfinite, log, loggamma, mp, mpf, pi, psi

LARGE = mpf(10) ** 40  # above it the first terms of the asymptotic series are exact in any double


def log_gamma(x):
    return (x - mpf(1) / 2) * log(x) - x + log(2 * pi) / 2 + 1 / (12 * x) if x > LARGE else loggamma(x)


def digamma(x):
    return log(x) - 1 / (2 * x) - 1 / (12 * x * x) if x > LARGE else psi(0, x)


def trigamma(x):
    return 1 / x + 1 / (2 * x * x) + 1 / (6 * x**3) if x > LARGE else psi(1, x)


def log_minus_digamma(x):
    return 1 / (2 * x) + 1 / (12 * x * x) if x > LARGE else log(x) - psi(0, x)


def log_minus_digamma_derivative(x):
    return -1 / (2 * x * x) - 1 / (6 * x**3) if x > LARGE else 1 / x - psi(1, x)


def log_gamma_remainder(x):
    return log(2 * pi / x) / 2 + 1 / (12 * x) if x > LARGE else loggamma(x) - (x * log(x) - x)


def log_bessel_i0_scaled(x):
    if x < 10000:
        return log(besseli(0, x) * exp(-x))
    w = 1 / x  # DLMF 10.40.1
    return -log(2 * pi * x) / 2 + log(1 + w / 8 + 9 * w**2 / 128 + 225 * w**3 / 3072 + 11025 * w**4 / 98304)


def rows(function, arguments):
    """[arguments..., value] wherever the value is a normal double."""
    kept = []
    for each in arguments:
        mp.dps = 700  # sums of 1e300 and 1e-300 are exact
        value = function(*(mpf(a) for a in each))
        if isfinite(value) and 1e-307 < abs(value) < mpf("1.797e308"):
            kept.append([*each, float(value)])
    return kept


ONE = [(x,) for x in (1e-305, 1e-300, 1e-250, 1e-200, 1e-160, 1e-150, 1e-100, 1e-50, 1e-20, 1e-10, 1e-5, 1e-3, 0.5, 3.0, 16.0,
                      50.0, 1e3, 1e5, 1e8, 1e12, 1e15, 1e16, 1e17, 1e20, 1e30, 1e50, 1e100, 1e150, 1e200, 1e250, 1e300)]
PAIRS = [(r, x) for r in (1e-290, 1e-100, 1e-10, 0.5, 7.9, 8.1, 1e5, 1e12, 1e15, 1e50, 1e100, 1e200, 1e300)
         for x in (0.5, 1.0, 37.0, 1e5, 1e9, 1e12, 1e15, 1e50, 1e100, 1e200, 1e300)]
tables = {
    "log_gamma_range": rows(log_gamma, ONE),
    "digamma_range": rows(digamma, ONE),
    "trigamma_range": rows(trigamma, [x for x in ONE if 1e-150 <= x[0]]),
    "log_minus_digamma_range": rows(log_minus_digamma, ONE),
    "log_minus_digamma_derivative_range": rows(log_minus_digamma_derivative, [x for x in ONE if 1e-150 <= x[0] <= 1e150]),
    "log_gamma_remainder_range": rows(log_gamma_remainder, ONE),
    "log_bessel_i0_scaled_range": rows(log_bessel_i0_scaled, [x for x in ONE if x[0] >= 1e-20]),
    "log_gamma_ratio_range": rows(lambda r, x: log_gamma(r + x) - log_gamma(r), PAIRS),
    "log_gamma_ratio_first_range": rows(lambda r, x: digamma(r + x) - digamma(r), PAIRS),
    "log_gamma_ratio_second_range": rows(lambda r, x: trigamma(r + x) - trigamma(r), [p for p in PAIRS if p[0] > 1e-150]),
}
path = pathlib.Path(__file__).with_name("special_functions_ends.json")
path.write_text("{\n" + ",\n".join(f' "{name}": {json.dumps(table)}' for name, table in tables.items()) + "\n}\n")
